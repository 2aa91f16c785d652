"""Does a map point at what the network used? Pixels are taken away or shown, and it is asked again.

A network is a `Score`: grey crops in, one number a crop out, the probability of the class that is
explained. So every metric works on any file and any stand-in. The higher `insertion`, `road` and
`increase`, the better; the lower `deletion` and `drop`, the better. No torch; knows nothing of
files.

MERGED Fill removed pixels from their neighbours, so that their outline tells the network nothing.
Knows nothing of networks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mien.pixels import BOOL, F32, F64, I64, U8

__all__ = [
    "BETTER",
    "GRAY",
    "LEVELS",
    "STEPS",
    "Ends",
    "area",
    "curves",
    "drop",
    "ends",
    "impute",
    "measure",
    "ranks",
    "road",
]

# Crops (M, H, W) uint8 and for each the number of the picture it was made from -> (M,).
Score = Callable[[U8, I64], F32]
BETTER = {"insertion": 1, "deletion": -1, "road": 1, "drop": -1, "increase": 1}  # sign of good
STEPS = 10  # of a curve
LEVELS = (0.2, 0.5, 0.8)  # shares of the pixels that ROAD removes
GRAY = 117  # ImageNet's mean luma of 0.458: what stands for "nothing there"
_BLUR = 6.0  # pixels; of the picture that insertion starts from
_NOISE = 2.55  # grey levels, a hundredth of the range, as in ROAD's code
_View = tuple[slice, slice]
# Step down, step aside, weight: each pair of neighbours once.
_AROUND = ((0, 1, 1 / 6), (1, 0, 1 / 6), (1, 1, 1 / 12), (1, -1, 1 / 12))


def ranks(maps: F32, random: np.random.Generator) -> I64:
    """Order the places of each map from the strongest, 0, to the weakest.

    Places of equal strength are put in random order: in raster order a flat part of the map
    would count as a map that points upwards.

    Args:
        maps: shape (N, H, W).
        random: draws the order of equals.

    Returns:
        shape (N, H, W), the place of each pixel in the order.
    """
    flat = maps.reshape(len(maps), -1)
    order = np.lexsort((random.random(flat.shape), -flat), axis=1)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(flat.shape[1])[None], axis=1)
    return places.reshape(maps.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Scores that do not depend on a map, each of shape (N,).

    Attributes:
        whole: of the picture.
        soft: of the blurred picture, where insertion starts.
        gray: of a grey one, where deletion ends.
    """

    whole: F32
    soft: F32
    gray: F32


def ends(score: Score, crops: U8) -> Ends:
    """Ask for the scores that every curve begins and ends with.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.

    Returns:
        The scores.
    """
    versions = crops, _softened(crops), np.full_like(crops, GRAY)
    numbers = np.tile(np.arange(len(crops)), 3)
    return Ends(*score(np.concatenate(versions), numbers).reshape(3, -1))


def _softened(crops: U8) -> U8:
    return np.stack([cv2.GaussianBlur(crop, (0, 0), _BLUR) for crop in crops])


def curves(
    score: Score, crops: U8, places: I64, known: Ends, steps: int = STEPS
) -> tuple[F32, F32]:
    """Follow the score while the strongest pixels are shown first, and while they go first.

    Insertion starts from the blurred picture, deletion ends in grey.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        places: from `ranks`.
        known: from `ends`.
        steps: into which the pixels are divided, at least 2.

    Returns:
        Insertion and deletion, each of shape (N, steps + 1); what is under a curve is its `area`.

    Source:
        Petsiuk et al. 2018, arXiv:1806.07421, section 3.2 and algorithm 1.
    """
    soft = _softened(crops)
    changed = []
    for step in range(1, steps):
        strongest = places < round(crops[0].size * step / steps)
        changed += [np.where(strongest, crops, soft), np.where(strongest, np.uint8(GRAY), crops)]
    numbers = np.tile(np.arange(len(crops)), len(changed))
    found = score(np.concatenate(changed), numbers).reshape(steps - 1, 2, len(crops))
    shown = np.vstack([known.soft, found[:, 0], known.whole])
    taken = np.vstack([known.whole, found[:, 1], known.gray])
    return shown.T, taken.T


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


