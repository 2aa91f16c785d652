"""Copies planted among pictures: how many the detector finds, and how many strangers it accuses.

Of every picture's changed copies (see changes.py) one kind at a time is mixed with the originals
and `find_pairs` looks for copies in all. A pair of an original and its own copy is right, any other
pair of an original and a copy is wrong. Originals that are themselves copies of each other are left
out first: of the 19 pairs of RAF-DB test pictures that are that alike every one was looked at and
shows one photograph, or two of one series. The pictures: RAF-DB's test crops where they are, else
textures.
"""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.changes import CHANGES
from mien.data.dedup import duplicates
from mien.media import images
from mien.pixels import U8

__all__ = ["THRESHOLDS", "Curve", "measure", "pictures"]

THRESHOLDS = np.round(np.arange(0.60, 1.0, 0.01), 2)
SURELY = 0.86
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What was found, by threshold.

    Attributes:
        name: of the measure.
        recall: by kind of change, shape (T,) each.
        precision: over all kinds, shape (T,).
        wrong: wrong pairs for 1,000 copies, shape (T,).
    """

    name: str
    recall: dict[str, np.ndarray]
    precision: np.ndarray
    wrong: np.ndarray

    def f1(self) -> np.ndarray:
        """The harmonic mean of precision and mean recall, by threshold."""
        recall = np.mean(list(self.recall.values()), axis=0)
        return 2 * self.precision * recall / np.maximum(self.precision + recall, 1e-9)


def pictures() -> tuple[str, list[U8]]:
    """Return what the pictures are called and the pictures, shape (64, 64, 3) each."""
    path = Path(os.environ.get("MIEN_DATA", "../shared/data")) / "rafdb.zip"
    if not path.exists():
        return "generated textures", [_texture(seed) for seed in range(1000)]
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if "/test/" in name and name.endswith(".jpg")]
        return "RAF-DB test", [images.decode_rgb(archive.read(name)) for name in sorted(names)]


def _texture(seed: int) -> U8:
    import cv2

    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC)


def measure(all_pictures: list[U8], count: int) -> tuple[int, list[Curve]]:
    """Plant copies of pictures among all and search for them.

    Args:
        all_pictures: at least `count`.
        count: pictures to copy.

    Returns:
        How many originals there were, and the curves: of the similarity that is used, and of the
        correlation of the pictures alone.
    """
    originals = np.stack([duplicates.thumbnail(picture) for picture in all_pictures])
    twins = {c.that for c in duplicates.find_pairs(originals, least=SURELY)}
    kept = np.array([i for i in range(len(originals)) if i not in twins])
    rng = np.random.default_rng(SEED)
    chosen = rng.choice(len(kept), min(count, len(kept)), replace=False)
    originals = originals[kept]
    right: dict[str, dict[str, list[float]]] = {"both": {}, "pictures alone": {}}
    wrong: dict[str, list[float]] = {"both": [], "pictures alone": []}
    for kind, change in CHANGES.items():
        changed = [duplicates.thumbnail(change(all_pictures[kept[i]], rng)) for i in chosen]
        everything = np.concatenate([originals, np.stack(changed)])
        own = {"both": np.zeros(len(chosen)), "pictures alone": np.zeros(len(chosen))}
        for copy in duplicates.find_pairs(everything, least=0.01):
            place = copy.that - len(originals)
            if place < 0 or copy.this >= len(originals):
                continue
            scores = {"both": copy.similarity, "pictures alone": _alone(everything, copy)}
            for name, score in scores.items():
                if chosen[place] == copy.this:
                    own[name][place] = score
                else:
                    wrong[name].append(score)
        for name, scores in own.items():
            right[name][kind] = scores
    return len(originals), [_curve(name, right[name], np.array(wrong[name])) for name in right]


def _alone(thumbnails: U8, copy: duplicates.Copy) -> float:
    """The correlation without the local contrast, as the first version of the detector had it."""
    import cv2

    a = thumbnails[copy.this]
    a = np.ascontiguousarray(a[:, ::-1]) if copy.mirrored else a
    best = 0.0
    for zoom in (1.0, 0.93, 1.07):
        side = round(24 * zoom)
        middle = thumbnails[copy.that][4:-4, 4:-4]
        patch = cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA)
        best = max(best, float(cv2.matchTemplate(a, patch, cv2.TM_CCOEFF_NORMED).max()))
    return best


def _curve(name: str, right: dict[str, np.ndarray], wrong: np.ndarray) -> Curve:
    recall = {kind: (scores >= THRESHOLDS[:, None]).mean(axis=1) for kind, scores in right.items()}
    hits = sum((scores >= THRESHOLDS[:, None]).sum(axis=1) for scores in right.values())
    misses = (wrong >= THRESHOLDS[:, None]).sum(axis=1)
    planted = sum(len(scores) for scores in right.values())
    return Curve(name, recall, hits / np.maximum(hits + misses, 1), 1000 * misses / planted)
