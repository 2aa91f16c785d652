"""Prepared crops for training: all of them in memory, or one at a time as a PyTorch ``Dataset``.

Pipeline: manifests -> `Crops`, (N, side, side) grey bytes -> shuffled `batches` in [0, 1] ->
augmented (`mien.train.augment`) -> `normalise`, by the numbers of `mien.pixels`.
mien's own trainer keeps its crops as bytes in memory, which is fast. `ExpressionDataset` is for any
other training loop: it reads a crop when it is asked for one, so its memory does not grow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mien import pixels
from mien.data import manifest
from mien.data.label_file import labels_of, labels_of_all
from mien.data.manifest import Row
from mien.data.prepare.record import OWN, database_of, origin_of
from mien.errors import BadDataError
from mien.faces.regions import PROTOTYPES
from mien.labels import PAPER, LabelSet
from mien.media import images
from mien.pixels import BOOL, U8
from mien.train.guide import is_aligned

__all__ = [
    "Crops",
    "ExpressionDataset",
    "batch_rows",
    "batches",
    "class_shares",
    "join",
    "load_crops",
    "network_inputs",
    "normalise",
]

_BATCH = 256  # crops given at once to a network that is not in training


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Crops in memory.

    Attributes:
        rows: their manifest rows.
        gray: shape (N, side, side), uint8.
        targets: shape (N,), int64, the numbers of `labels`: 0 to 5, or 6 for neutral.
        rgb: shape (N, 3, side, side), uint8, where the colours are kept; else None.
        shares: shape (N, 7), float32, of the classes in each target, where votes are known.
        labels: the classes, in the order of their numbers.
        databases: the database of each row, see `record.database_of`; by default its source.
    """

    rows: list[Row]
    gray: Tensor
    targets: Tensor
    rgb: Tensor | None = None
    shares: Tensor | None = None
    labels: LabelSet = PAPER
    databases: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Take the sources of the rows for their databases where nothing else is known."""
        if not self.databases:
            object.__setattr__(self, "databases", [row.source for row in self.rows])

    def __len__(self) -> int:
        """Count the crops."""
        return len(self.rows)

    def where(self, mask: BOOL) -> "Crops":
        """Return the crops that a mask of shape (N,) chooses."""
        rows = list(compress(self.rows, mask))
        databases = list(compress(self.databases, mask))
        chosen = torch.from_numpy(mask)
        rgb = None if self.rgb is None else self.rgb[chosen]
        shares = None if self.shares is None else self.shares[chosen]
        gray, targets = self.gray[chosen], self.targets[chosen]
        return Crops(rows, gray, targets, rgb, shares, self.labels, databases)

    def guided(self) -> Tensor:
        """Return the class number of each crop whose map can be guided; -1 for the others.

        Those are the six expressions in aligned crops, see `mien.train.guide.is_aligned`.
        """
        known = np.array([name in PROTOTYPES for name in self.labels.targets], dtype=np.bool_)
        can = torch.from_numpy(is_aligned(self.rows) & known[self.targets])
        return torch.where(can, self.targets, -1)

    def to(self, device: torch.device) -> "Crops":
        """Return the crops with their pixels in a device's memory; the targets stay."""
        rgb = None if self.rgb is None else self.rgb.to(device)
        return replace(self, gray=self.gray.to(device), rgb=rgb)

    def with_shuffled_targets(self, seed: int) -> "Crops":
        """Return the crops with their targets in random order: as many of each as before.

        Shares go with their targets, so that they tell no more of a picture than these do.
        """
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        shares = None if self.shares is None else self.shares[order]
        return replace(self, targets=self.targets[order], shares=shares)


