"""Colours, letters and smooth shapes: how everything drawn looks, decided once.

Shapes and small letters are masks painted at four times their size and averaged: Pillow's own
shapes have steps, and its small letters stand on whole pixels, unevenly spaced. Knows nothing of
what the shapes mean.

MERGED Shapes and words laid on a frame through masks that are made once: drawing fast enough for
film.

A mask is (h, w) uint8, 255 where the colour goes; a sprite has colours of its own. What is laid
over the frame's edge is cut off there. Knows nothing of what the shapes mean.
"""

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.faces.boxes import Box
from mien.labels import NEUTRAL, UNCERTAIN
from mien.pixels import U8

__all__ = [
    "COLOURS",
    "DARK",
    "LIGHT",
    "PLATE",
    "Sprite",
    "Stamps",
    "fill",
    "letters",
    "outline",
    "stamp",
    "text_width",
    "write",
]

Rgb = tuple[int, int, int]
# Okabe and Ito 2008, "Color Universal Design", https://jfly.uni-koeln.de/color/: told apart with
# every kind of colour blindness. Grey stands for their black, which a dark plate would swallow.
COLOURS: dict[str, Rgb] = {
    "happiness": (240, 228, 66),  # yellow
    "surprise": (230, 159, 0),  # orange
    "sadness": (86, 180, 233),  # sky blue
    "anger": (213, 94, 0),  # vermilion
    "disgust": (0, 158, 115),  # bluish green
    "fear": (204, 121, 167),  # reddish purple
    NEUTRAL: (200, 200, 200),
    UNCERTAIN: (140, 140, 140),
}
DARK: Rgb = (14, 16, 20)
LIGHT: Rgb = (245, 245, 245)
PLATE = 0.82  # opacity of a plate of DARK: light letters keep 7:1 even over white
_FINE = 4  # samples a pixel, each way
_EVEN_FROM = 48  # pixels of an em; larger letters are spaced evenly by themselves
_COARSE_FROM = 900  # pixels; in larger shapes the steps are too small to see
_KEPT = 2_000  # masks; then they are made anew


def letters(size: int) -> ImageFont.FreeTypeFont:
    """Return the font built into Pillow (Aileron, CC0) at a size.

    Args:
        size: of one em, in pixels.

    Returns:
        The font.

    Raises:
        ValueError: if this Pillow was built without FreeType.
    """
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise ValueError("this Pillow was built without FreeType and has no scalable font")
    return font


def text_width(text: str, size: int) -> int:
    """Return the pixels that a line of text takes.

    Args:
        text: one line.
        size: of one em, in pixels.

    Returns:
        Its width, rounded up.
    """
    return int(np.ceil(letters(size * _FINE).getlength(text) / _FINE))


def write(image: Image.Image, at: tuple[float, float], text: str, size: int, colour: Rgb) -> None:
    """Write one line, vertically centred on its digits and capitals.

    Args:
        image: RGB, written on.
        at: x of the line's start and y of its middle.
        text: one line.
        size: of one em, in pixels.
        colour: of the letters.
    """
    zoom = _FINE if size < _EVEN_FROM else 1
    left, top = int(at[0]), int(at[1] - 0.75 * size)
    extent = (text_width(text, size) + 2, round(1.5 * size))  # 2: rounding of the start and end
    mask = Image.new("L", (extent[0] * zoom, extent[1] * zoom))
    baseline = at[1] + 0.36 * size - top  # Aileron's capitals are 0.72 em high
    start = ((at[0] - left) * zoom, baseline * zoom)
    ImageDraw.Draw(mask).text(start, text, fill=255, font=letters(size * zoom), anchor="ls")
    image.paste(colour, (left, top), mask.reduce(zoom) if zoom > 1 else mask)


def fill(image: Image.Image, box: Box, colour: Rgb, radius: float = 0, opacity: float = 1) -> None:
    """Fill a rectangle with round corners.

    Args:
        image: RGB, painted on.
        box: the rectangle, rounded to whole pixels.
        colour: of the filling.
        radius: of the corners, in pixels.
        opacity: in [0, 1].
    """
    _paint(image, box, colour, (radius, 0, opacity))


