"""Plots of numbers, by matplotlib.

How a run learned, what a folder holds, which classes are confused, how calibrated a model is, what
each setting of a search does to the accuracy, and how faithful methods and controls are. Knows
nothing of training and of models.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from mien.labels import PAPER, LabelSet
from mien.show.plot_files import plot_figure
from mien.show.writing import as_writing

__all__ = [
    "class_bars",
    "confusion_matrix",
    "effects",
    "faithfulness",
    "history_curves",
    "reliability_plot",
]

_BLUE, _VERMILION, _GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe and Ito 2008, see style.py
_GRAY = "#777777"
_SPLITS = {"train": (_BLUE, ""), "test": (_VERMILION, "///"), "valid": (_GREEN, "...")}
_TITLES = {
    "insertion": "insertion\nhigher is better",
    "deletion": "deletion\nlower is better",
    "road": "ROAD\nhigher is better",
    "drop": "average drop\nlower is better",
    "increase": "increase\nhigher is better",
}
_GOLDEN = 0.618034  # of a width: any number of dots in a row lie well apart
_ACROSS = 4  # panels of effects side by side, so that a page can hold them
_LETTERS = 24  # that fit below a panel of effects
_LEAST_SPAN = 5  # percent of accuracy that an axis shows at least
_NAMES, _DIGITS = 72, 84  # letters that fit below a panel of bars, and above them
_NUMBER: dict[str, Any] = {"fontsize": 8, "padding": 2}
_SURE = 1.96  # standard errors either side


def history_curves(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Plot loss and held-out accuracy over the epochs.

    Args:
        history: rows of `mien.train.trainer.train`.
        path: of the plot to write.
    """
    with plot_figure(path, (9, 3.6)) as figure:
        losses, accuracies = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in history]
        train = {"color": _BLUE, "marker": "."}  # a marker, or a single epoch would not be seen
        held = {"color": _VERMILION, "marker": ".", "ls": "--"}
        losses.plot(epochs, [row["train_loss"] for row in history], label="training", **train)
        measured = any(row["held_loss"] or row["held_accuracy"] for row in history)
        if measured:
            losses.plot(epochs, [row["held_loss"] for row in history], label="held out", **held)
        losses.set(xlabel="epoch", ylabel="cross-entropy")
        figure.legend(loc="outside upper left", ncols=2, frameon=False)
        percent = [100 * row["held_accuracy"] for row in history]
        if measured:
            accuracies.plot(epochs, percent, **held)
        accuracies.set(xlabel="epoch", ylabel="held-out accuracy (%)")
        for axes in (losses, accuracies):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.3)
            axes.locator_params(axis="x", integer=True)  # there is no half epoch
            if len(epochs) == 1:  # else the axes would have ticks at hundredths
                axes.set(xticks=epochs, xlim=(epochs[0] - 1, epochs[0] + 1))
        if len(epochs) == 1:
            losses.set_ylim(0, 1.15 * losses.dataLim.y1 or 1)
        low, high = accuracies.get_ylim() if measured and len(epochs) > 1 else (0, 100)
        aside = max(0, _LEAST_SPAN - (high - low)) / 2  # else a wobble would look like progress
        accuracies.set_ylim(low - aside, high + aside)


