"""Where the frame, the label and the panel of each face go in a picture. Geometry only.

Labels come first, all of one size, each with the number of its face where there are several. Then
come panels, largest face first. A panel goes right of its face, else left, below or above; over an
edge of its own face when that is large; else there is none. All panels shrink together until the
most faces have one. Nothing leaves the picture, and no panel covers another face or its label.
`mien.show.video_layout` does the same for a video.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import inf, sqrt
from operator import itemgetter
from statistics import median_high

from mien.faces.boxes import Box, intersection
from mien.labels import PAPER
from mien.pixels import F32
from mien.recognize.face import Face
from mien.recognize.results import Picture
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

__all__ = ["plan"]

_SHRINK = (1.0, 0.85, 0.7, 0.55, 0.48)  # letters of a panel, measured by the label's
_LEAST = 1 / 90  # letters, measured by the picture: when it is shown smaller they can be read
_SMALLER = (1.0, 0.85, 0.7, 0.0)  # letters of all labels, where they would cover each other
_OWN = 0.5  # what a label costs that covers its own face, measured by that over another
_EYE = 0.08  # of a face's side: how far about a landmark a panel should stay away
_COVER = 0.3  # share of its own face that a panel may cover
_SPOILT = 0.3  # worth of a panel that hides a part of its face, measured by one that does not


def plan(
    picture: Picture, zoom: int = 1, heatmap: bool = True, writing: Writing = ENGLISH
) -> list[Plan]:
    """Find a place for everything that is drawn on a picture.

    Args:
        picture: the faces and the size.
        zoom: how many times larger the picture is drawn.
        heatmap: whether heat maps are drawn where a face has them.
        writing: of everything that is written.

    Returns:
        One plan a face, in the same order.
    """
    labels = picture.faces[0].labels if picture.faces else PAPER
    area = Box(0, 0, picture.width * zoom, picture.height * zoom)
    canvas = Canvas(area, labels, writing=writing)
    plans = [Plan(_frame(face, zoom, canvas)) for face in picture.faces]
    canvas.taken += [p.frame for p in plans if p.frame]
    several = len(picture.faces) > 1
    numbered = ((face, number if several else None) for number, face in enumerate(picture.faces))
    plans = _with_chips(plans, [label_texts(*pair, writing) for pair in numbered], canvas)
    legends = [heatmap and face.maps is not None for face in picture.faces]
    plans = [replace(p, legend=legend) for p, legend in zip(plans, legends, strict=True)]
    landmarks = [face.landmarks * zoom for face in picture.faces]
    tries = [_with_panels(plans, landmarks, canvas, scale) for scale in _SHRINK]
    best = max(tries, key=itemgetter(0))[1]  # of equals the first, which has the largest letters
    return [
        replace(p, link=link(p.frame, p.panel), heat=names_its_map(face, p.panel is not None))
        for p, face in zip(best, picture.faces, strict=True)
    ]


def _frame(face: Face, zoom: int, canvas: Canvas) -> Box | None:
    """The part of the face's box in the canvas."""
    area, box = canvas.area, face.box
    left, top = max(round(box.left * zoom), 0), max(round(box.top * zoom), 0)
    right = min(round(box.right * zoom), int(area.right))
    bottom = min(round(box.bottom * zoom), int(area.bottom))
    return None if left >= right or top >= bottom else Box(left, top, right, bottom)


def _with_chips(plans: list[Plan], texts: list[list[str]], canvas: Canvas) -> list[Plan]:
    """Put the labels where they cover least, all in one size: the largest that covers nothing."""
    sides = [sqrt(p.frame.width * p.frame.height) for p in plans if p.frame]
    if not sides:
        return plans
    usual = min(max(0.09 * median_high(sides), canvas.unit / 70), canvas.unit / 36)
    smallest = max(SMALLEST, round(canvas.unit * _LEAST))
    best, least = plans, inf
    for size in dict.fromkeys(max(smallest, round(usual * scale)) for scale in _SMALLER):
        trial = replace(canvas, taken=list(canvas.taken))
        placed, cost = [], 0.0
        for own, said in zip(plans, texts, strict=True):
            made, covered = _with_chip(replace(own, size=size), said, trial)
            placed.append(made)
            cost += covered
        if cost < least:
            best, least = placed, cost
        if cost == 0:
            break
    canvas.taken += [p.chip for p in best if p.chip]
    return best


def _with_chip(plan: Plan, texts: list[str], canvas: Canvas) -> tuple[Plan, float]:
    """Put a label where it covers least, with a shorter text if that helps; and its cost."""
    if plan.frame is None:
        return plan, 0.0
    best, least = plan, inf
    for price, text in enumerate(texts):  # the shorter is only better than covering
        extent = chip_extent(text, plan.size, canvas.writing.font)
        for left, top in chip_corners(plan.frame, extent):
            chip = canvas.fit(left, top, extent)
            if chip is None:
                continue
            own = _OWN * intersection(chip, plan.frame)
            if (cost := canvas.covered(chip, besides=plan.frame) + own + price) < least:
                best, least = replace(plan, chip=chip, text=text), cost
    canvas.taken += [best.chip] if best.chip else []
    return best, least if best.chip else len(texts)  # none at all is worse than the shortest


def _with_panels(
    plans: list[Plan], landmarks: list[F32], canvas: Canvas, scale: float
) -> tuple[float, list[Plan]]:
    """Add to each face the panel that hides least of it; say what the whole is worth."""
    full = replace(canvas, taken=list(canvas.taken))
    least = max(SMALLEST, round(canvas.unit * _LEAST))
    worth, placed = 0.0, []
    for plan, points in zip(plans, landmarks, strict=True):
        size = max(least, round(plan.size * scale))
        tries = [(_hidden(place, plan, points), place) for place in _free(plan, size, full)]
        cost, place = min(tries, key=itemgetter(0), default=(inf, None))
        if place is None or cost == inf:
            placed.append(plan)
            continue
        full.taken.append(place)
        placed.append(replace(plan, panel=place, panel_size=size))
        worth += sqrt(scale) * (_SPOILT / (1 + cost) if cost else 1)
    return worth, placed


def _free(plan: Plan, size: int, canvas: Canvas) -> Iterator[Box]:
    """Places for a panel that cover nothing but, perhaps, its own face; the best ones first."""
    frame = plan.frame
    extent = measure(size, plan.legend, canvas.labels, canvas.writing)
    if frame is None or extent[1] > TALLEST * frame.height:
        return
    for corners in beside(frame, extent, round(GAP * size)).values():
        for left, top in corners:
            place = canvas.fit(left, top, extent)
            if place and not canvas.covered(place, besides=frame):
                yield place


def _hidden(place: Box, plan: Plan, landmarks: F32) -> float:
    """How much of its own face a panel hides: landmarks count most; infinite if too much."""
    if plan.frame is None or (hidden := intersection(place, plan.frame)) == 0:
        return 0.0
    share = hidden / (plan.frame.width * plan.frame.height)
    far = _EYE * sqrt(plan.frame.width * plan.frame.height)
    low, high = (place.left - far, place.top - far), (place.right + far, place.bottom + far)
    inside = ((landmarks > low) & (landmarks < high)).all(axis=1)
    return inf if share > _COVER else share + float(inside.sum())
