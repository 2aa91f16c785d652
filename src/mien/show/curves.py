"""The plot of a timeline. Imports: matplotlib (the video extra)."""

from pathlib import Path
from typing import TYPE_CHECKING

from mien.labels import LABELS
from mien.show.sinks import whole

if TYPE_CHECKING:
    from mien.show.timeline import Timeline

__all__ = ["draw_timeline"]


def draw_timeline(timeline: "Timeline", path: Path) -> None:
    """Draw six curves a track.

    Args:
        timeline: to draw.
        path: of the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    tracks = sorted({segment.track for segment in timeline.segments})
    figure = Figure(figsize=(11, 2 + 1.5 * len(tracks)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(max(1, len(tracks)), 1, sharex=True, squeeze=False).ravel()
    for track, panel in zip(tracks, panels, strict=False):
        times, values = timeline.curve(track)
        for i, label in enumerate(LABELS):
            panel.plot(times, values[:, i], label=label)
        panel.set(ylabel=f"track {track}", ylim=(0, 1))
    panels[-1].set(xlabel="time (s)")
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120)
