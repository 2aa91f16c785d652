"""Find the pictures that are copies of others, in one set or between two.

Two steps. Candidates: pictures whose signatures look alike, see `mien.data.neighbours`. Proof: the
middle of one 32x32 thumbnail is slid over the other at five sizes, once as it is and once with
only its local contrast, and the mean of the two best correlations counts: the first alone takes
two people in one pose and light for one, the second sees that their wrinkles and eyes differ. So a
copy cropped or shifted a little is found while a stranger is not. Mirrored copies are found by
mirroring one side. How well: benchmarks/bench_audit.py.
Imports: numpy, cv2. Knows nothing of files and labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from mien.data import neighbours
from mien.pixels import to_gray, to_side
from mien.results import F32, U8

__all__ = ["COPY", "SIDE", "Copy", "find_copies", "find_pairs", "similarities", "thumbnail"]

I64 = npt.NDArray[np.int64]

SIDE = 32  # pixels, of a thumbnail
COPY = 0.85  # similarity from which two pictures count as copies; from bench_audit.py's curve
_NEIGHBOURS = 11  # candidates of a picture, maybe itself among them, and as many mirrored
_CROWDED = 0.95  # if all of these are so near, so many more are looked at:
_CROWD = 80
_CANDIDATE = 0.65
_MARGIN = 4  # pixels of the thumbnail by which a copy may be shifted
_MIDDLE = slice(_MARGIN, SIDE - _MARGIN)
_WINDOW = SIDE - 2 * _MARGIN
_SIDES = (29, 30, 32, 34, 35)  # pixels: sizes at which the other thumbnail is tried
_STEP = 2  # pixels between the places tried at first
_PLACES = [
    (size, top, left)
    for size, side in enumerate(_SIDES)
    for top in range(0, side - _WINDOW + 1, _STEP)
    for left in range(0, side - _WINDOW + 1, _STEP)
]
_PLAIN = 0.8  # less alike than this at first, no local contrast makes them copies
_DETAIL = 2.0  # pixels: sigma of the blur that is taken away
_AROUND = 9  # pixels: side of the surroundings
_NOISE = 2.0  # grey levels that count as no contrast
_SMALL = 40_000  # pictures up to which each is compared with all
_BLOCK = 8192  # questions at once
_UNTHREADED = 150_000  # multiplications that OpenBLAS does in one thread


@dataclass(frozen=True, slots=True)
class Copy:
    """A picture and the one it is a copy of.

    Attributes:
        this: its index in the first set.
        that: the index in the second set.
        similarity: see `similarities`, in [`COPY`, 1].
        mirrored: whether one has to be mirrored to match.
    """

    this: int
    that: int
    similarity: float
    mirrored: bool


def thumbnail(picture: U8) -> U8:
    """Reduce a picture to what copies are found by.

    Args:
        picture: shape (H, W, 3) RGB or (H, W), uint8.

    Returns:
        shape (32, 32), uint8.
    """
    return to_side(to_gray(picture), SIDE)


def find_copies(these: U8, those: U8, *, least: float = COPY) -> list[Copy]:
    """Find the members of one set that have a copy or near-copy in another.

    Args:
        these: shape (N, 32, 32), thumbnails.
        those: shape (M, 32, 32), thumbnails.
        least: similarity from which they count as copies.

    Returns:
        The nearest copy of each member of `these` that has one, by ascending `this`.
    """
    if len(these) == 0 or len(those) == 0:
        return []
    best: dict[int, Copy] = {}
    search = neighbours.exact(neighbours.signatures(those))
    signatures = neighbours.signatures(these)
    for mirrored in (False, True):
        pairs = _candidates(signatures, search, mirrored)
        for copy in _proven(pairs, these, those, mirrored, least):
            known = best.get(copy.this)
            if known is None or copy.similarity > known.similarity:
                best[copy.this] = copy
    return [best[this] for this in sorted(best)]


def find_pairs(thumbnails: U8, *, least: float = COPY) -> list[Copy]:
    """Find every two members of a set that are copies or near-copies of each other.

    Args:
        thumbnails: shape (N, 32, 32).
        least: similarity from which they count as copies.

    Returns:
        Pairs with `this` < `that`, in ascending order; of a picture with more than 80 near
        neighbours only the nearest.

    Raises:
        MissingExtraError: if there are more than 40,000 and the data extra is not installed.
    """
    if len(thumbnails) < 2:
        return []
    signatures = neighbours.signatures(thumbnails)
    make = neighbours.exact if len(signatures) <= _SMALL else neighbours.indexed
    search = make(signatures)
    best: dict[tuple[int, int], Copy] = {}
    for mirrored in (False, True):
        pairs = _unordered(_candidates(signatures, search, mirrored))
        for copy in _proven(pairs, thumbnails, thumbnails, mirrored, least):
            known = best.get((copy.this, copy.that))
            if known is None or copy.similarity > known.similarity:
                best[copy.this, copy.that] = copy
    return [best[pair] for pair in sorted(best)]


def _candidates(these: F32, search: neighbours.Search, mirrored: bool) -> I64:
    """Indices of pairs that look alike at a glance, shape (P, 2)."""
    found = []
    for start in range(0, len(these), _BLOCK):
        block = these[start : start + _BLOCK]
        asked = neighbours.mirror(block) if mirrored else block
        rows = np.arange(len(asked))
        for count in (_NEIGHBOURS, _CROWD):
            alike, those = search(asked[rows], count)
            first, column = np.nonzero((alike >= _CANDIDATE) & (those >= 0))
            found.append(np.column_stack([start + rows[first], those[first, column]]))
            rows = rows[alike.min(axis=1) >= _CROWDED]
    return np.unique(np.concatenate(found), axis=0)


def _unordered(pairs: I64) -> I64:
    """Each pair once, the lesser index first, none of a picture with itself."""
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return np.unique(pairs, axis=0)


def _proven(pairs: I64, these: U8, those: U8, mirrored: bool, least: float) -> Iterator[Copy]:
    """Look closely at candidates, which are ordered by their first, and hand on the copies."""
    firsts, starts = np.unique(pairs[:, 0], return_index=True)
    for this, some in zip(firsts.tolist(), np.split(pairs[:, 1], starts)[1:], strict=True):
        a = np.ascontiguousarray(these[this][:, ::-1]) if mirrored else these[this]
        found = similarities(a, those[some])
        for index in np.flatnonzero(found >= least):
            yield Copy(this, int(some[index]), float(found[index]), mirrored)


def similarities(one: U8, others: U8) -> F32:
    """Compare a thumbnail closely with others.

    Args:
        one: shape (32, 32), uint8.
        others: shape (N, 32, 32), uint8.

    Returns:
        shape (N,): the mean of two correlations, of the pictures and of their local contrast, at
        the place and size that fits best; 0 where the first is less than 0.8 everywhere.
    """
    plain = _windows(one - one.mean(dtype=np.float32))
    found, best = _roughly(plain, others)
    near = np.flatnonzero(found >= _PLAIN)
    found[found < _PLAIN] = 0
    if len(near):
        local = _windows(_local(one))
        for index in near:
            place = _PLACES[best[index]]
            other = others[index]
            fit = _closely(plain, other.astype(np.float32), place)
            fit += _closely(local, _local(other), place)
            found[index] = min(float(fit.max()) / 2, 1)
    return found


def _windows(picture: F32) -> list[F32]:
    """Every place where a middle fits, for each size: views of shape (places, places, 24, 24)."""
    return [sliding_window_view(_resized(picture, side), (_WINDOW, _WINDOW)) for side in _SIDES]


def _roughly(windows: Sequence[F32], others: U8) -> tuple[F32, I64]:
    """Best correlation of the middle of each other with any of `_PLACES`, and which that is."""
    patches = others[:, _MIDDLE, _MIDDLE].reshape(len(others), -1).astype(np.float32)
    patches -= patches.mean(axis=1, keepdims=True)
    flat = np.full((1, _WINDOW**2), 1 / _WINDOW**2, dtype=np.float32)
    columns = np.concatenate([patches, flat]).T  # the last one asks for the means of the places
    products, spreads = [], []
    for view in windows:
        places = view[::_STEP, ::_STEP].reshape(-1, _WINDOW**2)
        product = _product(places, columns)
        squares = np.einsum("ij,ij->i", places, places)
        products.append(product[:, :-1])
        spreads.append(squares - _WINDOW**2 * product[:, -1] ** 2)
    lengths = np.sqrt(np.concatenate(spreads).clip(min=_WINDOW**2))  # at least one grey level
    fits = np.concatenate(products) / lengths[:, None]
    best = fits.argmax(axis=0)
    sizes = np.linalg.norm(patches, axis=1).clip(min=_WINDOW)
    return fits[best, np.arange(len(best))] / sizes, best


def _product(rows: F32, columns: F32) -> F32:
    """``rows @ columns`` in parts so small that OpenBLAS starts no threads: they cost, not save."""
    step = max(1, _UNTHREADED // columns.size)
    return np.concatenate([rows[i : i + step] @ columns for i in range(0, len(rows), step)])


def _closely(windows: Sequence[F32], other: F32, place: tuple[int, int, int]) -> F32:
    """Correlations of the other's middle with a place, those around it, and the next sizes."""
    patch = other[_MIDDLE, _MIDDLE].ravel()
    patch = patch - patch.mean()
    size, *corner = place
    tried = []
    for view in windows[max(size - 1, 0) : size + 2]:
        scale = (len(view) - 1) / (len(windows[size]) - 1)
        rows, columns = (_around(round(start * scale), len(view)) for start in corner)
        tried.append(view[rows, columns].reshape(-1, _WINDOW**2))
    places = np.concatenate(tried)
    places -= places.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", places, places) * np.einsum("i,i", patch, patch))
    correlations: F32 = np.einsum("ij,j->i", places, patch) / lengths.clip(min=1e-3)
    return correlations


def _around(start: int, count: int) -> slice:
    """A place and its neighbours, where there are any."""
    return slice(max(start - 1, 0), min(start + 2, count))


def _resized(picture: F32, side: int) -> F32:
    if side == len(picture):
        return picture
    way = cv2.INTER_AREA if side < len(picture) else cv2.INTER_LINEAR
    return cv2.resize(picture, (side, side), interpolation=way).astype(np.float32, copy=False)


def _local(thumbnail: U8) -> F32:
    """Local contrast: what differs from the surroundings, by how much the surroundings vary."""
    gray = thumbnail.astype(np.float32)
    detail: F32 = gray - cv2.GaussianBlur(gray, (0, 0), _DETAIL)
    spread = cv2.blur(detail**2, (_AROUND, _AROUND)) + _NOISE**2
    local: F32 = (detail / np.sqrt(spread)).astype(np.float32)
    return local
