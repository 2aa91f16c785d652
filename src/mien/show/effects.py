"""A plot of what each setting of a search does to the accuracy.
Knows nothing of training.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from mien.media.writers import whole

__all__ = ["effects"]

_POINT, _MEAN = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion


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
    with whole(path) as part:
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
