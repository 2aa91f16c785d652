"""The plot of a trial: every metric a panel, every method and control a line in it."""

from pathlib import Path
from typing import Any

from mien.explain.faithful import BETTER
from mien.media.writers import whole

__all__ = ["faithfulness"]

_METHOD, _CONTROL = "#0072B2", "#777777"  # Okabe and Ito's blue; grey
_TITLES = {
    "insertion": "insertion\nhigher is better",
    "deletion": "deletion\nlower is better",
    "road": "ROAD\nhigher is better",
    "drop": "average drop\nlower is better",
    "increase": "increase\nhigher is better",
}
_SURE = 1.96  # standard errors either side


def faithfulness(record: dict[str, Any], path: Path) -> None:
    """Plot the mean of each metric with its 95 % interval.

    Args:
        record: of ``mien faithful``.
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
        _best_control(panel, metric, [record["mean"][name][metric] for name in controls])
        panel.set_title(_TITLES[metric], fontsize=9)
        panel.set_yticks(range(len(names)), names)
        panel.grid(axis="x", alpha=0.3)
        panel.locator_params(axis="x", nbins=4)
        panel.spines[["top", "right"]].set_visible(False)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)


def _mark(panel: Any, height: int, mean: float, error: float, blind: bool) -> None:
    """Draw a mean and its 95 % interval; an open square for a map that knows nothing."""
    colour = _CONTROL if blind else _METHOD
    inside = "white" if blind else colour
    marker = {"fmt": "s" if blind else "o", "color": colour, "markerfacecolor": inside}
    panel.errorbar(mean, height, xerr=_SURE * error, capsize=2, markersize=5, **marker)


def _best_control(panel: Any, metric: str, means: list[float]) -> None:
    """Draw the line that a method has to pass."""
    best = max(means, key=lambda mean: BETTER[metric] * mean)
    panel.axvline(best, color=_CONTROL, lw=1, ls=":")