def outline(image: Image.Image, box: Box, colour: Rgb, radius: float, width: int) -> None:
    """Draw a frame with round corners, its line inside the rectangle.

    Args:
        image: RGB, painted on.
        box: the rectangle, rounded to whole pixels.
        colour: of the line.
        radius: of the corners, in pixels.
        width: of the line, in pixels.
    """
    _paint(image, box, colour, (radius, width, 1))


def _paint(image: Image.Image, box: Box, colour: Rgb, how: tuple[float, int, float]) -> None:
    radius, line, opacity = how
    left, top = round(box.left), round(box.top)
    size = (max(1, round(box.right) - left), max(1, round(box.bottom) - top))
    zoom = _FINE if max(size) < _COARSE_FROM else 1
    mask = Image.new("L", (size[0] * zoom, size[1] * zoom))
    corner = min(radius, min(size) / 2) * zoom
    shade = round(255 * opacity)
    whole = (0, 0, mask.width - 1, mask.height - 1)
    brush = ImageDraw.Draw(mask)
    if line:
        brush.rounded_rectangle(whole, corner, outline=shade, width=line * zoom)
    else:
        brush.rounded_rectangle(whole, corner, fill=shade)
    image.paste(colour, (left, top), mask.reduce(zoom) if zoom > 1 else mask)


def stamp(canvas: U8, mask: U8, colour: Rgb, left: int, top: int) -> None:
    """Lay a colour on a frame through a mask, in place.

    Args:
        canvas: shape (H, W, 3), uint8, RGB.
        mask: shape (h, w), uint8.
        colour: RGB.
        left: of the mask on the frame, in pixels; may lie outside.
        top: likewise.
    """
    part, inside = _meet(canvas, mask.shape, left, top)
    if part.size == 0:
        return
    alpha = mask[inside].astype(np.uint16)[..., None]  # (h, w, 1)
    mixed = part * (255 - alpha) + np.array(colour, dtype=np.uint16) * alpha
    part[:] = (mixed + 127) // 255


