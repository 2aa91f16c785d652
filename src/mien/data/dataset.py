"""A prepared folder as a PyTorch ``Dataset``, for anybody's training loop.

Crops are read when they are asked for, so memory does not grow with their number; mien's own loop
holds them all (`mien.data.loader`), which is faster.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mien import pixels
from mien.data import manifest
from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL, index
from mien.media import images

__all__ = ["ExpressionDataset"]


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
            neutral: keep neutral pictures, as target 6; else they are left out.

        Raises:
            BadDataError: if there is no manifest, or no such picture in it.
        """
        self._folder = Path(folder)
        self.classes = (*LABELS, NEUTRAL) if neutral else LABELS
        rows = manifest.read(folder)
        self.rows = [row for row in rows if row.split == split and row.label in self.classes]
        if not self.rows:
            splits = ", ".join(sorted({row.split for row in rows})) or "no picture at all"
            raise BadDataError(
                f"no picture of {'any class' if neutral else 'the six'} in split {split!r} "
                f"of {folder}, which has {splits}",
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
            number: 0 to 5 in the order of `mien.labels.LABELS`, or 6 for neutral.

        Raises:
            BadImageError: if the crop cannot be read.
        """
        row = self.rows[number]
        crop = images.read_rgb(self._folder / row.path)
        return torch.from_numpy(pixels.to_input(crop)), index(row.label)
