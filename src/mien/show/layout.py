"""Where on a picture each frame, label and panel goes. Geometry only; nothing is painted here.

Labels come first, then panels, largest face first. A panel goes right of its face, else left,
below or above; over an edge of its own face when that is large; else there is none. All panels
shrink together until the most faces have one. Nothing leaves the picture, and no panel covers
another face or its label.

MERGED Where the panel of each face of a film goes, so that it stays put from frame to frame.

A panel goes right of its face, else left, below or above, where nothing else lies, and keeps that
side while it can: it may be pushed a little over its own face before it changes sides. A face
that was just found, or has lost its place, waits a moment for one, so nothing flashes up. All
panels have one size, which the size of the film decides. Paints nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf, sqrt
from operator import itemgetter

from mien.faces.boxes import Box, intersection
from mien.pixels import F32
from mien.recognize.results import Face, Picture
from mien.show import panel
from mien.show.style import text_width

__all__ = ["CHIP_PAD", "Places", "Plan", "plan"]

_SMALLEST = 12  # pixels of an em; smaller letters are hard to read
_SHRINK = (1.0, 0.85, 0.7, 0.55)  # letters of a panel, measured by the label's
_EYE = 0.08  # of a face's side: how far about a landmark a panel should stay away
_TALLEST = 2.2  # a panel may be that many times as high as its face
_COVER = 0.3  # share of its own face that a panel may cover
_SPOILT = 0.3  # worth of a panel that hides a part of its face, measured by one that does not
_GAP = 0.5  # em between a face and its panel
CHIP_PAD, _CHIP_HEIGHT = 0.5, 1.5  # em of the label
_WAIT_S = 0.3  # before a face gets a panel
_SLACK = 1.3  # an old one that many times more
_PUSHED = 0.2  # share of its own face that an old panel may cover
_GLIDE_S = 0.12  # time constant with which a panel follows its face
_SIDES = ("right", "left", "below", "above")


@dataclass(frozen=True, slots=True)
class Plan:
    """Where one face's drawings go, in pixels of the picture.

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
class _Sheet:
    """The picture's area and what already lies on it."""

    canvas: Box
    taken: list[Box] = field(default_factory=list)

    def covered(self, box: Box, besides: Box | None = None) -> float:
        """Square pixels of what lies there that a box would cover."""
        return sum(intersection(box, other) for other in self.taken if other is not besides)

    def fit(self, left: float, top: float, extent: tuple[int, int]) -> Box | None:
        """A box moved into the canvas, or None if that is too small for it."""
        width, height = extent
        if width > self.canvas.width or height > self.canvas.height:
            return None
        left = min(max(left, 0), self.canvas.right - width)
        top = min(max(top, 0), self.canvas.bottom - height)
        return Box(left, top, left + width, top + height)


def plan(picture: Picture, zoom: int = 1, heatmap: bool = True) -> list[Plan]:
    """Find a place for everything.

    Args:
        picture: the faces and the size.
        zoom: how many times larger the picture is drawn.
        heatmap: whether heat maps are drawn where a face has them.

    Returns:
        One plan a face, in the same order.
    """
    sheet = _Sheet(Box(0, 0, picture.width * zoom, picture.height * zoom))
    plans = [_frame(face, zoom, sheet) for face in picture.faces]
    sheet.taken += [p.frame for p in plans if p.frame]
    plans = [_with_chip(p, face, sheet) for p, face in zip(plans, picture.faces, strict=True)]
    sheet.taken += [p.chip for p in plans if p.chip]
    legends = [heatmap and face.maps is not None for face in picture.faces]
    plans = [replace(p, legend=legend) for p, legend in zip(plans, legends, strict=True)]
    landmarks = [face.landmarks * zoom for face in picture.faces]
    tries = [_with_panels(plans, landmarks, sheet, scale) for scale in _SHRINK]
    return max(tries, key=itemgetter(0))[1]  # of equals the first, which has the largest letters


def _frame(face: Face, zoom: int, sheet: _Sheet) -> Plan:
    """The part of the face's box in the canvas, and letters that grow with face and picture."""
    canvas, box = sheet.canvas, face.box
    left, top = max(round(box.left * zoom), 0), max(round(box.top * zoom), 0)
    right = min(round(box.right * zoom), int(canvas.right))
    bottom = min(round(box.bottom * zoom), int(canvas.bottom))
    if left >= right or top >= bottom:
        return Plan(None)
    unit, side = sqrt(canvas.width * canvas.height), sqrt((right - left) * (bottom - top))
    size = round(max(_SMALLEST, min(max(0.09 * side, unit / 70), unit / 30)))
    return Plan(Box(left, top, right, bottom), size)


def _with_chip(plan: Plan, face: Face, sheet: _Sheet) -> Plan:
    """Put the label where it covers least; smaller, then without its percentage, if that helps."""
    if plan.frame is None:
        return plan
    best, least = plan, inf
    percent = f"{face.label} {100 * face.confidence:.0f}%"
    for text, size in ((percent, plan.size), (percent, _SMALLEST), (face.label, _SMALLEST)):
        width = round(text_width(text, size) + 2 * CHIP_PAD * size)
        extent = (width, round(_CHIP_HEIGHT * size))
        for left, top in _on(plan.frame, extent):
            chip = sheet.fit(left, top, extent)
            if chip and (covered := sheet.covered(chip)) < least:
                best, least = replace(plan, chip=chip, text=text, size=size), covered
    sheet.taken += [best.chip] if best.chip else []
    return best


def _on(frame: Box, extent: tuple[int, int]) -> Iterator[tuple[float, float]]:
    """Left and top of a label above the frame, below it, then inside."""
    width, height = extent
    for top in (frame.top - height, frame.bottom, frame.top):
        yield frame.left, top
        yield frame.right - width, top


