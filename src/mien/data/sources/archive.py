"""A database as downloaded: a .zip or the folder it was unpacked to, read the same way.

Nothing is ever written to it. Imports: the standard library, mien.errors.
"""

import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType

from mien.errors import BadDataError, BadImageError

__all__ = ["Archive", "Item", "is_picture", "nothing_found"]

_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a database.

    Attributes:
        original: its name inside the archive, unique.
        label: one of `mien.labels.LABELS` or `NEUTRAL`.
        split: ``train`` or ``test``.
        subject: who is shown, or "" where the database does not say.
    """

    original: str
    label: str
    split: str
    subject: str = ""


class Archive:
    """Names and bytes of the files in a .zip or a folder."""

    def __init__(self, path: str | Path) -> None:
        """Open it.

        Args:
            path: a .zip or a folder.

        Raises:
            BadDataError: if it is neither, or the .zip is damaged.
        """
        self.path = Path(path)
        self._zip: zipfile.ZipFile | None = None
        if self.path.is_dir():
            files = (f for f in self.path.rglob("*") if f.is_file())
            self.names = sorted(f.relative_to(self.path).as_posix() for f in files)
        elif self.path.exists():
            try:
                self._zip = zipfile.ZipFile(self.path)
            except (zipfile.BadZipFile, OSError) as error:
                raise BadDataError(
                    f"{path} is no whole .zip ({error})", fix="download it again, or unpack it"
                ) from error
            self.names = sorted(n for n in self._zip.namelist() if not n.endswith("/"))
        else:
            raise BadDataError(f"no such file or folder: {path}", fix="check the path")

    def read(self, name: str) -> bytes:
        """Return the bytes of one file.

        Args:
            name: one of `names`.

        Returns:
            The whole file.

        Raises:
            BadImageError: if the file is damaged in the archive, locked or unreadable.
        """
        try:
            if self._zip is not None:
                return self._zip.read(name)
            return (self.path / name).read_bytes()
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
            raise BadImageError(
                f"damaged in the archive: {name} ({error})", fix="download the archive again"
            ) from error
        except RuntimeError as error:  # a password, or a compression that zipfile does not know
            raise BadImageError(
                f"locked in the archive: {name} ({error})", fix="unpack it and give the folder"
            ) from error

    def __enter__(self) -> "Archive":
        """Return itself; leaving the block closes the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._zip is not None:
            self._zip.close()


def is_picture(name: str) -> bool:
    """Tell whether a name ends like a picture's and is no system file.

    Args:
        name: path inside an archive.

    Returns:
        True for pictures; False for ``__MACOSX`` leftovers, hidden files and everything else.
    """
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in _PICTURES and not hidden


def nothing_found(archive: Archive, database: str, layouts: Iterable[str]) -> tuple[str, str]:
    """Say that a folder does not hold the database, for a `BadDataError`.

    Args:
        archive: what was given.
        database: what was looked for.
        layouts: the layouts understood, a pattern each.

    Returns:
        What was looked for and what was found, and the next step.
    """
    folders = sorted({str(PurePosixPath(n).parent) for n in archive.names})
    found = ", ".join(folders[:6]) + (" ..." if len(folders) > 6 else "") if folders else "nothing"
    return (
        f"{archive.path} does not look like {database}: looked for {' or '.join(layouts)}; "
        f"found {len(archive.names)} files in {found}",
        "give the archive as downloaded, or the folder it was unpacked to",
    )
