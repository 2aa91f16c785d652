"""A table that people analyse, as a file: CSV, or Parquet where its name ends so.

What other commands read (a manifest, the labels of a folder) is CSV alone, and is written by
`mien.media.writers.open_table`. Knows no table of mien.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mien.media.data_frames import Column
from mien.media.parquet import is_parquet, open_parquet
from mien.media.writers import CsvWriter

__all__ = ["open_typed", "write_typed"]


@contextmanager
def open_typed(
    path: Path, columns: Mapping[str, Column], parquet: bool | None = None
) -> Iterator[Callable[[Iterable[object]], None]]:
    """Open a table; it appears when the block ends well.

    Args:
        path: the target; ``-`` is standard output, which takes CSV.
        columns: by name, in order. Their types, units and meanings are kept in Parquet.
        parquet: the format, whatever the name; by default as the name ends.

    Yields:
        What adds a row: one value a column, None or "" for an empty cell.

    Raises:
        MissingExtraError: for Parquet without the extra ``tables``.
        OutputError: if it cannot be written.
    """
    if is_parquet(path) if parquet is None else parquet:
        with open_parquet(path, columns) as add:
            yield lambda row: add(tuple(row))
    else:
        with CsvWriter(path, list(columns)) as table:
            yield table.write


def write_typed(
    rows: Iterable[Iterable[object]],
    columns: Mapping[str, Column],
    csv: Path | None = None,
    parquet: Path | None = None,
) -> None:
    """Write a table as CSV, as Parquet, or both.

    Args:
        rows: one value a column; gone through once for each file.
        columns: by name, in order.
        csv: the file; None for none.
        parquet: the file; None for none.

    Raises:
        MissingExtraError: for Parquet without the extra ``tables``.
        OutputError: if one cannot be written.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "t.csv"
        >>> columns = {"path": Column("text", "a file"), "n": Column("integer", "a count")}
        >>> write_typed([["a.jpg", 3]], columns, target)
        >>> target.read_text()
        'path,n\\na.jpg,3\\n'
    """
    for path, as_parquet in ((csv, False), (parquet, True)):
        if path is not None:
            with open_typed(path, columns, as_parquet) as add:
                for row in rows:
                    add(row)