def _with_panels(
    plans: list[Plan], landmarks: list[F32], sheet: _Sheet, scale: float
) -> tuple[float, list[Plan]]:
    """Add to each face the panel that hides least of it; say what the whole is worth."""
    full = _Sheet(sheet.canvas, list(sheet.taken))
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


def _free(plan: Plan, size: int, sheet: _Sheet) -> Iterator[Box]:
    """Places for a panel that cover nothing but, perhaps, its own face; the best ones first."""
    frame, extent = plan.frame, panel.measure(size, plan.legend)
    if frame is None or extent[1] > _TALLEST * frame.height:
        return
    for left, top in _beside(frame, extent, round(_GAP * size)):
        place = sheet.fit(left, top, extent)
        if place and not sheet.covered(place, besides=frame):
            yield place


def _beside(frame: Box, extent: tuple[int, int], gap: int) -> Iterator[tuple[float, float]]:
    """Left and top of a panel right of the frame, left, below, above."""
    width, height = extent
    for left in (frame.right + gap, frame.left - gap - width):
        yield left, frame.top
        yield left, frame.bottom - height
    for top in (frame.bottom + gap, frame.top - gap - height):
        yield frame.left, top
        yield frame.right - width, top


def _hidden(place: Box, plan: Plan, landmarks: F32) -> float:
    """How much of its own face a panel hides: landmarks count most; infinite if too much."""
    if plan.frame is None or (hidden := intersection(place, plan.frame)) == 0:
        return 0.0
    share = hidden / (plan.frame.width * plan.frame.height)
    far = _EYE * sqrt(plan.frame.width * plan.frame.height)
    low, high = (place.left - far, place.top - far), (place.right + far, place.bottom + far)
    inside = ((landmarks > low) & (landmarks < high)).all(axis=1)
    return inf if share > _COVER else share + float(inside.sum())


@dataclass(slots=True)
class _Place:
    since_s: float  # when the face was found, or its place lost
    side: str = ""
    left: float = 0.0
    top: float = 0.0


class Places:
    """Remembers where each track's panel is."""

    def __init__(self, canvas: tuple[int, int], extent: tuple[int, int], size: int) -> None:
        """Start without panels.

        Args:
            canvas: width and height of the film's frames.
            extent: of a panel.
            size: of its letters.
        """
        self._canvas = canvas
        self._extent = extent
        self._gap = _GAP * size
        self._places: dict[int, _Place] = {}
        self._last_s = 0.0

    def of(
        self, faces: Sequence[Face], frames: Sequence[Box], time_s: float
    ) -> dict[int, tuple[int, int]]:
        """Find the places for the next frame.

        Args:
            faces: each with its track.
            frames: what is drawn about each face, its label included.
            time_s: when the frame is shown.

        Returns:
            Left and top of the panel, in pixels, by track; a face without room has none.
        """
        glide = 1 - 2.718 ** (-max(0.0, time_s - self._last_s) / _GLIDE_S)
        self._last_s = time_s
        tracks = [face.track if face.track is not None else -1 for face in faces]
        old = self._places
        self._places = {track: old.get(track, _Place(time_s)) for track in tracks}
        taken: list[Box] = []
        found: dict[int, tuple[int, int]] = {}
        # those that have a place come first, then the oldest
        for i in sorted(range(len(tracks)), key=lambda i: (not self._places[tracks[i]].side, i)):
            place = self._places[tracks[i]]
            others = taken + [box for j, box in enumerate(frames) if j != i]
            if self._put(place, frames[i], others, (time_s, glide)):
                box = self._box(place.left, place.top)
                taken.append(box)
                found[tracks[i]] = (round(place.left), round(place.top))
        return found

    def _put(self, place: _Place, frame: Box, others: list[Box], when: tuple[float, float]) -> bool:
        """Move a panel on, or find a place for it; say whether it has one."""
        time_s, glide = when
        if place.side:
            left, top = self._beside(frame, place.side)
            left, top = (
                place.left + glide * (left - place.left),
                place.top + glide * (top - place.top),
            )
            if self._fits(frame, (left, top), others, old=True):
                place.left, place.top = left, top
                return True
            place.side, place.since_s = "", time_s
        if time_s - place.since_s < _WAIT_S:
            return False
        for side in _SIDES:
            left, top = self._beside(frame, side)
            if self._fits(frame, (left, top), others, old=False):
                place.side, place.left, place.top = side, left, top
                return True
        return False

    def _beside(self, frame: Box, side: str) -> tuple[float, float]:
        """Left and top of a panel, moved into the picture."""
        width, height = self._extent
        left, top = {
            "right": (frame.right + self._gap, frame.top),
            "left": (frame.left - self._gap - width, frame.top),
            "below": (frame.left, frame.bottom + self._gap),
            "above": (frame.left, frame.top - self._gap - height),
        }[side]
        across, down = self._canvas[0] - width, self._canvas[1] - height
        return max(0.0, min(left, across)), max(0.0, min(top, down))

    def _fits(
        self, frame: Box, at: tuple[float, float], others: Iterator[Box] | list[Box], old: bool
    ) -> bool:
        width, height = self._extent
        if width > self._canvas[0] or height > self._canvas[1]:
            return False
        if height > _TALLEST * frame.height * (_SLACK if old else 1):
            return False
        box = self._box(*at)
        own = intersection(box, frame) / (frame.width * frame.height)
        if own > (_PUSHED if old else 0):
            return False
        return all(
            intersection(box, other) <= (0.1 * width * height if old else 0) for other in others
        )

    def _box(self, left: float, top: float) -> Box:
        return Box(left, top, left + self._extent[0], top + self._extent[1])
