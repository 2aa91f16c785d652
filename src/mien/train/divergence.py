"""Training that diverges: a loss or weights that are no numbers end a run; an explosion is told.

Knows nothing of the loop.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mien.data.manifest import Row
from mien.errors import BadModelError
from mien.media.writers import CsvWriter
from mien.train.config import TrainConfig
from mien.train.validate import best_epoch

__all__ = [
    "BadLossError",
    "DivergedError",
    "divergence_of",
    "has_exploded",
    "refuse_no_number",
    "stop_diverged",
]

_BAD_BATCH = "bad-batch.csv"
# Held-out loss: chance alone has ln 6 = 1.8 among six classes, and a network that is as wrong as it
# is sure has a few more. At 10 the true class has had a probability of 1 in 22,000.
_EXPLODED = 10.0


class DivergedError(BadModelError):
    """Training has ended, as a loss or weights were no numbers any more."""


class BadLossError(ArithmeticError):
    """What is no number any more, where it happened, and on which pictures."""

    def __init__(self, found: str, rows: Sequence[Row] = ()) -> None:
        """Keep what was found, in words, and the pictures of the batch if it was in one."""
        super().__init__(found)
        self.rows = rows


def refuse_no_number(row: Mapping[str, Any]) -> None:
    """Check that a network still has answers at the end of an epoch.

    Args:
        row: of the history.

    Raises:
        BadLossError: if its weights or its held-out loss are no numbers.
    """
    if not math.isfinite(row["held_loss"]):
        raise BadLossError(
            f"weights or answers became no numbers at the end of epoch {row['epoch']}"
        )


def stop_diverged(
    error: BadLossError, folder: Path, settings: TrainConfig, kept: int
) -> DivergedError:
    """Write the pictures of the batch to a file, and make the error for the user.

    Args:
        error: what happened.
        folder: of the run.
        settings: of the run, with `bf16` only where it computes in bfloat16.
        kept: whole epochs that the run has.

    Returns:
        The error for the user.
    """
    told = str(error)
    if error.rows:
        path = folder / _BAD_BATCH
        with CsvWriter(path, ("source", "original", "path", "label")) as table:
            for row in error.rows:
                table.write((row.source, row.original, row.path, row.label))
        first = ", ".join(row.path for row in error.rows[:3])
        told += f": {len(error.rows)} pictures, {first} ...; all are in {path}"
    whole = f"epoch {kept}, the last whole one, is kept" if kept else "no epoch was finished"
    bf16 = ", or set bf16 = false" if settings.bf16 else ""
    return DivergedError(
        f"{told}; {whole}",
        fix=f"lower the rate, {settings.rate}{bf16}, and train with another --out",
    )


def has_exploded(row: Mapping[str, Any]) -> bool:
    """Tell whether the held-out loss of an epoch is beyond all that a learning network has.

    Args:
        row: of the history.

    Returns:
        True if it is above 10.
    """
    return bool(row["held_loss"] > _EXPLODED)


def divergence_of(history: Sequence[Mapping[str, Any]]) -> str:
    """Say which epochs of a run exploded, and whether the kept one is among them.

    Args:
        history: of the run.

    Returns:
        A sentence for the user; "" if none did.
    """
    exploded = [row["epoch"] for row in history if has_exploded(row)]
    if not exploded:
        return ""
    best = best_epoch(history)
    kept = f"epoch {best['epoch']}, which is kept, is none of them"
    if has_exploded(best):
        kept = f"epoch {best['epoch']}, which is kept, is one of them: do not use its answers"
    count = f"{len(exploded)} of {len(history)} epochs, first in epoch {exploded[0]}"
    return f"the held-out loss exploded (above {_EXPLODED:.0f}) in {count}; {kept}; lower the rate"
