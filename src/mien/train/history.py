"""The history of a run: a row an epoch, in its checkpoint and as a table.

The checkpoint is the truth, since a run is resumed from it; the table is for people and plots.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mien.errors import BadDataError
from mien.media.writers import CsvWriter
from mien.train.checkpoint import read_progress
from mien.train.run import LAST, History

__all__ = ["read_history", "restore_history", "write_history"]

_HISTORY = "history.csv"


def write_history(folder: Path, history: History) -> None:
    """Write the history of a run as a table.

    Args:
        folder: of the run.
        history: at least one row.
    """
    with CsvWriter(folder / _HISTORY, list(history[0])) as table:
        for row in history:
            table.write(row.values())


def read_history(folder: Path) -> History:
    """Read the history of a run: that of its last checkpoint, from which it would be resumed.

    The table is written after the checkpoint, so a run that was killed in between lacks an epoch
    there. It is read where there is no checkpoint, as after a search on other machines.

    Args:
        folder: of the run.

    Returns:
        One row an epoch; none where it has not begun.

    Raises:
        BadDataError: if the table is damaged.
        BadModelError: if the checkpoint is.
    """
    table = _read_table(folder)
    saved = read_progress(folder / LAST)["history"] if (folder / LAST).exists() else []
    return _as_numbers(saved) if len(saved) >= len(table) else table


def restore_history(folder: Path) -> None:
    """Write the table of a run again if the run was killed before it could.

    Args:
        folder: of the run.

    Raises:
        BadDataError: if the table is damaged.
        BadModelError: if the checkpoint is.
        OutputError: if it cannot be written.
    """
    history = read_history(folder)
    if len(history) > len(_read_table(folder)):
        write_history(folder, history)


def _as_numbers(lines: Iterable[Mapping[str, Any]]) -> History:
    rows = [{k: float(v) for k, v in line.items()} for line in lines]
    for number, row in enumerate(rows, 1):
        if row["epoch"] != number:
            raise ValueError(f"row {number} is not that of epoch {number}")
    return [{**row, "epoch": number} for number, row in enumerate(rows, 1)]


def _read_table(folder: Path) -> History:
    path = folder / _HISTORY
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _as_numbers(csv.DictReader(file))
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise BadDataError(f"{path} is no history ({error})", fix=f"remove {folder}") from error
