"""Where the panel of each face of a film goes, so that it stays put from frame to frame.

A panel goes right of its face, else left, below or above, where nothing else lies, and keeps that
side while it can: it may be pushed a little over its own face before it changes sides. A face
that was just found, or has lost its place, waits a moment for one, so nothing flashes up. All
panels have one size, which the size of the film decides. Paints nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mien.faces.boxes import Box, intersection
from mien.recognize.results import Face

__all__ = ["Places"]

_GAP = 0.5  # em between a face and its panel
_WAIT_S = 0.3  # before a face gets a panel
_TALLEST = 2.2  # a new panel may be that many times as high as its face
_SLACK = 1.3  # an old one that many times more
_PUSHED = 0.2  # share of its own face that an old panel may cover
_GLIDE_S = 0.12  # time constant with which a panel follows its face
_SIDES = ("right", "left", "below", "above")


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
