"""Rows as lines of CSV. A line end of any kind in a cell is quoted, so that a row stays a row."""

import csv
from collections.abc import Iterable
from typing import Any, Protocol

__all__ = ["Table", "TextFile", "csv_table"]

_BOTH = "\r\n"  # Python quotes the line ends that it writes itself, and no others


class TextFile(Protocol):
    """Takes text: a `LinesWriter`, or standard output."""

    def write(self, text: str, /) -> object:
        """Add text."""


class Table(Protocol):
    """Takes the rows of a CSV file: Python's own writer, whose class has no public name."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""

    def writerows(self, rows: Iterable[Iterable[Any]], /) -> None:
        """Write many."""


def csv_table(file: TextFile) -> Table:
    """Make what writes rows of CSV, a line each; a line end of any kind in a cell is quoted.

    Args:
        file: takes the lines.

    Returns:
        The table.

    Example:
        >>> import sys
        >>> csv_table(sys.stdout).writerow(["a", "b c", "d,e"])
        a,b c,"d,e"
    """
    return csv.writer(_Lines(file), lineterminator=_BOTH)


class _Lines:
    """Ends each line as files of ours do."""

    def __init__(self, file: TextFile) -> None:
        self._file = file

    def write(self, line: str) -> None:
        self._file.write(line.removesuffix(_BOTH) + "\n")
