"""Rows of small pictures with words: the figure that explains a prediction, the contact sheet.

Both are a page, see `mien.show.page`. The colours of a map rise in lightness with the
evidence, with a line at half of the strongest, so that a figure can be printed in grey. Knows
nothing of networks, nor of what was done to the pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from mien.pixels import F32, U8, to_heat
from mien.show.fonts import Font
from mien.show.heatmap import colours
from mien.show.page import SUFFIXES, Page, figure_pixels, write_figure
from mien.show.style import DARK, text_width
from mien.show.writing import ENGLISH, Writing

__all__ = [
    "SUFFIXES",
    "FigureRow",
    "Page",
    "channels",
    "colour_map",
    "contact_sheet",
    "crop_tile",
    "figure",
    "figure_pixels",
    "lively_channels",
    "outlined_map",
    "write_figure",
]

# of a figure; sizes of letters are pixels of an em
_TILE = 192  # pixels of a tile's side: three times the crop's
_GAP, _MARGIN = 10, 24
_TITLE, _NAME, _SMALL = 22, 17, 14
_OPACITY = 0.65  # of the strongest colour over a face
_HALF = 0.5  # of the strongest evidence: where the line is drawn
_SPECK = 100  # square pixels; no line around less

# of a contact sheet
_ZOOM = 2  # pixels are shown as squares: smoothing would hide what a change did to them
_SHEET_GAP, _SHEET_MARGIN, _HEAD, _CAPTION = 8, 16, 64, 22
_SHEET_NAME, _SHEET_SMALL = 20, 15
_SHEET_GRAY = (90, 90, 90)

SheetRow = tuple[str, str, U8, Sequence[str]]


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


def figure(
    title: str,
    columns: Sequence[str],
    rows: Sequence[FigureRow],
    legend: str,
    note: str = "",
    writing: Writing = ENGLISH,
) -> Page:
    """Lay out a grid with its title and its legend.

    Args:
        title: put above.
        columns: names of the columns.
        rows: of as many tiles as there are columns, or fewer.
        legend: what the colours mean; none is drawn where it is empty.
        note: a line at the end, without colours beside it.
        writing: the language and the font of all this.

    Returns:
        The page, for `write_figure`.
    """
    font, line = writing.font, writing.say("line")
    left = _MARGIN + max(text_width(row.name, _NAME, font) for row in rows)
    left += _GAP if left > _MARGIN else 0
    count = max(len(row.tiles) for row in rows)
    cell = _cell(columns, rows, font)
    lefts = [left + i * (cell + _GAP) for i in range(count)]
    caption = [1.6 * _SMALL if any(row.captions) else 0 for row in rows]
    words = max(text_width(text, _SMALL, font) for text in (legend, line if legend else note))
    named = zip(lefts, columns, strict=False)
    heads = [x + text_width(name, _SMALL, font) for x, name in named]
    ends = [lefts[-1] + cell, _MARGIN + text_width(title, _TITLE, font), _MARGIN + words, *heads]
    width = max(ends) + _MARGIN
    top = _MARGIN + 2 * _TITLE + (1.6 * _SMALL if any(columns) else 0)
    height = top + sum(caption) + len(rows) * (_TILE + _GAP)
    height += (5.5 * _SMALL if legend else 0) + (1.6 * _SMALL if note else 0)
    page = Page(width, round(height + _MARGIN / 2), writing=writing)
    page.write(_MARGIN, _MARGIN + 0.6 * _TITLE, title, _TITLE, DARK)
    for x, name in zip(lefts, columns, strict=False):
        page.write(x, top - 0.9 * _SMALL, name, _SMALL)
    for row, below in zip(rows, caption, strict=True):
        page.write(_MARGIN, top + _TILE / 2, row.name, _NAME, DARK)
        page.pictures += [(x, round(top), tile) for x, tile in zip(lefts, row.tiles, strict=False)]
        for x, text in zip(lefts, row.captions, strict=False):
            page.write(x, top + _TILE + 0.9 * _SMALL, text, _SMALL)
        top += _TILE + _GAP + below
    if legend:
        _explain_colours(page, round(top + 0.6 * _SMALL), legend)
    page.write(_MARGIN, top + (6.1 if legend else 0.6) * _SMALL, note, _SMALL)
    return page


def _cell(columns: Sequence[str], rows: Sequence[FigureRow], font: Font) -> int:
    """Width of a tile with its words, so that none runs into the next; the last name may go on."""
    words = [*columns[:-1], *(text for row in rows for text in row.captions)]
    return max([_TILE, *(text_width(text, _SMALL, font) for text in words)])


def _explain_colours(page: Page, top: int, legend: str) -> None:
    """The ramp from none to the strongest, and what it means."""
    ramp = np.tile(np.linspace(0, 1, 3 * _TILE // 2, dtype=np.float32), (_SMALL, 1))
    page.pictures.append((_MARGIN, top, np.rint(_shade(ramp)).astype(np.uint8)))
    end = _MARGIN + ramp.shape[1] + _GAP
    page.write(end, top + _SMALL / 2, page.writing.say("ramp"), _SMALL)
    for number, text in enumerate((legend, page.writing.say("line")), 1):
        page.write(_MARGIN, top + _SMALL * (0.5 + 1.6 * number), text, _SMALL)


def contact_sheet(title: str, columns: Sequence[str], rows: Sequence[SheetRow]) -> U8:
    """Lay out rows of pictures, twice their size.

    Args:
        title: put above.
        columns: a name for each of the first columns.
        rows: name, note, pictures of shape (N, H, W) uint8 and N captions; N, H and W are the
            same in all rows.

    Returns:
        shape (height, width, 3), uint8, RGB.
    """
    count, high, wide = (n * f for n, f in zip(rows[0][2].shape, (1, _ZOOM, _ZOOM), strict=True))
    names = [text_width(name, _SHEET_NAME) for name, *_ in rows]
    notes = [text_width(note, _SHEET_SMALL) for _, note, *_ in rows]
    left = max(names + notes) + 2 * _SHEET_MARGIN
    lefts = [left + i * (wide + _SHEET_GAP) for i in range(count)]
    width = max(lefts[-1] + wide, text_width(title, _SHEET_NAME) + _SHEET_MARGIN) + _SHEET_MARGIN
    heights = [high + _SHEET_GAP + (_CAPTION if any(captions) else 0) for *_, captions in rows]
    page = Page(width, _HEAD + sum(heights) + _SHEET_MARGIN)
    page.write(_SHEET_MARGIN, 20, title, _SHEET_NAME, DARK)
    for x, name in zip(lefts, columns, strict=False):
        page.write(x, _HEAD - 14, name, _SHEET_SMALL, _SHEET_GRAY)
    top = _HEAD
    for (name, note, pictures, captions), height in zip(rows, heights, strict=True):
        page.write(_SHEET_MARGIN, top + high / 2 - 13, name, _SHEET_NAME, DARK)
        page.write(_SHEET_MARGIN, top + high / 2 + 13, note, _SHEET_SMALL, _SHEET_GRAY)
        for x, picture, caption in zip(lefts, pictures, captions, strict=True):
            tile = picture.repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1)
            page.pictures.append((x, top, np.repeat(tile[..., None], 3, axis=2)))
            page.write(x, top + high + 12, caption, _SHEET_SMALL, _SHEET_GRAY)
        top += height
    return figure_pixels(page)


def crop_tile(crop: U8) -> U8:
    """Enlarge a crop to a tile.

    Args:
        crop: shape (side, side, 3) RGB or (side, side) grey.

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
    fine = to_heat(strength, _TILE)
    tile = np.rint(_shade(fine)).astype(np.uint8)
    return _ringed(tile, fine)


