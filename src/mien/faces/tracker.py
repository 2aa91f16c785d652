"""Track the faces of a video from frame to frame: detected now and then, followed in between.

Pipeline: is this a new shot? -> each face followed by ONet from where it should be (under a
millisecond) -> detection of the whole picture where a face was lost, faces meet, something moved
outside them, or it is time -> numbers for the faces (association.py). Knows nothing of expressions.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mien.faces import align
from mien.faces.association import (
    Observation,
    Track,
    Tracks,
    appearance,
    has_changed,
    light_and_dark,
)
from mien.faces.boxes import Box, Detection, overlap
from mien.faces.detect import Detector
from mien.pixels import F32, U8, check_rgb

__all__ = ["Follower", "Tracked"]

_FULL = 6  # frames after which the whole picture is searched at full size
_QUICK = 3  # frames after which it is searched small, where something moved
_QUICK_SIDE = 320  # pixels, long side of the small picture
_SURE = 0.5  # probability of a face, below which it is lost
_STEP = 0.1  # face sides; a face found farther from where it should be is read again
_GRID = (32, 18)  # cells of the thumbnail
_NEAR = 2  # cells that things may move from one frame to the next
_UNLIKE = 0.6  # standard deviations of the thumbnail; less is the same thing
_CUT = 0.25  # part of the cells that are found nowhere near, from which it is another shot
_MOVED = 24  # gray levels that make a cell count as changed
_MOVED_CELLS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A face in one frame.

    Attributes:
        track: the number that it keeps while it is followed.
        detection: where it is.
    """

    track: int
    detection: Detection


class Follower:
    """Finds and follows the faces of one video; to be given its frames in order.

    Attributes:
        searched: how many frames were searched at full size so far.
        glanced: how many were searched small.
    """

    def __init__(self, detector: Detector, memory_s: float = 3.0) -> None:
        """Start before the first frame.

        Args:
            detector: finds the faces.
            memory_s: seconds for which a hidden face's number is kept for its return.

        Raises:
            MissingExtraError: if lap is not installed (the ``video`` extra).
        """
        self.searched = 0
        self.glanced = 0
        self._detector = detector
        self._tracks = Tracks(memory_s)
        self._since_search = _FULL
        self._since_glance = _QUICK
        self._before: U8 | None = None  # thumbnail of the last frame
        self._known: U8 | None = None  # thumbnail of the last frame that was searched

    def follow(self, rgb: U8, time_s: float) -> list[Tracked]:
        """Find the faces of the next frame.

        Args:
            rgb: shape (H, W, 3), uint8, RGB.
            time_s: when it is shown; not earlier than the frame before.

        Returns:
            The faces in order of their numbers; boxes and landmarks in pixels of `rgb`.

        Raises:
            BadImageError: if `rgb` has another shape or type.
        """
        check_rgb(rgb)
        thumbnail = _thumbnail(rgb)
        if self._before is not None and is_cut(self._before, thumbnail):
            self._tracks.end()
            self._since_search = _FULL
        self._before = thumbnail
        self._since_search += 1
        self._since_glance += 1
        due = self._since_search >= _FULL or not self._all_followed(rgb, time_s)
        if due or self._something_new(rgb, thumbnail):
            self._search(rgb, time_s, thumbnail)
        return [Tracked(track.number, track.detection) for track in self._tracks.seen()]

    def _search(self, rgb: U8, time_s: float, thumbnail: U8) -> None:
        """Search the whole picture and number what is found."""
        faces = self._detector.find(rgb)
        crowded = [_meet(face.box, [o.box for o in faces if o is not face]) for face in faces]
        observations = [
            Observation(face, appearance(rgb, face), close)
            for face, close in zip(faces, crowded, strict=True)
        ]
        self._tracks.update(observations, time_s)
        self.searched += 1
        self._since_search = self._since_glance = 0
        self._known = thumbnail

    def _all_followed(self, rgb: U8, time_s: float) -> bool:
        """Follow every face; say whether all were found, are well apart and look as before."""
        tracks = self._tracks.seen()
        boxes = [track.expected(time_s) for track in tracks]
        moved, certainty = self._follow(rgb, tracks, boxes)
        if any(_offset(old, new.box) > _STEP for old, new in zip(boxes, moved, strict=True)):
            moved, certainty = self._follow(rgb, tracks, [face.box for face in moved])
        boxes = [face.box for face in moved]
        if (certainty < _SURE).any() or any(_meet(b, boxes[:i]) for i, b in enumerate(boxes)):
            return False
        patterns = [light_and_dark(rgb, face) for face in moved]
        if any(has_changed(t, own, time_s) for t, own in zip(tracks, patterns, strict=True)):
            return False
        for track, face, own in zip(tracks, moved, patterns, strict=True):
            track.move(face, time_s)
            track.pattern = own
        return True

    def _follow(
        self, rgb: U8, tracks: list[Track], boxes: list[Box]
    ) -> tuple[list[Detection], F32]:
        """Find each track's face in a box; return the faces and their probabilities, shape (N,)."""
        landmarks, certainty = self._detector.check(rgb, boxes)
        faces = [moved_with(t.detection, five) for t, five in zip(tracks, landmarks, strict=True)]
        return faces, certainty

    def _something_new(self, rgb: U8, thumbnail: U8) -> bool:
        """Where something moved outside the faces, look quickly for a face that is new."""
        if self._since_glance < _QUICK or self._known is None:
            return False
        boxes = [track.detection.box for track in self._tracks.seen()]
        if not _changed(self._known, thumbnail, boxes, rgb.shape):
            return False
        self.glanced += 1
        self._since_glance = 0
        faces = self._detector.boxes(rgb, _QUICK_SIDE)
        return any(max((overlap(box, b) for b in boxes), default=0) < 0.3 for box, _ in faces)


