"""Where on a picture each frame, label and panel goes. Geometry only; nothing is painted here.

Labels come first, then panels, largest face first. A panel goes right of its face, else left,
below or above; over an edge of its own face when that is large; else there is none. All panels
shrink together until the most faces have one. Nothing leaves the picture, and no panel covers
another face or its label.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf, sqrt
from operator import itemgetter

from mien.faces.boxes import Box, intersection
from mien.pixels import F32
from mien.recognize.results import Face, Picture
from mien.show import panel
from mien.show.style import text_width

__all__ = [
    "CHIP_PAD",
    "Plan",
    "plan",
]


_SMALLEST = 12  # pixels of an em; smaller letters are hard to read
_SHRINK = (1.0, 0.85, 0.7, 0.55)  # letters of a panel, measured by the label's
_EYE = 0.08  # of a face's side: how far about a landmark a panel should stay away
_TALLEST = 2.2  # a panel may be that many times as high as its face
_COVER = 0.3  # share of its own face that a panel may cover
_SPOILT = 0.3  # worth of a panel that hides a part of its face, measured by one that does not
_GAP = 0.5  # em between a face and its panel
CHIP_PAD, _CHIP_HEIGHT = 0.5, 1.5  # em of the label


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
