"""A page of pictures and words as SVG: the words stay words, so they are sharp at any size."""

import base64
import io
from collections.abc import Iterable
from xml.sax.saxutils import escape

from PIL import Image

from mien.pixels import U8
from mien.show.style import Rgb

__all__ = ["as_svg"]


def as_svg(
    size: tuple[int, int],
    pictures: Iterable[tuple[int, int, U8]],
    words: Iterable[tuple[float, float, str, int, Rgb]],
) -> str:
    """Write a page.

    Args:
        size: width and height in pixels.
        pictures: as those of `mien.show.picture_grid.Page`.
        words: likewise.

    Returns:
        The text of the file.
    """
    width, height = size
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for x, y, tile in pictures:
        buffer = io.BytesIO()
        Image.fromarray(tile).save(buffer, "PNG")
        data = base64.b64encode(buffer.getvalue()).decode()
        lines.append(
            f'<image x="{x}" y="{y}" width="{tile.shape[1]}" height="{tile.shape[0]}" '
            f'href="data:image/png;base64,{data}"/>'
        )
    for left, middle, text, letters, (r, g, b) in words:
        baseline = middle + 0.36 * letters
        lines.append(
            f'<text x="{left:.1f}" y="{baseline:.1f}" font-size="{letters}" '
            f'fill="rgb({r},{g},{b})">{escape(text)}</text>'
        )
    return "\n".join(lines) + "\n</svg>\n"
