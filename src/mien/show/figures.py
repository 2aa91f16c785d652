"""Plots of numbers: how a run learned. Imports: matplotlib (the train extra)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mien.show.sinks import whole

__all__ = ["history_curves"]

_TRAIN, _HELD = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion


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