def class_bars(
    counts: Sequence[tuple[str, str, Mapping[str, int]]], path: Path, classes: LabelSet = PAPER
) -> None:
    """Plot how many pictures each class has: a panel a database, a bar a split.

    Args:
        counts: title of the panel, split, pictures by label; at least one.
        path: of the plot to write.
        classes: in the order of the bars; a calm one beside them only where it has pictures.

    Raises:
        BadSettingError: if no font of this system has the letters of the classes.
    """
    titles = list(dict.fromkeys(title for title, *_ in counts))
    across = min(2, len(titles))
    down = -(-len(titles) // across)
    size = (6.8 * across, 4.0 * down)
    with plot_figure(path, size, font=_font_of(classes)) as figure:
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for panel in panels[len(titles) :]:
            panel.remove()
        shown = any(labels.get(classes.calm) for *_, labels in counts)
        named = classes.targets if shown else classes.names
        for title, panel in zip(titles, panels, strict=False):
            own = {
                split: [labels.get(c, 0) for c in named]
                for name, split, labels in counts
                if name == title
            }
            _class_panel(panel, title, named, own)


def _font_of(classes: LabelSet) -> str:
    """The file of a font that has the letters of all classes; "" is matplotlib's own."""
    return as_writing("en", classes).font.path


def _class_panel(
    panel: Any, title: str, classes: Sequence[str], splits: dict[str, list[int]]
) -> None:
    """Draw the bars of one database, each with its number, upright where the bars are narrow."""
    width = 0.84 / len(splits)
    digits = max(len(f"{value:,}") for values in splits.values() for value in values)
    turn = 90 if digits * len(splits) * len(classes) > _DIGITS else 0
    longest = max(map(len, classes))
    crowded = longest * len(classes) > _NAMES
    for number, (split, values) in enumerate(splits.items()):
        places = [i + (number + 0.5) * width - 0.42 for i in range(len(classes))]
        colour, hatch = _SPLITS.get(split, ("#999999", ".."))
        name = f"{split} {sum(values):,}"
        bars = panel.bar(places, values, width, color=colour, hatch=hatch, ec="white", label=name)
        panel.bar_label(bars, [f"{value:,}" for value in values], rotation=turn, **_NUMBER)
    names = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    panel.set_xticks(range(len(classes)), classes, **names)
    panel.set(ylabel="pictures", title=title)
    panel.margins(y=0.22 if turn else 0.1)  # room for the numbers above the bars
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    panel.spines[["top", "right"]].set_visible(False)
    # below the panel: inside it would lie on bars and their numbers
    depth = 0.11 + 0.016 * longest * crowded  # of turned names
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -depth), "ncols": len(splits)}
    panel.legend(frameon=False, **below)


def confusion_matrix(
    counts: Sequence[Sequence[int]], path: Path, names: Sequence[str] = PAPER.names
) -> None:
    """Plot a confusion matrix: shares of each true class as colour, counts as numbers.

    Args:
        counts: row = true class, column = predicted class, in the order of the names.
        path: of the plot to write.
        names: of the classes.

    Raises:
        BadSettingError: if no font of this system has their letters.
    """
    more = 0.6 * max(0, len(names) - len(PAPER.names))  # inches
    font = _font_of(LabelSet(tuple(names)))
    with plot_figure(path, (5.6 + more, 4.6 + more), font=font) as figure:
        axes = figure.subplots()
        shares = [[n / max(1, sum(line)) for n in line] for line in counts]
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, line in enumerate(counts):
            for column, number in enumerate(line):
                colour = "white" if shares[row][column] > 0.55 else "black" if number else _GRAY
                words = f"{number:,}\n{shares[row][column]:.0%}" if number else "0"
                axes.text(column, row, words, ha="center", va="center", fontsize=8, color=colour)
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="called", ylabel="labelled")
        figure.colorbar(image, ax=axes, label="share of the label's pictures", shrink=0.8)


def reliability_plot(bins: Sequence[tuple[float, float, float]], path: Path) -> None:
    """Plot accuracy by confidence beside the diagonal of perfect calibration.

    Args:
        bins: of each bin the mean confidence, the accuracy, and its share of the pictures, all in
            [0, 1].
        path: of the plot to write.
    """
    with plot_figure(path, (4.6, 4.6)) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], color="#999999", ls="--", label="as confident as right")
        confidence, accuracy, share = zip(*bins, strict=True)
        above.plot(confidence, accuracy, "o-", color=_BLUE, label="this model")
        above.set(ylabel="accuracy", ylim=(0, 1), xlim=(0, 1))
        above.legend(frameon=False, loc="upper left")
        below.bar(confidence, [100 * part for part in share], 0.045, color=_BLUE)
        below.set(xlabel="confidence", ylabel="pictures (%)")
        for axes in (above, below):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.3)


