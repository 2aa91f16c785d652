"""A film's faces over time: six curves a track, segments of one expression, peaks.

Fed with one moment after the other, of which it keeps means over bins; when these grow too many,
every two become one, so that a film of any length fits. Knows nothing of files but its outputs.
Imports: numpy, mien.labels, mien.show.sinks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mien.show.sinks import CsvSink

__all__ = ["SEGMENTS_HEADER", "Moment", "Segment", "Shown", "Timeline"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

SEGMENTS_HEADER = ("track", "label", "start_s", "end_s", "confidence")
_MOST_BINS = 20_000  # of all tracks together
_LEAST_BIN_S = 0.04
_PEAKS = 3  # thumbnails a track
_MOST_PEAKS = 96  # thumbnails in all


class Shown(Protocol):
    """A face as the timeline needs it."""

    @property
    def track(self) -> int | None:
        """Its number."""

    @property
    def label(self) -> str:
        """What it shows."""

    @property
    def confidence(self) -> float:
        """How surely, in [0, 1]."""

    @property
    def neutral(self) -> float:
        """Probability of showing none of the six."""

    @property
    def values(self) -> F32:
        """Shape (6,), scores."""

    @property
    def crop(self) -> U8:
        """Shape (64, 64, 3), RGB."""


class Moment(Protocol):
    """A frame as the timeline needs it."""

    @property
    def time_s(self) -> float:
        """When it is shown."""

    @property
    def number(self) -> int:
        """How many were before it."""

    @property
    def faces(self) -> Sequence[Shown]:
        """The faces in it."""


@dataclass(slots=True)
class Segment:
    """A stretch of time in which a track shows one expression.

    Attributes:
        track: its number.
        label: one of the six, or neutral.
        start_s: when the first of its frames is shown.
        end_s: when the first frame after it is shown.
        confidence: mean over its frames.
        frames: how many.
    """

    track: int
    label: str
    start_s: float
    end_s: float
    confidence: float
    frames: int = 1

    def row(self) -> list[int | str | float]:
        """Return it in the order of `SEGMENTS_HEADER`."""
        times = [round(self.start_s, 3), round(self.end_s, 3)]
        return [self.track, self.label, *times, round(self.confidence, 4)]


@dataclass(slots=True, eq=False)
class _Curve:
    """One track's bins: number of the bin -> sum of (six scores, neutral, 1)."""

    bins: dict[int, F64] = field(default_factory=dict)


class Timeline:
    """All that is known of a film's faces so far.

    Attributes:
        segments: in order of their start.
        bin_s: seconds over which scores are averaged.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.segments: list[Segment] = []
        self.bin_s = _LEAST_BIN_S
        self._curves: dict[int, _Curve] = {}
        self._open: dict[int, Segment] = {}
        self._count = 0
        self._last_s: float | None = None

    def add(self, moment: Moment) -> None:
        """Take in the next frame.

        Args:
            moment: not earlier than the last.
        """
        step = 0.0 if self._last_s is None else moment.time_s - self._last_s
        for segment in self._open.values():
            segment.end_s = moment.time_s
        still: dict[int, Segment] = {}
        for face in moment.faces:
            if face.track is None:
                continue
            still[face.track] = self._segment(face.track, face, moment.time_s, step)
            self._note(face.track, face, moment.time_s)
        self._open = still
        self._last_s = moment.time_s

    def _segment(self, track: int, face: Shown, time_s: float, step: float) -> Segment:
        running = self._open.get(track)
        if running is not None and running.label == face.label:
            running.frames += 1
            running.confidence += (face.confidence - running.confidence) / running.frames
        else:
            running = Segment(track, face.label, time_s, time_s, face.confidence)
            self.segments.append(running)
        running.end_s = time_s + step  # unless a next frame says better
        return running

    def _note(self, track: int, face: Shown, time_s: float) -> None:
        bins = self._curves.setdefault(track, _Curve()).bins
        number = int(time_s / self.bin_s)
        if number not in bins:
            bins[number] = np.zeros(8)
            self._count += 1
        bins[number] += (*face.values, face.neutral, 1)
        if self._count > _MOST_BINS:
            self._thin()

    def _thin(self) -> None:
        self.bin_s *= 2
        self._count = 0
        for curve in self._curves.values():
            halved: dict[int, F64] = {}
            for number, sums in curve.bins.items():
                halved[number // 2] = halved.get(number // 2, 0) + sums
            curve.bins = halved
            self._count += len(halved)

    def write_segments(self, path: Path) -> None:
        """Write the segments as CSV.

        Args:
            path: the target.
        """
        with CsvSink(path, SEGMENTS_HEADER) as sink:
            for segment in self.segments:
                sink.write(segment.row())

    def curve(self, track: int) -> tuple[F64, F64]:
        """Return a track's scores over time.

        Args:
            track: its number.

        Returns:
            shape (N,), the middle of each bin in seconds; shape (N, 7), the six scores and neutral.
        """
        bins = sorted(self._curves[track].bins.items())
        times = np.array([(number + 0.5) * self.bin_s for number, _ in bins])
        sums = np.stack([values for _, values in bins])
        return times, sums[:, :7] / sums[:, 7:]

    def plot(self, path: Path) -> None:
        """Draw the timeline.

        Args:
            path: of the PNG to write.
        """
        from mien.show.curves import draw_timeline

        draw_timeline(self, path)
