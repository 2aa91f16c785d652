"""Fill removed pixels from their neighbours, so that their outline tells the network nothing.
Knows nothing of networks.
"""

from collections.abc import Iterator

import numpy as np

from mien.pixels import BOOL, F64

__all__ = ["impute"]

_View = tuple[slice, slice]

# Step down, step aside, weight: each pair of neighbours once.
_NEIGHBOURS = ((0, 1, 1 / 6), (1, 0, 1 / 6), (1, 1, 1 / 12), (1, -1, 1 / 12))


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
    for down, aside, weight in _NEIGHBOURS:
        left, right = max(0, -aside), max(0, aside)
        here = (slice(0, height - down), slice(left, width - right))
        there = (slice(down, height), slice(right, width - left))
        yield here, there, weight
