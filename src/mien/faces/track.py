"""Which face is which: numbers that stay with a face through motion, occlusion and crossings.

The way through: where each track should be by now -> cost of every track and detection being one
face (place, size, look) -> the cheapest assignment of all at once -> what is left over is new.
A number is never given twice. Knows nothing of detectors, networks and pictures.
Imports: numpy, lap (the ``video`` extra, when it is needed), mien.results.

Source: assignment by Jonker and Volgenant 1987, doi:10.1007/BF02278710.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mien.errors import MissingExtraError
from mien.results import Box, Detection

__all__ = ["Track", "Tracks", "overlap"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_REACH = 0.7  # face sides that a track may be off the next detection ...
_REACH_PER_S = 1.5  # ... and more for every second that it was hidden
_MOST_REACH = 3.0
_GROWTH = 0.7  # the most that a face's size may change, as the logarithm of the ratio
_LOOK_WEIGHT = 1.5  # a wholly different look costs as much as being 1.5 reaches away
_LIMIT = 1.2  # above this cost two are not one face
_SETTLE_S = 0.15  # over about this time the speed is averaged
_COAST_S = 0.7  # a hidden face goes on as it went for about this time
_LOOK_STEP = 0.2  # the part of a track's look that a new one replaces


@dataclass(slots=True, eq=False)
class Track:
    """One face over time.

    Attributes:
        number: its own.
        detection: where it was seen last.
        seen_s: when.
        velocity: shape (2,), pixels a second.
        look: what it looks like, a vector of length 1; None before it was looked at.
        hidden: whether it is not to be seen now.
    """

    number: int
    detection: Detection
    seen_s: float
    velocity: F64 = field(default_factory=lambda: np.zeros(2))
    look: F32 | None = None
    hidden: bool = False

    def shift(self, time_s: float) -> F64:
        """Return how far it should have moved since it was seen, shape (2,), in pixels."""
        gone = max(0.0, time_s - self.seen_s)
        return self.velocity * (_COAST_S * (1 - float(np.exp(-gone / _COAST_S))))

    def expected(self, time_s: float) -> Box:
        """Return where it should be by now."""
        x, y = (float(v) for v in self.shift(time_s))
        box = self.detection.box
        return Box(box.left + x, box.top + y, box.right + x, box.bottom + y)

    def move(self, detection: Detection, time_s: float) -> None:
        """Note that it was seen."""
        gone = time_s - self.seen_s
        if gone > 0:
            speed = (_centre(detection.box) - _centre(self.detection.box)) / gone
            self.velocity += (1 - np.exp(-gone / _SETTLE_S)) * (speed - self.velocity)
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

    def update(self, found: Sequence[Detection], looks: Sequence[F32], time_s: float) -> None:
        """Give every detection its track; tracks without one are hidden from now on.

        Args:
            found: all faces in the picture.
            looks: of each, a vector of length 1.
            time_s: when the picture was taken.
        """
        self.tracks = [t for t in self.tracks if time_s - t.seen_s <= self.memory_s]
        partners = self._assign(found, looks, time_s)
        for known in self.tracks:
            known.hidden = True
        for detection, look, track in zip(found, looks, partners, strict=True):
            if track is None:
                self.tracks.append(Track(self._next, detection, time_s, look=look))
                self._next += 1
            else:
                track.move(detection, time_s)
                crowded = any(
                    overlap(detection.box, o.box) > 0 for o in found if o is not detection
                )
                if not crowded:
                    track.look = _blend(track.look, look)

    def _assign(
        self, found: Sequence[Detection], looks: Sequence[F32], time_s: float
    ) -> list[Track | None]:
        if not found or not self.tracks:
            return [None] * len(found)
        cost = np.array([
            [difference(track, detection, look, time_s) for track in self.tracks]
            for detection, look in zip(found, looks, strict=True)
        ])
        _, partners, _ = self._solve(cost, extend_cost=True, cost_limit=_LIMIT)
        return [None if i < 0 else self.tracks[i] for i in partners]


def difference(track: Track, detection: Detection, look: F32, time_s: float) -> float:
    """Return how little a detection is like a track: 0 for the same place, size and look.

    Args:
        track: a face seen before.
        detection: a face seen now.
        look: of the detection.
        time_s: now.

    Returns:
        The cost, >= 0; 1000 where they cannot be one face.
    """
    expected, box = track.expected(time_s), detection.box
    hidden_s = max(0.0, time_s - track.seen_s)
    reach = min(_REACH + _REACH_PER_S * hidden_s, _MOST_REACH) * _side(expected)
    place = float(np.linalg.norm(_centre(box) - _centre(expected))) / reach
    size = abs(float(np.log(_side(box) / _side(expected)))) / _GROWTH
    if place > 1 or size > 1:
        return 1000.0
    unlike = 0.0 if track.look is None else 1 - float(track.look @ look)
    return 0.5 * place + 0.2 * size + _LOOK_WEIGHT * unlike


def overlap(a: Box, b: Box) -> float:
    """Return the area in both boxes over the area in either.

    Example:
        >>> overlap(Box(0, 0, 2, 2), Box(1, 0, 3, 2))
        0.3333333333333333
    """
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a.width * a.height + b.width * b.height - both)


def _centre(box: Box) -> F64:
    return np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])


def _side(box: Box) -> float:
    return float(np.sqrt(box.width * box.height))


def _blend(old: F32 | None, new: F32) -> F32:
    if old is None:
        return new
    mixed = old + _LOOK_STEP * (new - old)
    return np.asarray(mixed / np.linalg.norm(mixed), dtype=np.float32)


def _solver() -> Callable[..., Any]:
    try:
        from lap import lapjv
    except ImportError:
        raise MissingExtraError("following faces", "video") from None
    solve: Callable[..., Any] = lapjv
    return solve