def road(score: Score, crops: U8, places: I64, random: np.random.Generator) -> F32:
    """Compare removing the weakest pixels with removing the strongest, each filled in.

    The removed pixels are imputed from their neighbours with a little noise, so the network
    cannot see where they were.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        places: from `ranks`.
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
        for removed in (places >= size - count, places < count):
            changed += [_filled(*pair, random) for pair in zip(crops, removed, strict=True)]
    numbers = np.tile(np.arange(len(crops)), 2 * len(LEVELS))
    found = score(np.stack(changed), numbers).reshape(len(LEVELS), 2, len(crops))
    return np.asarray((found[:, 0] - found[:, 1]).mean(axis=0) / 2, dtype=np.float32)


def _filled(crop: U8, removed: BOOL, random: np.random.Generator) -> U8:
    filled = impute(crop.astype(np.float64), removed)
    filled[removed] += random.normal(0, _NOISE, int(removed.sum()))
    return np.rint(filled).clip(0, 255).astype(np.uint8)


def drop(score: Score, crops: U8, maps: F32, known: Ends) -> tuple[F32, F32]:
    """Show only what the map marks, the rest fading into grey, and see what the score loses.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        maps: shape (N, H, W); the positive part counts, relative to its maximum.
        known: from `ends`.

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
    lost = np.asarray((known.whole - after).clip(min=0) / known.whole, dtype=np.float32)
    return lost, (after > known.whole).astype(np.float32)


def measure(
    score: Score, crops: U8, maps: F32, known: Ends, random: np.random.Generator
) -> dict[str, F32]:
    """Measure maps by every metric.

    Args:
        score: the network.
        crops: shape (N, H, W), uint8, grey.
        maps: shape (N, H, W).
        known: from `ends`.
        random: draws the order of equals and ROAD's noise.

    Returns:
        For each key of `BETTER` an array of shape (N,).
    """
    places = ranks(maps, random)
    shown, taken = curves(score, crops, places, known)
    lost, rose = drop(score, crops, maps, known)
    return {
        "insertion": area(shown),
        "deletion": area(taken),
        "road": road(score, crops, places, random),
        "drop": lost,
        "increase": rose,
    }


def impute(gray: F64, removed: BOOL) -> F64:
    """Replace removed pixels so that each is the weighted mean of its eight neighbours.

    The weights are 1/6 for those beside it and 1/12 for those across, less what lies beyond the
    picture's edge. In raster order the equations couple only pixels that are at most a row and a
    place apart, so they are solved as a band.

    Args:
        gray: shape (H, W).
        removed: shape (H, W), True where the pixel is unknown; not everywhere.

    Returns:
        shape (H, W), `gray` with the unknown pixels filled.

    Raises:
        ValueError: if no pixel is known.

    Source:
        Rong et al. 2022, arXiv:2202.00449, section 4.2, without its noise.
    """
    from scipy.linalg import solveh_banded

    if removed.all():
        raise ValueError("no pixel is known: there is nothing to fill from")
    count = int(removed.sum())
    if not count:
        return gray.copy()
    place = np.cumsum(removed).reshape(removed.shape) - 1  # of each unknown among the unknowns
    degree, from_known = np.zeros(gray.shape), np.zeros(gray.shape)
    band = np.zeros((gray.shape[1] + 2, count))  # row d: an unknown's tie to the d-th after it
    for here, there, weight in _pairs(gray.shape):
        for one, other in ((here, there), (there, here)):
            degree[one] += weight
            from_known[one] += weight * np.where(removed[other], 0, gray[other])
        both = removed[here] & removed[there]
        first, second = place[here][both], place[there][both]  # raster order: first < second
        band[second - first, first] = -weight
    band[0] = degree[removed]
    filled = gray.copy()
    used = band[: np.flatnonzero(band.any(axis=1)).max() + 1]
    filled[removed] = solveh_banded(used, from_known[removed], lower=True)
    return filled


def _pairs(shape: tuple[int, ...]) -> Iterator[tuple[_View, _View, float]]:
    """Yield views of every pixel and of its neighbour in one direction, and the weight."""
    height, width = shape
    for down, aside, weight in _AROUND:
        left, right = max(0, -aside), max(0, aside)
        here = (slice(0, height - down), slice(left, width - right))
        there = (slice(down, height), slice(right, width - left))
        yield here, there, weight
