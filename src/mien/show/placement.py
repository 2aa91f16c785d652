"""What pictures and videos share of where things go: the plan of a face, places at its frame.

Geometry only; nothing is painted here. Lengths are in pixels of the canvas unless they are in em.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt

from mien.faces.boxes import Box, intersection
from mien.labels import PAPER, UNCERTAIN, LabelSet
from mien.recognize.face import Face
from mien.show.fonts import Font
from mien.show.style import text_width
from mien.show.writing import ENGLISH, Writing

__all__ = [
    "GAP",
    "SMALLEST",
    "TALLEST",
    "Canvas",
    "Plan",
    "beside",
    "chip_corners",
    "chip_extent",
    "classes_said",
    "label_text",
    "label_texts",
    "link",
    "names_its_map",
]

SMALLEST = 12  # pixels of an em; smaller letters are hard to read
GAP = 0.5  # em between a face and its panel
TALLEST = 2.2  # a panel may be that many times as high as its face
_CHIP_PAD, _CHIP_HEIGHT = 0.5, 1.5  # em of the label

Corner = tuple[float, float]  # left and top


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
        heat: whether the heat map is drawn, if there is one.
        link: a line from the frame to its panel: x and y of both ends; None where they touch.
    """

    frame: Box | None
    size: int = SMALLEST
    text: str = ""
    chip: Box | None = None
    panel: Box | None = None
    panel_size: int = SMALLEST
    legend: bool = False
    heat: bool = True
    link: tuple[float, float, float, float] | None = None


@dataclass
class Canvas:
    """The area to draw on, what already lies on it, the classes that panels show, their names."""

    area: Box
    labels: LabelSet = PAPER
    taken: list[Box] = field(default_factory=list)
    writing: Writing = ENGLISH

    @property
    def unit(self) -> float:
        """The mean of width and height."""
        return sqrt(self.area.width * self.area.height)

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


def classes_said(face: Face) -> dict[str, float]:
    """Return the classes that the label of a face names, each with its probability.

    Args:
        face: to be named.

    Returns:
        What `Face.named` has; of an uncertain face the expression whose probability that is.
    """
    best = {UNCERTAIN: face.expression}
    return {best.get(name, name): value for name, value in face.named.items()}


def label_text(face: Face, writing: Writing = ENGLISH) -> str:
    """Return what the label of a face says: its name and how probable that is.

    Args:
        face: to be named.
        writing: of the names.

    Returns:
        Such as ``happiness 95%``, ``sadness 28%, neutral 45%`` or, of an uncertain face,
        ``uncertain: sadness 22%, neutral 44%``.
    """
    said = classes_said(face).items()
    shares = ", ".join(writing.share(name, value) for name, value in said)
    unsure = face.label == UNCERTAIN
    return writing.colon(writing.name(UNCERTAIN), shares) if unsure else shares


def label_texts(face: Face, number: int | None, writing: Writing = ENGLISH) -> list[str]:
    """Return what the label of a face may say, as long as there is room.

    Args:
        face: to be named.
        number: that tables and sentences have for the face; None if it is the only one.
        writing: of the names.

    Returns:
        All of `label_text`, its name alone, and last its number alone, which stands before both.
    """
    texts = [label_text(face, writing), writing.name(face.label)]
    if number is None:
        return texts
    return [*(f"{number}  {text}" for text in texts), f"{number}"]


def names_its_map(face: Face, panel: bool) -> bool:
    """Tell whether what is drawn beside a face says which class its heat map is of.

    Args:
        face: its map is that of `Face.expression`.
        panel: whether there is a panel, whose legend says so.

    Returns:
        False for a calm or uncertain face without a panel: its map would pass for one of its label.
    """
    return panel or face.label == face.expression


def chip_extent(text: str, size: int, font: Font) -> tuple[int, int]:
    """Return width and height of the plate of a label, of letters of a size."""
    return round(text_width(text, size, font) + 2 * _CHIP_PAD * size), round(_CHIP_HEIGHT * size)


def chip_corners(frame: Box, extent: tuple[int, int]) -> Iterator[Corner]:
    """Give left and top of a label above the frame, below it, then inside."""
    width, height = extent
    for top in (frame.top - height, frame.bottom, frame.top):
        yield frame.left, top
        yield frame.right - width, top


def beside(frame: Box, extent: tuple[int, int], gap: float) -> dict[str, list[Corner]]:
    """Return left and top of two panels on each side of the frame, the best side first."""
    width, height = extent
    tops, lefts = (frame.top, frame.bottom - height), (frame.left, frame.right - width)
    return {
        "right": [(frame.right + gap, top) for top in tops],
        "left": [(frame.left - gap - width, top) for top in tops],
        "below": [(left, frame.bottom + gap) for left in lefts],
        "above": [(left, frame.top - gap - height) for left in lefts],
    }


def link(frame: Box | None, panel: Box | None) -> tuple[float, float, float, float] | None:
    """Return the shortest line from a frame to its panel.

    Args:
        frame: about the face.
        panel: its bars.

    Returns:
        x and y of its ends; None where they touch, or one of them is not there.

    Example:
        >>> link(Box(0, 0, 10, 10), Box(14, 4, 30, 40))
        (10, 7.0, 14, 7.0)
    """
    if frame is None or panel is None:
        return None
    x0, x1 = _between(frame.left, frame.right, panel.left, panel.right)
    y0, y1 = _between(frame.top, frame.bottom, panel.top, panel.bottom)
    return None if (x0, y0) == (x1, y1) else (x0, y0, x1, y1)


def _between(low: float, high: float, other_low: float, other_high: float) -> tuple[float, float]:
    """The nearest ends of two stretches; the middle of what they share, twice, where they meet."""
    if other_low >= high:
        return high, other_low
    if other_high <= low:
        return low, other_high
    middle = (max(low, other_low) + min(high, other_high)) / 2
    return middle, middle
