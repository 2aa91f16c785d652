"""The plot of a trial: every metric a panel, every method and control a line in it.

Imports: matplotlib (the proof extra), sinks.
"""

from pathlib import Path
from typing import Any

from mien.show.sinks import whole

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
        "methods (dots) and controls that know nothing (squares)",
        fontsize=10,
    )
    for panel, (metric, title) in zip(
        figure.subplots(1, 5, sharey=True), _TITLES.items(), strict=True
    ):
        for height, name in enumerate(names):
            blind = name in controls
            panel.errorbar(
                record["mean"][name][metric],
                height,
                xerr=_SURE * record["error"][name][metric],
                fmt="s" if blind else "o",
                color=_CONTROL if blind else _METHOD,
                markerfacecolor="white" if blind else _METHOD,
                capsize=2,
                markersize=5,
            )
        _best_control(panel, [record["mean"][name][metric] for name in controls], title)
        panel.set_title(title, fontsize=9)
        panel.set_yticks(range(len(names)), names)
        panel.grid(axis="x", alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)


def _best_control(panel: Any, means: list[float], title: str) -> None:
    """Draw the line that a method has to pass."""
    best = max(means) if "higher" in title else min(means)
    panel.axvline(best, color=_CONTROL, lw=1, ls=":")
