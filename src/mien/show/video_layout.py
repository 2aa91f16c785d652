"""Where the frame, the label and the panel of each face go in a video. Geometry only.

A panel stays put from frame to frame. It goes to a side where nothing else lies and keeps that side
while it can: it may be pushed a little over its own face before it changes sides. A face that was
just found, or has lost its panel, waits a little for one, so nothing flashes up. A label begins
with the number of the track. It keeps its place at the frame while it covers no other face or label
there, and says less where it would everywhere. Letters and panels have one size, which the size of
the video decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from mien.faces.boxes import Box, intersection
from mien.labels import PAPER, LabelSet
from mien.recognize.face import Face
from mien.show.panel import measure
from mien.show.placement import (
    GAP,
    SMALLEST,
    TALLEST,
    Canvas,
    Plan,
    beside,
    chip_corners,
    chip_extent,
    label_texts,
    link,
    names_its_map,
)
from mien.show.writing import ENGLISH, Writing

__all__ = ["SteadyPanels", "VideoLayout"]

_EMS = 60  # letters that fit into the mean side of its frames
_WAIT_S = 0.3  # before a face gets a panel
_SLACK = 1.3  # an old panel may be that many times higher than a new one
_PUSHED = 0.06  # share of its own face that an old panel may cover
_SHARED = 0.03  # share of an old panel that another face or panel may cover
_TOUCHED = 0.1  # share of a label that an old panel may cover: its rim, and no letter
_GLIDE_S = 0.12  # time constant with which a panel follows its face
_BETTER = 0.1  # of its area: how much less a label must cover elsewhere to go there


class VideoLayout:
    """Plans the frames of a video; to be given them in order.

    Attributes:
        canvas: width and height of the frames as they are drawn.
    """

    def __init__(
        self,
        canvas: tuple[int, int],
        legend: bool,
        labels: LabelSet = PAPER,
        writing: Writing = ENGLISH,
    ) -> None:
        """Choose the size of letters and panels.

        Args:
            canvas: width and height of the frames as they are drawn.
            legend: whether panels explain a heat map.
            labels: the classes of all faces.
            writing: of everything that is written.
        """
        self.canvas = canvas
        self._writing = writing
        self._legend = legend
        self._size = max(SMALLEST, round(sqrt(canvas[0] * canvas[1]) / _EMS))
        self._labels: dict[int, _Label] = {}  # by track
        extent = measure(self._size, legend, labels, writing)
        self._panels = SteadyPanels(canvas, extent, self._size)

    def plan(self, faces: Sequence[Face], zoom: int, time_s: float) -> list[Plan]:
        """Find a place for everything that is drawn on the next frame.

        Args:
            faces: each with its track.
            zoom: how many times larger the frame is drawn.
            time_s: when it is shown.

        Returns:
            One plan a face, in the same order.
        """
        frames = [_scaled(face.box, zoom) for face in faces]
        placed = self._chips(faces, frames)
        chips = [chip for _, chip in placed]
        outlines = [_about(frame, chip) for frame, chip in zip(frames, chips, strict=True)]
        panels = self._panels.place(faces, outlines, time_s, chips)
        plans, size = [], self._size
        for face, frame, (text, chip) in zip(faces, frames, placed, strict=True):
            place = None if face.track is None else panels.get(face.track)
            heat, line = names_its_map(face, place is not None), link(frame, place)
            plans.append(Plan(frame, size, text, chip, place, size, self._legend, heat, line))
        return plans

    def _chips(self, faces: Sequence[Face], frames: Sequence[Box]) -> list[tuple[str, Box]]:
        """What labels say, and where: as before, unless they cover less of others otherwise."""
        canvas = Canvas(Box(0, 0, *self.canvas), taken=list(frames))
        labels: dict[int, _Label] = {}
        chips = []
        for face, frame in zip(faces, frames, strict=True):
            before = None if face.track is None else self._labels.get(face.track)
            texts = label_texts(face, face.track, self._writing)
            label, chip = self._chip(texts, frame, before, canvas)
            if face.track is not None:
                labels[face.track] = label
            chips.append((texts[label.shorter], chip))
            canvas.taken.append(chip)
        self._labels = labels
        return chips

    def _chip(
        self, texts: list[str], frame: Box, before: "_Label | None", canvas: Canvas
    ) -> tuple["_Label", Box]:
        """Put the first text that covers nothing, or the one of before, which may a little."""
        for shorter, text in enumerate(texts):
            extent = chip_extent(text, self._size, self._writing.font)
            width, height = (min(a, b) for a, b in zip(extent, self.canvas, strict=True))
            corners = chip_corners(frame, (width, height))
            fits = [canvas.fit(round(left), round(top), (width, height)) for left, top in corners]
            places = [place for place in fits if place]
            costs = [canvas.covered(place, besides=frame) for place in places]
            corner = before.corner if before else 0
            if costs[corner] > min(costs) + _BETTER * width * height:
                corner = costs.index(min(costs))
            keeps = before is not None and shorter == before.shorter
            most = _BETTER * width * height if keeps else 0
            if extent[0] <= width and costs[corner] <= most:
                break
        return _Label(shorter, corner), places[corner]


def _about(frame: Box, chip: Box) -> Box:
    """The box about a frame and its label."""
    left, top = min(frame.left, chip.left), min(frame.top, chip.top)
    return Box(left, top, max(frame.right, chip.right), max(frame.bottom, chip.bottom))


def _scaled(box: Box, zoom: int) -> Box:
    return Box(box.left * zoom, box.top * zoom, box.right * zoom, box.bottom * zoom)


@dataclass(frozen=True, slots=True)
class _Label:
    """How a label was drawn: which of its texts, and at which corner of the frame."""

    shorter: int
    corner: int


@dataclass(slots=True)
class _Place:
    since_s: float  # when the face was found, or its place lost
    side: str = ""
    panel: Box | None = None


class SteadyPanels:
    """Remembers where the panel of each track is."""

    def __init__(self, canvas: tuple[int, int], extent: tuple[int, int], size: int) -> None:
        """Start without panels.

        Args:
            canvas: width and height of the frames as they are drawn.
            extent: of a panel.
            size: of its letters.
        """
        self._canvas = Canvas(Box(0, 0, *canvas))
        self._extent = extent
        self._gap = GAP * size
        self._places: dict[int, _Place] = {}
        self._last_s = 0.0

    def place(
        self,
        faces: Sequence[Face],
        outlines: Sequence[Box],
        time_s: float,
        chips: Sequence[Box] = (),
    ) -> dict[int, Box]:
        """Find the places for the next frame.

        Args:
            faces: each with its track.
            outlines: what is drawn about each face, its label included.
            time_s: when the frame is shown.
            chips: the label of each face, which its own panel leaves free, too.

        Returns:
            The panel of each track; a face without room has none.
        """
        glide = 1 - 2.718 ** (-max(0.0, time_s - self._last_s) / _GLIDE_S)
        self._last_s = time_s
        tracks = [face.track if face.track is not None else -1 for face in faces]
        self._places = {track: self._places.get(track, _Place(time_s)) for track in tracks}
        # those that have a panel come first, then the oldest
        order = sorted(range(len(tracks)), key=lambda i: (self._places[tracks[i]].panel is None, i))
        panels: dict[int, Box] = {}
        for i in order:
            place = self._places[tracks[i]]
            others = [*panels.values(), *(box for j, box in enumerate(outlines) if j != i)]
            others += chips[i : i + 1]
            self._move(place, outlines[i], others, time_s, glide)
            if place.panel:
                panels[tracks[i]] = place.panel
        return panels

    def _move(
        self, place: _Place, outline: Box, others: list[Box], time_s: float, glide: float
    ) -> None:
        """Move a panel on; where it no longer fits, look for another place, if it is time."""
        sides, extent = beside(outline, self._extent, self._gap), self._extent
        if place.panel and (goal := self._canvas.fit(*sides[place.side][0], extent)):
            left = place.panel.left + glide * (goal.left - place.panel.left)
            top = place.panel.top + glide * (goal.top - place.panel.top)
            place.panel = self._canvas.fit(left, top, extent)
            if place.panel and self._fits(place.panel, outline, others, old=True):
                return
            place.panel, place.since_s = None, time_s
        if time_s - place.since_s < _WAIT_S:
            return
        for side, corners in sides.items():
            panel = self._canvas.fit(*corners[0], extent)
            if panel and self._fits(panel, outline, others, old=False):
                place.side, place.panel = side, panel
                return

    def _fits(self, panel: Box, outline: Box, others: list[Box], old: bool) -> bool:
        width, height = self._extent
        if height > TALLEST * outline.height * (_SLACK if old else 1):
            return False
        own = intersection(panel, outline) / (outline.width * outline.height)
        if own > (_PUSHED if old else 0):
            return False
        most = _SHARED * width * height if old else 0
        return all(
            intersection(panel, other) <= min(most, _TOUCHED * other.width * other.height)
            for other in others
        )
