"""Other looks at a picture: turned copies of it, and copies at full size.

The detector sees a picture at 640 pixels, upright. It misses many faces that are turned by more
than 45 degrees, or reads them as if they were upright, and misses faces under 24 of these pixels.
Here are the copies in which it finds them, the way back from a copy to the picture, and what to do
with a face found twice. Knows no detector.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from mien.errors import UnknownNameError
from mien.faces.boxes import Box, Detection, intersection
from mien.pixels import F64, U8

__all__ = ["SEARCHES", "Copy", "checked_search", "full_size", "merge", "turned"]

SEARCHES = ("small", "turned")
_ANGLES = (60, -60, 120, -120, 180)  # degrees; a face is at most 30 from one of them, or upright
_LEAST, _MOST = 1280, 3840  # pixels of the longer side of a copy at full size
_SAME = 0.4  # of the smaller box: so much in common, and they are one face


@dataclass(frozen=True, slots=True)
class Copy:
    """A picture made from another one.

    Attributes:
        rgb: shape (h, w, 3), uint8.
        back: shape (2, 3), from its points (x, y, 1) to those of the picture.
    """

    rgb: U8
    back: F64

    def original(self, found: Detection) -> Detection:
        """Return a face that was found in the copy as it lies in the picture.

        Args:
            found: in pixels of the copy.

        Returns:
            In pixels of the picture: its landmarks turned with it, in the order that an upright
            face has them; its box upright, as large as in the copy, about the same centre.
        """
        box, scale = found.box, float(np.sqrt(np.linalg.det(self.back[:, :2])))
        centre = np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2, 1.0])
        x, y = (float(v) for v in self.back @ centre)
        width, height = box.width * scale / 2, box.height * scale / 2
        points = np.column_stack([found.landmarks, np.ones(5)]) @ self.back.T
        return Detection(
            Box(x - width, y - height, x + width, y + height),
            points.astype(np.float32),
            found.confidence,
        )

    @classmethod
    def of(cls, rgb: U8, long_side: int, angle: float = 0.0) -> Self:
        """Resize a picture, and turn it about its centre, with black corners.

        Args:
            rgb: shape (H, W, 3), uint8.
            long_side: of the picture before it is turned, in pixels.
            angle: degrees, counter-clockwise.

        Returns:
            The copy, large enough for all of it.
        """
        height, width = rgb.shape[:2]
        scale = long_side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = rgb if size == (width, height) else cv2.resize(rgb, size, interpolation=method)
        to_copy = np.diag([size[0] / width, size[1] / height, 1.0])
        if angle:
            turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), angle, 1.0)
            large = np.abs(turn[:, :2]) @ size  # sides of the box about the turned picture
            turn[:, 2] += large / 2 - np.array(size) / 2
            whole = (round(float(large[0])), round(float(large[1])))
            resized = cv2.warpAffine(resized, turn, whole, flags=cv2.INTER_LINEAR)
            to_copy = np.vstack([turn, [0, 0, 1]]) @ to_copy
        return cls(np.asarray(resized, np.uint8), np.linalg.inv(to_copy)[:2])


def checked_search(search: Collection[str]) -> tuple[str, ...]:
    """Return the names of further looks, in order.

    Args:
        search: some of `SEARCHES`, or one of them.

    Returns:
        The same without repetitions.

    Raises:
        UnknownNameError: if one is none of them.

    Example:
        >>> checked_search(["turned", "small", "turned"])
        ('small', 'turned')
    """
    wanted = [search] if isinstance(search, str) else search
    for name in wanted:
        if name not in SEARCHES:
            raise UnknownNameError("search", name, SEARCHES)
    return tuple(name for name in SEARCHES if name in wanted)


def turned(rgb: U8, long_side: int) -> Iterator[Copy]:
    """Make the turned copies of a picture.

    Args:
        rgb: shape (H, W, 3), uint8.
        long_side: of the picture before it is turned, in pixels.

    Yields:
        A copy every 60 degrees, without the upright one.
    """
    for angle in _ANGLES:
        yield Copy.of(rgb, long_side, angle)


def full_size(rgb: U8) -> Copy:
    """Make the copy in which small faces are searched.

    Args:
        rgb: shape (H, W, 3), uint8.

    Returns:
        As large as the picture, but with a longer side of 1,280 to 3,840 pixels.
    """
    return Copy.of(rgb, min(max(*rgb.shape[:2], _LEAST), _MOST))


def merge(looks: Iterable[Iterable[Detection]]) -> list[Detection]:
    """Put what several looks found together, each face once.

    Args:
        looks: faces of the same picture. What an earlier look found stays as it is.

    Returns:
        The faces, largest first; of two that overlap, the one of the earlier look, or the surer.
    """
    kept: list[Detection] = []
    for look in looks:
        for found in sorted(look, key=lambda face: -face.confidence):
            if not any(_are_one(found.box, other.box) for other in kept):
                kept.append(found)
    return sorted(kept, key=lambda face: -face.box.width * face.box.height)


def _are_one(a: Box, b: Box) -> bool:
    smaller = min(a.width * a.height, b.width * b.height)
    return intersection(a, b) > _SAME * smaller