def effects(points: Sequence[tuple[Mapping[str, object], float]], path: Path) -> None:
    """Plot accuracy by value: a panel a setting, a dot a point, a line through the means.

    Args:
        points: the settings that vary, and the held-out accuracy in [0, 1]; at least one.
        path: of the plot to write.
    """
    names = list(points[0][0])
    across = min(_ACROSS, max(1, len(names)))
    down = max(1, -(-len(names) // across))
    with plot_figure(path, (2.6 * across + 0.8, 3.3 * down + 0.4)) as figure:
        grid = figure.subplots(down, across, sharey=True, squeeze=False)
        panels = grid.ravel()
        for panel in panels[max(1, len(names)) :]:
            panel.remove()
        for row in grid:
            row[0].set_ylabel("held-out accuracy (%)")
        for name, panel in zip(names, panels, strict=False):
            pairs = [(settings[name], 100 * accuracy) for settings, accuracy in points]
            _effect(panel, name, pairs)
        marks = panels[0].get_legend_handles_labels()
        figure.legend(*marks, loc="outside upper left", ncols=2, frameon=False, fontsize=9)


def _effect(panel: Any, name: str, pairs: Sequence[tuple[Any, float]]) -> None:
    """Draw one setting: its values in order, at equal distances."""
    values = sorted({value for value, _ in pairs})
    groups = [[accuracy for value, accuracy in pairs if value == own] for own in values]
    for place, group in enumerate(groups):
        # beside each other so that all are seen, and in no order: a slope would pass for a trend
        aside = [(0.5 + i * _GOLDEN) % 1 - 0.5 for i in range(len(group))]
        label = None if place else "one run"
        spread = [place + 0.3 * offset for offset in aside]
        panel.plot(spread, sorted(group), ".", color=_BLUE, alpha=0.5, ms=5, label=label)
    means = [mean(group) for group in groups]
    panel.plot(range(len(values)), means, "o-", color=_VERMILION, ms=5, label="mean of the runs")
    words = [_as_text(value) for value in values]
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    crowded = len(values) * max(map(len, words)) > _LETTERS
    panel.set_xticks(range(len(values)), words, **(turned if crowded else {}))
    panel.set_xlim(-0.5, len(values) - 0.5)
    panel.set_xlabel(name)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.3, axis="y")


def _as_text(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def faithfulness(record: dict[str, Any], better: Mapping[str, int], path: Path) -> None:
    """Plot the mean of each metric with its 95 % interval.

    Args:
        record: of ``mien faithful``.
        better: by metric, 1 if higher is better, -1 if lower is.
        path: of the plot to write.
    """
    names = list(record["mean"])[::-1]  # the first at the top
    controls = [name for name in names if name not in record["against"]]
    with plot_figure(path, (11, 1.3 + 0.27 * len(names))) as figure:
        data = f"{record['pictures']} pictures of {record['source']} {record['split']}"
        figure.suptitle(
            f"{record['name']}, {data}: methods (dots), controls that know nothing (squares), "
            "the best of these (dotted line)",
            fontsize=10,
        )
        panels = figure.subplots(1, len(_TITLES), sharey=True)
        for panel, metric in zip(panels, _TITLES, strict=True):
            for height, name in enumerate(names):
                value, error = record["mean"][name][metric], record["error"][name][metric]
                _mark(panel, height, value, error, name in controls)
            means = [record["mean"][name][metric] for name in controls]
            _best_control(panel, better[metric], means)
            panel.set_title(_TITLES[metric], fontsize=9)
            panel.set_yticks(range(len(names)), names)
            panel.grid(axis="x", alpha=0.3)
            panel.locator_params(axis="x", nbins=4)
            panel.spines[["top", "right"]].set_visible(False)


def _mark(panel: Any, height: int, value: float, error: float, blind: bool) -> None:
    """Draw a mean and its 95 % interval; an open square for a map that knows nothing."""
    colour = _GRAY if blind else _BLUE
    inside = "white" if blind else colour
    marker = {"fmt": "s" if blind else "o", "color": colour, "markerfacecolor": inside}
    panel.errorbar(value, height, xerr=_SURE * error, capsize=2, markersize=5, **marker)


def _best_control(panel: Any, better: int, means: list[float]) -> None:
    """Draw the line that a method has to pass."""
    best = max(means, key=lambda value: better * value)
    panel.axvline(best, color=_GRAY, lw=1, ls=":")
