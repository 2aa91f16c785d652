"""A column of a table: its name, type, unit and meaning; and tables of typed columns in memory.

A table becomes a DataFrame of pandas or polars, whichever is installed. Knows no table of mien: the
columns of each are in `mien.table_kinds`, those of faces in `mien.recognize.columns`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from mien.errors import MissingExtraError, UnknownNameError

__all__ = ["LIBRARIES", "Column", "Kind", "data_frame", "typed"]

Kind = Literal["text", "integer", "number"]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds.

    Attributes:
        kind: ``text``, ``integer`` (64 bits) or ``number`` (float of 64 bits).
        meaning: in a few words.
        unit: ``px``, ``s``, ``probability``, ...; "" where there is none.
    """

    kind: Kind
    meaning: str
    unit: str = ""


def typed(value: Any, kind: Kind) -> Any:
    """Return a cell as its column's type.

    Args:
        value: as a row or a CSV file has it.
        kind: of the column.

    Returns:
        A str, int or float; None for an empty cell. Bytes of a name that are no valid text are
        escaped, as tables in memory take UTF-8 alone.

    Raises:
        ValueError: if it is no number where there should be one.

    Example:
        >>> typed("0.5", "number"), typed("", "integer"), typed("", "text")
        (0.5, None, None)
    """
    if value is None or value == "":
        return None
    if kind == "text":
        data = str(value).encode("utf-8", errors="surrogateescape")
        return data.decode("utf-8", errors="backslashreplace")
    return int(value) if kind == "integer" else float(value)


def data_frame(
    columns: Mapping[str, Column], rows: Iterable[Sequence[Any]], library: str | None = None
) -> Any:
    """Make a DataFrame.

    Args:
        columns: by name, in order.
        rows: one value a column; None or "" is an empty cell.
        library: ``pandas`` or ``polars``; by default the first of them that is installed.

    Returns:
        ``pandas.DataFrame`` (types string, Int64, float64) or ``polars.DataFrame``.

    Raises:
        MissingExtraError: if neither is installed, or not the one asked for.
        UnknownNameError: if there is no such library.
    """
    if library is not None and library not in LIBRARIES:
        raise UnknownNameError("library of tables", library, LIBRARIES)
    choice = next((name for name in LIBRARIES if library in {None, name} and find_spec(name)), None)
    if choice is None:
        raise MissingExtraError(f"a DataFrame ({library or 'pandas or polars'})", "tables")
    cells: list[list[Any]] = [[] for _ in columns]
    kinds = [column.kind for column in columns.values()]
    for row in rows:
        for cell, value, kind in zip(cells, row, kinds, strict=True):
            cell.append(typed(value, kind))
    return LIBRARIES[choice](dict(zip(columns, zip(kinds, cells, strict=True), strict=True)))


def _pandas(cells: Mapping[str, tuple[Kind, list[Any]]]) -> Any:
    import pandas

    types = {"text": "string", "integer": "Int64", "number": "float64"}
    return pandas.DataFrame({
        name: pandas.Series(v, dtype=types[kind]) for name, (kind, v) in cells.items()
    })


def _polars(cells: Mapping[str, tuple[Kind, list[Any]]]) -> Any:
    import polars

    types = {"text": polars.String, "integer": polars.Int64, "number": polars.Float64}
    return polars.DataFrame([
        polars.Series(name, v, dtype=types[kind]) for name, (kind, v) in cells.items()
    ])


# The first that is installed is taken.
LIBRARIES = {"pandas": _pandas, "polars": _polars}
