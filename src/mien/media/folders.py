"""Which pictures or films paths name: folders are walked, and what is left out of them is named.

A folder's files are chosen by suffix alone; nothing is opened. Linked folders are not entered, so a
walk ends. It gives one file after another and remembers one folder's names at a time, so its memory
does not grow with the number of pictures. Knows nothing of pictures beside their names.
"""

import os
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import BadImageError
from mien.media.files import is_dir, outwait

__all__ = [
    "FILM_SUFFIXES",
    "HIDDEN",
    "OTHER",
    "SUFFIXES",
    "Paths",
    "PictureFiles",
    "find_films",
    "find_pictures",
    "search_pictures",
    "several",
    "walk_pictures",
]

Paths = str | Path | Iterable[str | Path]
SUFFIXES = frozenset({
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".mpo"),
    *(".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".hif"),
    *(".jp2", ".j2k", ".jpx", ".dds", ".qoi", ".sgi", ".pcx", ".tga"),
})
FILM_SUFFIXES = frozenset({
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".asf", ".flv", ".f4v", ".ogv"),
    *(".mpg", ".mpeg", ".vob", ".mts", ".m2ts", ".m2t", ".ts", ".mxf", ".dv", ".3gp", ".3g2"),
})
HIDDEN = "hidden"
OTHER = "no picture by its suffix"
_NO_FILM = "no film by its suffix"
_LINKED = "linked folder"
_OWN = "written by --out"
_BROKEN = "link that leads nowhere"
_SPECIAL = "no ordinary file"
_CLOSED = "cannot be opened"
_FAULTS = (_BROKEN, _SPECIAL, _CLOSED)  # what may hide a picture that was meant to be read
_MANY = {HIDDEN, OTHER, _NO_FILM}  # files that nobody means
_SHOWN = 10  # names of them


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is looked for in folders, and why files of other suffixes are left out."""

    suffixes: frozenset[str]
    other: str


_PICTURES = _Kind(SUFFIXES, OTHER)
_FILMS = _Kind(FILM_SUFFIXES, _NO_FILM)


@dataclass(slots=True)
class PictureFiles:
    """The files that paths name, pictures or films, and what was left out of the folders.

    Attributes:
        files: in the order of the paths; those of a folder in the order of their names as text.
        left_out: for each reason the files and folders left out; of hidden and other files, which
            may be as many as the pictures, the first ten by name.
        counts: for each reason how many there are.
    """

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> int:
        """How many were left out although they may be meant: links, folders that are closed."""
        return sum(n for reason, n in self.counts.items() if reason.startswith(_FAULTS))

    def leave_out(self, path: Path, reason: str) -> None:
        """Note something that is left out.

        Args:
            path: of the file or folder.
            reason: in a few words.
        """
        self.counts[reason] += 1
        named = self.left_out.setdefault(reason, [])
        insort(named, path)
        if reason in _MANY:
            del named[_SHOWN:]

    def add(self, other: "PictureFiles") -> None:
        """Add what was left out elsewhere.

        Args:
            other: of another folder; its files are not added.
        """
        for reason, paths in other.left_out.items():
            for path in paths:
                self.leave_out(path, reason)
            self.counts[reason] += other.counts[reason] - len(paths)

    def faults_since(self, earlier: "PictureFiles") -> "PictureFiles":
        """Return the faults that an earlier walk of the same folders did not meet.

        Args:
            earlier: what that one left out.

        Returns:
            The faults alone, with the reasons they have now.
        """
        known = {path for paths in earlier.left_out.values() for path in paths}
        since = PictureFiles()
        for reason, paths in self.left_out.items():
            if reason.startswith(_FAULTS):
                for path in paths:
                    if path not in known:
                        since.leave_out(path, reason)
        return since

    def summary(self) -> list[str]:
        """Say what was left out.

        Returns:
            A line for each reason, with the number and the names; of hidden and other files at most
            ten names.
        """
        lines = []
        for reason, paths in sorted(self.left_out.items()):
            count, names = self.counts[reason], ", ".join(map(str, paths))
            rest = f", and {count - len(paths):,} more" if count > len(paths) else ""
            lines.append(f"left out, {reason}: {count:,}: {names}{rest}")
        return lines


def search_pictures(paths: Paths, out: Path | None = None) -> PictureFiles:
    """List the files that paths name; one that does not exist stays, to fail by name later.

    Args:
        paths: files, given as they are whatever their suffix, and folders, walked; or one of them.
        out: a folder that is written to; below the folders walked it is left out.

    Returns:
        The files, and what was left out.

    Raises:
        BadImageError: if a path is empty, or there is not one file.
    """
    found = PictureFiles()
    found.files.extend(walk_pictures(paths, found, out))
    return found


def walk_pictures(paths: Paths, found: PictureFiles, out: Path | None = None) -> Iterator[Path]:
    """Give the files that paths name one by one, in the order of `search_pictures`.

    Args:
        paths: as for `search_pictures`.
        found: is told what is left out; its list of files stays empty.
        out: a folder that is written to; below the folders walked it is left out.

    Yields:
        Each file.

    Raises:
        BadImageError: if a path is empty; in the end, if there was not one file.
    """
    named: list[Path] = []
    empty = True
    for path in several(paths):
        named.append(path)
        for file in _walk(path, found, out) if is_dir(path) else [path]:
            empty = False
            yield file
    if empty:
        names = ", ".join(map(str, named))
        said = f" ({'; '.join(found.summary())})" if found.left_out else ""
        raise BadImageError(
            f"no pictures in {names}", fix=f"name a folder that holds JPEG or PNG{said}"
        )


def find_pictures(paths: Paths) -> Iterator[Path]:
    """List the picture files that paths name, walking folders in the order of their names as text.

    Args:
        paths: files, given as they are whatever their suffix, and folders, walked; or one of them.

    Yields:
        Each file, folders' files by suffix only; hidden files are left out. What else is left out
        `search_pictures` tells.

    Raises:
        BadImageError: if a path is empty or does not exist.
    """
    for path in several(paths):
        if is_dir(path):
            yield from _walk(path, PictureFiles(), None)
        elif os.path.lexists(path):
            yield path
        else:
            raise BadImageError(f"no such file or folder: {path}", fix="check the path")


def several(paths: Paths) -> Iterator[Path]:
    """Give each of the paths; a single one itself, as the letters of its name are no paths.

    Args:
        paths: several or one.

    Yields:
        Each.

    Raises:
        BadImageError: if one is empty.
    """
    for path in [paths] if isinstance(paths, str | Path) else paths:
        if not str(path):  # Path would make the current folder of it
            raise BadImageError("an empty path was given", fix="give the path of a file or folder")
        yield Path(path)


def find_films(folder: Path) -> PictureFiles:
    """List the films below a folder, in the order of their paths as text.

    Args:
        folder: walked; linked folders are not entered.

    Returns:
        Files by their suffix, and what was left out.

    Raises:
        BadImageError: if there is no such folder, or not one film in it.
    """
    found = PictureFiles()
    if is_dir(folder):
        found.files.extend(_walk(folder, found, None, _FILMS))
    if not found.files:
        said = f" ({'; '.join(found.summary())})" if found.left_out else ""
        fix = f"name a folder that holds files such as .mp4, .mov or .mkv{said}"
        raise BadImageError(f"no films in {folder}", fix)
    return found


def _walk(
    root: Path, found: PictureFiles, out: Path | None, kind: _Kind = _PICTURES
) -> Iterator[Path]:
    """Give the files of a kind below a folder, and note in `found` what is left out."""
    own = _identity(out) if out is not None and is_dir(out) else None
    open_folders = [(root, _inside(root, found, own, kind))]  # and what is to be seen of each
    while open_folders:
        folder, names = open_folders[-1]
        if not names:
            open_folders.pop()
            continue
        name = names.pop()
        path = folder / name
        if name.endswith("/"):
            open_folders.append((path, _inside(path, found, own, kind)))
        else:
            yield path


def _inside(
    folder: Path,
    found: PictureFiles,
    own: tuple[int, int] | None,
    kind: _Kind,
    tries: int = 2,
) -> list[str]:
    """Files of a kind, and folders, in a folder, the last one first; folders end with a slash.

    With the slash all files come in the order of their whole paths: "a.jpg" before "a/x.jpg".
    Names alone are kept, as there may be a million of them. A disk in a network that fails once is
    asked again.

    Returns:
        The names.
    """
    names, left_out = [], PictureFiles()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                reason = _reason(entry, own, kind)
                if reason:
                    left_out.leave_out(folder / entry.name, reason)
                else:
                    names.append(entry.name + "/" * entry.is_dir(follow_symlinks=False))
    except OSError as error:
        if tries > 1 and outwait(error):
            return _inside(folder, found, own, kind, tries - 1)
        found.leave_out(folder, f"{_CLOSED} ({error.strerror})")
        return []
    found.add(left_out)
    return sorted(names, reverse=True)


def _reason(entry: os.DirEntry[str], own: tuple[int, int] | None, kind: _Kind) -> str:
    """Why something in a folder is left out, or ""."""
    path = Path(entry.path)
    if entry.name.startswith("."):
        return HIDDEN
    if entry.is_dir(follow_symlinks=False):
        return _OWN if own is not None and _is_at(path, own) else ""
    if entry.is_symlink() and is_dir(path):
        return _LINKED
    if path.suffix.lower() not in kind.suffixes:
        return kind.other
    try:
        ordinary = entry.is_file()
    except OSError:  # a link in a circle
        return _BROKEN
    if ordinary:
        return ""
    return _BROKEN if entry.is_symlink() else _SPECIAL


def _is_at(path: Path, identity: tuple[int, int]) -> bool:
    try:
        return _identity(path) == identity
    except FileNotFoundError:  # it went since it was listed
        return False


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
