"""Which face is which: numbers that stay with a face through motion, occlusion and crossings.

Pipeline: where each track should be by now -> cost of every track and detection being one face
(place, size, appearance) -> the cheapest assignment of all at once -> what is left over is new.
A number is never given twice. The appearance of a face is a short vector, a third each: light and
dark in the upright face, the colours of the head with its hair, and those of the clothes below.
This is no recognition of persons: it holds for seconds, within one shot. Knows nothing of detectors
and networks.

Source: assignment by Jonker and Volgenant 1987, doi:10.1007/BF02278710.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from mien.errors import MissingExtraError
from mien.faces import align
from mien.faces.boxes import Box, Detection
from mien.pixels import F32, F64, U8

__all__ = [
    "Observation",
    "Track",
    "Tracks",
    "appearance",
    "difference",
    "has_changed",
    "light_and_dark",
]

_REACH = 0.7  # face sides that a track may be off the next detection ...
_REACH_PER_S = 1.5  # ... and more for every second that it was hidden
_MOST_REACH = 3.0
_GROWTH = 0.7  # the most that a face's size may change, as the logarithm of the ratio
_APPEARANCE_WEIGHT = 1.5  # a wholly different one costs as much as being 1.5 reaches away
_LIMIT = 1.2  # above this cost two are not one face
_ALIKE = 0.7  # similarity that a face needs to get the number of one that was hidden or has changed
_STEADY = 0.8  # similarity of a face's light and dark to its own in the frame before
_NEXT_S = 0.1  # between frames so close together; one person and another seldom pass it
_IMPOSSIBLE = 1000.0
_SETTLE_S = 0.15  # over about this time the speed is averaged
_COAST_S = 0.7  # a hidden face goes on as it went for about this time
_APPEARANCE_STEP = 0.2  # the part of a track's appearance that a new one replaces
_FACE_SIDE = 8  # pixels of the face compared; finer, a smile would make another person
_PATCH = 16  # pixels of the patches whose colours are counted
_BINS = 4  # of each colour channel
# Top and bottom of the patches, in heights of the face's box below its upper edge.
_HEAD = (-0.35, 0.75)
_CLOTHES = (1.3, 2.4)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One face found in a picture.

    Attributes:
        detection: where.
        appearance: shape (V,), of length 1: the dot product of two is their similarity.
        crowded: whether another face's box overlaps it, so that its appearance is not its own.
        pattern: the part of the appearance that is `light_and_dark`.
    """

    detection: Detection
    appearance: F32
    crowded: bool = False
    pattern: F32 = field(init=False)  # made once, as the face is compared with every track

    def __post_init__(self) -> None:
        """Take the pattern out of the appearance."""
        part = self.appearance[: _FACE_SIDE**2]
        pattern = np.asarray(part / np.linalg.norm(part), dtype=np.float32)
        object.__setattr__(self, "pattern", pattern)


@dataclass(slots=True, eq=False)
class Track:
    """One face over time.

    Attributes:
        number: its own.
        detection: where it was seen last.
        seen_s: when.
        velocity: shape (2,), pixels a second.
        appearance: shape (V,), averaged over the last times it was seen clearly.
        hidden: whether it is not to be seen now.
        pattern: `light_and_dark` of it when it was seen last; None where another face was in front.
    """

    number: int
    detection: Detection
    seen_s: float
    appearance: F32
    velocity: F64 = field(default_factory=lambda: np.zeros(2))
    hidden: bool = False
    pattern: F32 | None = None

    def shift(self, time_s: float) -> F64:
        """Return how far it should have moved since it was seen, shape (2,), in pixels."""
        elapsed_s = max(0.0, time_s - self.seen_s)
        return self.velocity * (_COAST_S * (1 - float(np.exp(-elapsed_s / _COAST_S))))

    def expected(self, time_s: float) -> Box:
        """Return where it should be by now."""
        x, y = (float(v) for v in self.shift(time_s))
        box = self.detection.box
        return Box(box.left + x, box.top + y, box.right + x, box.bottom + y)

    def move(self, detection: Detection, time_s: float) -> None:
        """Note that it was seen."""
        elapsed_s = time_s - self.seen_s
        if elapsed_s > 0:
            speed = (_centre(detection.box) - _centre(self.detection.box)) / elapsed_s
            self.velocity += (1 - np.exp(-elapsed_s / _SETTLE_S)) * (speed - self.velocity)
        self.detection, self.seen_s, self.hidden = detection, time_s, False


