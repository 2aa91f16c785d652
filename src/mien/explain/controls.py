"""Maps that know nothing of the network: what an explanation has to beat.

A metric that such a map wins rewards something else than truth, as average drop rewards breadth.
Each takes crops and a generator and returns a map a crop.
"""

from collections.abc import Callable

import cv2
import numpy as np

from mien.pixels import F32, U8

__all__ = ["CONTROLS", "blurred", "edges", "gaussian", "noise"]


_BLUR = 6.0  # pixels, about as smooth as an 8x8 map enlarged to 64x64
_WIDTH = 0.25  # standard deviation of the Gaussian, in sides


def noise(crops: U8, random: np.random.Generator) -> F32:
    """Draw every place by itself, evenly from [0, 1).

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W).
    """
    return random.random(crops.shape, dtype=np.float32)


def blurred(crops: U8, random: np.random.Generator) -> F32:
    """Blur `noise` to the smoothness of a class map, and spread it over [0, 1].

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W).
    """
    maps = np.stack([cv2.GaussianBlur(one, (0, 0), _BLUR) for one in noise(crops, random)])
    low, high = (f(maps, axis=(1, 2), keepdims=True) for f in (np.min, np.max))
    return np.asarray((maps - low) / (high - low), dtype=np.float32)


def gaussian(crops: U8, random: np.random.Generator) -> F32:
    """Point at the middle of the crop, where a face is.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: not used.

    Returns:
        shape (N, H, W): the same bell for every crop, 1 in its middle.
    """
    rows, columns = (
        np.exp(-((np.linspace(-0.5, 0.5, side) / _WIDTH) ** 2) / 2) for side in crops.shape[1:]
    )
    return np.broadcast_to(np.outer(rows, columns).astype(np.float32), crops.shape)


def edges(crops: U8, random: np.random.Generator) -> F32:
    """Point at contrast: the length of Sobel's gradient of the picture.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: not used.

    Returns:
        shape (N, H, W), >= 0.
    """
    return np.stack([
        np.hypot(cv2.Sobel(one, cv2.CV_32F, 1, 0), cv2.Sobel(one, cv2.CV_32F, 0, 1))
        for one in crops
    ])


CONTROLS: dict[str, Callable[[U8, np.random.Generator], F32]] = {
    "random": noise,
    "blurred-random": blurred,
    "gaussian": gaussian,
    "edges": edges,
}
