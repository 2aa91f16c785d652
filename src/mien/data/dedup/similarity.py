"""How similar two thumbnails are at the place and size where one fits the other best.

The middle of one 32x32 thumbnail slides over the other at five sizes. At each place two
correlations are taken, of the pictures and of their local contrast, and the best mean of the two
counts: the first alone confuses two people in the same pose and light, the second sees that their
wrinkles and eyes differ. So a copy that is cropped or shifted a little is found, and a stranger is
not. The search is first done at half the size, which is sixteen times cheaper and gives the place;
only the pairs that are similar there are compared at full size, around that place. Knows nothing of
sets, files and labels.
"""

from collections.abc import Sequence
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
_UNTHREADED = 150_000  # multiplications up to which OpenBLAS uses one thread


def patches(thumbnails: U8) -> F32:
    """Describe the middles of thumbnails by their local contrast at half the size.

    Args:
        thumbnails: shape (N, 32, 32), uint8.

    Returns:
        shape (N, 144), each row without its mean and of length one, or zeros.
    """
    rows = np.empty((len(thumbnails), _HALF**2), dtype=np.float32)
    for row, thumbnail in zip(rows, thumbnails, strict=True):
        row[:] = _halved(_local_contrast(thumbnail)[_MIDDLE, _MIDDLE]).ravel()
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
    for this, group in groupby(near.tolist(), key=lambda index: pairs[index, 0]):
        windows = _windows(kinds[this])
        for index in group:
            [that] = _kinds(_partners(those, pairs[[index]]))
            fits = _fine_fits(windows, that, _PLACES[places[index]])
            scores[index] = min(float(fits.max()), 1)
    return scores


def _partners(those: U8, pairs: I64) -> U8:
    """The second thumbnail of each pair, mirrored where it has to be."""
    chosen = those[pairs[:, 1]]
    return np.where(pairs[:, 2, None, None] > 0, chosen[:, :, ::-1], chosen)


def _coarse_contrast_fits(contrasts: F32, pairs: I64, patches: F32) -> tuple[F32, I64]:
    """Best correlation of each pair's local contrasts at half the size, and its place."""
    views = [_half_windows(contrasts, side) for side in _SIDES]
    windows = np.concatenate([v.reshape(len(v), -1, _HALF**2) for v in views], axis=1)
    squares = np.einsum("ijk,ijk->ij", windows, windows)
    lengths = np.sqrt((squares - _HALF**2 * windows.mean(axis=2) ** 2).clip(min=1e-6))
    middles = patches[pairs[:, 1]].reshape(-1, _HALF, _HALF)
    middles = np.where(pairs[:, 2, None, None] > 0, middles[:, :, ::-1], middles)
    columns = middles.reshape(-1, _HALF**2)
    fits, places = np.empty(len(pairs), dtype=np.float32), np.empty(len(pairs), dtype=np.int64)
    ends = np.searchsorted(pairs[:, 0], np.arange(len(contrasts) + 1)).tolist()
    for this, (start, end) in enumerate(pairwise(ends)):
        products = _product(windows[this], columns[start:end].T) / lengths[this, :, None]
        places[start:end] = products.argmax(axis=0)
        fits[start:end] = products.max(axis=0)
    return fits, places


def _product(rows: F32, columns: F32) -> F32:
    """``rows @ columns`` in parts so small that OpenBLAS starts no threads, which cost time."""
    step = max(1, _UNTHREADED // max(columns.size, 1))
    return np.concatenate([rows[i : i + step] @ columns for i in range(0, len(rows), step)])


def _coarse_picture_fits(these: F32, partners: U8, pairs: I64, places: I64) -> F32:
    """Correlation of each pair's pictures at half the size, at its place."""
    middles = _halved(partners[:, _MIDDLE, _MIDDLE].astype(np.float32)).reshape(-1, _HALF**2)
    middles = _centred(middles, _HALF)
    fits = np.empty(len(pairs), dtype=np.float32)
    for size, side in enumerate(_SIDES):
        chosen = np.flatnonzero(places[:, 0] == size)
        top, left = places[chosen, 1:].T // _STEP
        windows = _half_windows(these, side)[pairs[chosen, 0], top, left].reshape(-1, _HALF**2)
        fits[chosen] = np.einsum("ij,ij->i", _centred(windows, _HALF), middles[chosen])
    return fits


def _half_windows(pictures: F32, side: int) -> F32:
    """All places of a middle at half of one size: a view of shape (N, places, places, 12, 12)."""
    shrink = _shrink(side)
    return sliding_window_view(shrink @ pictures @ shrink.T, (_HALF, _HALF), axis=(1, 2))


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
    kinds = np.empty((len(thumbnails), 2, SIDE, SIDE), dtype=np.float32)
    for row, thumbnail in zip(kinds, thumbnails, strict=True):
        row[:] = thumbnail, _local_contrast(thumbnail)
    return kinds


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


def _local_contrast(thumbnail: U8) -> F32:
    """The difference from the surroundings, divided by how much the surroundings vary."""
    gray = thumbnail.astype(np.float32)
    detail: F32 = gray - cv2.GaussianBlur(gray, (0, 0), _DETAIL)
    spread = cv2.blur(detail**2, (_AROUND, _AROUND)) + _NOISE**2
    contrast: F32 = (detail / np.sqrt(spread)).astype(np.float32)
    return contrast
