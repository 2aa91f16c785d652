"""How similar two thumbnails are at the place and size where one fits the other best.

The middle of one 32x32 thumbnail slides over the other at five sizes. At each place two
correlations are taken, of the pictures and of their local contrast, and the best mean of the two
counts: the first alone confuses two people in the same pose and light, the second sees that their
wrinkles and eyes differ. So a copy that is cropped or shifted a little is found, and a stranger is
not. The search is first done at half the size, which is sixteen times cheaper and gives the place;
only the pairs that are similar there are compared at full size, around that place. Knows nothing of
sets, files and labels.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mien.pixels import F32, I64, U8

__all__ = ["SIDE", "patches", "similarities"]

SIDE = 32  # pixels, of a thumbnail
_MARGIN = 4  # pixels by which a copy may be shifted
_MIDDLE = slice(_MARGIN, SIDE - _MARGIN)
_WINDOW = SIDE - 2 * _MARGIN  # side of the middle
_HALF = _WINDOW // 2  # side of the middle at half the size
_SIDES = (29, 30, 32, 34, 35)  # pixels: sizes at which the other thumbnail is tried
_STEP = 2  # pixels between the places of the coarse search: one pixel at half the size
_PLACES = np.array([
    (size, top, left)
    for size, side in enumerate(_SIDES)
    for top in range(0, side - _WINDOW + 1, _STEP)
    for left in range(0, side - _WINDOW + 1, _STEP)
])
_CONTRAST = 0.6  # least correlation of local contrasts at half the size, else strangers
_BOTH = 1.45  # least sum of both correlations at half the size, else strangers
_DETAIL = 2.0  # pixels: sigma of the blur that is subtracted
_AROUND = 9  # pixels: side of the surroundings
_NOISE = 2.0  # grey levels that count as no contrast
_LAYERS = 64  # thumbnails whose contrast is computed at once, as channels of one picture
_UNTHREADED = 250_000  # multiplications up to which OpenBLAS starts no threads, which cost time
_ROWS = _UNTHREADED // (len(_PLACES) * _HALF**2)


def patches(thumbnails: U8) -> F32:
    """Describe the middles of thumbnails by their local contrast at half the size.

    Args:
        thumbnails: shape (N, 32, 32), uint8.

    Returns:
        shape (N, 144), each row without its mean and of length one, or zeros.
    """
    rows = np.empty((len(thumbnails), _HALF**2), dtype=np.float32)
    for start in range(0, len(rows), _LAYERS):
        contrast = _local_contrast(thumbnails[start : start + _LAYERS])
        rows[start : start + _LAYERS] = _halved(contrast[:, _MIDDLE, _MIDDLE]).reshape(-1, _HALF**2)
    return _centred(rows, 1e-3)


def similarities(these: U8, those: U8, pairs: I64, patches: F32) -> F32:
    """Compare pairs of thumbnails.

    Args:
        these: shape (N, 32, 32), uint8.
        those: shape (M, 32, 32), uint8; their middles are searched for in `these`.
        pairs: shape (P, 3): index in `these`, ascending; index in `those`; 1 where `that` is to be
            mirrored, else 0.
        patches: shape (M, 144), the `patches` of `those`.

    Returns:
        shape (P,): the mean of two correlations, of the pictures and of their local contrast, at
        the place and size that fits best; 0 for pairs that differ already at half the size.
    """
    kinds = _kinds(these)
    fits, places = _coarse_contrast_fits(kinds[:, 1], pairs, patches)
    near = np.flatnonzero(fits >= _CONTRAST)
    partners = _partners(those, pairs[near])
    plain = _coarse_picture_fits(kinds[:, 0], partners, pairs[near], _PLACES[places[near]])
    near = near[fits[near] + plain >= _BOTH]
    scores = np.zeros(len(pairs), dtype=np.float32)
    others = zip(near.tolist(), _kinds(_partners(those, pairs[near])), strict=True)
    for this, group in groupby(others, key=lambda other: pairs[other[0], 0]):
        windows = _windows(kinds[this])
        for index, that in group:
            fits = _fine_fits(windows, that, _PLACES[places[index]])
            scores[index] = min(float(fits.max()), 1)
    return scores


def _partners(those: U8, pairs: I64) -> U8:
    """The second thumbnail of each pair, mirrored where it has to be."""
    chosen = those[pairs[:, 1]]
    return np.where(pairs[:, 2, None, None] > 0, chosen[:, :, ::-1], chosen)


def _coarse_contrast_fits(contrasts: F32, pairs: I64, patches: F32) -> tuple[F32, I64]:
    """Best correlation of each pair's local contrasts at half the size, and its place."""
    windows = _coarse_windows(contrasts)
    squares = np.einsum("ijk,ijk->ij", windows, windows)
    sums = np.einsum("ijk->ij", windows)
    lengths = np.sqrt((squares - sums**2 / _HALF**2).clip(min=1e-6))
    middles = patches[pairs[:, 1]].reshape(-1, _HALF, _HALF)
    turned = np.flatnonzero(pairs[:, 2])
    middles[turned] = middles[turned, :, ::-1]
    columns = middles.reshape(-1, _HALF**2)
    products = np.empty((len(pairs), len(_PLACES)), dtype=np.float32)
    ends = np.searchsorted(pairs[:, 0], np.arange(len(contrasts) + 1)).tolist()
    for this, (start, end) in enumerate(pairwise(ends)):
        for row in range(start, end, _ROWS):
            part = slice(row, min(row + _ROWS, end))
            np.matmul(columns[part], windows[this].T, out=products[part])
    products /= lengths[pairs[:, 0]]
    places = products.argmax(axis=1)
    return products[np.arange(len(pairs)), places], places


