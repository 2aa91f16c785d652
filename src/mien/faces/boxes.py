"""Boxes around faces, the faces that a detector found, and how far two boxes overlap."""

from dataclasses import dataclass

from mien.pixels import F32
from mien.values import hash_values, same_values

__all__ = ["Box", "Detection", "intersection", "overlap"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the picture; it may reach over the picture's edge.

    Attributes:
        left: x of the left edge.
        top: y of the upper edge.
        right: x of the right edge, greater than `left`.
        bottom: y of the lower edge, greater than `top`.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """Refuse a rectangle without area."""
        if not (self.left < self.right and self.top < self.bottom):
            raise ValueError(f"a box needs left < right and top < bottom, got {self}")

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    def as_list(self) -> list[float]:
        """Return [left, top, right, bottom], to a tenth of a pixel."""
        return [round(v, 1) for v in (self.left, self.top, self.right, self.bottom)]


@dataclass(frozen=True, slots=True, eq=False)  # eq=False: arrays have no single truth value
class Detection:
    """One face found, before anything is read in it.

    Attributes:
        box: where it is.
        landmarks: shape (5, 2), x and y in pixels: the eye on the picture's left, the other eye,
            nose tip, the mouth corner on the picture's left, the other corner. Of a face that was
            found turned: left and right as they are once it is upright.
        confidence: how sure the detector is, in [0, 1].
    """

    box: Box
    landmarks: F32
    confidence: float

    __eq__ = same_values
    __hash__ = hash_values

    def __post_init__(self) -> None:
        """Check the shape of the landmarks."""
        if self.landmarks.shape != (5, 2):
            raise ValueError(f"landmarks must have shape (5, 2), got {self.landmarks.shape}")


def intersection(a: Box, b: Box) -> float:
    """Return the area that two boxes have in common, in square pixels.

    Args:
        a: one box.
        b: the other.

    Returns:
        The area; 0 if they do not overlap.

    Example:
        >>> intersection(Box(0, 0, 4, 4), Box(2, 3, 9, 9))
        2
    """
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    return max(across, 0) * max(down, 0)


def overlap(a: Box, b: Box) -> float:
    """Return the area in both boxes over the area in either.

    Args:
        a: a box.
        b: another.

    Returns:
        0 where they are apart, 1 where they are the same.

    Example:
        >>> overlap(Box(0, 0, 2, 2), Box(1, 0, 3, 2))
        0.3333333333333333
    """
    both = intersection(a, b)
    return both / (a.width * a.height + b.width * b.height - both)
