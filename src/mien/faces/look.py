"""What a face looks like, as a short vector: enough to tell the few people in one scene apart.

Light and dark in the upright face, and the colours of the clothes below it. This is no
recognition of persons: it holds for seconds, within one shot.
Imports: numpy, cv2, mien.faces.align, mien.results.
"""

import cv2
import numpy as np
import numpy.typing as npt

from mien.faces import align
from mien.results import Box, Detection

__all__ = ["look"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

_SIDE = 16  # pixels of the face compared
_CLOTHES = 8  # pixels of the patch below the face
_BINS = 4  # of each colour channel


def look(rgb: U8, detection: Detection) -> F32:
    """Describe a face.

    Args:
        rgb: shape (H, W, 3), uint8.
        detection: the face in it.

    Returns:
        shape (V,), float32, of length 1: the dot product of two is their likeness, at most 1.
    """
    crop = align.crop(rgb, align.similarity(detection.landmarks))
    face = _pattern(crop)
    colours = np.concatenate([_histogram(crop), _histogram(_below(rgb, detection.box))])
    whole = np.concatenate([face, colours / np.sqrt(2)]) / np.sqrt(2)
    return np.asarray(whole, dtype=np.float32)


def _pattern(crop: U8) -> F32:
    """Light and dark, whatever the brightness: mean 0, length 1."""
    small = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32).ravel()
    gray -= gray.mean()
    length = float(np.linalg.norm(gray))
    if length < 1e-3:
        return np.full(gray.shape, 1 / _SIDE, dtype=np.float32)
    return gray / np.float32(length)


def _histogram(rgb: U8) -> F32:
    """Square roots of the shares of colours, so that the vector has length 1."""
    index = (rgb >> 6).reshape(-1, 3).astype(np.int64) @ (1, _BINS, _BINS * _BINS)
    counts = np.bincount(index, minlength=_BINS**3).astype(np.float32)
    return np.sqrt(counts / max(1, index.size))


def _below(rgb: U8, box: Box) -> U8:
    """The clothes: a square below the chin, shrunk."""
    height, width = rgb.shape[:2]
    top = round(np.clip(box.bottom + 0.2 * box.height, 0, height - 1))
    bottom = round(np.clip(box.bottom + 0.9 * box.height, top + 1, height))
    left = round(np.clip(box.left, 0, width - 1))
    right = round(np.clip(box.right, left + 1, width))
    patch = rgb[top:bottom, left:right]
    return np.asarray(
        cv2.resize(patch, (_CLOTHES, _CLOTHES), interpolation=cv2.INTER_AREA), np.uint8
    )
