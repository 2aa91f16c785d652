"""The crops that a run trains on, and those held out that choose its epoch.

Folders with a ``valid`` split bring their held-out part along; of every other database a share of
train is drawn. Test pictures are read for one purpose only: to drop their copies from both.

MERGED Targets softened by what several annotators saw, where a folder's ``soft.csv`` tells.

FER+ has ten votes for a picture of FER2013; many of FER2013's own labels are one annotator's slip.
Votes join pictures by `original`, so one table serves every framing of them.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import one_hot

from mien.data import manifest, splits
from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL
from mien.pixels import BOOL
from mien.train.config import TrainConfig
from mien.train.dataset import Crops, drop_leaks, join, load_crops

__all__ = ["SOFT", "Data", "gather", "read_votes", "soften"]

SOFT = "soft.csv"
_CLASSES = (*LABELS, NEUTRAL)


@dataclass(frozen=True, slots=True)
class Data:
    """What a run trains on and is judged by.

    Attributes:
        train: crops to learn from.
        held: pictures held out; they choose the epoch and the temperature.
        leaked: crops dropped as copies of test crops of any folder.
        echoed: training crops dropped as copies of held-out ones.
    """

    train: Crops
    held: Crops
    leaked: int
    echoed: int


def gather(settings: TrainConfig) -> Data:
    """Load the crops of a run, hold a part out and close every leak.

    Args:
        settings: names the folders, the share held out, its draw, and votes.

    Returns:
        The crops.

    Raises:
        BadDataError: if a folder is missing or an expression has no picture.
    """
    splits = {row.split for folder in settings.data for row in manifest.read(folder)}
    crops = _load(settings, "train")
    own = (
        _load(settings, "valid")
        if "valid" in splits
        else crops.where(np.zeros(len(crops), np.bool_))
    )
    leaked = 0
    if "test" in splits:
        test = load_crops(settings.data, "test")
        (crops, first), (own, second) = drop_leaks(crops, test), drop_leaks(own, test)
        leaked = first + second
    drawn = _drawn(crops, {row.source for row in own.rows}, settings)
    train, held, echoed = crops.where(~drawn), join(own, crops.where(drawn)), 0
    if len(held):
        train, echoed = drop_leaks(train, held)
    missing = set(LABELS) - {row.label for row in train.rows}
    if missing:
        raise BadDataError(
            f"no training picture of {', '.join(sorted(missing))}", fix="check data in the config"
        )
    if settings.shuffle_labels:
        train = train.dealt_anew(settings.seed)
    if settings.votes:
        train = soften(train, settings.votes, settings.trust)
    return Data(train, held, leaked, echoed)


def _load(settings: TrainConfig, split: str) -> Crops:
    crops = load_crops(settings.data, split, settings.augment and settings.colour > 0)
    if settings.neutral:
        return crops
    return crops.where(np.array([row.label != NEUTRAL for row in crops.rows], dtype=np.bool_))


def _drawn(crops: Crops, whole: set[str], settings: TrainConfig) -> BOOL:
    """Choose the training crops to hold out, none of a database with its own held-out part."""
    chosen = splits.draw_held_out(crops.rows, settings.hold_out, settings.draw)
    return chosen & np.array([row.source not in whole for row in crops.rows], dtype=np.bool_)


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
