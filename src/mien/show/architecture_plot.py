"""The plot of a network's architecture: a solid for each layer, as thick as it has channels.

Pipeline: layers of `mien.models.architecture` -> cells in rows -> solids, words and arrows, drawn
by matplotlib. Everything shown comes from the layers; nothing is known of single networks.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, log2
from pathlib import Path
from typing import Any

from mien.models.architecture import KINDS, Architecture, Layer
from mien.show.plot_files import plot_figure

__all__ = ["plot_architecture"]

# Okabe and Ito 2008, see style.py; lightened so that words and lines stay readable on them
_COLOURS = dict(
    zip(KINDS, ("#7FB8D8", "#7FCEB8", "#E5BBD2", "#F2CF80", "#EAAE7F", "#C4C4C4"), strict=True)
)
_NAMES = {"residual": "residual block", "attention": "squeeze-excitation"}
_INK, _GRAY = "#222222", "#555555"

# Inches; letters in points.
_CELL, _LINE, _MARGIN = 1.5, 0.165, 0.3
_ROW_GAP, _HEAD, _FOOT = 0.6, 1.0, 0.5
_PAST = 0.1  # how far above a block its shortcut leads
_LETTERS, _TITLE = 8.5, 13
_MOST_COLUMNS = 8
_SLANT = 0.35  # of a solid's height: how far its far edge lies to the right and above

_Cell = tuple[str, str, tuple[str, ...], tuple[int, ...], int]  # kind, size, words, shape, weights


def plot_architecture(architecture: Architecture, path: Path) -> None:
    """Draw a network from its input to its logits.

    Args:
        architecture: of the network.
        path: of the plot to write; ends in one of `mien.show.plot_files.FORMATS`.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        OutputError: if the name ends otherwise, or the file cannot be written.
    """
    cells = [_input(architecture), *map(_cell, architecture.layers)]
    rows = _in_rows(cells)
    columns = max(map(len, rows))
    tops = [max(_extent(shape)[1] for *_, shape, _ in row) + _PAST for row in rows]
    texts = [_LINE * max(2 + len(words) for _, _, words, *_ in row) for row in rows]
    heights = [above + below for above, below in zip(tops, texts, strict=True)]
    width = 2 * _MARGIN + columns * _CELL
    height = _HEAD + sum(heights) + _ROW_GAP * (len(rows) - 1) + _FOOT
    with plot_figure(path, (width, height), "a plot of a network", layout=None) as figure:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        axes.axis("off")
        axes.text(_MARGIN, height - 0.32, architecture.name, size=_TITLE, color=_INK, va="center")
        axes.text(
            _MARGIN, height - 0.5, _summary(architecture), size=_LETTERS, color=_GRAY, va="top"
        )
        top = height - _HEAD
        bases = []
        for row, above, high in zip(rows, tops, heights, strict=True):
            bases.append(top - above)
            _draw_row(axes, row, top - above)
            top -= high + _ROW_GAP
        for number, (upper, lower) in enumerate(pairwise(bases)):
            between = lower + tops[number + 1] + _ROW_GAP / 2
            _turn(axes, len(rows[number]), upper, between, lower)
        _draw_legend(axes, [kind for kind, *_ in cells])


def _input(architecture: Architecture) -> _Cell:
    shape = (3, architecture.side, architecture.side)
    return "input", f"3 x {architecture.side}x{architecture.side}", ("input",), shape, 0


def _cell(layer: Layer) -> _Cell:
    return layer.kind, layer.size, layer.words, layer.shape, layer.parameters


def _in_rows(cells: Sequence[_Cell]) -> list[list[_Cell]]:
    """Divide the cells into rows that are nearly equal."""
    count = ceil(len(cells) / _MOST_COLUMNS)
    size = ceil(len(cells) / count)
    return [list(cells[start : start + size]) for start in range(0, len(cells), size)]


def _summary(architecture: Architecture) -> str:
    return (
        f"{architecture.parameters:,} parameters, {architecture.multiply_adds / 1e6:,.0f} million "
        f"multiply-adds for a crop of {architecture.side}x{architecture.side}, "
        f"{architecture.depth} layers.\n"
        "Below each: its output (channels x height x width), what it does, its parameters."
    )


def _middle(column: int) -> float:
    return _MARGIN + (column + 0.5) * _CELL


def _draw_row(axes: Any, row: Sequence[_Cell], base: float) -> None:
    for column, (kind, size, words, shape, parameters) in enumerate(row):
        x = _middle(column)
        _solid(axes, x, base, shape, _COLOURS.get(kind, "white"))
        if kind == "residual":
            _shortcut(axes, x, base, shape)
        lines = [size, *words, f"{parameters:,}" if parameters else ""]
        for number, text in enumerate(lines):
            colour = _GRAY if number == len(lines) - 1 else _INK
            weight = "bold" if number == 0 else "normal"
            y = base - _LINE * (number + 1)
            axes.text(x, y, text, size=_LETTERS, color=colour, weight=weight, ha="center")
    for (left, a), (right, b) in pairwise(enumerate(row)):
        start = _middle(left) + _extent(a[3])[0] / 2
        end = _middle(right) - _extent(b[3])[0] / 2
        _arrow(axes, (start + 0.05, base + 0.3), (end - 0.05, base + 0.3))


def _dimensions(shape: Sequence[int]) -> tuple[float, float, float]:
    """Thickness, height and slant of a solid, by the logarithms of its channels and its size."""
    channels, *places = shape
    if not places:  # a vector stands upright
        return 0.12, 0.3 + 0.08 * log2(channels), 0.06
    high = 0.22 + 0.11 * log2(places[0])
    return 0.06 + 0.045 * log2(channels), high, _SLANT * high


def _extent(shape: Sequence[int]) -> tuple[float, float]:
    """Width and height of a solid with its far edges."""
    thick, high, slant = _dimensions(shape)
    return thick + slant, high + slant


def _solid(axes: Any, x: float, base: float, shape: Sequence[int], colour: str) -> None:
    thick, high, slant = _dimensions(shape)
    left = x - (thick + slant) / 2
    right, top = left + thick, base + high
    front = [(left, base), (right, base), (right, top), (left, top)]
    lid = [(left, top), (right, top), (right + slant, top + slant), (left + slant, top + slant)]
    side = [
        (right, base),
        (right + slant, base + slant),
        (right + slant, top + slant),
        (right, top),
    ]
    for corners, opacity in ((front, 1.0), (lid, 0.75), (side, 0.6)):
        xs, ys = zip(*corners, strict=True)
        axes.fill(xs, ys, facecolor=colour, alpha=opacity, edgecolor="none")
        axes.fill(xs, ys, facecolor="none", edgecolor=_INK, linewidth=0.8)


def _shortcut(axes: Any, x: float, base: float, shape: Sequence[int]) -> None:
    """The path that leads past a block."""
    wide, high = _extent(shape)
    left, right, above = x - wide / 2 - 0.09, x + wide / 2 + 0.09, base + high + _PAST
    axes.plot([left, left, right], [base + 0.3, above, above], color=_INK, lw=0.9)
    _arrow(axes, (right, above), (right, base + 0.32))


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": _INK, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)


def _turn(axes: Any, columns: int, upper: float, between: float, lower: float) -> None:
    """Lead from the end of a row, between the two, to the beginning of the next one."""
    right, left = _MARGIN + columns * _CELL + 0.05, _MARGIN
    xs = [right - 0.35, right, right, left, left]
    axes.plot(xs, [upper + 0.3, upper + 0.3, between, between, lower + 0.3], color=_INK, lw=0.9)
    _arrow(axes, (left, lower + 0.3), (left + 0.3, lower + 0.3))


def _draw_legend(axes: Any, kinds: Sequence[str]) -> None:
    x = _MARGIN
    for kind in [kind for kind in KINDS if kind in kinds]:
        xs, ys = [x, x + 0.16, x + 0.16, x], [0.16, 0.16, 0.32, 0.32]
        axes.fill(xs, ys, facecolor=_COLOURS[kind], edgecolor=_INK, linewidth=0.8)
        name = _NAMES.get(kind, kind)
        axes.text(x + 0.24, 0.24, name, size=_LETTERS, color=_INK, va="center")
        x += 0.55 + 0.075 * len(name)
