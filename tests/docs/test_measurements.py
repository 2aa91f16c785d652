"""The plot of the peers: no name lies on a dot or on another name, and none is cut."""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
sys.path.append(str(Path(__file__).parents[2] / "docs"))

import measurements


def test_names_of_dots_close_together_lie_on_nothing_and_inside():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    places = [(1.00, 68.0), (1.05, 68.4), (1.10, 70.0), (4.0, 80.0)]
    words = ["mien 68", "mien without RAF-DB 68", "another 70", "at the edge 80"]
    dots = [axes.plot(x, y, "o", ms=9)[0] for x, y in places]
    measurements._label(figure, axes, places, words)
    figure.draw_without_rendering()
    names = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == words
    assert not any(a.overlaps(b) for a, b in combinations(names, 2))
    centres = [dot.get_transform().transform(dot.get_xydata())[0] for dot in dots]
    assert not any(name.contains(*centre) for name in names for centre in centres)
    panel = axes.get_window_extent()
    assert all(panel.x0 <= name.x0 and name.x1 <= panel.x1 for name in names)
    for name, (x, y) in zip(names, centres, strict=True):  # and each is at its own dot
        assert np.hypot(max(name.x0 - x, x - name.x1, 0), max(name.y0 - y, y - name.y1, 0)) < 15
