"""Find the pictures of one set that are copies of pictures in another.

Two steps. Candidates: the nearest neighbours of a 16x16 thumbnail by correlation, so brightness
and contrast do not matter. Proof: the middle of one 32x32 thumbnail is slid over the other at
three sizes, and the best correlation counts, so a copy cropped or shifted a little is found while
two people with the same pose are not. Mirrored copies are found by mirroring one side.
Imports: numpy, cv2. Knows nothing of files and labels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mien.pixels import to_gray, to_side

__all__ = ["COPY", "SIDE", "Copy", "find_copies", "thumbnail"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

SIDE = 32  # pixels, of a thumbnail
COPY = 0.93  # correlation from which two pictures count as copies; chosen by eye, see lab/LOG.md
_NEIGHBOURS = 3
_CANDIDATE = 0.7
_MARGIN = 4  # pixels of the thumbnail by which a copy may be shifted
_ZOOMS = (1.0, 0.93, 1.07)
_BLOCK = 2000  # rows compared at once, to bound memory


@dataclass(frozen=True, slots=True)
class Copy:
    """A picture and the one it is a copy of.

    Attributes:
        this: its index in the first set.
        that: the index in the second set.
        similarity: their correlation, in [`COPY`, 1].
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


def find_copies(these: U8, those: U8) -> list[Copy]:
    """Find the members of one set that have a copy or near-copy in another.

    Args:
        these: shape (N, 32, 32), thumbnails.
        those: shape (M, 32, 32), thumbnails.

    Returns:
        The nearest copy of each member of `these` that has one, by ascending `this`.
    """
    best: dict[int, Copy] = {}
    if len(these) == 0 or len(those) == 0:
        return []
    targets = _signatures(those)
    for mirrored in (False, True):
        turned = np.ascontiguousarray(these[:, :, ::-1]) if mirrored else these
        for this, that in _candidates(_signatures(turned), targets):
            similarity = _correlation(turned[this], those[that])
            known = best.get(this)
            if similarity >= COPY and (known is None or similarity > known.similarity):
                best[this] = Copy(this, that, similarity, mirrored)
    return [best[this] for this in sorted(best)]


def _signatures(thumbnails: U8) -> F32:
    """16x16 means, centred, of unit length; a blank picture becomes zeros. Shape (N, 256)."""
    half = thumbnails.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4), dtype=np.float32)
    flat = half.reshape(len(thumbnails), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.where(length > 16, flat / np.maximum(length, 1e-6), 0).astype(np.float32)


def _candidates(these: F32, those: F32) -> list[tuple[int, int]]:
    """Pairs whose signatures correlate, at most `_NEIGHBOURS` for each of `these`."""
    pairs = []
    count = min(_NEIGHBOURS, len(those))
    for start in range(0, len(these), _BLOCK):
        alike = these[start : start + _BLOCK] @ those.T
        nearest = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(alike, nearest, axis=1) >= _CANDIDATE
        for row, column in zip(*np.nonzero(near), strict=True):
            pairs.append((start + int(row), int(nearest[row, column])))
    return pairs


def _correlation(a: U8, b: U8) -> float:
    """Best correlation of the middle of `b`, at three sizes, with any place in `a`."""
    middle = b[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    if middle.std() < 1 or a.std() < 1:
        return 0.0
    best = 0.0
    for zoom in _ZOOMS:
        side = round((SIDE - 2 * _MARGIN) * zoom)
        patch = cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA)
        best = max(best, float(cv2.matchTemplate(a, patch, cv2.TM_CCOEFF_NORMED).max()))
    return min(best, 1.0)
