"""Plots of numbers: how a run learned, what a folder holds.

MERGED A plot of what each setting of a search does to the accuracy.
Knows nothing of training.

MERGED The plot of a trial: every metric a panel, every method and control a line in it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from mien.labels import LABELS, NEUTRAL
from mien.media.writers import atomic

__all__ = [
    "class_bars",
    "confusion_matrix",
    "effects",
    "faithfulness",
    "history_curves",
    "reliability_plot",
]

_TRAIN, _HELD = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_STYLES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))
_SPLITS = {"train": (_TRAIN, ""), "test": (_HELD, "///"), "valid": ("#009E73", "...")}
_POINT, _MEAN = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_METHOD, _CONTROL = "#0072B2", "#777777"  # Okabe and Ito's blue; grey
_TITLES = {
    "insertion": "insertion\nhigher is better",
    "deletion": "deletion\nlower is better",
    "road": "ROAD\nhigher is better",
    "drop": "average drop\nlower is better",
    "increase": "increase\nhigher is better",
}
_SURE = 1.96  # standard errors either side


def history_curves(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Plot loss and held-out accuracy over the epochs.

    Args:
        history: rows of `mien.train.trainer.train`.
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
    with atomic(path) as part:
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
    with atomic(path) as part:
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
    with atomic(path) as part:
        figure.savefig(part, format="png", dpi=120)


def reliability_plot(bins: Sequence[tuple[float, float, float]], path: Path) -> None:
    """Plot accuracy by confidence beside the diagonal of perfect calibration.

    Args:
        bins: of each bin the mean confidence, the accuracy, and its share of the pictures, all in
            [0, 1].
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], color="#999999", ls="--", label="as confident as right")
    confidence, accuracy, share = zip(*bins, strict=True)
    above.plot(confidence, accuracy, "o-", color=_TRAIN, label="this model")
    above.set(ylabel="accuracy", ylim=(0, 1), xlim=(0, 1))
    above.legend(frameon=False, loc="upper left")
    below.bar(confidence, [100 * part for part in share], 0.045, color=_TRAIN)
    below.set(xlabel="confidence", ylabel="pictures (%)")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    with atomic(path) as part:
        figure.savefig(part, format="png", dpi=120)


def effects(points: Sequence[tuple[Mapping[str, object], float]], path: Path) -> None:
    """Plot accuracy by value: a panel a setting, a dot a point, a line through the means.

    Args:
        points: the settings that vary, and the held-out accuracy in [0, 1]; at least one.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(points[0][0])
    figure = Figure(figsize=(2.6 * max(1, len(names)) + 0.8, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, max(1, len(names)), sharey=True, squeeze=False)[0]
    panels[0].set_ylabel("held-out accuracy (%)")
    for name, panel in zip(names, panels, strict=False):
        _panel(panel, name, [(settings[name], 100 * accuracy) for settings, accuracy in points])
    with atomic(path) as part:
        figure.savefig(part, format="png", dpi=120)


def _panel(panel: Any, name: str, pairs: Sequence[tuple[Any, float]]) -> None:
    """Draw one setting: its values in order, at equal distances."""
    values = sorted({value for value, _ in pairs})
    groups = [[accuracy for value, accuracy in pairs if value == one] for one in values]
    for place, group in enumerate(groups):
        spread = [place + 0.24 * (i / max(1, len(group) - 1) - 0.5) for i in range(len(group))]
        panel.plot(spread, sorted(group), ".", color=_POINT, alpha=0.5, ms=5)
    panel.plot(range(len(values)), [mean(group) for group in groups], "o-", color=_MEAN, ms=5)
    panel.set_xticks(range(len(values)), [_told(value) for value in values])
    panel.set_xlim(-0.5, len(values) - 0.5)
    panel.set_xlabel(name)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.3, axis="y")


def _told(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def faithfulness(record: dict[str, Any], better: Mapping[str, int], path: Path) -> None:
    """Plot the mean of each metric with its 95 % interval.

    Args:
        record: of ``mien faithful``.
        better: by metric, 1 if higher is better, -1 if lower is.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(record["mean"])[::-1]  # the first at the top
    controls = [name for name in names if name not in record["against"]]
    figure = Figure(figsize=(11, 1.3 + 0.27 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        f"{record['name']}, {record['pictures']} pictures of {record['source']} {record['split']}: "
        "methods (dots), controls that know nothing (squares), the best of these (dotted line)",
        fontsize=10,
    )
    panels = figure.subplots(1, len(_TITLES), sharey=True)
    for panel, metric in zip(panels, _TITLES, strict=True):
        for height, name in enumerate(names):
            of = record["mean"][name][metric], record["error"][name][metric]
            _mark(panel, height, *of, name in controls)
        _best_control(panel, better[metric], [record["mean"][name][metric] for name in controls])
        panel.set_title(_TITLES[metric], fontsize=9)
        panel.set_yticks(range(len(names)), names)
        panel.grid(axis="x", alpha=0.3)
        panel.locator_params(axis="x", nbins=4)
        panel.spines[["top", "right"]].set_visible(False)
    with atomic(path) as part:
        figure.savefig(part, format="png", dpi=120)


def _mark(panel: Any, height: int, mean: float, error: float, blind: bool) -> None:
    """Draw a mean and its 95 % interval; an open square for a map that knows nothing."""
    colour = _CONTROL if blind else _METHOD
    inside = "white" if blind else colour
    marker = {"fmt": "s" if blind else "o", "color": colour, "markerfacecolor": inside}
    panel.errorbar(mean, height, xerr=_SURE * error, capsize=2, markersize=5, **marker)


def _best_control(panel: Any, better: int, means: list[float]) -> None:
    """Draw the line that a method has to pass."""
    best = max(means, key=lambda mean: better * mean)
    panel.axvline(best, color=_CONTROL, lw=1, ls=":")