def load_crops(
    folders: Sequence[str | Path], split: str, colour: bool = False, side: int = pixels.SIDE
) -> Crops:
    """Read one split of prepared folders.

    Args:
        folders: what ``mien prepare`` wrote.
        split: ``train``, ``valid`` or ``test``.
        colour: keep the colours too, in three times the memory; see `augment.Strength.colour`.
        side: to resize them to, in pixels.

    Returns:
        All crops, in the order of folders and manifests.

    Raises:
        BadDataError: if a folder has no manifest, or no folder has the split, or two have other
            classes.
        BadImageError: if a crop cannot be read.
    """
    labels = labels_of_all(folders)
    rows: list[Row] = []
    databases: list[str] = []
    gray: list[U8] = []
    rgb: list[U8] = []
    for folder in folders:
        origin = origin_of(Path(folder))
        for row in manifest.read(folder):
            if row.split == split:
                rows.append(row)
                databases.append(database_of(row.source, origin))
                crop = images.read_rgb(Path(folder) / row.path)
                gray.append(pixels.to_side(pixels.to_gray(crop), side))
                if colour:
                    rgb.append(np.stack([pixels.to_side(crop[..., i], side) for i in range(3)]))
    if not rows:
        raise BadDataError(
            f"no {split} pictures in {', '.join(map(str, folders))}", fix="check data in the config"
        )
    targets = torch.tensor([labels.index(row.label) for row in rows])
    colours = torch.from_numpy(np.stack(rgb)) if colour else None
    crops = Crops(rows, torch.from_numpy(np.stack(gray)), targets, colours, labels=labels)
    return replace(crops, databases=_with_altered(rows, databases))


def _with_altered(rows: Sequence[Row], databases: Sequence[str]) -> list[str]:
    """The databases, with altered copies of own pictures in that of the picture of their name."""
    known = zip(rows, databases, strict=True)
    own = {row.original: database for row, database in known if database.startswith(f"{OWN}:")}
    return [
        own.get(row.original, database) if database == OWN else database
        for row, database in zip(rows, databases, strict=True)
    ]


def join(first: Crops, second: Crops) -> Crops:
    """Put crops one after the other.

    Args:
        first: crops.
        second: more crops of the same classes, with colours if the first have colours.

    Returns:
        All of them.
    """
    rgb = None
    if first.rgb is not None and second.rgb is not None:
        rgb = torch.cat([first.rgb, second.rgb])
    gray = torch.cat([first.gray, second.gray])
    targets = torch.cat([first.targets, second.targets])
    rows, databases = first.rows + second.rows, [*first.databases, *second.databases]
    return Crops(rows, gray, targets, rgb, labels=first.labels, databases=databases)


def batches(
    crops: Crops,
    size: int,
    generator: torch.Generator,
    balance: float = 0.0,
    more: Sequence[Tensor] = (),
) -> Iterator[tuple[Tensor, ...]]:
    """Shuffle crops into batches for one epoch.

    Args:
        crops: what to train on.
        size: crops a batch; the last, smaller batch is left out if there is another.
        generator: draws the order.
        balance: above 0 rare classes and small databases are taken more often, see
            `class_shares`.
        more: what else each batch shall have, of shape (N, ...).

    Yields:
        Crops (size, 1, side, side), or (size, 3, side, side) where their colours were kept,
        float32 in [0, 1], and targets (size,), or (size, 7) where shares are known; then the
        batch's part of each of `more`.
    """
    values = crops.gray[:, None] if crops.rgb is None else crops.rgb
    targets = crops.targets if crops.shares is None else crops.shares
    for chosen in _order(crops, size, generator, balance):
        yield values[chosen].float() / 255, targets[chosen], *(part[chosen] for part in more)


def batch_rows(
    crops: Crops, size: int, generator: torch.Generator, balance: float, number: int
) -> list[Row]:
    """Return the manifest rows of one of the `batches`.

    Args:
        crops: what is trained on.
        size: crops a batch.
        generator: in the state in which it drew the epoch's order.
        balance: of the batches.
        number: of the batch, from 0.

    Returns:
        A row for each of its crops.
    """
    return [crops.rows[int(i)] for i in list(_order(crops, size, generator, balance))[number]]


