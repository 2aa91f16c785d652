"""The tables in a run's folder, and whom the folder belongs to.
No torch.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mien.data.manifest import Row
from mien.errors import BadModelError, BadSettingError
from mien.media.writers import CsvSink, write_text
from mien.train import config
from mien.train.config import TrainConfig

__all__ = [
    "BAD_BATCH",
    "BadLossError",
    "describe",
    "explained",
    "refuse_other_run",
    "write_history",
]

BAD_BATCH = "bad-batch.csv"


def refuse_other_run(out: Path, settings: TrainConfig, resume: bool) -> None:
    """Check that a folder holds no run, or one of these settings to be resumed.

    Args:
        out: the folder.
        settings: of the run to come.
        resume: whether it is to go on with one.

    Raises:
        BadSettingError: if it holds another run, or is not to be resumed.
    """
    path = out / "config.toml"
    if path.exists() and not resume:
        raise BadSettingError(f"{out} holds a run", fix="add --resume, or choose another --out")
    if path.exists() and config.load(path) != settings:
        raise BadSettingError(
            f"{out} holds a run of other settings", fix="choose another --out for these"
        )


def describe(
    out: Path, settings: TrainConfig, trained: Sequence[Row], counts: Mapping[str, Any]
) -> None:
    """Claim the folder for a run that can start, and note what it trains on.

    Args:
        out: the folder.
        settings: of the run.
        trained: the rows of its training crops.
        counts: what else there is to note.
    """
    write_text(config.to_toml(settings), out / "config.toml")
    sources = Counter(row.source for row in trained)
    record = {"train": len(trained), "train_by_source": sources, **counts, "seed": settings.seed}
    write_text(json.dumps(record, indent=2) + "\n", out / "data.json")


def write_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Write the history as a table.

    Args:
        path: of the CSV file.
        history: one row an epoch.
    """
    with CsvSink(path, list(history[0])) as table:
        for row in history:
            table.write(row.values())


class BadLossError(ArithmeticError):
    """The loss is no number: where it happened, and on which pictures."""

    def __init__(self, value: float, place: str, rows: list[Row]) -> None:
        """Keep the value, the place in words and the batch's pictures."""
        super().__init__(f"the loss became {value} in {place}")
        self.rows = rows


def explained(error: BadLossError, out: Path) -> BadModelError:
    """Name the pictures of the batch in a file, and say what next.

    Args:
        error: what happened.
        out: the run's folder.

    Returns:
        The error for the user.
    """
    with CsvSink(out / BAD_BATCH, ("source", "original", "path", "label")) as table:
        for row in error.rows:
            table.write((row.source, row.original, row.path, row.label))
    some = ", ".join(row.path for row in error.rows[:3])
    return BadModelError(
        f"{error}: {len(error.rows)} pictures, {some} ...; all are in {out / BAD_BATCH}; "
        "the last whole epoch is kept",
        fix="lower the rate, or train with bf16 = false",
    )