def moved_with(face: Detection, landmarks: F32) -> Detection:
    """Move a face's box as its landmarks moved.

    Args:
        face: where it was.
        landmarks: shape (5, 2), where they are now.

    Returns:
        Where it is.
    """
    matrix = align.similarity(face.landmarks, landmarks).astype(np.float64)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    box = face.box
    centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2, 1)
    x, y = (float(v) for v in matrix @ centre)
    half_width, half_height = box.width * scale / 2, box.height * scale / 2
    moved = Box(x - half_width, y - half_height, x + half_width, y + half_height)
    return Detection(moved, landmarks, face.confidence)


def is_cut(before: U8, after: U8) -> bool:
    """Say whether two thumbnails are of different shots.

    Each cell of the one is looked for within two cells of its place in the other, so that a turning
    camera and moving people are no cut; only the pattern counts, so that a flash is none either.

    Args:
        before: shape (18, 32, 3), uint8.
        after: the same of the next frame.

    Returns:
        Whether too many cells are nowhere near.
    """
    old, new = _pattern(before)[_NEAR:-_NEAR, _NEAR:-_NEAR], _pattern(after)
    height, width = old.shape[:2]
    places = [(y, x) for y in range(2 * _NEAR + 1) for x in range(2 * _NEAR + 1)]
    least = np.full((height, width), np.inf, dtype=np.float32)
    for y, x in sorted(places, key=lambda p: (p[0] - _NEAR) ** 2 + (p[1] - _NEAR) ** 2):
        unlike = np.abs(new[y : y + height, x : x + width] - old).max(axis=2)
        np.minimum(least, unlike, out=least)
        if (least > _UNLIKE).mean() < _CUT:  # most often it is so at the first place
            return False
    return True


def _pattern(thumbnail: U8) -> F32:
    """Brightness and contrast taken away; a flat picture stays flat."""
    cells = thumbnail.astype(np.float32)
    return np.asarray((cells - cells.mean()) / max(float(cells.std()), 4.0), dtype=np.float32)


def _thumbnail(rgb: U8) -> U8:
    step = max(1, min(rgb.shape[0] // 72, rgb.shape[1] // 128))
    sparse = np.ascontiguousarray(rgb[::step, ::step])
    return np.asarray(cv2.resize(sparse, _GRID, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _changed(before: U8, after: U8, faces: list[Box], shape: tuple[int, ...]) -> bool:
    """Say whether the picture, of this shape, changed outside the faces."""
    moved = cv2.absdiff(before, after).max(axis=2) > _MOVED
    across, down = _GRID[0] / shape[1], _GRID[1] / shape[0]
    for box in faces:
        left, right = max(0, int(box.left * across)), max(0, int(box.right * across) + 1)
        top, bottom = max(0, int(box.top * down)), max(0, int(box.bottom * down) + 1)
        moved[top:bottom, left:right] = False
    return int(moved.sum()) >= _MOVED_CELLS


def _offset(expected: Box, actual: Box) -> float:
    """How far the centre is from where it should be, in widths."""
    x = (actual.left + actual.right - expected.left - expected.right) / 2
    y = (actual.top + actual.bottom - expected.top - expected.bottom) / 2
    return float(np.hypot(x, y)) / expected.width


def _meet(box: Box, others: list[Box]) -> bool:
    return any(overlap(box, other) > 0 for other in others)
