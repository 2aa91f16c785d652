"""Which picture files paths name: folders are walked, and what is left out of them is named.

A folder's files are chosen by suffix alone; nothing is opened. Linked folders are not entered, so a
walk ends. Knows nothing of pictures beside their names.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import BadImageError
from mien.media.files import is_dir

__all__ = ["SUFFIXES", "PictureFiles", "find_pictures", "search_pictures"]

SUFFIXES = frozenset({
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".mpo"),
    *(".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".hif"),
    *(".jp2", ".j2k", ".jpx"),
})
_HIDDEN = "hidden"
_OTHER = "no picture by its suffix"
_LINKED = "linked folder"
_OWN = "written by --out"
_BROKEN = "link that leads nowhere"
_SPECIAL = "no ordinary file"
_CLOSED = "cannot be opened"
_FAULTS = (_BROKEN, _SPECIAL, _CLOSED)  # what may hide a picture that was meant to be read
_SHOWN = 10  # names of files that nobody means


@dataclass(slots=True)
class PictureFiles:
    """The files that paths name, and what was left out of the folders among them.

    Attributes:
        files: in the order of the paths; those of a folder in the order of their names as text.
        left_out: for each reason the files and folders left out.
    """

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def faults(self) -> int:
        """How many were left out although they could be pictures: unreadable folders, links."""
        return sum(len(p) for reason, p in self.left_out.items() if reason.startswith(_FAULTS))

    def leave_out(self, path: Path, reason: str) -> None:
        """Note something that is left out.

        Args:
            path: of the file or folder.
            reason: in a few words.
        """
        self.left_out.setdefault(reason, []).append(path)

    def summary(self) -> list[str]:
        """Say what was left out.

        Returns:
            A line for each reason, with the number and the names; of hidden and other files at most
            ten names.
        """
        lines = []
        for reason, paths in sorted(self.left_out.items()):
            shown = paths[:_SHOWN] if reason in {_HIDDEN, _OTHER} else paths
            rest = f", and {len(paths) - len(shown):,} more" if len(paths) > len(shown) else ""
            lines.append(f"left out, {reason}: {len(paths):,}: {', '.join(map(str, shown))}{rest}")
        return lines


def search_pictures(paths: Iterable[str | Path], out: Path | None = None) -> PictureFiles:
    """List the files that paths name; one that does not exist stays, to fail by name later.

    Args:
        paths: files, given as they are whatever their suffix, and folders, walked.
        out: a folder that is written to; below the folders walked it is left out.

    Returns:
        The files, and what was left out.

    Raises:
        BadImageError: if a path is empty, or there is not one file.
    """
    found = PictureFiles()
    named = list(paths)
    for path in named:
        if not str(path):
            raise BadImageError("an empty path was given", fix="give the path of a file or folder")
        if is_dir(Path(path)):
            found.files.extend(_walk(Path(path), found, out))
        else:
            found.files.append(Path(path))
    if not found.files:
        names = ", ".join(map(str, named))
        said = f" ({'; '.join(found.summary())})" if found.left_out else ""
        raise BadImageError(
            f"no pictures in {names}", fix=f"name a folder that holds JPEG or PNG{said}"
        )
    return found


def find_pictures(paths: Iterable[str | Path]) -> Iterator[Path]:
    """List the picture files that paths name, walking folders in the order of their names as text.

    Args:
        paths: files, given as they are whatever their suffix, and folders, walked.

    Yields:
        Each file, folders' files by suffix only; hidden files are left out. What else is left out
        `search_pictures` tells.

    Raises:
        BadImageError: if a path does not exist.
    """
    for path in map(Path, paths):
        if is_dir(path):
            yield from _walk(path, PictureFiles(), None)
        elif os.path.lexists(path):
            yield path
        else:
            raise BadImageError(f"no such file or folder: {path}", fix="check the path")


def _walk(root: Path, found: PictureFiles, out: Path | None) -> list[Path]:
    """List the pictures below a folder, and note in `found` what is left out."""
    own = _identity(out) if out is not None and is_dir(out) else None
    files: list[Path] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.leave_out(folder, f"{_CLOSED} ({error.strerror})")
            continue
        for entry in inside:
            path = folder / entry.name
            reason = _reason(entry, own)
            if reason:
                found.leave_out(path, reason)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
            else:
                files.append(path)
    for paths in found.left_out.values():
        paths.sort()
    return sorted(files, key=Path.as_posix)


def _reason(entry: os.DirEntry[str], own: tuple[int, int] | None) -> str:
    """Why something in a folder is left out, or ""."""
    path = Path(entry.path)
    if entry.name.startswith("."):
        return _HIDDEN
    if entry.is_dir(follow_symlinks=False):
        return _OWN if own is not None and _identity(path) == own else ""
    if entry.is_symlink() and is_dir(path):
        return _LINKED
    if path.suffix.lower() not in SUFFIXES:
        return _OTHER
    try:
        ordinary = entry.is_file()
    except OSError:  # a link in a circle
        return _BROKEN
    if ordinary:
        return ""
    return _BROKEN if entry.is_symlink() else _SPECIAL


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