class Tracks:
    """All faces seen so far that may still be there."""

    def __init__(self, memory_s: float = 3.0) -> None:
        """Start without any.

        Args:
            memory_s: seconds after which a hidden face is forgotten.

        Raises:
            MissingExtraError: if lap is not installed.
        """
        self.memory_s = memory_s
        self.tracks: list[Track] = []
        self._next = 0
        self._solve = _solver()

    def seen(self) -> list[Track]:
        """Return the tracks that are not hidden."""
        return [track for track in self.tracks if not track.hidden]

    def end(self) -> None:
        """Forget all: what comes now are other faces."""
        self.tracks.clear()

    def update(self, faces: Sequence[Observation], time_s: float) -> None:
        """Give every face its track; tracks without a face are hidden from now on.

        Args:
            faces: all that are in the picture.
            time_s: when the picture was taken.
        """
        self.tracks = [t for t in self.tracks if not t.hidden or time_s - t.seen_s <= self.memory_s]
        partners = self._assign(faces, time_s)
        for known in self.tracks:
            known.hidden = True
        for face, track in zip(faces, partners, strict=True):
            if track is None:
                track = Track(self._next, face.detection, time_s, face.appearance)
                self.tracks.append(track)
                self._next += 1
            track.move(face.detection, time_s)
            track.pattern = None if face.crowded else face.pattern
            if not face.crowded:
                track.appearance = _blend(track.appearance, face.appearance)

    def _assign(self, faces: Sequence[Observation], time_s: float) -> list[Track | None]:
        if not faces or not self.tracks:
            return [None] * len(faces)
        cost = [[difference(track, face, time_s) for track in self.tracks] for face in faces]
        _, partners, _ = self._solve(np.array(cost), extend_cost=True, cost_limit=_LIMIT)
        return [None if i < 0 else self.tracks[i] for i in partners]


def _solver() -> Callable[..., Any]:
    try:
        from lap import lapjv
    except ModuleNotFoundError:
        raise MissingExtraError("following faces", "video") from None
    solve: Callable[..., Any] = lapjv
    return solve


def difference(track: Track, face: Observation, time_s: float) -> float:
    """Return how little a face is like a track: 0 for the place, size and appearance expected.

    Args:
        track: a face seen before.
        face: a face seen now.
        time_s: now.

    Returns:
        The cost, >= 0; 1000 where they cannot be one face.
    """
    expected, box = track.expected(time_s), face.detection.box
    hidden_s = max(0.0, time_s - track.seen_s)
    reach = min(_REACH + _REACH_PER_S * hidden_s, _MOST_REACH) * _side(expected)
    place = float(np.linalg.norm(_centre(box) - _centre(expected))) / reach
    size = abs(float(np.log(_side(box) / _side(expected)))) / _GROWTH
    similarity = float(track.appearance @ face.appearance)
    in_doubt = track.hidden or has_changed(track, face.pattern, time_s)
    stranger = in_doubt and not face.crowded and similarity < _ALIKE
    if place > 1 or size > 1 or stranger:
        return _IMPOSSIBLE
    return 0.5 * place + 0.2 * size + _APPEARANCE_WEIGHT * (1 - similarity)


def has_changed(track: Track, pattern: F32, time_s: float) -> bool:
    """Tell whether a face looks unlike itself in the frame before.

    Then another person may be in its place, as after a cut before the same wall; or a hand.

    Args:
        track: a face seen before.
        pattern: `light_and_dark` of what is in its place.
        time_s: now.

    Returns:
        False also where the frames are too far apart to tell.
    """
    if track.pattern is None or time_s - track.seen_s > _NEXT_S:
        return False
    return float(track.pattern @ pattern) < _STEADY


def _centre(box: Box) -> F64:
    return np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])


def _side(box: Box) -> float:
    return float(np.sqrt(box.width * box.height))


def _blend(old: F32, new: F32) -> F32:
    mixed = old + _APPEARANCE_STEP * (new - old)
    return np.asarray(mixed / np.linalg.norm(mixed), dtype=np.float32)


def appearance(rgb: U8, detection: Detection) -> F32:
    """Describe what a face looks like.

    Args:
        rgb: shape (H, W, 3), uint8.
        detection: the face in it.

    Returns:
        shape (V,), float32, of length 1: the dot product of two is their similarity, at most 1.
    """
    patches = [_patch(rgb, detection.box, *part) for part in (_HEAD, _CLOTHES)]
    parts = [light_and_dark(rgb, detection), *(_colours(patch) for patch in patches)]
    return np.asarray(np.concatenate(parts) / np.sqrt(len(parts)), dtype=np.float32)


def light_and_dark(rgb: U8, detection: Detection) -> F32:
    """Describe the pattern of the upright face, whatever the brightness.

    Args:
        rgb: shape (H, W, 3), uint8.
        detection: the face in it.

    Returns:
        shape (64,), float32, of mean 0 and length 1; even where the face is.
    """
    crop = align.crop(rgb, align.similarity(detection.landmarks))
    small = cv2.resize(crop, (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32).ravel()
    gray -= gray.mean()
    length = float(np.linalg.norm(gray))
    if length < 1e-3:
        return np.full(gray.shape, 1 / _FACE_SIDE, dtype=np.float32)
    return gray / np.float32(length)


def _colours(rgb: U8) -> F32:
    """Square roots of the shares of colours, so that the vector has length 1."""
    index = (rgb >> 6).reshape(-1, 3).astype(np.int64) @ (1, _BINS, _BINS * _BINS)
    counts = np.bincount(index, minlength=_BINS**3)
    return np.sqrt(counts / index.size).astype(np.float32)


def _patch(rgb: U8, box: Box, top: float, bottom: float) -> U8:
    """Shrink the part of the picture between two heights of a box; at least one pixel of it."""
    height, width = rgb.shape[:2]
    y0 = round(np.clip(box.top + top * box.height, 0, height - 1))
    y1 = round(np.clip(box.top + bottom * box.height, y0 + 1, height))
    x0 = round(np.clip(box.left, 0, width - 1))
    x1 = round(np.clip(box.right, x0 + 1, width))
    size = (_PATCH, _PATCH)
    return np.asarray(cv2.resize(rgb[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA), np.uint8)
