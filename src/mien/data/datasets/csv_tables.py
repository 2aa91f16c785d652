"""The tables of a dataset: CSV files with any usual separator, streamed row by row.

Their columns are found by any usual name. A file inside an archive comes through its gate, so
every error has the file's name.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from mien.data.datasets.archive import Archive
from mien.errors import BadDataError

__all__ = ["columns", "is_table", "rows_in", "rows_of"]

_LONGEST = 2**20  # characters of a line


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
            lines = _lines(text, name)
            first = next(lines, "")
            separator = max(",;\t", key=first.count)
            for row in csv.reader(chain([first], lines), delimiter=separator):
                if any(row):
                    yield [cell.strip() for cell in row]
    except OSError as error:
        reason = error.strerror or error
        raise BadDataError(f"cannot read {name}: {reason}", fix="check the file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadDataError(f"{name} is no table ({error})", fix="save it as UTF-8 CSV") from error


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    """The lines; one that does not end is refused before it fills the memory."""
    while line := text.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise BadDataError(
                f"{name} is no table (a line of {_LONGEST:,} characters or more)",
                fix="save it as UTF-8 CSV",
            )
        yield line


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
