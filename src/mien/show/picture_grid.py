"""The figure that explains a prediction: a grid of pictures with names, captions and a legend.

One layout, two ways to write it: pixels (PNG, JPEG, WebP, PDF) and SVG, whose words stay words.
Colours rise in lightness with the evidence, and a line is drawn where it is half of the strongest,
so that the figure can be read when it is printed in grey. Knows nothing of networks.

MERGED A contact sheet: rows of small pictures with their names, large enough to judge.
Knows nothing of what was done to the pictures.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
from PIL import Image

from mien.faces.boxes import Box
from mien.media.writers import FORMATS, atomic, write_picture, write_text
from mien.pixels import F32, U8, enlarge
from mien.show import style
from mien.show.heatmap import colours

__all__ = [
    "SUFFIXES",
    "FigureRow",
    "channels",
    "colour_map",
    "contact_sheet",
    "figure",
    "outlined_map",
    "upright",
    "write_figure",
]


SUFFIXES = (*FORMATS, ".pdf", ".svg")

_TILE = 192  # pixels of a tile's side: three times the crop's

_GAP, _MARGIN = 10, 24

_TITLE, _NAME, _SMALL = 22, 17, 14  # pixels of an em

_WHITE, _GRAY = (255, 255, 255), (80, 80, 80)

_OPACITY = 0.65  # of the strongest colour over a face

_HALF = 0.5  # of the strongest evidence: where the line is drawn

_SPECK = 100  # square pixels; no line around less

SheetRow = tuple[str, str, U8, Sequence[str]]

_ZOOM = 2  # pixels are shown as squares: smoothing would hide what a change did to them

_SHEET_GAP, _SHEET_MARGIN, _HEAD, _CAPTION = 8, 16, 64, 22

_SIZE, _SHEET_SMALL = 20, 15  # of letters

_SHEET_WHITE, _SHEET_GRAY = (255, 255, 255), (90, 90, 90)


@dataclass(frozen=True, slots=True, eq=False)
class FigureRow:
    """Tiles side by side.

    Attributes:
        name: at their left.
        tiles: shape (192, 192, 3) each, RGB.
        captions: one under each tile; may be empty.
    """

    name: str
    tiles: Sequence[U8]
    captions: Sequence[str] = ()


@dataclass
class Page:
    """Pictures and words at their places, in pixels."""

    width: int
    height: int
    pictures: list[tuple[int, int, U8]] = field(default_factory=list)
    words: list[tuple[float, float, str, int, style.Rgb]] = field(default_factory=list)


def upright(crop: U8) -> U8:
    """Enlarge a crop to a tile.

    Args:
        crop: shape (64, 64, 3) RGB or (64, 64) grey.

    Returns:
        shape (192, 192, 3).
    """
    rgb = crop if crop.ndim == 3 else np.repeat(crop[..., None], 3, axis=2)
    fine = cv2.resize(rgb, (_TILE, _TILE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine, dtype=np.uint8)


def colour_map(strength: F32) -> U8:
    """Colour a map: dark is none, bright is the strongest, as in `mien.show.heatmap`.

    Args:
        strength: shape (h, w), what is negative counts as none; scaled by its maximum.

    Returns:
        shape (192, 192, 3).
    """
    fine = _fine(strength)
    tile = np.rint(_shade(fine)).astype(np.uint8)
    return _ringed(tile, fine)


def outlined_map(crop: U8, strength: F32) -> U8:
    """Lay a map over its crop: a place without evidence stays grey as the network saw it.

    Args:
        crop: shape (64, 64, 3), RGB.
        strength: shape (h, w), as for `heat`.

    Returns:
        shape (192, 192, 3).
    """
    fine = _fine(strength)
    gray = upright(np.asarray(Image.fromarray(crop).convert("L")))
    alpha = (_OPACITY * fine)[..., None]
    mixed = gray * (1 - alpha) + colours(fine) * alpha
    return _ringed(np.rint(mixed).astype(np.uint8), fine)


def _fine(strength: F32) -> F32:
    fine: F32 = enlarge(strength, _TILE, _TILE).clip(min=0).astype(np.float32)
    top = float(fine.max())
    return fine / np.float32(top) if top > 0 else fine


def _shade(fine: F32) -> F32:
    """From black through the colours of the heat maps; the first quarter fades in from black."""
    return colours(fine) * np.minimum(1, 4 * fine)[..., None]


def _ringed(tile: U8, fine: F32) -> U8:
    """Draw a line at half of the strongest evidence: white, with a dark rim."""
    above = (fine >= _HALF).astype(np.uint8)
    rings, _ = cv2.findContours(above, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    rings = [ring for ring in rings if cv2.contourArea(ring) >= _SPECK]
    drawn = np.ascontiguousarray(tile)
    for colour, width in (((20, 20, 20), 4), ((255, 255, 255), 2)):
        cv2.drawContours(drawn, rings, -1, colour, width, cv2.LINE_AA)
    return drawn


def figure(title: str, columns: Sequence[str], rows: Sequence[FigureRow], legend: str) -> Page:
    """Lay out a grid with its title and its legend.

    Args:
        title: put above.
        columns: names of the columns.
        rows: of as many tiles as there are columns, or fewer.
        legend: what the colours mean; none is drawn where it is empty.

    Returns:
        The page, for `write`.
    """
    left = _MARGIN + max(style.text_width(row.name, _NAME) for row in rows)
    left += _GAP if left > _MARGIN else 0
    count = max(len(row.tiles) for row in rows)
    width = left + count * (_TILE + _GAP) - _GAP + _MARGIN
    words = max(style.text_width(text, _SMALL) for text in (legend, _LINE)) if legend else 0
    width = max(width, style.text_width(title, _TITLE) + 2 * _MARGIN, words + 2 * _MARGIN)
    caption = [1.6 * _SMALL if any(row.captions) else 0 for row in rows]
    top = _MARGIN + 2 * _TITLE + (1.6 * _SMALL if any(columns) else 0)
    height = top + sum(caption) + len(rows) * (_TILE + _GAP) + (5.5 * _SMALL if legend else 0)
    page = Page(round(width), round(height + _MARGIN / 2))
    page.words.append((_MARGIN, _MARGIN + 0.6 * _TITLE, title, _TITLE, style.DARK))
    for number, name in enumerate(columns):
        x = left + number * (_TILE + _GAP)
        page.words.append((x, top - 0.9 * _SMALL, name, _SMALL, _GRAY))
    for row, below in zip(rows, caption, strict=True):
        page.words.append((_MARGIN, top + _TILE / 2, row.name, _NAME, style.DARK))
        for number, tile in enumerate(row.tiles):
            page.pictures.append((left + number * (_TILE + _GAP), round(top), tile))
        for number, text in enumerate(row.captions):
            x = left + number * (_TILE + _GAP)
            page.words.append((x, top + _TILE + 0.9 * _SMALL, text, _SMALL, _GRAY))
        top += _TILE + _GAP + below
    if legend:
        _explain_colours(page, round(top + 0.6 * _SMALL), legend)
    return page


_LINE = "the line is drawn where the evidence is half of the strongest"


def _explain_colours(page: Page, top: int, legend: str) -> None:
    """The ramp from none to the strongest, and what it means."""
    ramp = np.tile(np.linspace(0, 1, 3 * _TILE // 2, dtype=np.float32), (_SMALL, 1))
    page.pictures.append((_MARGIN, top, np.rint(_shade(ramp)).astype(np.uint8)))
    end = _MARGIN + ramp.shape[1] + _GAP
    page.words.append((end, top + _SMALL / 2, "none to strongest", _SMALL, _GRAY))
    for number, text in enumerate((legend, _LINE), 1):
        middle = top + _SMALL * (0.5 + 1.6 * number)
        page.words.append((_MARGIN, middle, text, _SMALL, _GRAY))


def channels(activations: F32, most: int = 64) -> list[U8]:
    """Draw the channels of a layer, the liveliest first, each scaled by its own range.

    Args:
        activations: shape (K, h, w).
        most: channels drawn.

    Returns:
        Tiles of shape (192, 192, 3), grey: black is a channel's least value, white its largest.
    """
    spreads = activations.reshape(len(activations), -1).std(axis=1)
    tiles = []
    for number in np.argsort(-spreads, kind="stable")[:most]:
        channel = activations[number] - activations[number].min()
        top = float(channel.max())
        shade = np.rint(255 * channel / top if top > 0 else channel).astype(np.uint8)
        tile = cv2.resize(shade, (_TILE, _TILE), interpolation=cv2.INTER_NEAREST)
        tiles.append(np.repeat(np.asarray(tile, dtype=np.uint8)[..., None], 3, axis=2))
    return tiles


def write_figure(page: Page, path: Path) -> None:
    """Write a page in the format that the name ends in.

    Args:
        page: from `figure`.
        path: ends in one of `SUFFIXES`; a PDF holds pixels, 144 to the inch.

    Raises:
        OutputError: if it ends otherwise, or cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".svg":
        write_text(_as_svg(page), path)
    elif suffix == ".pdf":
        with atomic(path) as part:
            Image.fromarray(_as_pixels(page)).save(part, "PDF", resolution=144)
    else:
        write_picture(_as_pixels(page), path)