def _coarse_picture_fits(these: F32, partners: U8, pairs: I64, places: I64) -> F32:
    """Correlation of each pair's pictures at half the size, at its place."""
    middles = _halved(partners[:, _MIDDLE, _MIDDLE].astype(np.float32)).reshape(-1, _HALF**2)
    middles = _centred(middles, _HALF)
    firsts, numbers = np.unique(pairs[:, 0], return_inverse=True)
    fits = np.empty(len(pairs), dtype=np.float32)
    for size, half in enumerate(_halves(these[firsts])):
        chosen = np.flatnonzero(places[:, 0] == size)
        top, left = places[chosen, 1:].T // _STEP
        views = sliding_window_view(half, (_HALF, _HALF), axis=(1, 2))
        windows = views[numbers[chosen], top, left].reshape(-1, _HALF**2)
        fits[chosen] = np.einsum("ij,ij->i", _centred(windows, _HALF), middles[chosen])
    return fits


def _coarse_windows(pictures: F32) -> F32:
    """Pictures at half of all sizes, at all places of a middle: shape (N, places, 144)."""
    windows = np.empty((len(pictures), len(_PLACES), _HALF**2), dtype=np.float32)
    start = 0
    for half in _halves(pictures):
        count = half.shape[1] - _HALF + 1
        end = start + count**2
        # Columns first, then whole windows: long runs of memory are copied much faster.
        columns = sliding_window_view(half, _HALF, axis=2).swapaxes(1, 2)  # (N, left, h, 12)
        strips = columns.reshape(len(half), count, -1)
        whole = sliding_window_view(strips, _HALF**2, axis=2)[:, :, ::_HALF]  # (N, left, top, 144)
        windows[:, start:end].reshape(len(half), count, count, -1)[:] = whole.swapaxes(1, 2)
        start = end
    return windows


