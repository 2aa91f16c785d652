"""Colours, letters and smooth shapes: how everything drawn looks, decided once.

Shapes and small letters are masks painted at four times their size and averaged: Pillow's own
shapes have steps, and its small letters stand on whole pixels, unevenly spaced. Knows nothing of
what the shapes mean.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.faces.boxes import Box
from mien.labels import NEUTRAL, UNCERTAIN

__all__ = ["COLOURS", "DARK", "LIGHT", "PLATE", "fill", "letters", "outline", "text_width", "write"]

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
