"""The words of a plot as a reader meets them: where they lie, how large they are, what they cover.

Imports: matplotlib.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.text import Text

__all__ = ["Word", "assert_legible", "drawn", "words_of"]

_DPI = 120  # as plots are written


@dataclass(frozen=True, eq=False)
class Word:
    """One text that was drawn.

    Attributes:
        text: what it says.
        letters: pixels of an em.
        corners: shape (4, 2), in pixels of the plot.
    """

    text: str
    letters: float
    corners: np.ndarray


def drawn(monkeypatch, draw, path):
    """The figure that `draw(path)` makes, with its layout, before it is written."""
    kept = []
    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda self, *_, **__: kept.append(self))
        draw(path)
    [figure] = kept
    figure.set_dpi(_DPI)
    figure.canvas.draw()
    return figure


def words_of(figure, monkeypatch):
    """Every text that is really drawn: ticks outside of an axis are not."""
    texts, draw = {}, Text.draw

    def noting(self, *given, **named):
        texts[id(self)] = self
        return draw(self, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", noting)
        figure.canvas.draw()
    shown = [text for text in texts.values() if text.get_visible() and text.get_text().strip()]
    return [Word(t.get_text(), t.get_fontsize() * _DPI / 72, _corners(t)) for t in shown]


def _corners(text):
    """The corners of a text, which may be turned: about the middle of the upright box around it."""
    box, angle = text.get_window_extent(), np.deg2rad(text.get_rotation())
    text.set_rotation(0)
    flat = text.get_window_extent()
    text.set_rotation(np.rad2deg(angle))
    half = np.array([flat.width, flat.height]) / 2
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return square @ turn.T + (box.x0 + box.width / 2, box.y0 + box.height / 2)


def assert_legible(figure, monkeypatch, least=10.0):
    """No word is cut at the edge, lies on another, or has letters under so many pixels."""
    words = words_of(figure, monkeypatch)
    width, height = figure.get_size_inches() * _DPI
    for word in words:
        assert word.letters >= least, (word.text, word.letters)
        assert (word.corners >= -0.5).all(), (word.text, word.corners)
        assert (word.corners <= (width + 0.5, height + 0.5)).all(), (word.text, word.corners)
    for one, other in combinations(words, 2):
        assert not _overlap(one.corners, other.corners), (one.text, other.text)


def _overlap(one, other):
    """Whether two outlines share more than half a pixel at their edges."""
    a, b = (c + 0.5 * np.sign(c.mean(axis=0) - c) for c in (one, other))
    return Outline(a).intersects_path(Outline(b), filled=True)
