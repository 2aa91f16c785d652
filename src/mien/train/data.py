"""The crops that a run trains on, and the held-out crops that choose its best epoch.

Folders with a ``valid`` split bring their held-out part along; of every other database a share of
train is drawn. Test pictures are read for one purpose only: to drop their copies from both.

Targets can be softened by the votes of several annotators, where a folder has a ``soft.csv``. FER+
has ten votes for a picture of FER2013; many of FER2013's own labels are one annotator's slip. Votes
join pictures by `original`, so one table serves every framing of them.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import one_hot

from mien.data import manifest, splits
from mien.data.label_file import labels_of, labels_of_all
from mien.data.prepare.record import OWN
from mien.errors import BadDataError, BadSettingError
from mien.labels import LabelSet
from mien.models import zoo
from mien.train.config import TrainConfig
from mien.train.dataset import Crops, join, load_crops
from mien.train.leakage import drop_leaks

__all__ = ["Data", "is_validated", "load_data", "read_votes", "run_labels", "soften"]

_VOTES = "soft.csv"


@dataclass(frozen=True, slots=True)
class Data:
    """What a run trains on and is validated with.

    Attributes:
        train: crops to learn from.
        held: held-out crops; they choose the epoch and the temperature.
        test_copies: how many crops were dropped as copies of test crops of any folder.
        held_copies: how many training crops were dropped as copies of held-out ones.
        fold: number of the fold that is held out, from 1; 0 where there are no folds.
    """

    train: Crops
    held: Crops
    test_copies: int
    held_copies: int
    fold: int = 0


def load_data(settings: TrainConfig) -> Data:
    """Load the crops of a run, hold a part out and close every leak.

    Args:
        settings: names the folders, the share held out, its draw, and votes.

    Returns:
        The crops.

    Raises:
        BadDataError: if a folder is missing, a class has no picture, or folders have other classes.
        BadSettingError: if the settings name other classes than the folders.
    """
    labels = run_labels(settings)
    data = _hold_out(settings)
    train = data.train
    found = {row.label for row in train.rows}
    missing = [name for name in labels.names if name not in found]
    if missing:
        problem = f"no training picture of {', '.join(sorted(missing))}"
        fix = f"check data in the config; the classes are {labels}"
        if not settings.limit and _pool(settings).issuperset(missing):
            problem += ": all are held out, or copies of what is"
            fix = f"give folds, a smaller hold_out than {settings.hold_out}, or more pictures"
        if settings.limit:
            fix = f"raise limit, {settings.limit}, which counts held-out pictures too; or {fix}"
        raise BadDataError(problem, fix=fix)
    _refuse_one_class(labels)
    if settings.votes:
        train = soften(train, settings.votes, settings.trust)
    if settings.shuffle_labels:  # last, or the votes would give the labels back
        train = train.with_shuffled_targets(settings.seed)
    return replace(data, train=train)


def _pool(settings: TrainConfig) -> set[str]:
    """The classes of the pictures that folders have beside their test splits."""
    rows = (row for folder in settings.data for row in manifest.read(folder))
    return {row.label for row in rows if row.split != "test"}


def is_validated(settings: TrainConfig) -> bool:
    """Tell whether some pictures are held out of a run: drawn, in turn, or a split of a folder.

    Args:
        settings: of the run.

    Returns:
        False if the run learns all that it is given.

    Raises:
        BadDataError: if a folder is missing.
    """
    if settings.hold_out or settings.folds:
        return True
    return any(row.split == "valid" for folder in settings.data for row in manifest.read(folder))


def run_labels(settings: TrainConfig) -> LabelSet:
    """Return the classes of a run: those of its folders.

    Args:
        settings: of the run.

    Returns:
        The classes.

    Raises:
        BadDataError: if two folders have other classes.
        BadSettingError: if the settings name others.
    """
    labels = labels_of_all(settings.data)
    if settings.classes and settings.classes != labels.names:
        raise BadSettingError(
            f"classes are {', '.join(settings.classes)}; {settings.data[0]} has {labels}",
            fix="leave classes out, or prepare the folder with these, in this order",
        )
    return labels


def _refuse_one_class(labels: LabelSet) -> None:
    if len(labels.names) == 1:
        raise BadDataError(
            f"one class alone ({labels.names[0]}): there is nothing to tell it from",
            fix="prepare a folder of two classes or more",
        )


def _hold_out(settings: TrainConfig) -> Data:
    """Divide the crops into training and held-out ones, and drop what leaks from one to another."""
    names = {row.split for folder in settings.data for row in manifest.read(folder)}
    side = zoo.side_of(settings.model, settings.side)
    train = _load(settings, "train", side)
    none = train.where(np.zeros(len(train), np.bool_))
    held = _load(settings, "valid", side) if "valid" in names else none
    test_copies = held_copies = 0
    if "test" in names:
        test = load_crops(settings.data, "test", side=side)
        (train, of_train), (held, of_held) = drop_leaks(train, test), drop_leaks(held, test)
        test_copies = of_train + of_held
    if settings.limit:
        train = train.where(splits.draw_part(train.rows, settings.limit, settings.draw))
    # nothing is drawn from a database that brings its own held-out part along
    divided = set(held.databases)
    if any(row.source == OWN for row in held.rows):
        divided.add(OWN)  # own pictures of which nothing tells where they are from
    if settings.folds:  # they hold everything out in turn
        return Data(join(train, held), none, test_copies, 0)
    drawn = splits.draw_held_out(train.rows, settings.hold_out, settings.draw)
    drawn &= np.array([name not in divided for name in train.databases], dtype=np.bool_)
    altered = np.array([row.framing == manifest.ALTERED for row in train.rows], dtype=np.bool_)
    # altered copies of a held-out picture are neither learned nor measured
    train, held = train.where(~drawn), join(held, train.where(drawn & ~altered))
    if len(held):
        train, held_copies = drop_leaks(train, held)
    return Data(train, held, test_copies, held_copies)


def _load(settings: TrainConfig, split: str, side: int) -> Crops:
    """Load a split, without neutral crops where neutral is not learned."""
    colour = settings.augment and settings.colour > 0
    crops = load_crops(settings.data, split, colour, side)
    if settings.neutral:
        return crops
    names = crops.labels.names
    return crops.where(np.array([row.label in names for row in crops.rows], dtype=np.bool_))


def read_votes(folder: str | Path) -> dict[str, list[float]]:
    """Read the votes of a prepared folder.

    Args:
        folder: what ``mien prepare ferplus`` wrote.

    Returns:
        The shares of the classes, in the order of their numbers, summing to 1, by the picture's
        `original`.

    Raises:
        BadDataError: if the folder has no votes.
    """
    originals = {row.path: row.original for row in manifest.read(folder)}
    classes = labels_of(folder).targets
    path = Path(folder) / _VOTES
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            return {
                originals[line["path"]]: [float(line[name]) for name in classes]
                for line in csv.DictReader(file)
                if line["path"] in originals  # what an audit has dropped is still in the table
            }
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
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
        BadDataError: if no picture has votes, or a folder has none, or votes on other classes.
    """
    votes: dict[str, list[float]] = {}
    for folder in folders:
        if labels_of(folder).targets != crops.labels.targets:
            raise BadDataError(
                f"{folder} has votes on {labels_of(folder)}; the pictures have {crops.labels}",
                fix="name folders of the same classes",
            )
        votes |= read_votes(folder)
    known = [i for i, row in enumerate(crops.rows) if row.original in votes]
    if not known:
        raise BadDataError(
            f"no picture has votes in {', '.join(map(str, folders))}",
            fix="prepare both from the same download",
        )
    shares = one_hot(crops.targets, len(crops.labels.targets)).float()
    voted = torch.tensor([votes[crops.rows[i].original] for i in known])
    shares[known] = torch.lerp(shares[known], voted, trust)
    return replace(crops, shares=shares)
