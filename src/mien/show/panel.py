"""The panel beside a face: the bars of all classes on one scale, neutral apart; the heat's legend.

Its measures are in em of its letters, so that a panel looks the same at any size. What stays the
same from face to face is painted once; the bars and their percentages are painted each time. Of
many classes only the most probable have a bar.
"""

from functools import lru_cache

import numpy as np

from mien.labels import LabelSet
from mien.pixels import U8
from mien.recognize.face import Face
from mien.show.fonts import Font
from mien.show.heatmap import ramp
from mien.show.placement import classes_said
from mien.show.style import (
    DARK,
    LIGHT,
    PLATE,
    Masks,
    Rgb,
    Sprite,
    colours_of,
    paint,
    text_width,
)
from mien.show.writing import ENGLISH, Writing

__all__ = ["Panel", "measure"]

_PAD = 0.75
_ROW = 1.4
_APART = 0.5  # between the classes and neutral, and before the legend
_MOST = 12  # classes that have a bar
_NAME = 5.4  # the longest of the paper's names takes 4.9
_LONGEST = 12.0  # for names; longer ones are cut
_BAR = 5.6
_VALUE = 2.9
_LEGEND = 2.0
_KEPT = 256  # sprites; then they are made anew
_FINE = 100  # pixels an em, where names are measured
_FADED: Rgb = (168, 172, 180)  # names and values of what was not chosen
_TRACK: Rgb = (58, 62, 70)


def measure(
    size: int, legend: bool, labels: LabelSet, writing: Writing = ENGLISH
) -> tuple[int, int]:
    """Return the width and height of a panel.

    Args:
        size: of its letters, in pixels.
        legend: whether it explains the heat map.
        labels: the classes.
        writing: of their names.

    Returns:
        Width and height in pixels.
    """
    rows = min(len(labels.names), _MOST) * _ROW + (_ROW + _APART if labels.calm_beside else 0)
    height = rows + 2 * _PAD + (_LEGEND + _APART if legend else 0)
    width = _PAD + _name_width(labels, writing) + _BAR + _VALUE + _PAD
    return round(width * size), round(height * size)


@lru_cache(maxsize=64)
def _name_width(labels: LabelSet, writing: Writing) -> float:
    """The em that the longest name takes, within limits."""
    names = map(writing.name, labels.targets)
    longest = max(text_width(name, _FINE, writing.font) for name in names) / _FINE
    return max(_NAME, min(_LONGEST, longest + _PAD))


def _cut(name: str, most: float, font: Font) -> str:
    """A name that fits into so many em."""
    kept = name
    while text_width(kept, _FINE, font) > most * _FINE and len(kept) > 1:
        kept = kept.removesuffix("…")[:-1] + "…"
    return kept


class Panel:
    """Draws the panels of one size, for faces of the same classes."""

    def __init__(
        self,
        size: int,
        legend: bool,
        labels: LabelSet,
        masks: Masks,
        writing: Writing = ENGLISH,
    ) -> None:
        """Measure; nothing is painted yet.

        Args:
            size: of the letters, in pixels.
            legend: whether to explain the heat map.
            labels: the classes.
            masks: makes the masks, of words in the font of `writing`.
            writing: of the names.
        """
        self._writing = writing
        self._size = size
        self._legend = legend
        self._labels = labels
        self._masks = masks
        self._sprites: dict[tuple[str, ...], Sprite] = {}  # by label, expression and rows
        self._bar = round(_BAR * size)
        self._thick = max(2, round(0.6 * size))
        first, step = (_PAD + _ROW / 2) * size, _ROW * size
        count = min(len(labels.names), _MOST)
        self._middles = [round(first + i * step) for i in range(count)]
        self._calm = round(first + count * step + _APART * size)  # the row of neutral
        self._last = self._calm if labels.calm_beside else self._middles[-1]
        name = _name_width(labels, writing)
        self._names, self._bars = round(_PAD * size), round((_PAD + name) * size)
        self._values = round((_PAD + name + _BAR + _VALUE) * size)  # where they end

    def draw(self, canvas: U8, face: Face, left: int, top: int) -> None:
        """Draw the panel of a face on a canvas, in place.

        Args:
            canvas: shape (H, W, 3), uint8, RGB.
            face: its probabilities and its label.
            left: of the panel.
            top: likewise.
        """
        rows = self._rows_of(face)
        named = tuple(classes_said(face))
        key = (*named, face.expression, *rows)
        if key not in self._sprites:
            if len(self._sprites) >= _KEPT:  # of many classes there are many choices
                self._sprites.clear()
            self._sprites[key] = self._sprite(named, face.expression, rows)
        self._sprites[key].draw(canvas, left, top)
        colours, values = colours_of(self._labels), face.probabilities
        for name, place in rows.items():
            middle, value = top + place, values[name]
            length = round(value * self._bar)
            if length >= 1:
                bar = self._masks.plate((length, self._thick), self._thick / 2)
                start = left + self._bars
                paint(canvas, bar, colours[name], start, middle - self._thick // 2)
            percent = self._masks.word(f"{100 * value:.0f}%", self._size)
            colour = LIGHT if name in named else _FADED
            start = left + self._values - percent.shape[1]
            paint(canvas, percent, colour, start, middle - percent.shape[0] // 2)

    def _rows_of(self, face: Face) -> dict[str, int]:
        """The classes that have a bar, in their order, each with the middle of its row."""
        names = self._labels.names
        if len(names) > _MOST:
            best = np.sort(np.argsort(-face.values, kind="stable")[:_MOST])
            names = tuple(names[number] for number in best)
        calm = {self._labels.calm: self._calm} if self._labels.calm_beside else {}
        return dict(zip(names, self._middles, strict=True)) | calm

    def _sprite(self, named: tuple[str, ...], expression: str, rows: dict[str, int]) -> Sprite:
        """Plate, names, tracks of the bars, the line above neutral, the legend."""
        size, masks, writing = self._size, self._masks, self._writing
        extent = measure(size, self._legend, self._labels, writing)
        sprite = Sprite(*extent)
        sprite.add(masks.plate(extent, 0.5 * size, PLATE), DARK, 0, 0)
        track = masks.plate((self._bar, self._thick), self._thick / 2)
        for name, middle in rows.items():
            word = masks.word(_cut(writing.name(name), _LONGEST - _PAD, writing.font), size)
            colour = LIGHT if name in named else _FADED
            sprite.add(word, colour, self._names, middle - word.shape[0] // 2)
            sprite.add(track, _TRACK, self._bars, middle - self._thick // 2)
        width = extent[0] - 2 * self._names
        if self._labels.calm_beside:
            line = np.full((max(1, round(0.06 * size)), width), 255, dtype=np.uint8)
            above = self._calm - round((_ROW + _APART) / 2 * size)
            sprite.add(line, _TRACK, self._names, above)
        if self._legend:
            top = self._last + round((_ROW / 2 + _APART) * size)
            sprite.paste(ramp(width, max(2, round(0.5 * size)), DARK), self._names, top)
            small = max(1, round(0.86 * size))
            room = (width - 2) / small  # a mask has a pixel at each end
            said = writing.say("warm", writing.name(expression))
            word = masks.word(_cut(said, room, writing.font), small)
            middle = top + round(1.5 * size)
            sprite.add(word, _FADED, self._names, middle - word.shape[0] // 2)
        return sprite
