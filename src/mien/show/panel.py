"""The panel beside a face: six bars in the order of the labels, neutral apart, the heat's legend.

All lengths are in em of its letters, so that a panel looks the same at any size.

MERGED The panel of a face in a film: what stays the same is painted once, what changes is stamped.

It looks as the panel of a picture does (panel.py).
"""

import numpy as np
from PIL import Image

from mien.faces.boxes import Box
from mien.labels import LABELS, NEUTRAL
from mien.pixels import U8
from mien.recognize.results import Face
from mien.show import panel
from mien.show.heatmap import ramp
from mien.show.style import (
    COLOURS,
    DARK,
    LIGHT,
    PLATE,
    Sprite,
    Stamps,
    fill,
    stamp,
    text_width,
    write,
)

__all__ = [
    "APART",
    "BAR",
    "FADED",
    "LEGEND",
    "NAME",
    "PAD",
    "ROW",
    "TRACK",
    "VALUE",
    "WIDTH",
    "Board",
    "caption",
    "measure",
    "paint",
]

PAD = 0.75
ROW = 1.4
APART = 0.5  # between the six and neutral, and before the legend
NAME = 5.4  # the longest name takes 4.9
BAR = 5.6
VALUE = 2.9
LEGEND = 2.0
WIDTH = PAD + NAME + BAR + VALUE + PAD
FADED: tuple[int, int, int] = (168, 172, 180)  # names and values of what was not chosen
TRACK: tuple[int, int, int] = (58, 62, 70)


def measure(size: int, legend: bool) -> tuple[int, int]:
    """Return the width and height of a panel.

    Args:
        size: of its letters, in pixels.
        legend: whether it explains the heat map.

    Returns:
        Width and height in pixels.
    """
    rows = (len(LABELS) + 1) * ROW + APART
    height = rows + 2 * PAD + (LEGEND + APART if legend else 0)
    return round(WIDTH * size), round(height * size)


def caption(expression: str) -> str:
    """Say what warm colours mean.

    Args:
        expression: the label whose heat map is drawn.

    Returns:
        One line.
    """
    return f"warm = evidence for {expression}"


def paint(image: Image.Image, box: Box, face: Face, size: int, legend: bool) -> None:
    """Paint the panel of a face.

    Args:
        image: RGB, painted on.
        box: where; its size as `measure` says.
        face: its scores, its probability of neutral, its label.
        size: of the letters, in pixels.
        legend: whether to explain the heat map.
    """
    fill(image, box, DARK, radius=0.5 * size, opacity=PLATE)
    middle = box.top + (PAD + ROW / 2) * size
    for name, value in face.scores.items():
        _row(image, (box.left, middle), (name, value, name == face.label), size)
        middle += ROW * size
    middle += APART * size
    line = middle - (ROW + APART) / 2 * size
    ends = (box.left + PAD * size, box.right - PAD * size)
    fill(image, Box(ends[0], line, ends[1], line + max(1, round(0.06 * size))), TRACK)
    _row(image, (box.left, middle), (NEUTRAL, face.neutral, face.label == NEUTRAL), size)
    if legend:
        _legend(image, (box.left, middle + (ROW / 2 + APART) * size), face.expression, size)


def _row(
    image: Image.Image, at: tuple[float, float], what: tuple[str, float, bool], size: int
) -> None:
    """One name, its bar on a track, its percentage; `at` is the left edge and the middle."""
    name, value, chosen = what
    colour = LIGHT if chosen else FADED
    left = at[0] + PAD * size
    write(image, (left, at[1]), name, size, colour)
    start, half = left + NAME * size, 0.3 * size
    track = Box(start, at[1] - half, start + BAR * size, at[1] + half)
    fill(image, track, TRACK, radius=half)
    if round(value * BAR * size) >= 1:
        bar = Box(start, track.top, start + value * BAR * size, track.bottom)
        fill(image, bar, COLOURS[name], radius=half)
    percent = f"{100 * value:.0f}%"
    end = start + (BAR + VALUE) * size
    write(image, (end - text_width(percent, size), at[1]), percent, size, colour)


def _legend(image: Image.Image, at: tuple[float, float], expression: str, size: int) -> None:
    """The colours of the heat map and what they mean; `at` is the left and upper edge."""
    left, top = at[0] + PAD * size, at[1]
    width, height = round((WIDTH - 2 * PAD) * size), max(2, round(0.5 * size))
    image.paste(Image.fromarray(ramp(width, height, DARK)), (round(left), round(top)))
    small = max(1, round(0.86 * size))
    write(image, (left, top + 1.5 * size), caption(expression), small, FADED)


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
