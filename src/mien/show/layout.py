"""Where the frame, the label and the panel of each face go. Geometry only; nothing is painted here.

In a picture, labels come first, then panels, largest face first. A panel goes right of its face,
else left, below or above; over an edge of its own face when that is large; else there is none. All
panels shrink together until the most faces have one. Nothing leaves the picture, and no panel
covers another face or its label.

In a video, a panel stays put from frame to frame. It goes to a side where nothing else lies and
keeps that side while it can: it may be pushed a little over its own face before it changes sides.
A face that was just found, or has lost its panel, waits a little for one, so nothing flashes up.
Letters and panels have one size, which the size of the video decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf, sqrt
from operator import itemgetter

from mien.faces.boxes import Box, intersection
from mien.labels import PAPER, LabelSet
from mien.pixels import F32
from mien.recognize.results import Face, Picture
from mien.show.panel import measure
from mien.show.style import text_width

__all__ = ["Plan", "SteadyPanels", "VideoLayout", "plan"]

_SMALLEST = 12  # pixels of an em; smaller letters are hard to read
_CHIP_PAD, _CHIP_HEIGHT = 0.5, 1.5  # em of the label
_GAP = 0.5  # em between a face and its panel
_TALLEST = 2.2  # a panel may be that many times as high as its face

# in a picture
_SHRINK = (1.0, 0.85, 0.7, 0.55)  # letters of a panel, measured by the label's
_EYE = 0.08  # of a face's side: how far about a landmark a panel should stay away
_COVER = 0.3  # share of its own face that a panel may cover
_SPOILT = 0.3  # worth of a panel that hides a part of its face, measured by one that does not

# in a video
_EMS = 60  # letters that fit into the mean side of its frames
_WAIT_S = 0.3  # before a face gets a panel
_SLACK = 1.3  # an old panel may be that many times higher than a new one
_PUSHED = 0.2  # share of its own face that an old panel may cover
_SHARED = 0.1  # share of an old panel that another face or panel may cover
_GLIDE_S = 0.12  # time constant with which a panel follows its face

_Corner = tuple[float, float]  # left and top


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the drawings of one face go, in pixels of the canvas.

    Attributes:
        frame: about the face; None if the face lies outside the picture.
        size: em of the label's letters.
        text: what the label says.
        chip: the plate of the label; None if the picture is too small for one.
        panel: the bars; None where there is no room.
        panel_size: em of the panel's letters.
        legend: whether the panel explains a heat map.
    """

    frame: Box | None
    size: int = _SMALLEST
    text: str = ""
    chip: Box | None = None
    panel: Box | None = None
    panel_size: int = _SMALLEST
    legend: bool = False


@dataclass
class _Canvas:
    """The area to draw on, what already lies on it, and the classes that panels show."""

    area: Box
    labels: LabelSet = PAPER
    taken: list[Box] = field(default_factory=list)

    def covered(self, box: Box, besides: Box | None = None) -> float:
        """Square pixels of what lies there that a box would cover."""
        return sum(intersection(box, other) for other in self.taken if other is not besides)

    def fit(self, left: float, top: float, extent: tuple[int, int]) -> Box | None:
        """A box moved into the canvas, or None if that is too small for it."""
        width, height = extent
        if width > self.area.width or height > self.area.height:
            return None
        left = min(max(left, 0), self.area.right - width)
        top = min(max(top, 0), self.area.bottom - height)
        return Box(left, top, left + width, top + height)


def plan(picture: Picture, zoom: int = 1, heatmap: bool = True) -> list[Plan]:
    """Find a place for everything that is drawn on a picture.

    Args:
        picture: the faces and the size.
        zoom: how many times larger the picture is drawn.
        heatmap: whether heat maps are drawn where a face has them.

    Returns:
        One plan a face, in the same order.
    """
    labels = picture.faces[0].labels if picture.faces else PAPER
    canvas = _Canvas(Box(0, 0, picture.width * zoom, picture.height * zoom), labels)
    plans = [_frame(face, zoom, canvas) for face in picture.faces]
    canvas.taken += [p.frame for p in plans if p.frame]
    plans = [_with_chip(p, face, canvas) for p, face in zip(plans, picture.faces, strict=True)]
    legends = [heatmap and face.maps is not None for face in picture.faces]
    plans = [replace(p, legend=legend) for p, legend in zip(plans, legends, strict=True)]
    landmarks = [face.landmarks * zoom for face in picture.faces]
    tries = [_with_panels(plans, landmarks, canvas, scale) for scale in _SHRINK]
    return max(tries, key=itemgetter(0))[1]  # of equals the first, which has the largest letters


