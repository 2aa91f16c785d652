"""Does a map point at what the network uses? Pixels are removed or shown, and the score is read.

Pipeline: crops and their maps -> pixels in the order of the map -> changed crops -> the network's
scores -> one value for each picture and metric. ROAD fills removed pixels from their neighbours, so
that the network cannot see their outline. Knows nothing of networks and files: a network is a
`ScoreFunction`, so every metric works on any model and any stand-in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mien.pixels import BOOL, F32, F64, I64, SIDE, U8

__all__ = [
    "GRAY",
    "LEVELS",
    "METRICS",
    "STEPS",
    "Endpoints",
    "ScoreFunction",
    "area",
    "blur_crops",
    "curves",
    "drop",
    "endpoints",
    "impute",
    "measure",
    "rank_pixels",
    "road",
]

# Grey crops (M, H, W) uint8, and for each the number of the picture it was made from -> (M,), the
# probability of the class that is explained.
ScoreFunction = Callable[[U8, I64], F32]
# 1 where a higher value is better, -1 where a lower one is.
METRICS = {"insertion": 1, "deletion": -1, "road": 1, "drop": -1, "increase": 1}
STEPS = 10  # of a curve
LEVELS = (0.2, 0.5, 0.8)  # shares of the pixels that ROAD removes
GRAY = 117  # ImageNet's mean luma of 0.458: what stands for "nothing there"
_BLUR = 6.0  # pixels of 64, more in larger crops; of the picture that insertion starts from
_NOISE = 2.55  # grey levels, a hundredth of the range, as in ROAD's code
# Step down, step aside, weight: each pair of neighbours once.
_NEIGHBOURS = ((0, 1, 1 / 6), (1, 0, 1 / 6), (1, 1, 1 / 12), (1, -1, 1 / 12))
_View = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Endpoints:
    """Scores that do not depend on a map, each of shape (N,).

    Attributes:
        whole: of the picture.
        blurred: of the blurred picture, where insertion starts.
        gray: of a grey one, where deletion ends.
    """

    whole: F32
    blurred: F32
    gray: F32


def measure(
    score: ScoreFunction, crops: U8, maps: F32, ends: Endpoints, random: np.random.Generator
) -> dict[str, F32]:
    """Measure how faithful maps are, by every metric.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        maps: shape (N, H, W).
        ends: from `endpoints`.
        random: draws the order of equal pixels and ROAD's noise.

    Returns:
        For each key of `METRICS` an array of shape (N,).
    """
    ranks = rank_pixels(maps, random)
    inserted, deleted = curves(score, crops, ranks, ends)
    lost, rose = drop(score, crops, maps, ends)
    return {
        "insertion": area(inserted),
        "deletion": area(deleted),
        "road": road(score, crops, ranks, random),
        "drop": lost,
        "increase": rose,
    }


def endpoints(score: ScoreFunction, crops: U8) -> Endpoints:
    """Return the scores that every curve begins and ends with.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.

    Returns:
        The scores.
    """
    versions = crops, blur_crops(crops), np.full_like(crops, GRAY)
    numbers = np.tile(np.arange(len(crops)), 3)
    return Endpoints(*score(np.concatenate(versions), numbers).reshape(3, -1))


def blur_crops(crops: U8) -> U8:
    """Blur crops until no expression is left, as insertion begins with them.

    Args:
        crops: shape (N, side, side), uint8, grey.

    Returns:
        The same shape; the Gaussian's deviation is 6 pixels of 64, in proportion in larger crops.
    """
    spread = _BLUR * max(1, crops.shape[1] / SIDE)
    return np.stack([cv2.GaussianBlur(crop, (0, 0), spread) for crop in crops])


def rank_pixels(maps: F32, random: np.random.Generator) -> I64:
    """Rank the pixels of each map from the strongest, 0, to the weakest.

    Pixels of equal strength are put in random order: in raster order a flat part of the map
    would count as a map that points upwards.

    Args:
        maps: shape (N, H, W).
        random: draws the order of equal pixels.

    Returns:
        shape (N, H, W), the rank of each pixel.
    """
    flat = maps.reshape(len(maps), -1)
    order = np.lexsort((random.random(flat.shape), -flat), axis=1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(flat.shape[1])[None], axis=1)
    return ranks.reshape(maps.shape)


def curves(
    score: ScoreFunction, crops: U8, ranks: I64, ends: Endpoints, steps: int = STEPS
) -> tuple[F32, F32]:
    """Follow the score while the strongest pixels are shown first, and removed first.

    Insertion starts from the blurred picture, deletion ends in grey.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        ranks: from `rank_pixels`.
        ends: from `endpoints`.
        steps: into which the pixels are divided, at least 2.

    Returns:
        Insertion and deletion, each of shape (N, steps + 1); `area` is what lies under a curve.

    Source:
        Petsiuk et al. 2018, arXiv:1806.07421, section 3.2 and algorithm 1.
    """
    blurred = blur_crops(crops)
    changed = []
    for step in range(1, steps):
        strongest = ranks < round(crops[0].size * step / steps)
        changed += [np.where(strongest, crops, blurred), np.where(strongest, np.uint8(GRAY), crops)]
    numbers = np.tile(np.arange(len(crops)), len(changed))
    scores = score(np.concatenate(changed), numbers).reshape(steps - 1, 2, len(crops))
    inserted = np.vstack([ends.blurred, scores[:, 0], ends.whole])
    deleted = np.vstack([ends.whole, scores[:, 1], ends.gray])
    return inserted.T, deleted.T


def area(curve: F32) -> F32:
    """Return the area under curves over [0, 1], by trapezia.

    Args:
        curve: shape (N, steps + 1).

    Returns:
        shape (N,).

    Example:
        >>> area(np.array([[0, 1, 1]], dtype=np.float32)).tolist()
        [0.75]
    """
    return np.asarray((curve[:, :-1] + curve[:, 1:]).mean(axis=1) / 2, dtype=np.float32)


def road(score: ScoreFunction, crops: U8, ranks: I64, random: np.random.Generator) -> F32:
    """Compare removing the weakest pixels with removing the strongest.

    Removed pixels are imputed from their neighbours with a little noise, so the network cannot
    see where they were.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        ranks: from `rank_pixels`.
        random: draws the noise.

    Returns:
        shape (N,), mean over `LEVELS` of half the difference of the two scores, in [-0.5, 0.5].

    Source:
        Rong et al. 2022, arXiv:2202.00449; the combination of both orders as in
        ``pytorch_grad_cam.metrics.road.ROADCombined`` (Gildenblat et al.).
    """
    size = crops[0].size
    changed = []
    for level in LEVELS:
        count = round(size * level)
        for removed in (ranks >= size - count, ranks < count):
            changed += [_filled(*pair, random) for pair in zip(crops, removed, strict=True)]
    numbers = np.tile(np.arange(len(crops)), 2 * len(LEVELS))
    scores = score(np.stack(changed), numbers).reshape(len(LEVELS), 2, len(crops))
    return np.asarray((scores[:, 0] - scores[:, 1]).mean(axis=0) / 2, dtype=np.float32)


def _filled(crop: U8, removed: BOOL, random: np.random.Generator) -> U8:
    filled = impute(crop.astype(np.float64), removed)
    filled[removed] += random.normal(0, _NOISE, int(removed.sum()))
    return np.rint(filled).clip(0, 255).astype(np.uint8)


def drop(score: ScoreFunction, crops: U8, maps: F32, ends: Endpoints) -> tuple[F32, F32]:
    """Show only what the map marks, fade the rest into grey, and see what the score loses.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        maps: shape (N, H, W); the positive part counts, relative to its maximum.
        ends: from `endpoints`.

    Returns:
        The share of the score that is lost, in [0, 1], and 1 where the score rose, else 0; each
        of shape (N,). Their means are the average drop and the rate of increase.

    Source:
        Chattopadhay et al. 2018, arXiv:1710.11063, section 4.1.
    """
    positive = maps.clip(min=0)
    top = positive.max(axis=(1, 2), keepdims=True)
    strength = positive / np.where(top > 0, top, 1)
    shown = np.rint(GRAY + strength * (crops - np.float32(GRAY))).astype(np.uint8)
    after = score(shown, np.arange(len(crops)))
    lost = np.asarray((ends.whole - after).clip(min=0) / ends.whole, dtype=np.float32)
    return lost, (after > ends.whole).astype(np.float32)


def impute(gray: F64, removed: BOOL) -> F64:
    """Replace removed pixels so that each is the weighted mean of its eight neighbours.

    The weights are 1/6 for direct neighbours and 1/12 for diagonal ones, less what lies beyond the
    picture's edge. In raster order the equations couple only pixels that are at most one row and
    one pixel apart, so they are solved as a banded system.

    Args:
        gray: shape (H, W).
        removed: shape (H, W), True where the pixel is unknown; not everywhere.

    Returns:
        shape (H, W), `gray` with the unknown pixels filled.

    Raises:
        ValueError: if no pixel is ends.

    Source:
        Rong et al. 2022, arXiv:2202.00449, section 4.2, without its noise.
    """
    from scipy.linalg import solveh_banded

    if removed.all():
        raise ValueError("no pixel is known: there is nothing to fill from")
    count = int(removed.sum())
    if not count:
        return gray.copy()
    index = np.cumsum(removed).reshape(removed.shape) - 1  # of each unknown among the unknowns
    degree, from_known = np.zeros(gray.shape), np.zeros(gray.shape)
    band = np.zeros((gray.shape[1] + 2, count))  # row d: an unknown with the d-th after it
    for here, there, weight in _pairs(gray.shape):
        for one, other in ((here, there), (there, here)):
            degree[one] += weight
            from_known[one] += weight * np.where(removed[other], 0, gray[other])
        both = removed[here] & removed[there]
        first, second = index[here][both], index[there][both]  # raster order: first < second
        band[second - first, first] = -weight
    band[0] = degree[removed]
    filled = gray.copy()
    used = band[: np.flatnonzero(band.any(axis=1)).max() + 1]
    filled[removed] = solveh_banded(used, from_known[removed], lower=True)
    return filled


def _pairs(shape: tuple[int, ...]) -> Iterator[tuple[_View, _View, float]]:
    """Yield views of every pixel and of its neighbour in one direction, and the weight."""
    height, width = shape
    for down, aside, weight in _NEIGHBOURS:
        left, right = max(0, -aside), max(0, aside)
        here = (slice(0, height - down), slice(left, width - right))
        there = (slice(down, height), slice(right, width - left))
        yield here, there, weight
