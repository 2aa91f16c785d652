"""A heat map over a face: where in the picture the evidence lies.

Colour and opacity rise together, so a place without evidence is left as it was. Knows nothing of
faces: a map and a matrix are enough.
"""

from functools import lru_cache

import cv2
import numpy as np

from mien.pixels import F32, U8

__all__ = ["blend_heatmap", "colours", "ramp"]

_OPACITY = 0.62  # at the strongest place; the face stays visible underneath
_FADE = 1 / 32  # of the crop's side, over which a map ends at its edge: softly, hiding little
_SOFT = 1.5 / 64  # of the crop's side; rounds the creases that bilinear enlargement leaves
_COLDEST = 0.25  # the colour map's first quarter is nearly black, on a face it reads as a shadow


def colours(strength: F32) -> F32:
    """Return the colour of each strength: violet is weak, yellow is strong.

    Args:
        strength: any shape, in [0, 1].

    Returns:
        shape (..., 3), RGB in [0, 255].

    Source:
        Inferno, by Smith and van der Walt for matplotlib (CC0): perceptually uniform and safe for
        colour blindness. Its darkest quarter is left out.
    """
    steps = np.rint((_COLDEST + (1 - _COLDEST) * strength) * 255).astype(np.intp)
    return np.asarray(_table()[steps, 0], dtype=np.float32)


@lru_cache(maxsize=1)
def _table() -> U8:
    """Shape (256, 1, 3): inferno as RGB."""
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)
    return np.ascontiguousarray(np.asarray(bgr, dtype=np.uint8)[..., ::-1])


def blend_heatmap(rgb: U8, heatmap: F32, to_crop: F32) -> None:
    """Lay the heat map of a crop over the picture, in place.

    Args:
        rgb: shape (H, W, 3), uint8, changed where the map is above 0.
        heatmap: shape (side, side), in [0, 1], over the crop.
        to_crop: shape (2, 3), the affine transform from picture to crop pixels.
    """
    rows, columns = _reach(to_crop, heatmap.shape[0], rgb.shape)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    shifted = to_crop.astype(np.float64)
    shifted[:, 2] += shifted[:, :2] @ (columns.start, rows.start)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    soft = cv2.GaussianBlur(heatmap, (0, 0), _SOFT * heatmap.shape[0])
    faded = soft * _window(heatmap.shape[0])
    strength = np.asarray(cv2.warpAffine(faded, shifted, size, flags=flags), dtype=np.float32)
    strength = strength.clip(0, 1)
    alpha = _OPACITY * strength
    steps = cv2.convertScaleAbs(strength, alpha=255 * (1 - _COLDEST), beta=255 * _COLDEST)
    warm = cv2.applyColorMap(steps, _table())
    rgb[rows, columns] = cv2.blendLinear(rgb[rows, columns], warm, 1 - alpha, alpha)


def _reach(to_crop: F32, side: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of the picture that the crop covers."""
    inverse = cv2.invertAffineTransform(to_crop.astype(np.float64))
    ends = (-0.5, side - 0.5)
    corners = np.array([[x, y, 1] for x in ends for y in ends]) @ inverse.T  # (4, 2)
    height, width = shape[:2]
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0, (width, height))
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).clip(-1, (width - 1, height - 1)) + 1
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _window(side: int) -> F32:
    """Shape (side, side): 1 inside, falling to 0 at the edge as half a cosine."""
    edge = np.minimum(np.arange(side), np.arange(side)[::-1])
    rise = 0.5 - 0.5 * np.cos(np.pi * (edge / (_FADE * side)).clip(0, 1))
    return np.outer(rise, rise).astype(np.float32)


def ramp(width: int, height: int, ground: tuple[int, int, int]) -> U8:
    """Return a legend: every strength from none, which is the ground, to the strongest.

    Args:
        width: pixels.
        height: pixels.
        ground: colour behind it, RGB.

    Returns:
        shape (height, width, 3), uint8, RGB.
    """
    strength = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    alpha = strength[..., None]
    return np.rint(colours(strength) * alpha + np.array(ground) * (1 - alpha)).astype(np.uint8)
