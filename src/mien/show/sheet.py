"""A contact sheet: rows of small pictures with their names, large enough to judge.
Knows nothing of what was done to the pictures.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mien.pixels import U8
from mien.show import style

__all__ = ["contact_sheet"]

Row = tuple[str, str, U8, Sequence[str]]

_ZOOM = 2  # pixels are shown as squares: smoothing would hide what a change did to them
_GAP, _MARGIN, _HEAD, _CAPTION = 8, 16, 64, 22
_SIZE, _SMALL = 20, 15  # of letters
_WHITE, _GRAY = (255, 255, 255), (90, 90, 90)


def contact_sheet(title: str, columns: Sequence[str], rows: Sequence[Row]) -> U8:
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
    left = _MARGIN + max(_label_width(name, note) for name, note, *_ in rows) + _MARGIN
    width = left + count * (wide + _GAP) + _MARGIN - _GAP
    width = max(width, style.text_width(title, _SIZE) + 2 * _MARGIN)
    heights = [high + _GAP + (_CAPTION if any(captions) else 0) for *_, captions in rows]
    sheet = Image.new("RGB", (width, _HEAD + sum(heights) + _MARGIN), _WHITE)
    style.write(sheet, (_MARGIN, 20), title, _SIZE, style.DARK)
    for number, name in enumerate(columns):
        style.write(sheet, (left + number * (wide + _GAP), _HEAD - 14), name, _SMALL, _GRAY)
    top = _HEAD
    for (name, note, pictures, captions), height in zip(rows, heights, strict=True):
        style.write(sheet, (_MARGIN, top + high / 2 - 13), name, _SIZE, style.DARK)
        style.write(sheet, (_MARGIN, top + high / 2 + 13), note, _SMALL, _GRAY)
        for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
            x = left + number * (wide + _GAP)
            tile = Image.fromarray(picture).resize((wide, high), Image.Resampling.NEAREST)
            sheet.paste(tile.convert("RGB"), (x, top))
            style.write(sheet, (x, top + high + 12), caption, _SMALL, _GRAY)
        top += height
    return np.asarray(sheet)


def _label_width(name: str, note: str) -> int:
    return max(style.text_width(name, _SIZE), style.text_width(note, _SMALL))