def class_shares(crops: Crops, balance: float) -> Tensor:
    """Compute how often each crop is taken in an epoch.

    Args:
        crops: of one or several databases.
        balance: in [0, 1); 0 takes all crops alike, and near 1 all databases and classes.

    Returns:
        shape (N,), float64, > 0, with the sum N: within a database proportional to the size of the
        class to the power of -`balance`; a database of M crops has a sum proportional to M to the
        power of 1 - `balance`.

    Source:
        Mahajan et al. 2018, arXiv:1805.00932, section 2.2, for balance 0.5.
    """
    _, databases = np.unique(crops.databases, return_inverse=True)
    classes = databases * len(crops.labels.targets) + crops.targets.numpy()
    sizes = np.bincount(databases)[databases]
    rarity = np.bincount(classes)[classes] ** -balance
    total = np.bincount(databases, weights=rarity)[databases]
    shares = rarity / total * sizes ** (1 - balance)
    return torch.from_numpy(shares * (len(crops) / shares.sum()))


def _order(crops: Crops, size: int, generator: torch.Generator, balance: float) -> Iterator[Tensor]:
    """Draw the crops of each batch."""
    order = torch.randperm(len(crops), generator=generator)
    if balance:  # each crop as often as its share says, rounded up or down at random
        ends = class_shares(crops, balance)[order].cumsum(0) + torch.rand(1, generator=generator)
        ends[-1] = len(crops)  # whatever the rounding
        times = ends.long().diff(prepend=torch.zeros(1, dtype=torch.long))
        order = order.repeat_interleave(times)
        order = order[torch.randperm(len(order), generator=generator)]
    whole = len(order) - len(order) % size or len(order)
    for start in range(0, whole, size):
        yield order[start : min(start + size, whole)]


def normalise(gray: Tensor) -> Tensor:
    """Do what `mien.pixels.to_input` does, on a batch of tensors.

    Args:
        gray: shape (N, 1, side, side), float32 in [0, 1].

    Returns:
        shape (N, 3, side, side), float32.
    """
    mean = torch.from_numpy(pixels.MEAN).to(gray.device).view(1, 3, 1, 1)
    std = torch.from_numpy(pixels.STD).to(gray.device).view(1, 3, 1, 1)
    return (gray - mean) / std


def network_inputs(gray: Tensor, device: torch.device | str = "cpu") -> Iterator[Tensor]:
    """Yield crops in their order as batches for a network, not augmented.

    Args:
        gray: shape (N, side, side), uint8.
        device: where the batches are needed.

    Yields:
        shape (up to 256, 3, side, side), float32, normalised.
    """
    for part in torch.split(gray, _BATCH):
        yield normalise(part[:, None].to(device).float() / 255)


class ExpressionDataset(Dataset[tuple[Tensor, int]]):
    """Crops of one split, each as our networks see it, with its target.

    Attributes:
        classes: the names of the targets, in their order.
        rows: the manifest rows, in the order of the items.
    """

    def __init__(self, folder: str | Path, split: str = "train", neutral: bool = False) -> None:
        """Read the manifest; no picture is opened yet.

        Args:
            folder: what ``mien prepare`` wrote.
            split: ``train``, ``test`` or another that the manifest names.
            neutral: keep pictures of a calm class beside the scored ones, as the last target,
                which is 6 for the paper's classes; else they are left out.

        Raises:
            BadDataError: if there is no manifest, or no such picture in it.
        """
        self._folder = Path(folder)
        self._labels = labels_of(folder)
        self.classes = self._labels.targets if neutral else self._labels.names
        rows = manifest.read(folder)
        self.rows = [row for row in rows if row.split == split and row.label in self.classes]
        if not self.rows:
            which = "any class" if neutral else self._labels.together
            splits = ", ".join(sorted({row.split for row in rows})) or "no picture at all"
            raise BadDataError(
                f"no picture of {which} in split {split!r} of {folder}, which has {splits}",
                fix="choose another split, or neutral=True for neutral pictures",
            )

    def __len__(self) -> int:
        """Count the crops."""
        return len(self.rows)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        """Read one crop.

        Args:
            number: of the row, from 0; below 0 it counts from the end.

        Returns:
            The crop, shape (3, 64, 64), float32, normalised by `mien.pixels`; and its class
            number in the order of `classes`: 0 to 5 for the six, or 6 for neutral.

        Raises:
            BadImageError: if the crop cannot be read.
        """
        row = self.rows[number]
        crop = images.read_rgb(self._folder / row.path)
        return torch.from_numpy(pixels.to_input(crop)), self._labels.index(row.label)