def _meet(
    canvas: U8, shape: tuple[int, ...], left: int, top: int
) -> tuple[U8, tuple[slice, slice]]:
    """The part of the frame that lies under a mask, and the part of the mask over it."""
    height, width = canvas.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = max(min(left + shape[1], width), x0), max(min(top + shape[0], height), y0)
    return canvas[y0:y1, x0:x1], (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


class Sprite:
    """A picture with an opacity of its own at each pixel, made once and laid on many frames."""

    def __init__(self, width: int, height: int) -> None:
        """Start clear.

        Args:
            width: pixels.
            height: pixels.
        """
        self._colours = np.zeros((height, width, 3), dtype=np.float32)  # times opacity
        self._clear = np.ones((height, width, 3), dtype=np.float32)

    def add(self, mask: U8, colour: Rgb, left: int, top: int) -> None:
        """Lay a colour on it through a mask.

        Args:
            mask: shape (h, w), uint8; must lie inside.
            colour: RGB.
            left: of the mask.
            top: likewise.
        """
        alpha = mask.astype(np.float32)[..., None] / 255
        rows, columns = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
        self._colours[rows, columns] *= 1 - alpha
        self._colours[rows, columns] += alpha * np.array(colour, dtype=np.float32)
        self._clear[rows, columns] *= 1 - alpha

    def paste(self, rgb: U8, left: int, top: int) -> None:
        """Cover a part of it with a picture.

        Args:
            rgb: shape (h, w, 3), uint8; must lie inside.
            left: of the picture.
            top: likewise.
        """
        rows, columns = slice(top, top + rgb.shape[0]), slice(left, left + rgb.shape[1])
        self._colours[rows, columns] = rgb
        self._clear[rows, columns] = 0

    def lay(self, canvas: U8, left: int, top: int) -> None:
        """Lay it on a frame, in place.

        Args:
            canvas: shape (H, W, 3), uint8, RGB.
            left: of the sprite on the frame; may lie outside.
            top: likewise.
        """
        part, inside = _meet(canvas, self._clear.shape[:2], left, top)
        if part.size:
            dimmed = cv2.multiply(part, self._clear[inside], dtype=cv2.CV_32F)
            part[:] = cv2.add(dimmed, self._colours[inside], dtype=cv2.CV_8U)


class Stamps:
    """Makes masks, and keeps them for the next frame."""

    def __init__(self) -> None:
        """Start with none."""
        self._masks: dict[tuple[object, ...], U8] = {}

    def word(self, text: str, size: int) -> U8:
        """Return the mask of a line of text, its capitals in the middle of the height.

        Args:
            text: one line.
            size: of one em, in pixels.

        Returns:
            shape (1.5 em, width of the text + 2).
        """
        return self._kept(("word", text, size), lambda: _word(text, size))

    def plate(self, extent: tuple[int, int], radius: float, opacity: float = 1) -> U8:
        """Return the mask of a rectangle with round corners.

        Args:
            extent: width and height, in pixels.
            radius: of the corners.
            opacity: in [0, 1].

        Returns:
            shape (height, width).
        """
        key = ("plate", extent, radius, opacity)
        return self._kept(key, lambda: _plate(extent, radius, round(255 * opacity)))

    def frame(self, canvas: U8, box: Box, how: tuple[Rgb, int, int]) -> None:
        """Draw a frame with round corners, its line inside the box, in place.

        Args:
            canvas: shape (H, W, 3), uint8, RGB.
            box: rounded to whole pixels; may reach over the picture's edge.
            how: colour, radius of the corners and width of the line, in pixels.
        """
        colour, radius, line = how
        left, top, right, bottom = (round(v) for v in (box.left, box.top, box.right, box.bottom))
        radius = max(line, min(radius, (right - left) // 2, (bottom - top) // 2))
        corner = self._kept(("corner", radius, line), lambda: _corner(radius, line))
        for turns, x, y in (
            (0, left, top),
            (1, left, bottom - radius),
            (2, right - radius, bottom - radius),
            (3, right - radius, top),
        ):
            stamp(canvas, np.rot90(corner, turns), colour, x, y)
        across, down = (left + radius, right - radius), (top + radius, bottom - radius)
        _bar(canvas, across, (top, top + line), colour)
        _bar(canvas, across, (bottom - line, bottom), colour)
        _bar(canvas, (left, left + line), down, colour)
        _bar(canvas, (right - line, right), down, colour)

    def _kept(self, key: tuple[object, ...], make: Callable[[], U8]) -> U8:
        if key not in self._masks:
            if len(self._masks) >= _KEPT:
                self._masks.clear()
            self._masks[key] = make()
        return self._masks[key]


def _bar(canvas: U8, across: tuple[int, int], down: tuple[int, int], colour: Rgb) -> None:
    """Fill a rectangle, as far as it lies on the frame."""
    (x0, x1), (y0, y1) = ((max(a, 0), max(b, 0)) for a, b in (across, down))
    canvas[y0:y1, x0:x1] = colour


def _word(text: str, size: int) -> U8:
    extent = (text_width(text, size) + 2, round(1.5 * size))
    mask = Image.new("L", (extent[0] * _FINE, extent[1] * _FINE))
    baseline = (0.75 + 0.36) * size * _FINE  # Aileron's capitals are 0.72 em high
    font = letters(size * _FINE)
    ImageDraw.Draw(mask).text((_FINE, baseline), text, fill=255, font=font, anchor="ls")
    return np.asarray(mask.reduce(_FINE))


def _plate(extent: tuple[int, int], radius: float, shade: int) -> U8:
    width, height = extent[0] * _FINE, extent[1] * _FINE
    mask = Image.new("L", (width, height))
    corner = min(radius * _FINE, width / 2, height / 2)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), corner, fill=shade)
    return np.asarray(mask.reduce(_FINE))


def _corner(radius: int, line: int) -> U8:
    """The upper left corner of a frame: shape (radius, radius)."""
    side = 3 * radius * _FINE
    mask = Image.new("L", (side, side))
    whole = (0, 0, side - 1, side - 1)
    brush = ImageDraw.Draw(mask)
    brush.rounded_rectangle(whole, radius * _FINE, outline=255, width=line * _FINE)
    return np.asarray(mask.reduce(_FINE))[:radius, :radius]
