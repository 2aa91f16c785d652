"""Parquet files, with the type, unit and meaning of every column; written piece by piece.

Needs the extra ``tables``. Knows no table of mien.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mien import __version__
from mien.errors import BadDataError, MissingExtraError, OutputError
from mien.media.atomic import as_output_error, atomic
from mien.media.data_frames import Column, Kind, typed

__all__ = [
    "SUFFIXES",
    "described",
    "is_parquet",
    "open_parquet",
    "read_parquet",
    "schema_of",
    "table_of",
]

SUFFIXES = frozenset({".parquet", ".pq"})
_GROUP = 20_000  # rows in memory, then written


def is_parquet(path: Path) -> bool:
    """Tell whether a name is that of a Parquet file.

    Args:
        path: the name; the file need not be there.

    Returns:
        True if it ends in one of `SUFFIXES`, in letters of any case.

    Example:
        >>> is_parquet(Path("faces.parquet")), is_parquet(Path("faces.csv"))
        (True, False)
    """
    return path.suffix.lower() in SUFFIXES


def _pyarrow(module: str) -> Any:
    if not find_spec("pyarrow"):
        raise MissingExtraError("Parquet", "tables")
    return import_module(module)


@contextmanager
def open_parquet(
    path: Path, columns: Mapping[str, Column]
) -> Iterator[Callable[[Sequence[Any]], None]]:
    """Open a Parquet file; it appears when the block ends well.

    Args:
        path: the target.
        columns: by name, in order.

    Yields:
        What adds a row: one value a column, None or "" for an empty cell.

    Raises:
        MissingExtraError: without the extra ``tables``.
        OutputError: if it cannot be written.
    """
    arrow, parquet = _pyarrow("pyarrow"), _pyarrow("pyarrow.parquet")
    schema = schema_of(columns)
    rows: list[Sequence[Any]] = []
    refused: list[OutputError] = []  # once; the file is closed then
    with atomic(path) as part:
        with as_output_error(path, arrow.ArrowException):
            writer = parquet.ParquetWriter(part, schema, compression="zstd")

        def flush() -> None:
            if refused:
                raise refused[0]
            try:
                with as_output_error(path, arrow.ArrowException):
                    writer.write_table(table_of(columns, rows))
            except OutputError as error:
                refused.append(error)
                raise
            rows.clear()

        def add(row: Sequence[Any]) -> None:
            rows.append(row)
            if len(rows) >= _GROUP or refused:
                flush()

        with as_output_error(path, arrow.ArrowException), writer:
            yield add
            flush()


def schema_of(columns: Mapping[str, Column]) -> Any:
    """Return the types, units and meanings of a table's columns.

    Args:
        columns: by name, in order.

    Returns:
        ``pyarrow.Schema``.

    Raises:
        MissingExtraError: without the extra ``tables``.
    """
    arrow = _pyarrow("pyarrow")
    types = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    fields = [
        arrow.field(name, types[c.kind], metadata={"unit": c.unit, "meaning": c.meaning})
        for name, c in columns.items()
    ]
    return arrow.schema(fields, metadata={"software": f"mien {__version__}"})


def table_of(columns: Mapping[str, Column], rows: Sequence[Sequence[Any]]) -> Any:
    """Return rows as a table of typed columns.

    Args:
        columns: by name, in order.
        rows: one value a column, None or "" for an empty cell.

    Returns:
        ``pyarrow.Table`` of the schema of `schema_of`.

    Raises:
        MissingExtraError: without the extra ``tables``.
        ValueError: if a cell is no number where there should be one.

    Example:
        >>> table_of({"face": Column("integer", "its number")}, [["0"], [""]]).to_pylist()
        [{'face': 0}, {'face': None}]
    """
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    cells = {
        name: [typed(value, column.kind) for value in cells]
        for (name, column), cells in zip(columns.items(), values, strict=True)
    }
    return _pyarrow("pyarrow").Table.from_pydict(cells, schema_of(columns))


def read_parquet(path: Path) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Read a Parquet file.

    Args:
        path: of the file.

    Returns:
        The names of its columns, and its rows.

    Raises:
        BadDataError: if it is damaged or no such file.
        MissingExtraError: without the extra ``tables``.
    """
    parquet = _pyarrow("pyarrow.parquet")
    with _damage(path):
        table = parquet.read_table(path)
    return list(table.column_names), zip(*(c.to_pylist() for c in table.columns), strict=True)


def described(path: Path) -> dict[str, Column]:
    """Return what a Parquet file says of its columns.

    Args:
        path: of the file.

    Returns:
        By name; without those of other types than `Column` knows, as other programs write them.

    Raises:
        BadDataError: if it is damaged or no such file.
        MissingExtraError: without the extra ``tables``.
    """
    parquet = _pyarrow("pyarrow.parquet")
    with _damage(path):
        schema = parquet.read_schema(path)
    return {field.name: column for field in schema if (column := _column(field))}


def _column(field: Any) -> Column | None:
    types = _pyarrow("pyarrow.types")
    kinds: dict[Kind, Callable[[Any], bool]] = {
        "text": types.is_string, "integer": types.is_integer, "number": types.is_floating
    }  # fmt: skip
    words = {key.decode(): word.decode() for key, word in (field.metadata or {}).items()}
    for kind, fits in kinds.items():
        if fits(field.type):
            return Column(kind, words.get("meaning", ""), words.get("unit", ""))
    return None


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Name a file that is no Parquet."""
    try:
        yield
    except (OSError, _pyarrow("pyarrow").ArrowException) as error:
        raise BadDataError(
            f"cannot read {path}: {error}", fix="name a table that mien wrote as .parquet"
        ) from error
