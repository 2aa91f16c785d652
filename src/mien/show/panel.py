"""The panel beside a face: six bars in the order of the labels, neutral apart, the heat's legend.

Its measures are in em of its letters, so that a panel looks the same at any size. What stays the
same from face to face is painted once; the bars and their percentages are painted each time.
"""

import numpy as np

from mien.labels import LABELS, NEUTRAL
from mien.pixels import U8
from mien.recognize.results import Face
from mien.show.heatmap import ramp
from mien.show.style import COLOURS, DARK, LIGHT, PLATE, Masks, Rgb, Sprite, paint

__all__ = ["Panel", "measure"]

_PAD = 0.75
_ROW = 1.4
_APART = 0.5  # between the six and neutral, and before the legend
_NAME = 5.4  # the longest name takes 4.9
_BAR = 5.6
_VALUE = 2.9
_LEGEND = 2.0
_WIDTH = _PAD + _NAME + _BAR + _VALUE + _PAD
_FADED: Rgb = (168, 172, 180)  # names and values of what was not chosen
_TRACK: Rgb = (58, 62, 70)


def measure(size: int, legend: bool) -> tuple[int, int]:
    """Return the width and height of a panel.

    Args:
        size: of its letters, in pixels.
        legend: whether it explains the heat map.

    Returns:
        Width and height in pixels.
    """
    rows = (len(LABELS) + 1) * _ROW + _APART
    height = rows + 2 * _PAD + (_LEGEND + _APART if legend else 0)
    return round(_WIDTH * size), round(height * size)


class Panel:
    """Draws the panels of one size."""

    def __init__(self, size: int, legend: bool, masks: Masks) -> None:
        """Measure; nothing is painted yet.

        Args:
            size: of the letters, in pixels.
            legend: whether to explain the heat map.
            masks: makes the masks.
        """
        self._size = size
        self._legend = legend
        self._masks = masks
        self._sprites: dict[tuple[str, str], Sprite] = {}  # by label and expression
        self._bar = round(_BAR * size)
        self._thick = max(2, round(0.6 * size))
        first, step = (_PAD + _ROW / 2) * size, _ROW * size
        self._rows = {name: round(first + i * step) for i, name in enumerate(LABELS)}
        self._rows[NEUTRAL] = round(first + len(LABELS) * step + _APART * size)
        self._names, self._bars = round(_PAD * size), round((_PAD + _NAME) * size)
        self._values = round((_PAD + _NAME + _BAR + _VALUE) * size)  # where they end

    def draw(self, canvas: U8, face: Face, left: int, top: int) -> None:
        """Draw the panel of a face on a canvas, in place.

        Args:
            canvas: shape (H, W, 3), uint8, RGB.
            face: its scores, its probability of neutral, its label.
            left: of the panel.
            top: likewise.
        """
        key = (face.label, face.expression)
        if key not in self._sprites:
            self._sprites[key] = self._sprite(*key)
        self._sprites[key].draw(canvas, left, top)
        for name, value in (*face.scores.items(), (NEUTRAL, face.neutral)):
            middle = top + self._rows[name]
            length = round(value * self._bar)
            if length >= 1:
                bar = self._masks.plate((length, self._thick), self._thick / 2)
                start = left + self._bars
                paint(canvas, bar, COLOURS[name], start, middle - self._thick // 2)
            percent = self._masks.word(f"{100 * value:.0f}%", self._size)
            colour = LIGHT if name == face.label else _FADED
            start = left + self._values - percent.shape[1]
            paint(canvas, percent, colour, start, middle - percent.shape[0] // 2)

    def _sprite(self, label: str, expression: str) -> Sprite:
        """Plate, names, tracks of the bars, the line above neutral, the legend."""
        size, masks = self._size, self._masks
        extent = measure(size, self._legend)
        sprite = Sprite(*extent)
        sprite.add(masks.plate(extent, 0.5 * size, PLATE), DARK, 0, 0)
        track = masks.plate((self._bar, self._thick), self._thick / 2)
        for name, middle in self._rows.items():
            word = masks.word(name, size)
            colour = LIGHT if name == label else _FADED
            sprite.add(word, colour, self._names, middle - word.shape[0] // 2)
            sprite.add(track, _TRACK, self._bars, middle - self._thick // 2)
        width = extent[0] - 2 * self._names
        line = np.full((max(1, round(0.06 * size)), width), 255, dtype=np.uint8)
        above = self._rows[NEUTRAL] - round((_ROW + _APART) / 2 * size)
        sprite.add(line, _TRACK, self._names, above)
        if self._legend:
            top = self._rows[NEUTRAL] + round((_ROW / 2 + _APART) * size)
            sprite.paste(ramp(width, max(2, round(0.5 * size)), DARK), self._names, top)
            caption = f"warm = evidence for {expression}"
            word = masks.word(caption, max(1, round(0.86 * size)))
            middle = top + round(1.5 * size)
            sprite.add(word, _FADED, self._names, middle - word.shape[0] // 2)
        return sprite
