"""The panel of a face in a film: what stays the same is painted once, what changes is stamped.

It looks as the panel of a picture does (panel.py).
"""

import numpy as np

from mien.labels import LABELS, NEUTRAL
from mien.pixels import U8
from mien.recognize.results import Face
from mien.show import panel
from mien.show.heat import ramp
from mien.show.stamps import Sprite, Stamps, stamp
from mien.show.style import COLOURS, DARK, LIGHT, PLATE

__all__ = ["Board"]


class Board:
    """Lays panels of one size on frames."""

    def __init__(self, size: int, legend: bool, stamps: Stamps) -> None:
        """Nothing is painted yet.

        Args:
            size: of the letters, in pixels.
            legend: whether to explain the heat map.
            stamps: makes the masks.
        """
        self.extent = panel.measure(size, legend)
        self._size = size
        self._legend = legend
        self._stamps = stamps
        self._sprites: dict[tuple[str, str], Sprite] = {}  # by label and expression
        self._bar = round(panel.BAR * size)
        self._thick = max(2, round(0.6 * size))
        first = (panel.PAD + panel.ROW / 2) * size
        step = panel.ROW * size
        self._rows = {name: round(first + i * step) for i, name in enumerate(LABELS)}
        self._rows[NEUTRAL] = round(first + len(LABELS) * step + panel.APART * size)
        self._starts = (round(panel.PAD * size), round((panel.PAD + panel.NAME) * size))

    def lay(self, canvas: U8, face: Face, left: int, top: int) -> None:
        """Lay the panel of a face on a frame, in place.

        Args:
            canvas: shape (H, W, 3), uint8, RGB.
            face: its scores, its probability of neutral, its label.
            left: of the panel.
            top: likewise.
        """
        key = (face.label, face.expression)
        if key not in self._sprites:
            self._sprites[key] = self._sprite(*key)
        self._sprites[key].lay(canvas, left, top)
        end = round((panel.PAD + panel.NAME + panel.BAR + panel.VALUE) * self._size)
        for name, value in (*face.scores.items(), (NEUTRAL, face.neutral)):
            middle = top + self._rows[name]
            length = round(value * self._bar)
            if length >= 1:
                bar = self._stamps.plate((length, self._thick), self._thick / 2)
                start = left + self._starts[1]
                stamp(canvas, bar, COLOURS[name], start, middle - self._thick // 2)
            percent = self._stamps.word(f"{100 * value:.0f}%", self._size)
            colour = LIGHT if name == face.label else panel.FADED
            place = left + end - percent.shape[1]
            stamp(canvas, percent, colour, place, middle - percent.shape[0] // 2)

    def _sprite(self, label: str, expression: str) -> Sprite:
        """Plate, names, tracks of the bars, the line above neutral, the legend."""
        size, stamps = self._size, self._stamps
        sprite = Sprite(*self.extent)
        sprite.add(stamps.plate(self.extent, 0.5 * size, PLATE), DARK, 0, 0)
        track = stamps.plate((self._bar, self._thick), self._thick / 2)
        for name, middle in self._rows.items():
            word = stamps.word(name, size)
            colour = LIGHT if name == label else panel.FADED
            sprite.add(word, colour, self._starts[0], middle - word.shape[0] // 2)
            sprite.add(track, panel.TRACK, self._starts[1], middle - self._thick // 2)
        width = self.extent[0] - 2 * self._starts[0]
        above = self._rows[NEUTRAL] - round((panel.ROW + panel.APART) / 2 * size)
        line = np.full((max(1, round(0.06 * size)), width), 255, dtype=np.uint8)
        sprite.add(line, panel.TRACK, self._starts[0], above)
        if self._legend:
            top = self._rows[NEUTRAL] + round((panel.ROW / 2 + panel.APART) * size)
            sprite.paste(ramp(width, max(2, round(0.5 * size)), DARK), self._starts[0], top)
            word = stamps.word(panel.caption(expression), max(1, round(0.86 * size)))
            middle = top + round(1.5 * size)
            sprite.add(word, panel.FADED, self._starts[0], middle - word.shape[0] // 2)
        return sprite