def _halves(pictures: F32) -> Iterator[F32]:
    """Pictures of shape (N, 32, 32) at half of each size: shape (N, h, h)."""
    shrinks = [_shrink(side) for side in _SIDES]
    wide = pictures @ np.concatenate(shrinks).T  # columns of all sizes
    start = 0
    for shrink in shrinks:
        end = start + len(shrink)
        yield shrink @ wide[:, :, start:end]
        start = end


@cache
def _shrink(side: int) -> F32:
    """The matrix that resizes 32 rows to `side` rows, and those to half as many."""
    resize = _resized(np.eye(SIDE, dtype=np.float32), side, SIDE)[: side // 2 * 2]
    shrink: F32 = resize.reshape(-1, 2, SIDE).mean(axis=1)
    return shrink


def _halved(pictures: F32) -> F32:
    """Mean of every two by two pixels of pictures of shape (..., 2 H, 2 W)."""
    *rest, height, width = pictures.shape
    halved: F32 = pictures.reshape(*rest, height // 2, 2, width // 2, 2).mean(axis=(-3, -1))
    return halved


def _centred(vectors: F32, least: float) -> F32:
    """Subtract the mean of each vector and divide by its length, at least `least`; in place."""
    vectors -= vectors.mean(axis=-1, keepdims=True)
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    vectors /= lengths.clip(min=least)[..., None]
    return vectors


def _kinds(thumbnails: U8) -> F32:
    """Thumbnails and their local contrast, shape (N, 2, 32, 32)."""
    return np.stack([thumbnails.astype(np.float32), _local_contrast(thumbnails)], axis=1)


def _windows(kinds: F32) -> list[F32]:
    """All places of a middle, for each size: views of shape (2, places, places, 24, 24)."""
    resized = [np.stack([_resized(kind, side, side) for kind in kinds]) for side in _SIDES]
    return [sliding_window_view(kinds, (_WINDOW, _WINDOW), axis=(1, 2)) for kinds in resized]


def _fine_fits(windows: Sequence[F32], that: F32, place: I64) -> F32:
    """Mean correlation of both kinds at a place, its neighbours and the next sizes."""
    middles = that[:, _MIDDLE, _MIDDLE].reshape(2, -1)
    middles = _centred(middles, 1e-3)
    size, *corner = place.tolist()
    views = []
    for view in windows[max(size - 1, 0) : size + 2]:
        count = view.shape[1] - 1
        scale = count / (windows[size].shape[1] - 1)
        rows, columns = (_around(round(start * scale), count + 1) for start in corner)
        views.append(view[:, rows, columns].reshape(2, -1, _WINDOW**2))
    places = _centred(np.concatenate(views, axis=1), 1e-3)
    correlations: F32 = np.einsum("kij,kj->i", places, middles) / 2
    return correlations


def _around(start: int, count: int) -> slice:
    """A place and its neighbours, where there are any."""
    return slice(max(start - 1, 0), min(start + 2, count))


def _resized(picture: F32, height: int, width: int) -> F32:
    if (height, width) == picture.shape:
        return picture
    method = cv2.INTER_AREA if height < len(picture) else cv2.INTER_LINEAR
    return cv2.resize(picture, (width, height), interpolation=method).astype(np.float32, copy=False)


def _local_contrast(thumbnails: U8) -> F32:
    """The difference from the surroundings, divided by how much the surroundings vary."""
    # Each thumbnail is a channel of one picture for OpenCV: several times as fast, equal numbers.
    if not len(thumbnails):
        return np.empty(thumbnails.shape, dtype=np.float32)
    gray = np.moveaxis(thumbnails, 0, 2).astype(np.float32, order="C")  # (32, 32, N)
    around = cv2.GaussianBlur(gray, (0, 0), _DETAIL).reshape(gray.shape)
    detail: F32 = gray - around
    spread = cv2.blur(detail**2, (_AROUND, _AROUND)).reshape(gray.shape) + _NOISE**2
    return np.ascontiguousarray(np.moveaxis(detail / np.sqrt(spread), 2, 0), dtype=np.float32)
