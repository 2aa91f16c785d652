"""A database as downloaded: a .zip or the folder it was unpacked to, read the same way.

Nothing is ever written to it.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from mien.data.sources.listing import Listing
from mien.errors import BadDataError, BadImageError

__all__ = ["Archive", "checked", "is_picture"]

_PICTURES = frozenset({"jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff"})


class Archive:
    """Names and bytes of the files in a .zip or a folder.

    Attributes:
        path: the .zip or folder.
        names: of its files, sorted, each once.
        repeated: names that a .zip holds more than once; the last file of a name is read.
    """

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
            self.repeated: list[str] = []
        elif self.path.exists():
            try:
                self._zip = zipfile.ZipFile(self.path)
            except (zipfile.BadZipFile, OSError) as error:
                raise BadDataError(
                    f"{path} is no whole .zip ({error})", fix="download it again, or unpack it"
                ) from error
            counts = Counter(n for n in self._zip.namelist() if not n.endswith("/"))
            self.names = sorted(counts)
            self.repeated = sorted(name for name, count in counts.items() if count > 1)
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

    def open(self, name: str) -> IO[bytes]:
        """Open one file to be read bit by bit.

        Args:
            name: one of `names`.

        Returns:
            A binary stream, to be closed by the caller.

        Raises:
            BadDataError: if the file is damaged in the archive, locked or unreadable.
        """
        try:
            if self._zip is not None:
                return self._zip.open(name)
            return (self.path / name).open("rb")
        except (zipfile.BadZipFile, OSError, RuntimeError) as error:
            raise BadDataError(f"cannot read {name} ({error})", "download it again") from error

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
    parts = name.split("/")
    stem, _, suffix = parts[-1].rpartition(".")
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return bool(stem) and suffix.lower() in _PICTURES and not hidden


def checked(listing: Listing, archive: Archive, database: str, layouts: Iterable[str]) -> Listing:
    """Refuse a listing without pictures.

    Args:
        listing: what a reader found.
        archive: where it looked.
        database: what it looked for.
        layouts: the layouts understood, a pattern each.

    Returns:
        The listing, if it has pictures.

    Raises:
        BadDataError: if not, with what was looked for and what was found.
    """
    if listing.items:
        return listing
    folders = sorted({str(PurePosixPath(n).parent) for n in archive.names})
    found = ", ".join(folders[:6]) + (" ..." if len(folders) > 6 else "") if folders else "nothing"
    first = listing.problems[0] if listing.problems else None
    left_out = (
        f"; left out {len(listing.problems)}, the first: {first.original}, {first.reason} "
        f"{first.detail}".rstrip()
        if first
        else ""
    )
    raise BadDataError(
        f"{archive.path} does not look like {database}: looked for {' or '.join(layouts)}; "
        f"found {len(archive.names)} files in {found}{left_out}",
        fix="give the archive as downloaded, or the folder it was unpacked to",
    )
