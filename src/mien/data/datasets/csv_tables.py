"""The tables of a dataset: CSV files with any usual separator, streamed row by row.

Their columns are found by any usual name. A file inside an archive comes through its gate, so
every error has the file's name.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from mien.data.datasets.archive import Archive, is_hidden
from mien.errors import BadDataError

__all__ = ["columns", "decoded", "is_table", "lacks", "rows_in", "rows_of"]

_LONGEST = 2**20  # characters of a line
_SHOWN = 12  # columns named in a message
_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?\s*$', re.IGNORECASE)  # a first line that Excel obeys


def is_table(name: str) -> bool:
    """Tell whether a name ends like a table's and is no system file.

    Args:
        name: path inside an archive.

    Returns:
        True for ``.csv`` and ``.tsv``.
    """
    return PurePosixPath(name).suffix.lower() in {".csv", ".tsv"} and not is_hidden(name)


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
        with open_file() as raw, io.TextIOWrapper(raw, _encoding(raw), newline="") as text:
            lines = _lines(text, name)
            first = next(lines, "")
            said = _SEPARATOR.match(first)
            separator = said[1] if said else max(",;\t", key=first.count)
            first = next(lines, "") if said else first
            for row in csv.reader(chain([first], lines), delimiter=separator):
                if any(row):
                    yield [cell.strip() for cell in row]
    except OSError as error:
        reason = error.strerror or error
        raise BadDataError(f"cannot read {name}: {reason}", fix="check the file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadDataError(f"{name} is no table ({error})", fix="save it as UTF-8 CSV") from error


def _encoding(raw: IO[bytes]) -> str:
    """UTF-16 if a mark at its beginning says so, as Excel's "Unicode text" has it; else UTF-8."""
    start: bytes = raw.peek(2)[:2] if isinstance(raw, io.BufferedReader) else b""
    return "utf-16" if start in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"


def decoded(data: bytes) -> str:
    """Decode a list of names and numbers, whatever editor it was saved with.

    Args:
        data: the whole file.

    Returns:
        Its text, without a mark at its beginning; what cannot be read is U+FFFD.

    Example:
        >>> decoded(b"\\xef\\xbb\\xbfa.jpg 1")
        'a.jpg 1'
    """
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return data.decode("utf-16" if data.startswith(marks) else "utf-8-sig", "replace")


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


def lacks(table: str, header: Sequence[str], needed: Mapping[str, Iterable[str]]) -> str:
    """Say which columns a table has, and which it lacks.

    Args:
        table: its name.
        header: its first row.
        needed: our name of each column it needs, with its usual names.

    Returns:
        A sentence; "" if it lacks none.

    Example:
        >>> lacks("a.csv", ["Image", "mood"], {"path": ["image"], "label": ["label", "emotion"]})
        'a.csv has the columns Image, mood; missing: label (or emotion)'
    """
    there = columns(header, needed)
    missing = [
        f"{ours} (or {', '.join(others)})" if others else ours
        for ours, others in (
            (ours, [name for name in usual if name != ours])
            for ours, usual in needed.items()
            if ours not in there
        )
    ]
    if not missing:
        return ""
    found = ", ".join(cell[:40] for cell in header[:_SHOWN]) or "none"
    more = ", ..." if len(header) > _SHOWN else ""
    return f"{table} has the columns {found}{more}; missing: {', '.join(missing)}"
