"""Targets softened by what several annotators saw, where a folder's ``soft.csv`` tells.

FER+ has ten votes for a picture of FER2013; many of FER2013's own labels are one annotator's slip.
Votes join pictures by `original`, so one table serves every framing of them.
"""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn.functional import one_hot

from mien.data import manifest
from mien.data.loader import Crops
from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL

__all__ = ["SOFT", "read_votes", "soften"]

SOFT = "soft.csv"
_CLASSES = (*LABELS, NEUTRAL)


def read_votes(folder: str | Path) -> dict[str, list[float]]:
    """Read the votes of a prepared folder.

    Args:
        folder: what ``mien prepare ferplus`` wrote.

    Returns:
        By the picture's `original`: the shares of the six and neutral, summing to 1.

    Raises:
        BadDataError: if the folder has no votes.
    """
    originals = {row.path: row.original for row in manifest.read(folder)}
    path = Path(folder) / SOFT
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            table = csv.DictReader(file)
            return {originals[r["path"]]: [float(r[name]) for name in _CLASSES] for r in table}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise BadDataError(
            f"no votes in {path} ({error})", fix="make the folder with mien prepare ferplus"
        ) from error


def soften(crops: Crops, folders: Sequence[str | Path], trust: float) -> Crops:
    """Mix votes into the targets of the pictures that have some.

    Args:
        crops: to train on.
        folders: prepared folders with votes.
        trust: share of the votes in the new target; the label has the rest.

    Returns:
        The crops, with shares.

    Raises:
        BadDataError: if no picture has votes, or a folder has none.
    """
    votes: dict[str, list[float]] = {}
    for folder in folders:
        votes |= read_votes(folder)
    known = [i for i, row in enumerate(crops.rows) if row.original in votes]
    if not known:
        raise BadDataError(
            f"no picture has votes in {', '.join(map(str, folders))}",
            fix="prepare both from the same download",
        )
    shares = one_hot(crops.targets, len(_CLASSES)).float()
    voted = torch.tensor([votes[crops.rows[i].original] for i in known])
    shares[known] = torch.lerp(shares[known], voted, trust)
    return replace(crops, shares=shares)