def _frame(face: Face, zoom: int, canvas: _Canvas) -> Plan:
    """The part of the face's box in the canvas, and letters that grow with face and picture."""
    area, box = canvas.area, face.box
    left, top = max(round(box.left * zoom), 0), max(round(box.top * zoom), 0)
    right = min(round(box.right * zoom), int(area.right))
    bottom = min(round(box.bottom * zoom), int(area.bottom))
    if left >= right or top >= bottom:
        return Plan(None)
    unit, side = sqrt(area.width * area.height), sqrt((right - left) * (bottom - top))
    size = round(max(_SMALLEST, min(max(0.09 * side, unit / 70), unit / 30)))
    return Plan(Box(left, top, right, bottom), size)


def _with_chip(plan: Plan, face: Face, canvas: _Canvas) -> Plan:
    """Put the label where it covers least; smaller, then without its percentage, if that helps."""
    if plan.frame is None:
        return plan
    best, least = plan, inf
    percent = _label_text(face)
    for text, size in ((percent, plan.size), (percent, _SMALLEST), (face.label, _SMALLEST)):
        width = round(text_width(text, size) + 2 * _CHIP_PAD * size)
        extent = (width, round(_CHIP_HEIGHT * size))
        for left, top in _on(plan.frame, extent):
            chip = canvas.fit(left, top, extent)
            if chip and (covered := canvas.covered(chip)) < least:
                best, least = replace(plan, chip=chip, text=text, size=size), covered
    canvas.taken += [best.chip] if best.chip else []
    return best


def _label_text(face: Face) -> str:
    return f"{face.label} {100 * face.probability:.0f}%"


def _on(frame: Box, extent: tuple[int, int]) -> Iterator[_Corner]:
    """Left and top of a label above the frame, below it, then inside."""
    width, height = extent
    for top in (frame.top - height, frame.bottom, frame.top):
        yield frame.left, top
        yield frame.right - width, top


def _with_panels(
    plans: list[Plan], landmarks: list[F32], canvas: _Canvas, scale: float
) -> tuple[float, list[Plan]]:
    """Add to each face the panel that hides least of it; say what the whole is worth."""
    full = _Canvas(canvas.area, canvas.labels, list(canvas.taken))
    worth, placed = 0.0, []
    for plan, points in zip(plans, landmarks, strict=True):
        size = max(_SMALLEST, round(plan.size * scale))
        tries = [(_hidden(place, plan, points), place) for place in _free(plan, size, full)]
        cost, place = min(tries, key=itemgetter(0), default=(inf, None))
        if place is None or cost == inf:
            placed.append(plan)
            continue
        full.taken.append(place)
        placed.append(replace(plan, panel=place, panel_size=size))
        worth += sqrt(scale) * (_SPOILT / (1 + cost) if cost else 1)
    return worth, placed


def _free(plan: Plan, size: int, canvas: _Canvas) -> Iterator[Box]:
    """Places for a panel that cover nothing but, perhaps, its own face; the best ones first."""
    frame, extent = plan.frame, measure(size, plan.legend, canvas.labels)
    if frame is None or extent[1] > _TALLEST * frame.height:
        return
    for corners in _beside(frame, extent, round(_GAP * size)).values():
        for left, top in corners:
            place = canvas.fit(left, top, extent)
            if place and not canvas.covered(place, besides=frame):
                yield place


def _beside(frame: Box, extent: tuple[int, int], gap: float) -> dict[str, list[_Corner]]:
    """Left and top of two panels on each side of the frame, the best side first."""
    width, height = extent
    tops, lefts = (frame.top, frame.bottom - height), (frame.left, frame.right - width)
    return {
        "right": [(frame.right + gap, top) for top in tops],
        "left": [(frame.left - gap - width, top) for top in tops],
        "below": [(left, frame.bottom + gap) for left in lefts],
        "above": [(left, frame.top - gap - height) for left in lefts],
    }


