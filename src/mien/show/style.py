"""How everything that is drawn looks: colours, letters and smooth shapes.

Pipeline: a word or a shape -> its mask, made once and kept -> a colour painted through the mask.

A mask is (h, w) uint8, 255 where the colour goes. It is drawn at four times its size and averaged,
because Pillow's own shapes have steps, and its small letters stand on whole pixels, unevenly
spaced. What reaches over the edge of the canvas is cut off there. Knows nothing of what the shapes
mean.
"""

import colorsys
from collections.abc import Callable
from functools import lru_cache
from math import ceil

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mien.faces.boxes import Box
from mien.labels import NEUTRAL, NO_FACE, UNCERTAIN, LabelSet
from mien.pixels import U8
from mien.show.fonts import BUILT_IN, Font, sized

__all__ = [
    "COLOURS",
    "DARK",
    "LIGHT",
    "PLATE",
    "Masks",
    "Rgb",
    "Sprite",
    "colours_of",
    "paint",
    "text_width",
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
    NO_FACE: (140, 140, 140),
}
DARK: Rgb = (14, 16, 20)
LIGHT: Rgb = (245, 245, 245)
PLATE = 0.82  # opacity of a plate of DARK: light letters keep 7:1 even over white
_FINE = 4  # samples a pixel, each way
_KEPT = 2_000  # masks; then they are made anew


_GOLDEN = 0.618034  # of the circle of hues: any number of them in a row lie well apart


@lru_cache(maxsize=64)
def colours_of(labels: LabelSet) -> dict[str, Rgb]:
    """Return the colour of everything that a face may be called.

    Args:
        labels: the classes.

    Returns:
        By name: the colours that the set has; else those of `COLOURS` by name, and for other names
        those that are left there, then hues that lie apart. The calm class is grey.

    Example:
        >>> colours_of(LabelSet(("yes", "no"), colours=("#ff0000", "#00ff00")))["no"]
        (0, 255, 0)
    """
    found = {word: COLOURS[word] for word in (NEUTRAL, UNCERTAIN, NO_FACE)}
    if labels.calm:
        found[labels.calm] = COLOURS[NEUTRAL]
    if labels.colours:
        pairs = zip(labels.names, labels.colours, strict=True)
        return found | {name: _rgb(colour) for name, colour in pairs}
    found |= {name: COLOURS[name] for name in labels.names if name in COLOURS}
    free = [colour for colour in COLOURS.values() if colour not in found.values()]
    for number, name in enumerate(name for name in labels.names if name not in found):
        hue = colorsys.hls_to_rgb(number * _GOLDEN % 1, 0.6, 0.75)
        found[name] = free[number] if number < len(free) else _rgb_of_shares(hue)
    return found


def _rgb(colour: str) -> Rgb:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _rgb_of_shares(shares: tuple[float, float, float]) -> Rgb:
    red, green, blue = (round(255 * share) for share in shares)
    return red, green, blue


@lru_cache(maxsize=_KEPT)
def text_width(text: str, size: int, font: Font = BUILT_IN) -> int:
    """Return the pixels that a line of text takes.

    Args:
        text: one line.
        size: of one em, in pixels.
        font: of its letters.

    Returns:
        Its width, rounded up.
    """
    return ceil(sized(font, size * _FINE).getlength(text) / _FINE)


