"""A dataset as downloaded, a .zip or the folder it was unpacked to: its files, pictures and tables.

The tables are CSV files with any usual separator, which are streamed; their columns are found by
any usual name. Nothing is ever written to the archive. Decodes no picture.
"""

import csv
import io
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from mien.data.datasets.listing import Listing
from mien.errors import BadDataError, BadImageError
from mien.media.folders import SUFFIXES

__all__ = [
    "SPLITS",
    "Archive",
    "PictureIndex",
    "checked",
    "columns",
    "is_picture",
    "is_table",
    "rows_in",
    "rows_of",
]

SPLITS = {  # usual names of a split: ours
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
    "publictest": "test",
}


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
        """Open one file as a stream.

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
    return bool(stem) and f".{suffix.lower()}" in SUFFIXES and not hidden


class PictureIndex:
    """Finds the pictures of an archive by the name that a table gives them."""

    def __init__(self, archive: Archive) -> None:
        """Index the archive's pictures by file name.

        Args:
            archive: the dataset as downloaded.
        """
        self._by_file: dict[str, list[str]] = defaultdict(list)
        for name in filter(is_picture, archive.names):
            self._by_file[PurePosixPath(name).name].append(name)

    def find(self, written: str, beside: str = "") -> list[str]:
        """List the pictures that a name may mean.

        Args:
            written: a path as it is written in a table: from the archive's root, from any folder
                under it, or from the root of another computer.
            beside: the folder of the table inside the archive, which is searched first.

        Returns:
            No name, one, or several if the path is ambiguous.
        """
        path = PurePosixPath(written.replace("\\", "/"))
        names = self._by_file.get(path.name, [])
        for exact in (str(PurePosixPath(beside) / path), str(path)):
            if exact in names:
                return [exact]
        tail = f"/{path}"
        longer = [name for name in names if f"/{name}".endswith(tail)]
        return longer or [name for name in names if tail.endswith(f"/{name}")]


def is_table(name: str) -> bool:
    """Tell whether a name ends like a table's and is no system file.

    Args:
        name: path inside an archive.

    Returns:
        True for ``.csv`` and ``.tsv``.
    """
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in {".csv", ".tsv"} and not hidden


def rows_in(archive: Archive, name: str) -> Iterator[list[str]]:
    """Stream the rows of a table inside an archive.

    Args:
        archive: the dataset.
        name: one of its names.

    Returns:
        The rows, the header among them, blank ones left out.
    """
    return _rows(lambda: archive.open(name), name)


def rows_of(path: Path) -> Iterator[list[str]]:
    """Stream the rows of a table file.

    Args:
        path: the file.

    Returns:
        The rows, the header among them, blank ones left out.
    """
    return _rows(lambda: path.open("rb"), str(path))


def _rows(open_file: Callable[[], IO[bytes]], name: str) -> Iterator[list[str]]:
    try:
        with open_file() as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
            first = text.readline()
            separator = max(",;\t", key=first.count)
            for row in csv.reader(chain([first], text), delimiter=separator):
                if any(row):
                    yield [cell.strip() for cell in row]
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadDataError(f"cannot read {name}: {reason}", fix="check the file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadDataError(f"{name} is no table ({error})", fix="save it as UTF-8 CSV") from error


def columns(header: Sequence[str], names: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Find the columns of a table by any of their usual names.

    Args:
        header: the first row of a table.
        names: our name of each column, with its usual names in lower case.

    Returns:
        Our name and the index of every column that is there.

    Example:
        >>> columns(["Image", "emotion"], {"path": ["image"], "label": ["label", "emotion"]})
        {'path': 0, 'label': 1}
    """
    places = {name.strip().lower(): place for place, name in reversed(list(enumerate(header)))}
    columns_of = {}
    for ours, usual in names.items():
        place = next((places[name] for name in usual if name in places), None)
        if place is not None:
            columns_of[ours] = place
    return columns_of


def checked(listing: Listing, archive: Archive, name: str, layouts: Iterable[str]) -> Listing:
    """Refuse a listing without pictures.

    Args:
        listing: of a reader.
        archive: which it read.
        name: of the dataset, for the message.
        layouts: a pattern for each layout the reader understands, for the message.

    Returns:
        The listing, if it has pictures.

    Raises:
        BadDataError: if it has none; the message says what was looked for and what is there.
    """
    if listing.items:
        return listing
    folders = sorted({str(PurePosixPath(file).parent) for file in archive.names})
    places = ", ".join(folders[:6]) + (" ..." if len(folders) > 6 else "") if folders else "nothing"
    first = listing.problems[0] if listing.problems else None
    left_out = (
        f"; left out {len(listing.problems)}, the first: {first.original}, {first.reason} "
        f"{first.detail}".rstrip()
        if first
        else ""
    )
    raise BadDataError(
        f"{archive.path} does not look like {name}: looked for {' or '.join(layouts)}; "
        f"found {len(archive.names)} files in {places}{left_out}",
        fix="give the archive as downloaded, or the folder it was unpacked to",
    )
