"""The faces that rivals are measured on: test crops, the same framed otherwise, and damaged.

A framing is a way to give a rival the face that suits it best; which one that is, is chosen on
training crops.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.damage import KINDS, STRENGTHS, corrupt
from mien.data import manifest, splits
from mien.data.dedup import duplicates
from mien.data.manifest import Row
from mien.labels import NEUTRAL, index
from mien.media import images
from mien.pixels import BOOL, I64, SIDE, U8

__all__ = [
    "FRAMED",
    "FRAMINGS",
    "FaceSet",
    "damaged",
    "framed",
    "load",
    "resized",
    "training_rows",
    "without_copies",
]


_PADDING = 10  # pixels: what fer adds around a face
_TIGHT = 6  # pixels that are cut off


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Crops of the six expressions and their labels.

    Attributes:
        rows: of the manifest.
        crops: shape (N, side, side, 3), RGB.
        targets: shape (N,).
    """

    rows: list[Row]
    crops: U8
    targets: I64

    def __getitem__(self, chosen: Sequence[int] | I64 | BOOL) -> "FaceSet":
        """Return a part of it."""
        places = np.arange(len(self.rows))[chosen]
        return FaceSet([self.rows[i] for i in places], self.crops[places], self.targets[places])


def load(folder: Path, split: str, most: int = 0, side: int = SIDE) -> FaceSet:
    """Read a split of a prepared folder.

    Args:
        folder: made by ``mien prepare``.
        split: ``test`` or ``train``.
        most: if not 0, so many of its pictures, spread evenly.
        side: of the crops, in pixels.

    Returns:
        Its crops of the six expressions.
    """
    rows = [row for row in manifest.read(folder) if row.split == split and row.label != NEUTRAL]
    rows.sort(key=lambda row: row.original)  # the same order for every framing
    if most and most < len(rows):
        rows = [rows[i] for i in np.linspace(0, len(rows) - 1, most).astype(int)]
    crops = np.empty((len(rows), side, side, 3), dtype=np.uint8)
    for i, row in enumerate(rows):
        crops[i] = resized(images.read_rgb(folder / row.path), side)
    return FaceSet(rows, crops, np.array([index(row.label) for row in rows]))


def training_rows(folder: Path, learned: Mapping[str, Any], held: bool) -> list[Row]:
    """The training pictures that the run of a model held out, or those that it did not.

    Args:
        folder: prepared.
        learned: the ``data`` on the model's card.
        held: which of the two.
    """
    rows = [row for row in manifest.read(folder) if row.split == "train"]
    mask = splits.draw_held_out(rows, learned["hold_out"], learned["draw"])
    return [row for row, out in zip(rows, mask, strict=True) if out == held]


def resized(crop: U8, side: int) -> U8:
    """Return an RGB crop of a side in pixels, as `mien.pixels` resizes grey ones."""
    if crop.shape[:2] == (side, side):
        return crop
    return np.asarray(Image.fromarray(crop).resize((side, side), Image.Resampling.BILINEAR))


def framed(faces: FaceSet, folder: Path) -> FaceSet:
    """Return the same faces as mien frames them.

    Args:
        faces: as distributed.
        folder: the same database, prepared with ``--frame``.

    Returns:
        The same pictures in the same order; those that the folder lacks stay as they are.
    """
    paths = {row.original: row.path for row in manifest.read(folder)}
    crops = faces.crops.copy()
    for i, row in enumerate(faces.rows):
        if row.original in paths:
            crops[i] = resized(images.read_rgb(folder / paths[row.original]), crops.shape[1])
    return FaceSet(faces.rows, crops, faces.targets)


def padded(crop: U8) -> U8:
    """Add the plain border that fer adds: the mean of the lowest two rows."""
    level = cv2.mean(crop[-2:])[:3]
    wide = cv2.copyMakeBorder(crop, *(_PADDING,) * 4, cv2.BORDER_CONSTANT, value=level)
    return np.asarray(cv2.resize(wide, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def tight(crop: U8) -> U8:
    """Cut the edges off."""
    inner = np.ascontiguousarray(crop[_TIGHT:-_TIGHT, _TIGHT:-_TIGHT])
    return np.asarray(cv2.resize(inner, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


FRAMED = "framed by mien"  # made by another program than a line here, see `framed`
FRAMINGS: dict[str, Callable[[U8], U8]] = {
    "as distributed": lambda crop: crop,
    "padded": padded,
    "tight": tight,
}


def damaged(faces: FaceSet) -> FaceSet:
    """Damage every crop once: each kind and strength comes up equally often.

    Args:
        faces: at least as many as there are kinds and strengths.

    Returns:
        The same faces.
    """
    pairs = [(kind, strength) for kind in KINDS for strength in STRENGTHS]
    order = np.random.default_rng(0).permutation(len(faces.rows)) % len(pairs)
    crops = [
        corrupt(crop, *pairs[which], seed=i)
        for i, (crop, which) in enumerate(zip(faces.crops, order.tolist(), strict=True))
    ]
    return FaceSet(faces.rows, np.stack(crops), faces.targets)


def without_copies(faces: FaceSet, folder: Path) -> BOOL:
    """Find the test pictures that have no copy in the database's own training split.

    The copies were left out of the prepared folder, which names the nearest test picture of each;
    a test picture that is a copy of one so named has a copy in train, too.

    Args:
        faces: the whole test split.
        folder: where it was prepared.

    Returns:
        shape (N,), True for those without.
    """
    with (folder / "excluded.csv").open(encoding="utf-8", newline="") as file:
        details = [r["detail"] for r in csv.DictReader(file) if r["reason"] == "copy of test"]
    named = {detail.partition(":")[2] for detail in details}
    leaked = np.array([row.original in named for row in faces.rows])
    pairs = duplicates.find_pairs(np.stack([duplicates.thumbnail(crop) for crop in faces.crops]))
    spread = leaked.copy()
    for pair in pairs:
        spread[pair.this] |= leaked[pair.that]
        spread[pair.that] |= leaked[pair.this]
    return ~spread
