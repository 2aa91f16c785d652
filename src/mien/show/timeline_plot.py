"""The plot of a timeline: for each track its peaks, its curves, and what it showed when.

Curves are told apart by colour and by their dashes, the band by colour, by words where they fit and
by the hatching of what is uncertain, so that the plot can be read by the colour-blind and on grey
paper. The legend names all that a band shows. Knows nothing of video files.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mien.labels import LABELS, NO_FACE, UNCERTAIN, LabelSet
from mien.pixels import F64
from mien.show.plot_files import plot_figure
from mien.show.style import Rgb, colours_of
from mien.show.timeline import Peak, Segment, Timeline
from mien.show.writing import Writing, as_writing

__all__ = ["draw_timeline"]

_MOST = 12  # tracks in a plot
_FEW = 4  # tracks up to which each gets more room
_WIDTH = 12.0  # inches
_THUMBNAIL = 0.5  # inches
_STEP, _APART = 1.12, 0.08  # inches from one thumbnail to the next, and between their words
_HEAD = 0.45  # inches above the plot, where the legend has at most two rows
_LONGEST = 2.4  # inches of a name there
_DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (1, 1)),
    (0, (9, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
)
_INK = "#333333"
_LIGHT = 190  # of 255: how bright a line has a rim
_MOST_NAMED = 7  # classes that the legend names even if no band shows them
_NO_LENGTH = 0.07  # inches that a single frame has in the band, which is all of its film
_EDGED = 0.08  # inches: narrower ones would be hidden by a white edge
_ROOM = 0.08  # inches that a word in the band needs beyond its own
_HATCHES = {UNCERTAIN: "///"}  # of ink: white lines would make its grey that of neutral
_BREAK_S = 0.5  # a longer gap is left open


def draw_timeline(timeline: Timeline, path: str | Path, lang: str | Writing = "en") -> None:
    """Draw the longest tracks, in order of their numbers.

    Args:
        timeline: to draw; without faces only the axis is drawn.
        path: of the plot to write.
        lang: of names and of all else that is written, as ``de``; or with a font of one's own,
            from `mien.show.writing.write_in`.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        OutputError: if it cannot be written, or no plot ends like `path`.
        UnknownNameError: if there is no such language.
        BadSettingError: if no font of this system has the letters.
    """
    writing = as_writing(lang, timeline.labels)
    tracks = sorted(timeline.longest(_MOST))
    colours = {name: _hex(colour) for name, colour in colours_of(timeline.labels).items()}
    curve_height = 1.5 if len(tracks) <= _FEW else 0.8
    heights = [_THUMBNAIL + 0.32, curve_height, 0.2, 0.3] * max(1, len(tracks))
    body = sum(heights) + 0.37
    size, what = (_WIDTH, body + _HEAD), "plotting a timeline"
    with plot_figure(Path(path), size, what, layout=None, font=writing.font.path) as figure:
        head = _heading(figure, timeline, tracks, writing)
        height = body + head
        figure.set_figheight(height)
        edges = {"left": 0.068, "right": 0.985, "top": 1 - head / height, "bottom": 0.32 / height}
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights, hspace=0, **edges)
        ends = _span(timeline)
        for place, track in enumerate(tracks):
            strip, panel, band = (figure.add_subplot(grid[4 * place + i]) for i in range(3))
            for axes in (strip, panel, band):
                axes.set(xlim=ends)
            _curves(panel, *timeline.probabilities(track), timeline.labels)
            segments = [s for s in timeline.segments if s.track == track]
            _band(band, segments, colours, writing)
            if place == len(tracks) - 1:
                band.set_xlabel(writing.say("time"))
            _peaks(strip, panel, timeline.peaks(track), colours, writing)
            name = writing.say("track", track)
            strip.set_ylabel(name, rotation=0, ha="right", va="center", weight="bold")
        if not tracks:
            axes = figure.add_subplot(grid[1])
            words = {"xlabel": writing.say("time"), "title": writing.name(NO_FACE)}
            axes.set(xlim=ends, yticks=[], **words)


def _span(timeline: Timeline) -> tuple[float, float]:
    """The whole video, with a margin of one percent; a second if it has no length."""
    first, last = timeline.start_s, timeline.end_s
    if last <= first:
        return first, first + 1.0
    margin = 0.01 * (last - first)
    return first - margin, last + margin


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _curves(panel: Any, times: F64, values: F64, labels: LabelSet) -> None:
    """Draw the curve of each class, and a calm one beside them as a shade."""
    times, values = _broken(times, values)
    if labels.calm_beside:
        panel.fill_between(times, 0, values[:, -1], color="#dddddd", lw=0)
    for i in range(len(labels.names)):
        panel.plot(times, values[:, i], marker=_dot(times), ms=2, **_style(labels, i, 1.5))
    panel.set(ylim=(0, 1.04))
    panel.tick_params(axis="x", bottom=False, labelbottom=False)  # they are below the band
    panel.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    panel.tick_params(labelsize=7)
    panel.grid(axis="both", alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)


def _style(labels: LabelSet, number: int, width: float) -> dict[str, Any]:
    """Colour and dashes of a line; a light one has a dark rim, to be seen on white."""
    from matplotlib.patheffects import Normal, Stroke

    name = labels.names[number]
    red, green, blue = colours_of(labels)[name]
    rim = [Stroke(linewidth=width + 1, foreground=_INK, alpha=0.6), Normal()]
    effects = rim if 0.299 * red + 0.587 * green + 0.114 * blue > _LIGHT else None
    place = LABELS.index(name) if name in LABELS else number
    dashes = _DASHES[place % len(_DASHES)]
    colour = _hex((red, green, blue))
    return {"color": colour, "ls": dashes, "lw": width, "path_effects": effects}


def _dot(times: F64) -> str:
    """A single point in time has no line; it is drawn as a dot."""
    return "o" if np.isfinite(times).sum() < 2 else ""


def _broken(times: F64, values: F64) -> tuple[F64, F64]:
    """Put a hole wherever the track was away, so that no line is drawn across it."""
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    gaps = np.flatnonzero(np.diff(times) > max(_BREAK_S, 3 * usual)) + 1
    return np.insert(times, gaps, np.nan), np.insert(values, gaps, np.nan, axis=0)


def _band(band: Any, segments: list[Segment], colours: dict[str, str], writing: Writing) -> None:
    """Draw what the track was called, in words where a whole one fits."""
    first, final = band.get_xlim()
    inches = _WIDTH * 0.917 / (final - first)  # of a second
    names = {segment.label: writing.name(segment.label) for segment in segments}
    needed = {label: _inches(band.figure, name, 7.5) + _ROOM for label, name in names.items()}
    spans: dict[tuple[str, bool], list[tuple[float, float]]] = {}  # one drawing for each colour
    for segment in segments:
        left, label = segment.start_s, segment.label
        width = segment.end_s - left or _NO_LENGTH / inches
        spans.setdefault((label, width * inches > _EDGED), []).append((left, width))
        if width * inches >= needed[label]:
            middle = {"ha": "center", "va": "center", "fontsize": 7.5}
            ground = {"facecolor": colours[label], "edgecolor": "none", "pad": 2}
            band.text(left + width / 2, 0.46, names[label], bbox=ground, **middle)
    for (label, edged), own in spans.items():
        band.broken_barh(own, (0, 1), **_fill(label, colours))
        if edged:
            band.broken_barh(own, (0, 1), facecolor="none", edgecolor="white")
    band.set(ylim=(0, 1), yticks=[])
    band.spines[["top", "right", "left"]].set_visible(False)
    band.tick_params(axis="x", labelsize=8)  # below every track: of many the last is far away


def _fill(label: str, colours: dict[str, str]) -> dict[str, Any]:
    """How a label is filled in a band and in the legend."""
    hatch = _HATCHES.get(label)
    return {"facecolor": colours[label], "edgecolor": _INK, "hatch": hatch, "lw": 0}


def _inches(figure: Any, text: str, points: float) -> float:
    """How wide a text is."""
    from matplotlib.font_manager import FontProperties

    letters, measure = FontProperties(size=points), figure.canvas.get_renderer()
    width, _, _ = measure.get_text_width_height_descent(text, letters, False)
    return float(width / figure.dpi)


def _peaks(
    strip: Any, panel: Any, peaks: list[Peak], colours: dict[str, str], writing: Writing
) -> None:
    """Show the face at each peak above its time, moved aside where two would overlap.

    Where not all have room, the most probable ones are shown.
    """
    from matplotlib.patches import ConnectionPatch

    strip.set(ylim=(0, 1), xticks=[], yticks=[])
    strip.spines[:].set_visible(False)
    first, final = strip.get_xlim()
    inch = (final - first) / (_WIDTH * 0.925)
    size, step = _THUMBNAIL * inch, _STEP * inch
    surest = sorted(peaks, key=lambda peak: -peak.probability)[: int((final - first) / step)]
    peaks = sorted(surest, key=lambda peak: peak.time_s)
    places = _apart([peak.time_s for peak in peaks], step, first + step / 2, final - step / 2)
    tall = _THUMBNAIL / (_THUMBNAIL + 0.32)
    for peak, x in zip(peaks, places, strict=True):
        left = x - size / 2
        strip.imshow(peak.crop, extent=(left, left + size, 0.08, 0.08 + tall), aspect="auto")
        frame = [left, left + size, left + size, left, left]
        sides = [0.08, 0.08, 0.08 + tall, 0.08 + tall, 0.08]
        strip.plot(frame, sides, color=colours[peak.label], lw=2, clip_on=False)
        share = f" {100 * peak.probability:.0f} %"
        words = _cut(strip.figure, writing.name(peak.label), _STEP - _APART, 7, share)
        strip.text(x, 0.1 + tall, words, ha="center", va="bottom", fontsize=7)
        top = peak.probability
        link = ConnectionPatch(
            (x, 0.08), (peak.time_s, top), "data", "data", axesA=strip, axesB=panel
        )
        link.set(color=_INK, lw=0.6, alpha=0.7)
        strip.figure.add_artist(link)
    strip.set(xlim=(first, final), ylim=(0, 1))


def _apart(times: list[float], step: float, least: float, most: float) -> list[float]:
    """Move ordered places aside until they are a step apart, within limits where they fit."""
    places: list[float] = []
    for place in times:
        places.append(max(place, least, places[-1] + step if places else least))
    limit = most
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], limit)
        limit = places[i] - step
    return places


def _cut(figure: Any, name: str, most: float, points: float, behind: str = "") -> str:
    """A name that takes at most so many inches, together with what is written behind it."""
    kept = name
    while len(kept) > 1 and _inches(figure, kept + behind, points) > most:
        kept = kept.removesuffix("…")[:-1] + "…"
    return kept + behind


def _heading(figure: Any, timeline: Timeline, tracks: list[int], writing: Writing) -> float:
    """Say how many faces there are and which line is which; return the inches that it takes."""
    from matplotlib.transforms import ScaledTranslation

    count = writing.say("one_face" if timeline.tracks == 1 else "faces", timeline.tracks)
    shown = {segment.label for segment in timeline.segments if segment.track in tracks}
    fewer = len(tracks) < timeline.tracks
    rest = f", {writing.say('longest', len(tracks))}" if fewer else ""
    below = figure.transFigure + ScaledTranslation(0, -0.12, figure.dpi_scale_trans)
    place = {"fontsize": 10, "va": "top", "weight": "bold", "transform": below}
    said = figure.text(0.008, 1, count + rest, **place)
    left = said.get_window_extent(figure.canvas.get_renderer()).x1
    lines = _lines(figure, timeline.labels, shown, writing)
    for across in dict.fromkeys(-(-len(lines) // rows) for rows in range(1, len(lines) + 1)):
        legend = _legend(figure, lines, across)
        box = legend.get_window_extent(figure.canvas.get_renderer())
        if box.x0 > left or across == 1:
            break
        legend.remove()
    return float(max(_HEAD, figure.get_figheight() - box.y0 / figure.dpi))


def _legend(figure: Any, lines: list[Any], across: int) -> Any:
    """The legend, so many names side by side."""
    looks = {"ncols": across, "frameon": False, "fontsize": 9, "handlelength": 3.4}
    corner = {"loc": "upper right", "bbox_to_anchor": (0.99, 1)}
    return figure.legend(handles=lines, **corner, **looks)


def _lines(figure: Any, labels: LabelSet, shown: set[str], writing: Writing) -> list[Any]:
    """What the legend names: the line of each class, what else a band shows, how many are left."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colours = {name: _hex(colour) for name, colour in colours_of(labels).items()}
    lines: list[Any] = []
    for number, name in enumerate(labels.names):
        if number < _MOST_NAMED or name in shown:
            words = _cut(figure, writing.name(name), _LONGEST, 9)
            lines.append(Line2D([], [], label=words, **_style(labels, number, 2)))
    more = len(labels.names) - len(lines)
    calm = [labels.calm] if labels.calm_beside else []
    for name in (*calm, *(word for word in (UNCERTAIN, NO_FACE) if word in shown)):
        words = _cut(figure, writing.name(name), _LONGEST, 9)
        lines.append(Patch(label=words, **_fill(name, colours)))
    if more > 0:
        lines.append(Patch(color="none", label=writing.say("more", more)))
    return lines
