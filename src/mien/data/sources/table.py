"""CSV files of databases: streamed whatever their separator, columns by any usual name."""

import csv
import io
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from mien.data.sources.archive import Archive, is_picture
from mien.errors import BadDataError

__all__ = ["SPLITS", "Pictures", "columns", "is_table", "rows_in", "rows_of"]

SPLITS = {
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
        archive: the database.
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


def _rows(opened: Callable[[], IO[bytes]], name: str) -> Iterator[list[str]]:
    try:
        with opened() as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
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


def columns(header: Sequence[str], wanted: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Find columns by any of their names.

    Args:
        header: the first row of a table.
        wanted: our name for a column, and those it goes by, lower case.

    Returns:
        Our name and the place of every column that is there.

    Example:
        >>> columns(["Image", "emotion"], {"path": ["image"], "label": ["label", "emotion"]})
        {'path': 0, 'label': 1}
    """
    places = {name.strip().lower(): place for place, name in reversed(list(enumerate(header)))}
    found = {}
    for ours, names in wanted.items():
        place = next((places[name] for name in names if name in places), None)
        if place is not None:
            found[ours] = place
    return found


class Pictures:
    """The pictures of an archive, found by the name that a table gives them."""

    def __init__(self, archive: Archive) -> None:
        """Index the archive's pictures by file name.

        Args:
            archive: the database.
        """
        self._by_file: dict[str, list[str]] = defaultdict(list)
        for name in filter(is_picture, archive.names):
            self._by_file[PurePosixPath(name).name].append(name)

    def find(self, written: str, beside: str = "") -> list[str]:
        """List the pictures that a name may mean.

        Args:
            written: a path, as a table has it: from the archive's root or any folder under it,
                or from another computer's root.
            beside: the folder of the table inside the archive, looked into first.

        Returns:
            None, one, or several where the name does not tell which.
        """
        path = PurePosixPath(written.replace("\\", "/"))
        alike = self._by_file.get(path.name, [])
        for exact in (str(PurePosixPath(beside) / path), str(path)):
            if exact in alike:
                return [exact]
        tail = f"/{path}"
        longer = [name for name in alike if f"/{name}".endswith(tail)]
        return longer or [name for name in alike if tail.endswith(f"/{name}")]