def _as_pixels(page: Page) -> U8:
    image = Image.new("RGB", (page.width, page.height), _WHITE)
    style.fill(image, Box(0, 0, page.width, page.height), _WHITE)
    for x, y, tile in page.pictures:
        image.paste(Image.fromarray(tile), (x, y))
    for left, middle, text, size, colour in page.words:
        if text:
            style.write(image, (left, middle), text, size, colour)
    return np.asarray(image)


def _as_svg(page: Page) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{page.width}" height="{page.height}" '
        f'viewBox="0 0 {page.width} {page.height}" font-family="Helvetica, Arial, sans-serif">',
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


def contact_sheet(title: str, columns: Sequence[str], rows: Sequence[SheetRow]) -> U8:
    """Lay out rows of pictures.

    Args:
        title: put above.
        columns: a name for each of the first columns.
        rows: name, note, pictures of shape (N, H, W) uint8 and N captions; N, H and W are the
            same in all rows.

    Returns:
        shape (height, width, 3), uint8, RGB.
    """
    count, high, wide = (n * f for n, f in zip(rows[0][2].shape, (1, _ZOOM, _ZOOM), strict=True))
    left = _SHEET_MARGIN + max(_label_width(name, note) for name, note, *_ in rows) + _SHEET_MARGIN
    width = left + count * (wide + _SHEET_GAP) + _SHEET_MARGIN - _SHEET_GAP
    width = max(width, style.text_width(title, _SIZE) + 2 * _SHEET_MARGIN)
    heights = [high + _SHEET_GAP + (_CAPTION if any(captions) else 0) for *_, captions in rows]
    sheet = Image.new("RGB", (width, _HEAD + sum(heights) + _SHEET_MARGIN), _SHEET_WHITE)
    style.write(sheet, (_SHEET_MARGIN, 20), title, _SIZE, style.DARK)
    for number, name in enumerate(columns):
        style.write(
            sheet,
            (left + number * (wide + _SHEET_GAP), _HEAD - 14),
            name,
            _SHEET_SMALL,
            _SHEET_GRAY,
        )
    top = _HEAD
    for (name, note, pictures, captions), height in zip(rows, heights, strict=True):
        style.write(sheet, (_SHEET_MARGIN, top + high / 2 - 13), name, _SIZE, style.DARK)
        style.write(sheet, (_SHEET_MARGIN, top + high / 2 + 13), note, _SHEET_SMALL, _SHEET_GRAY)
        for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
            x = left + number * (wide + _SHEET_GAP)
            tile = Image.fromarray(picture).resize((wide, high), Image.Resampling.NEAREST)
            sheet.paste(tile.convert("RGB"), (x, top))
            style.write(sheet, (x, top + high + 12), caption, _SHEET_SMALL, _SHEET_GRAY)
        top += height
    return np.asarray(sheet)


def _label_width(name: str, note: str) -> int:
    return max(style.text_width(name, _SIZE), style.text_width(note, _SHEET_SMALL))
