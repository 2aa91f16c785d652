"""One frame of a video, as it is to be seen: upright, its pixels square, nothing clear.

A camera that was turned or that mirrors notes it beside the pixels; so does a film whose pixels are
not square. FFmpeg's own player heeds both, and so does this. Knows nothing of faces and files.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.errors import BadImageError
from mien.media.decoder import FIX, damages, too_large
from mien.pixels import U8

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["Frame", "Geometry", "shown_size"]

_PLAIN = (1, 0, 0, 1)
_QUARTERS = (_PLAIN, (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))  # turns counterclockwise


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        number: how many frames were shown before it.
        time_s: when it is shown, in seconds from the start of the video.
    """

    number: int
    time_s: float
    _shown: "VideoFrame | U8"
    _geometry: "Geometry | None" = None  # None: its pixels are as they are seen

    def rgb(self) -> U8:
        """Return its pixels as they are seen: upright, square, over white where it is clear.

        Returns:
            shape (H, W, 3), uint8, RGB.

        Raises:
            BadImageError: if they cannot be converted, or are too many.
        """
        if isinstance(self._shown, np.ndarray):
            return self._shown
        try:
            return _seen(self._shown, self._geometry or Geometry())
        except damages() as error:
            raise BadImageError(
                f"damaged frame {self.number} at {self.time_s:.3f} s ({error})", FIX
            ) from error


class Geometry:
    """How the frames of one video are to be seen.

    Attributes:
        aspect: width of a stored pixel over its height.
    """

    def __init__(self, aspect: Fraction = Fraction(1)) -> None:
        """Begin before the first frame.

        Args:
            aspect: width of a stored pixel over its height, above 0.
        """
        self.aspect = aspect
        self._rotation: int | None = None  # degrees, of the matrix
        self._matrix: tuple[int, ...] = _PLAIN

    def matrix(self, shown: Any) -> tuple[int, ...]:
        """Return how the camera was held.

        It is looked up where the rotation is another than before, and not in each frame: PyAV's
        side data keeps its frame in memory until Python looks for circles of references.

        Args:
            shown: PyAV's frame.

        Returns:
            a, b, c, d: a stored point (x, y) is shown at (a x + c y, b x + d y).
        """
        if shown.rotation != self._rotation:
            self._rotation = shown.rotation
            self._matrix = _noted_matrix(shown)
        return self._matrix


def _noted_matrix(shown: Any) -> tuple[int, ...]:
    try:
        noted = shown.side_data.get("DISPLAYMATRIX")
    except ValueError:  # a kind of side data that PyAV has no name for; its rotation needs none
        return _QUARTERS[round(shown.rotation / 90) % 4]
    if noted is None:
        return _PLAIN
    a, b, _, c, d = np.frombuffer(noted, dtype=np.int32)[:5].tolist()
    return a, b, c, d


def shown_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Return the size of a frame with square pixels; it only ever grows.

    Args:
        width: in pixels as they are stored.
        height: the same.
        aspect: width of a stored pixel over its height, above 0.

    Returns:
        Width and height.

    Example:
        >>> shown_size(720, 576, Fraction(16, 11)), shown_size(720, 480, Fraction(8, 9))
        ((1047, 576), (720, 540))
    """
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _seen(shown: Any, geometry: Geometry) -> U8:
    aspect = geometry.aspect
    clear = any(part.is_alpha for part in shown.format.components)
    wanted: dict[str, Any] = {"format": "rgba" if clear else "rgb24"}
    if aspect != 1:
        wanted["width"], wanted["height"] = shown_size(shown.width, shown.height, aspect)
        problem = too_large(wanted["width"], wanted["height"])
        if problem:
            raise ValueError(problem)
    pixels = np.asarray(shown.to_ndarray(**wanted), dtype=np.uint8)
    return _upright(_over_white(pixels) if clear else pixels, geometry.matrix(shown))


def _over_white(rgba: U8) -> U8:
    alpha = rgba[..., 3:].astype(np.uint16)  # (H, W, 1)
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _upright(pixels: U8, matrix: tuple[int, ...]) -> U8:
    """Turn and mirror as the camera noted it."""
    a, b, c, d = matrix
    if abs(a) < abs(b):  # rows become columns
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])
