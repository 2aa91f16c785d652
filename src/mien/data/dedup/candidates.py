"""Find the nearest neighbours of thumbnails: the candidates that are compared closely later.

The signature of a thumbnail is the low-frequency part of its cosine transform: 63 coefficients,
without the mean and scaled to length one, so brightness and contrast do not matter and a shift of a
few pixels matters little. Mirroring a picture only changes the sign of the coefficients that are
odd from left to right. In a small set each query is compared with all members; in a large one with
an inverted index of faiss, whose cost grows with N^1.5, because it searches only the 16 of
2 sqrt(N) cells nearest to the query. Knows nothing of files, labels and what a copy is.
"""

from collections.abc import Callable
from importlib.util import find_spec
from math import isqrt

import numpy as np

from mien.errors import MissingExtraError
from mien.pixels import F32, I64, U8

__all__ = ["Search", "exact", "indexed", "mirror", "signatures"]

Search = Callable[[F32, int], tuple[F32, I64]]
_WAVES = 8  # frequencies in each direction
_PART = 512  # thumbnails transformed at once
_BLOCK = 2**19  # products held at once by `exact`: 2 MB stay in the cache
_GROUP = 32  # columns whose largest product is looked at first
_FAINT = 32  # length below which a signature is noise: half a grey level for each of 32x32 pixels
_PROBES = 16  # cells searched for a query
_ROUNDS = 8  # of k-means, which places the cells
_SAMPLE = 64  # most pictures for each cell that k-means looks at


def signatures(thumbnails: U8) -> F32:
    """Describe thumbnails so that similar ones have a scalar product near 1.

    Args:
        thumbnails: shape (N, S, S), uint8.

    Returns:
        shape (N, 63), rows of length one; zeros for a blank picture.
    """
    side = thumbnails.shape[1]
    positions = (np.arange(side) + 0.5) / side
    waves = np.cos(np.pi * np.arange(_WAVES)[:, None] * positions).astype(np.float32)
    waves *= np.where(np.arange(_WAVES) == 0, 1, np.sqrt(2))[:, None] / np.sqrt(side)
    spectra = np.empty((len(thumbnails), _WAVES**2), dtype=np.float32)
    for start in range(0, len(thumbnails), _PART):
        part = thumbnails[start : start + _PART].astype(np.float32)
        spectra[start : start + _PART] = (waves @ part @ waves.T).reshape(len(part), -1)
    spectra = spectra[:, 1:]  # without the mean
    length = np.linalg.norm(spectra, axis=1, keepdims=True)
    spectra *= (length > _FAINT) / np.maximum(length, _FAINT)
    return np.ascontiguousarray(spectra)


def mirror(signature: F32) -> F32:
    """Return the signatures of the mirrored pictures.

    Args:
        signature: shape (N, 63).

    Returns:
        shape (N, 63).
    """
    odd = np.arange(1, _WAVES**2) % _WAVES % 2
    return signature * (1 - 2 * odd).astype(np.float32)


def exact(those: F32) -> Search:
    """Make a search that compares each query with all members of a set.

    Args:
        those: shape (M, 63), M > 0, signatures of the set.

    Returns:
        A function from queries (N, 63) and the number of neighbours to find (at most M count) to
        scalar products and indices, both of shape (N, count), in no order.
    """

    def search(these: F32, count: int) -> tuple[F32, I64]:
        count = min(count, len(those))
        products = np.empty((len(these), count), dtype=np.float32)
        indices = np.empty((len(these), count), dtype=np.int64)
        rows = max(1, _BLOCK // len(those))
        for start in range(0, len(these), rows):
            block = these[start : start + rows] @ those.T
            nearest = _largest(block, count)
            indices[start : start + rows] = nearest
            products[start : start + rows] = np.take_along_axis(block, nearest, axis=1)
        return products, indices

    return search


def _largest(products: F32, count: int) -> I64:
    """Find the places of the largest values of each row, in no order: shape (N, count)."""
    # What is among the largest lies in one of the groups of columns with the largest maxima, so
    # only these groups are looked at value by value.
    rows, width = products.shape
    groups = width // _GROUP
    if groups < 2 * count:
        return np.argpartition(products, -count, axis=1)[:, -count:]
    whole = groups * _GROUP
    tops = products[:, :whole].reshape(rows, _GROUP, groups).max(axis=1)
    best = np.argpartition(tops, -count, axis=1)[:, -count:, None]
    members = (best + groups * np.arange(_GROUP)).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(whole, width), (rows, width - whole))
    places = np.concatenate([members, rest], axis=1)
    values = np.take_along_axis(products, places, axis=1)
    chosen = np.argpartition(values, -count, axis=1)[:, -count:]
    nearest: I64 = np.take_along_axis(places, chosen, axis=1)
    return nearest


def indexed(those: F32) -> Search:
    """Make a search with an index; it may miss a few neighbours, but hardly ever a near one.

    Args:
        those: shape (M, 63), signatures of the set.

    Returns:
        As `exact`; index -1 where there are fewer neighbours.

    Raises:
        MissingExtraError: if faiss is not installed.

    Source:
        Johnson, Douze, Jégou 2017, arXiv:1702.08734; IVF with exact products in the cells.
    """
    if find_spec("faiss") is None:
        raise MissingExtraError("comparing so many pictures", "data")
    import faiss

    width = those.shape[1]
    cells = 2 * isqrt(len(those))
    coarse = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFFlat(coarse, width, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = _ROUNDS, _SAMPLE
    index.cp.min_points_per_centroid = 1
    index.nprobe = _PROBES
    index.train(those)
    index.add(those)

    def search(these: F32, count: int) -> tuple[F32, I64]:
        products, indices = index.search(np.ascontiguousarray(these), count)
        return products, indices

    return search
