"""The plot of the peers: no number lies on a dot or on another number."""

import sys
from itertools import combinations
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
sys.path.append(str(Path(__file__).parents[2] / "docs"))

import measurements


def test_numbers_of_dots_close_together_lie_on_nothing():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    places = [(1.00, 68.0), (1.05, 68.4), (1.10, 70.0), (4.0, 80.0)]
    dots = [axes.plot(x, y, "o", ms=9)[0] for x, y in places]
    measurements._number(figure, axes, places)
    figure.draw_without_rendering()
    numbers = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == ["68", "68", "70", "80"]
    assert not any(a.overlaps(b) for a, b in combinations(numbers, 2))
    centres = [dot.get_transform().transform(dot.get_xydata())[0] for dot in dots]
    assert not any(number.contains(*centre) for number in numbers for centre in centres)