def paint(canvas: U8, mask: U8, colour: Rgb, left: int, top: int) -> None:
    """Paint a colour on a canvas through a mask, in place.

    Args:
        canvas: shape (H, W, 3), uint8, RGB.
        mask: shape (h, w), uint8.
        colour: RGB.
        left: of the mask on the canvas, in pixels; may lie outside.
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
    """The part of the canvas that lies under a mask, and the part of the mask over it."""
    height, width = canvas.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = max(min(left + shape[1], width), x0), max(min(top + shape[0], height), y0)
    return canvas[y0:y1, x0:x1], (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


class Sprite:
    """A picture with an opacity of its own at each pixel, made once and drawn on many frames."""

    def __init__(self, width: int, height: int) -> None:
        """Start clear.

        Args:
            width: pixels.
            height: pixels.
        """
        self._colours = np.zeros((height, width, 3), dtype=np.float32)  # times opacity
        self._clear = np.ones((height, width, 3), dtype=np.float32)

    def add(self, mask: U8, colour: Rgb, left: int, top: int) -> None:
        """Paint a colour on it through a mask.

        Args:
            mask: shape (h, w), uint8; must lie inside.
            colour: RGB.
            left: of the mask.
            top: likewise.
        """
        alpha = mask.astype(np.float32) / 255
        clear = cv2.merge([1 - alpha] * 3)  # numpy is slow at repeating a plane three times
        rows, columns = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
        self._colours[rows, columns] *= clear
        self._colours[rows, columns] += cv2.merge([alpha * np.float32(value) for value in colour])
        self._clear[rows, columns] *= clear

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

    def draw(self, canvas: U8, left: int, top: int) -> None:
        """Draw it on a canvas, in place.

        Args:
            canvas: shape (H, W, 3), uint8, RGB.
            left: of the sprite on the canvas; may lie outside.
            top: likewise.
        """
        part, inside = _meet(canvas, self._clear.shape[:2], left, top)
        if part.size:
            dimmed = cv2.multiply(part, self._clear[inside], dtype=cv2.CV_32F)
            part[:] = cv2.add(dimmed, self._colours[inside], dtype=cv2.CV_8U)


class Masks:
    """Makes masks and keeps them, and draws with them."""

    def __init__(self, font: Font = BUILT_IN) -> None:
        """Start with none.

        Args:
            font: of the words.
        """
        self._font = font
        self._masks: dict[tuple[object, ...], U8] = {}

    def word(self, text: str, size: int) -> U8:
        """Return the mask of a line of text, its capitals in the middle of the height.

        Args:
            text: one line.
            size: of one em, in pixels.

        Returns:
            shape (1.5 em, width of the text + 2): a pixel before the first letter, one after.
        """
        return self._get(("word", text, size), lambda: _word(text, size, self._font))

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
        return self._get(key, lambda: _plate(extent, radius, round(255 * opacity)))

    def frame(self, canvas: U8, box: Box, colour: Rgb, radius: int, line: int) -> None:
        """Draw a frame with round corners, its line inside the box, in place.

        Args:
            canvas: shape (H, W, 3), uint8, RGB.
            box: rounded to whole pixels; may reach over the edge of the canvas.
            colour: RGB.
            radius: of the corners, in pixels.
            line: its width, in pixels.
        """
        left, top, right, bottom = (round(v) for v in (box.left, box.top, box.right, box.bottom))
        radius = max(line, min(radius, (right - left) // 2, (bottom - top) // 2))
        for turns, x, y in (
            (0, left, top),
            (1, left, bottom - radius),
            (2, right - radius, bottom - radius),
            (3, right - radius, top),
        ):
            paint(canvas, self._corner(radius, line, turns), colour, x, y)
        across, down = (left + radius, right - radius), (top + radius, bottom - radius)
        _fill(canvas, across, (top, top + line), colour)
        _fill(canvas, across, (bottom - line, bottom), colour)
        _fill(canvas, (left, left + line), down, colour)
        _fill(canvas, (right - line, right), down, colour)

    def _corner(self, radius: int, line: int, turns: int) -> U8:
        """The mask of a frame's corner: the upper left one, or turned on against the clock."""
        key = ("corner", radius, line, turns)
        return self._get(key, lambda: np.rot90(_corner(radius, line), turns))

    def _get(self, key: tuple[object, ...], make: Callable[[], U8]) -> U8:
        if key not in self._masks:
            if len(self._masks) >= _KEPT:
                self._masks.clear()
            self._masks[key] = make()
        return self._masks[key]


def _fill(canvas: U8, across: tuple[int, int], down: tuple[int, int], colour: Rgb) -> None:
    """Fill a rectangle, as far as it lies on the canvas."""
    (x0, x1), (y0, y1) = ((max(a, 0), max(b, 0)) for a, b in (across, down))
    canvas[y0:y1, x0:x1] = colour


def _word(text: str, size: int, face: Font) -> U8:
    extent = (text_width(text, size, face) + 2, round(1.5 * size))
    mask = Image.new("L", (extent[0] * _FINE, extent[1] * _FINE))
    baseline = (0.75 + 0.36) * size * _FINE  # Aileron's capitals are 0.72 em high
    font = sized(face, size * _FINE)
    ImageDraw.Draw(mask).text((_FINE, baseline), text, fill=255, font=font, anchor="ls")
    return np.asarray(mask.reduce(_FINE))


def _plate(extent: tuple[int, int], radius: float, shade: int) -> U8:
    """Draw the corners close together; the rows and columns between them are all equal."""
    radius = min(radius, min(extent) / 2)
    edge = ceil(radius) + 1
    width, height = (min(length, 2 * edge + 1) for length in extent)
    mask = Image.new("L", (width * _FINE, height * _FINE))
    whole = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(whole, radius * _FINE, fill=shade)
    columns, rows = (
        np.maximum(np.minimum(np.arange(length), edge), np.arange(length) - (length - drawn))
        for length, drawn in zip(extent, (width, height), strict=True)
    )
    return np.asarray(mask.reduce(_FINE))[rows[:, None], columns]


def _corner(radius: int, line: int) -> U8:
    """The upper left corner of a frame: shape (radius, radius)."""
    side = 3 * radius * _FINE
    mask = Image.new("L", (side, side))
    whole = (0, 0, side - 1, side - 1)
    ImageDraw.Draw(mask).rounded_rectangle(whole, radius * _FINE, outline=255, width=line * _FINE)
    return np.asarray(mask.reduce(_FINE))[:radius, :radius]
