"""Pictures and words at their places, and two ways to write them: as pixels, and as SVG.

Pixels are PNG, JPEG, WebP or PDF; in an SVG words stay words. Knows nothing of what is shown.
"""

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from mien.media.writers import FORMATS, write_bytes, write_picture, write_text
from mien.pixels import U8
from mien.show.style import Masks, Rgb, paint
from mien.show.writing import ENGLISH, Writing

__all__ = ["GRAY", "SUFFIXES", "Page", "figure_pixels", "write_figure"]

SUFFIXES = (*FORMATS, ".pdf", ".svg")
GRAY: Rgb = (80, 80, 80)


@dataclass
class Page:
    """Pictures and words at their places, in pixels, on white.

    Attributes:
        width: of the page.
        height: likewise.
        pictures: left, top, and shape (h, w, 3), RGB.
        words: left, middle of the line, text, size of the letters, colour.
        writing: the language and the font of the words.
    """

    width: int
    height: int
    pictures: list[tuple[int, int, U8]] = field(default_factory=list)
    words: list[tuple[float, float, str, int, Rgb]] = field(default_factory=list)
    writing: Writing = ENGLISH

    def write(self, left: float, middle: float, text: str, size: int, colour: Rgb = GRAY) -> None:
        """Add a line of text."""
        self.words.append((left, middle, text, size, colour))


def write_figure(page: Page, path: Path) -> None:
    """Write a page in the format that the name ends in.

    Args:
        page: from `figure`.
        path: ends in one of `SUFFIXES`; a PDF holds pixels, 288 to the inch, and its words are
            drawn at that size: they are sharp on paper.

    Raises:
        OutputError: if it ends otherwise, or cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".svg":
        write_text(_as_svg(page), path)
    elif suffix == ".pdf":
        buffer = io.BytesIO()
        # without its date, so that the same figure is the same file
        named: dict[str, Any] = {"title": path.stem, "creationDate": None, "modDate": None}
        fine = {"resolution": 288, "quality": 95, "subsampling": 0}
        Image.fromarray(figure_pixels(page, zoom=2)).save(buffer, "PDF", **fine, **named)
        write_bytes(buffer.getvalue(), path)
    else:
        write_picture(figure_pixels(page), path)


def figure_pixels(page: Page, zoom: int = 1) -> U8:
    """Draw a page.

    Args:
        page: from `figure`.
        zoom: how many times larger; words are drawn at their final size.

    Returns:
        shape (zoom * height, zoom * width, 3), uint8, RGB.
    """
    canvas = np.full((zoom * page.height, zoom * page.width, 3), 255, dtype=np.uint8)
    for left, top, tile in page.pictures:
        bottom, right = top + tile.shape[0], left + tile.shape[1]
        large = tile.repeat(zoom, axis=0).repeat(zoom, axis=1)
        canvas[zoom * top : zoom * bottom, zoom * left : zoom * right] = large
    masks = Masks(page.writing.font)
    for start, middle, text, size, colour in page.words:
        word = masks.word(text, zoom * size)  # its letters begin at its second column
        top = round(zoom * middle) - word.shape[0] // 2
        paint(canvas, word, colour, round(zoom * start) - 1, top)
    return canvas


def _as_svg(page: Page) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{page.width}" height="{page.height}" '
        f'viewBox="0 0 {page.width} {page.height}" font-family="Helvetica, Arial, sans-serif" '
        f'xml:lang="{page.writing.language}">',  # by it a viewer chooses the shapes of CJK letters
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for x, y, tile in page.pictures:
        buffer = io.BytesIO()
        Image.fromarray(tile).save(buffer, "PNG")
        data = base64.b64encode(buffer.getvalue()).decode()
        lines.append(
            f'<image x="{x}" y="{y}" width="{tile.shape[1]}" height="{tile.shape[0]}" '
            f'href="data:image/png;base64,{data}"/>'
        )
    for left, middle, text, size, (r, g, b) in page.words:
        baseline = middle + 0.36 * size
        lines.append(
            f'<text x="{left:.1f}" y="{baseline:.1f}" font-size="{size}" '
            f'fill="rgb({r},{g},{b})">{escape(text)}</text>'
        )
    return "\n".join(lines) + "\n</svg>\n"