def outlined_map(crop: U8, strength: F32, strongest: float = 1.0) -> U8:
    """Lay a map over its crop: a place without evidence stays grey as the network saw it.

    Args:
        crop: shape (side, side, 3), RGB.
        strength: shape (h, w), as for `colour_map`.
        strongest: in [0, 1], how strong its strongest place is drawn: beside other maps.

    Returns:
        shape (192, 192, 3).
    """
    fine = to_heat(strength, _TILE) * np.float32(strongest)
    gray = crop_tile(np.asarray(Image.fromarray(crop).convert("L")))
    alpha = (_OPACITY * fine)[..., None]
    mixed = gray * (1 - alpha) + colours(fine) * alpha
    return _ringed(np.rint(mixed).astype(np.uint8), fine)


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


def channels(activations: F32, most: int = 64) -> list[U8]:
    """Draw the channels of a layer, the liveliest first, each scaled by its own range.

    Args:
        activations: shape (K, h, w).
        most: channels drawn.

    Returns:
        Tiles of shape (192, 192, 3), grey: black is a channel's least value, white its largest.
    """
    tiles = []
    for own in activations[lively_channels(activations, most)]:
        channel = own - own.min()
        top = float(channel.max())
        shade = np.rint(255 * channel / top if top > 0 else channel).astype(np.uint8)
        tile = cv2.resize(shade, (_TILE, _TILE), interpolation=cv2.INTER_NEAREST)
        tiles.append(np.repeat(np.asarray(tile, dtype=np.uint8)[..., None], 3, axis=2))
    return tiles


def lively_channels(activations: F32, most: int = 64) -> list[int]:
    """Choose the channels that vary most over their places.

    Args:
        activations: shape (K, h, w).
        most: channels wanted.

    Returns:
        Their numbers, from 0, the liveliest first.

    Example:
        >>> lively_channels(np.array([[[1, 1]], [[0, 4]], [[0, 2]]], dtype=np.float32), 2)
        [1, 2]
    """
    spreads = activations.reshape(len(activations), -1).std(axis=1)
    return [int(number) for number in np.argsort(-spreads, kind="stable")[:most]]