def _hidden(place: Box, plan: Plan, landmarks: F32) -> float:
    """How much of its own face a panel hides: landmarks count most; infinite if too much."""
    if plan.frame is None or (hidden := intersection(place, plan.frame)) == 0:
        return 0.0
    share = hidden / (plan.frame.width * plan.frame.height)
    far = _EYE * sqrt(plan.frame.width * plan.frame.height)
    low, high = (place.left - far, place.top - far), (place.right + far, place.bottom + far)
    inside = ((landmarks > low) & (landmarks < high)).all(axis=1)
    return inf if share > _COVER else share + float(inside.sum())


class VideoLayout:
    """Plans the frames of a video; to be given them in order.

    Attributes:
        canvas: width and height of the frames as they are drawn.
    """

    def __init__(self, canvas: tuple[int, int], legend: bool, labels: LabelSet = PAPER) -> None:
        """Choose the size of letters and panels.

        Args:
            canvas: width and height of the frames as they are drawn.
            legend: whether panels explain a heat map.
            labels: the classes of all faces.
        """
        self.canvas = canvas
        self._legend = legend
        self._size = max(_SMALLEST, round(sqrt(canvas[0] * canvas[1]) / _EMS))
        self._panels = SteadyPanels(canvas, measure(self._size, legend, labels), self._size)

    def plan(self, faces: Sequence[Face], zoom: int, time_s: float) -> list[Plan]:
        """Find a place for everything that is drawn on the next frame.

        Args:
            faces: each with its track.
            zoom: how many times larger the frame is drawn.
            time_s: when it is shown.

        Returns:
            One plan a face, in the same order.
        """
        frames, above = [_scaled(f.box, zoom) for f in faces], _CHIP_HEIGHT * self._size
        outlines = [Box(b.left, b.top - above, b.right, b.bottom) for b in frames]
        panels = self._panels.place(faces, outlines, time_s)
        plans, size = [], self._size
        for face, frame in zip(faces, frames, strict=True):
            text = _label_text(face)
            place = None if face.track is None else panels.get(face.track)
            chip = self._chip(text, frame)
            plans.append(Plan(frame, size, text, chip, place, size, self._legend))
        return plans

    def _chip(self, text: str, frame: Box) -> Box:
        """The plate of a label above its frame, or inside where there is no room above."""
        width = text_width(text, self._size) + 2 + 2 * round(_CHIP_PAD * self._size)
        height = round(_CHIP_HEIGHT * self._size)
        left = max(0, min(round(frame.left), self.canvas[0] - width))
        above = round(frame.top) - height
        top = above if above >= 0 else max(0, round(frame.top))
        return Box(left, top, left + width, top + height)


def _scaled(box: Box, zoom: int) -> Box:
    return Box(box.left * zoom, box.top * zoom, box.right * zoom, box.bottom * zoom)


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
        self._canvas = _Canvas(Box(0, 0, *canvas))
        self._extent = extent
        self._gap = _GAP * size
        self._places: dict[int, _Place] = {}
        self._last_s = 0.0

    def place(
        self, faces: Sequence[Face], outlines: Sequence[Box], time_s: float
    ) -> dict[int, Box]:
        """Find the places for the next frame.

        Args:
            faces: each with its track.
            outlines: what is drawn about each face, its label included.
            time_s: when the frame is shown.

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
            self._move(place, outlines[i], others, time_s, glide)
            if place.panel:
                panels[tracks[i]] = place.panel
        return panels

    def _move(
        self, place: _Place, outline: Box, others: list[Box], time_s: float, glide: float
    ) -> None:
        """Move a panel on; where it no longer fits, look for another place, if it is time."""
        sides, extent = _beside(outline, self._extent, self._gap), self._extent
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
        if height > _TALLEST * outline.height * (_SLACK if old else 1):
            return False
        own = intersection(panel, outline) / (outline.width * outline.height)
        if own > (_PUSHED if old else 0):
            return False
        most = _SHARED * width * height if old else 0
        return all(intersection(panel, other) <= most for other in others)
