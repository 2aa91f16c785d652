"""Damage a crop as cameras, weather and files do, in five strengths: to measure, never to train on.

The 15 kinds of ImageNet-C, and uneven light (gamma) and something before the face (occlusion). The
numbers are those that its authors took for pictures of 64 pixels (Tiny-ImageNet-C), except for four
kinds whose strengths would not follow one another, or that need photographs: glass, frost, elastic
and pixelate have formulas of their own. Fog is fractal noise by Fourier transform, a motion leaves
half a Gaussian behind. Lengths are pixels of a crop of 64. Source: Hendrycks and Dietterich 2019,
arXiv:1903.12261, and its authors' code. Knows nothing of files, labels and models.
"""

import io
from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from mien.errors import UnknownNameError
from mien.pixels import F32, U8

__all__ = ["KINDS", "STRENGTHS", "corrupt"]

Rng: TypeAlias = np.random.Generator
STRENGTHS = (1, 2, 3, 4, 5)


def corrupt(crop: U8, kind: str, strength: int, seed: int = 0) -> U8:
    """Damage a crop.

    Args:
        crop: shape (H, W, 3) or (H, W), uint8.
        kind: a key of `KINDS`.
        strength: from 1, hardly seen, to 5.
        seed: of noise, flakes and directions. One seed gives all strengths the same draw, so that
            only the strength differs; crops of one set should have different seeds.

    Returns:
        The same shape, uint8.

    Raises:
        UnknownNameError: if there is no such kind.
        ValueError: if the strength is not one of `STRENGTHS`.

    Example:
        >>> dark = corrupt(np.full((64, 64), 100, dtype=np.uint8), "brightness", 5)
        >>> int(dark.min()), int(dark.max())
        (228, 228)
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of damage", kind, KINDS)
    if strength not in STRENGTHS:
        raise ValueError(f"strength must be one of {STRENGTHS}, got {strength}")
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    x: F32 = crop.reshape(*crop.shape[:2], -1).astype(np.float32) / np.float32(255)  # (H, W, C)
    damaged = KINDS[kind](x, strength - 1, rng)
    return (damaged.clip(0, 1) * 255).round().astype(np.uint8).reshape(crop.shape)


def gaussian_noise(x: F32, level: int, rng: Rng) -> F32:
    """Noise of a sensor in little light."""
    return x + (0.04, 0.08, 0.12, 0.15, 0.18)[level] * rng.standard_normal(x.shape, np.float32)


def shot_noise(x: F32, level: int, rng: Rng) -> F32:
    """Noise of the light itself: so many photons a pixel that is white."""
    photons = (250, 100, 50, 30, 15)[level]
    return (rng.poisson(x * photons) / photons).astype(np.float32)


def impulse_noise(x: F32, level: int, rng: Rng) -> F32:
    """Salt and pepper."""
    draw = rng.random(x.shape, np.float32)
    share = (0.01, 0.02, 0.05, 0.08, 0.14)[level]
    white = rng.random(x.shape, np.float32) < 0.5
    return np.where(draw < share, white, x).astype(np.float32)


def defocus_blur(x: F32, level: int, _: Rng) -> F32:
    """A disk for every point."""
    radius = (0.75, 1.0, 1.5, 2.5, 3.0)[level]
    fine = ((np.arange(90) - 44.5) / 10).astype(np.float32)  # ten samples a pixel, nine pixels
    inside = (np.hypot(*np.meshgrid(fine, fine)) <= radius).astype(np.float32)
    return _filtered(x, cv2.resize(inside, (9, 9), interpolation=cv2.INTER_AREA))


def glass_blur(x: F32, level: int, rng: Rng) -> F32:
    """Frosted glass: every pixel comes from somewhere near."""
    reach = (0.4, 0.6, 0.8, 1.1, 1.5)[level]  # pixels, standard deviation each way
    moves = reach * rng.standard_normal((*x.shape[:2], 2), np.float32)
    return _smooth(_moved(x, moves), 0.5 * reach)


def motion_blur(x: F32, level: int, rng: Rng) -> F32:
    """A camera that moved, up to 45 degrees from level."""
    radius, sigma = ((10, 1.0), (10, 1.5), (10, 2.0), (10, 2.5), (12, 3.0))[level]
    return _filtered(x, _trail(radius, sigma, rng.uniform(-45, 45)))


def zoom_blur(x: F32, level: int, _: Rng) -> F32:
    """A camera that came nearer while it looked."""
    zooms = np.arange(0, (6, 11, 16, 21, 26)[level]) / 100 + 1
    middle = ((x.shape[1] - 1) / 2, (x.shape[0] - 1) / 2)
    total = x.copy()
    for zoom in zooms:
        total += _warped(x, cv2.getRotationMatrix2D(middle, 0, float(zoom)))
    return total / np.float32(len(zooms) + 1)


def snow(x: F32, level: int, rng: Rng) -> F32:
    """Flakes that fall from two sides, over a picture that is paler."""
    mean, spread, zoom, least, radius, sigma, kept = (
        (0.10, 0.2, 1.00, 0.60, 8, 3, 0.80),
        (0.10, 0.2, 1.00, 0.50, 10, 4, 0.80),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.70),
        (0.25, 0.3, 2.25, 0.60, 12, 6, 0.65),
        (0.30, 0.3, 1.25, 0.65, 14, 12, 0.60),
    )[level]
    drawn = mean + spread * rng.standard_normal(x.shape[:2], np.float32)
    middle = ((x.shape[1] - 1) / 2, (x.shape[0] - 1) / 2)
    large = _warped(drawn[..., None], cv2.getRotationMatrix2D(middle, 0, zoom))
    flakes = np.where(large < least, 0, large).clip(0, 1).astype(np.float32)
    fallen = _filtered(flakes, _trail(radius, sigma, rng.uniform(-135, -45)))
    pale = np.maximum(x, x.mean(axis=2, keepdims=True) * 1.5 + 0.5)
    return _as(kept * x + (1 - kept) * pale + fallen + fallen[::-1, ::-1], x)


def frost(x: F32, level: int, rng: Rng) -> F32:
    """Ice on the glass: ridges of fractal noise, thick in some places."""
    crystals = (1 - np.abs(2 * _fractal(x, 1.5, rng) - 1)) ** 3
    ice = (0.7 * crystals + 0.6 * _fractal(x, 2.5, rng)).clip(0, 1)[..., None]
    hidden = (0.2, 0.35, 0.5, 0.65, 0.8)[level] * ice
    return (x * (1 - hidden) + 0.9 * hidden).astype(np.float32)


def fog(x: F32, level: int, rng: Rng) -> F32:
    """Fractal clouds before a picture that is darker for them."""
    thick, smooth = ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75))[level]
    top = float(x.max())
    return _as((x + thick * _fractal(x, smooth, rng)[..., None]) * (top / (top + thick)), x)


def brightness(x: F32, level: int, _: Rng) -> F32:
    """More light: the value of hue, saturation, value rises."""
    value = x.max(axis=2, keepdims=True)
    more = (value + (0.1, 0.2, 0.3, 0.4, 0.5)[level]).clip(0, 1)
    return _as(np.where(value > 0, x * more / value.clip(min=1e-6), more), x)


def contrast(x: F32, level: int, _: Rng) -> F32:
    """Less contrast about the mean."""
    mean = x.mean(axis=(0, 1), keepdims=True)
    return _as((x - mean) * np.float32((0.4, 0.3, 0.2, 0.1, 0.05)[level]) + mean, x)


def elastic(x: F32, level: int, rng: Rng) -> F32:
    """Small regions stretched and squeezed."""
    reach = (0.5, 0.8, 1.1, 1.5, 2.0)[level]  # pixels, root mean square
    moves = _smooth(rng.standard_normal((*x.shape[:2], 2), np.float32), 3.0)
    moves *= reach / np.sqrt((moves**2).mean())
    return _moved(x, moves)


def pixelate(x: F32, level: int, _: Rng) -> F32:
    """Fewer, larger pixels."""
    size = [int(side * (0.75, 0.6, 0.5, 0.4, 0.3)[level]) for side in x.shape[1::-1]]
    small = cv2.resize(x, size, interpolation=cv2.INTER_AREA)
    return _as(cv2.resize(small, x.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT), x)


def jpeg(x: F32, level: int, _: Rng) -> F32:
    """Stored in few bytes."""
    file = io.BytesIO()
    pixels = (x * 255).round().astype(np.uint8)
    Image.fromarray(pixels.squeeze()).save(file, "JPEG", quality=(65, 58, 50, 40, 25)[level])
    return _as(np.asarray(Image.open(file), dtype=np.float32) / 255, x)


def gamma(x: F32, level: int, rng: Rng) -> F32:
    """Mid-tones much darker or lighter."""
    power = (1.25, 1.5, 2.0, 2.5, 3.0)[level]
    darker = bool(rng.random() < 0.5)
    return _as(x ** np.float32(power if darker else 1 / power), x)


def occlusion(x: F32, level: int, rng: Rng) -> F32:
    """A grey square before the face, over 4 to 25 % of the crop."""
    height, width = x.shape[:2]
    reach = (0.1, 0.14, 0.18, 0.22, 0.25)[level] * np.array([height, width])
    middle = rng.uniform(0.25, 0.75, 2) * [height, width]
    top, left = (middle - reach).round().clip(min=0).astype(int)
    bottom, right = (middle + reach).round().astype(int)
    covered = x.copy()
    covered[top:bottom, left:right] = 0.5
    return covered


KINDS: dict[str, Callable[[F32, int, Rng], F32]] = {
    kind.__name__: kind
    for kind in (
        gaussian_noise,
        shot_noise,
        impulse_noise,
        defocus_blur,
        glass_blur,
        motion_blur,
        zoom_blur,
        snow,
        frost,
        fog,
        brightness,
        contrast,
        elastic,
        pixelate,
        jpeg,
        gamma,
        occlusion,
    )
}


def _as(picture: npt.ArrayLike, like: F32) -> F32:
    """Give back the channel that cv2 and Pillow drop."""
    return np.asarray(picture, dtype=np.float32).reshape(like.shape)


def _filtered(x: F32, kernel: npt.NDArray[Any]) -> F32:
    """Filter with a kernel scaled to sum to 1; mirrored at the edge."""
    return _as(cv2.filter2D(x, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), x)


def _smooth(x: F32, sigma: float) -> F32:
    return _as(cv2.GaussianBlur(x, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), x)


def _warped(x: F32, matrix: npt.NDArray[Any]) -> F32:
    return _as(cv2.warpAffine(x, matrix, x.shape[1::-1], borderMode=cv2.BORDER_REFLECT), x)


def _moved(x: F32, moves: F32) -> F32:
    """Look every pixel up elsewhere; `moves` has shape (H, W, 2), x and y in pixels."""
    rows, columns = np.indices(x.shape[:2], dtype=np.float32)
    across, down = columns + moves[..., 0], rows + moves[..., 1]
    return _as(cv2.remap(x, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), x)


def _trail(radius: int, sigma: float, angle: float) -> F32:
    """Half a Gaussian from the middle outwards, one way: shape (2 radius + 1, 2 radius + 1)."""
    side = 2 * radius + 1
    steps = np.arange(0, radius, 0.25)
    kernel = np.zeros((side, side), dtype=np.float32)
    x = radius + steps * np.cos(np.radians(angle))
    y = radius - steps * np.sin(np.radians(angle))
    np.add.at(
        kernel, (y.round().astype(int), x.round().astype(int)), np.exp(-0.5 * (steps / sigma) ** 2)
    )
    return kernel


def _fractal(x: F32, smooth: float, rng: Rng) -> F32:
    """Noise in [0, 1] whose detail at half the size is `smooth` times weaker: shape (H, W)."""
    height, width = x.shape[:2]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf  # the mean does not matter
    white = np.fft.rfft2(rng.standard_normal((height, width)))
    noise = np.fft.irfft2(white * frequency ** -(1 + np.log2(smooth)), (height, width))
    scaled: F32 = ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)
    return scaled
