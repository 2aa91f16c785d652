"""Plots of numbers: how a run learned, what a folder holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mien.confidence import Bin
from mien.labels import LABELS, NEUTRAL
from mien.media.writers import whole

__all__ = [
    "class_bars",
    "confusion_matrix",
    "coverage_curves",
    "history_curves",
    "reliability_plot",
]

_TRAIN, _HELD = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_STYLES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))
_SPLITS = {"train": (_TRAIN, ""), "test": (_HELD, "///"), "valid": ("#009E73", "...")}


def history_curves(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Plot loss and held-out accuracy over the epochs.

    Args:
        history: rows of `mien.train.loop.train`.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    losses, accuracies = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    train = {"color": _TRAIN, "marker": "."}  # a marker, or a single epoch would not be seen
    held = {"color": _HELD, "marker": ".", "ls": "--"}
    losses.plot(epochs, [row["train_loss"] for row in history], label="training", **train)
    losses.plot(epochs, [row["held_loss"] for row in history], label="held out", **held)
    losses.set(xlabel="epoch", ylabel="cross-entropy")
    losses.legend(frameon=False)
    percent = [100 * row["held_accuracy"] for row in history]
    accuracies.plot(epochs, percent, **held)
    accuracies.set(xlabel="epoch", ylabel="held-out accuracy (%)")
    for axes in (losses, accuracies):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
        axes.locator_params(axis="x", integer=True)  # there is no half epoch
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)


def class_bars(counts: Sequence[tuple[str, str, Mapping[str, int]]], path: Path) -> None:
    """Plot how many pictures each class has: a panel a database, a bar a split.

    Args:
        counts: title of the panel, split, pictures by label; at least one.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    titles = list(dict.fromkeys(title for title, *_ in counts))
    across = min(2, len(titles))
    down = -(-len(titles) // across)
    layout = ConstrainedLayoutEngine(h_pad=0.12)
    figure = Figure(figsize=(6.8 * across, 3.7 * down), layout=layout)
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel in panels[len(titles) :]:
        panel.remove()
    neutral = any(labels.get(NEUTRAL) for *_, labels in counts)
    classes = (*LABELS, NEUTRAL) if neutral else LABELS
    for title, panel in zip(titles, panels, strict=False):
        own = {
            split: [labels.get(c, 0) for c in classes]
            for name, split, labels in counts
            if name == title
        }
        _class_panel(panel, title, classes, own)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)


def _class_panel(
    panel: Any, title: str, classes: Sequence[str], splits: dict[str, list[int]]
) -> None:
    """Draw the bars of one database, each with its number."""
    width = 0.84 / len(splits)
    for number, (split, values) in enumerate(splits.items()):
        places = [i + (number + 0.5) * width - 0.42 for i in range(len(classes))]
        colour, hatch = _SPLITS.get(split, ("#999999", ".."))
        name = f"{split} {sum(values):,}"
        bars = panel.bar(places, values, width, color=colour, hatch=hatch, ec="white", label=name)
        panel.bar_label(bars, [f"{value:,}" for value in values], fontsize=7.5, padding=1)
    panel.set_xticks(range(len(classes)), classes)
    panel.set(ylabel="pictures", title=title)
    panel.margins(y=0.12)
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False)


def confusion_matrix(counts: Sequence[Sequence[int]], path: Path) -> None:
    """Plot a confusion matrix: shares of each true class as colour, counts as numbers.

    Args:
        counts: row = true class, column = predicted class, in the order of `LABELS`.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    shares = [[n / max(1, sum(line)) for n in line] for line in counts]
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, line in enumerate(counts):
        for column, number in enumerate(line):
            colour = "white" if shares[row][column] > 0.55 else "black"
            words = f"{number:,}\n{shares[row][column]:.0%}"
            axes.text(column, row, words, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(LABELS)), LABELS, rotation=30, ha="right")
    axes.set_yticks(range(len(LABELS)), LABELS)
    axes.set(xlabel="called", ylabel="labelled")
    figure.colorbar(image, ax=axes, label="share of the label's pictures", shrink=0.8)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)


def coverage_curves(curves: Mapping[str, Sequence[float]], path: Path) -> None:
    """Plot the accuracy on the surest answers over the share of pictures answered.

    Args:
        curves: values of `mien.confidence.coverage_curve` by name; at least one, of any lengths.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, (name, values) in enumerate(curves.items()):
        colour, line = _STYLES[number % len(_STYLES)]
        answered = [100 * (k + 1) / len(values) for k in range(len(values))]
        percent = [100 * value for value in values]
        axes.plot(answered, percent, color=colour, ls=line, label=name, lw=1.8)
    axes.axvline(80, color="#999999", lw=0.8)
    axes.set(xlabel="pictures answered, surest first (%)", ylabel="right among them (%)")
    axes.set_xlim(0, 100)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower left")
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)


def reliability_plot(bins: Sequence[Bin], path: Path) -> None:
    """Plot accuracy by confidence beside the diagonal of perfect calibration.

    Args:
        bins: from `mien.confidence.reliability`.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], color="#999999", ls="--", label="as confident as right")
    confidence = [one.confidence for one in bins]
    above.plot(confidence, [one.accuracy for one in bins], "o-", color=_TRAIN, label="this model")
    above.set(ylabel="accuracy", ylim=(0, 1), xlim=(0, 1))
    above.legend(frameon=False, loc="upper left")
    below.bar(confidence, [100 * one.share for one in bins], 0.045, color=_TRAIN)
    below.set(xlabel="confidence", ylabel="pictures (%)")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)
