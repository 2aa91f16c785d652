"""What a face looks like, as a short vector: enough to tell the few people in one scene apart.

A third each: light and dark in the upright face, the colours of the head with its hair, and those
of the clothes below. This is no recognition of persons: it holds for seconds, within one shot.
"""

import cv2
import numpy as np

from mien.faces import align
from mien.pixels import F32, U8
from mien.results import Box, Detection

__all__ = ["look"]


_SIDE = 8  # pixels of the face compared; finer, a smile would make another person
_PATCH = 16  # pixels of the patches whose colours are counted
_BINS = 4  # of each colour channel
# Top and bottom of the patches, in heights of the face's box below its upper edge.
_HEAD = (-0.35, 0.75)
_CLOTHES = (1.3, 2.4)


def look(rgb: U8, detection: Detection) -> F32:
    """Describe a face.

    Args:
        rgb: shape (H, W, 3), uint8.
        detection: the face in it.

    Returns:
        shape (V,), float32, of length 1: the dot product of two is their likeness, at most 1.
    """
    crop = align.crop(rgb, align.similarity(detection.landmarks))
    patches = [_patch(rgb, detection.box, *part) for part in (_HEAD, _CLOTHES)]
    parts = [_pattern(crop), *(_colours(patch) for patch in patches)]
    whole = np.concatenate(parts) / np.sqrt(len(parts))
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


def _colours(rgb: U8) -> F32:
    """Square roots of the shares of colours, so that the vector has length 1."""
    index = (rgb >> 6).reshape(-1, 3).astype(np.int64) @ (1, _BINS, _BINS * _BINS)
    counts = np.bincount(index, minlength=_BINS**3)
    return np.sqrt(counts / index.size).astype(np.float32)


def _patch(rgb: U8, box: Box, top: float, bottom: float) -> U8:
    """Shrink the part of the picture between two heights of a box; at least one pixel of it."""
    height, width = rgb.shape[:2]
    y0 = round(np.clip(box.top + top * box.height, 0, height - 1))
    y1 = round(np.clip(box.top + bottom * box.height, y0 + 1, height))
    x0 = round(np.clip(box.left, 0, width - 1))
    x1 = round(np.clip(box.right, x0 + 1, width))
    size = (_PATCH, _PATCH)
    return np.asarray(cv2.resize(rgb[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)
