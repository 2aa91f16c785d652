"""The faces of a video over time: curves of the scores, segments of one expression, peaks.

It is given one frame after the other and keeps means over bins of time: when there are too many
bins every two become one, and of many tracks the shortest are dropped, so that a video of any
length fits. Only the segments, a few numbers each, are all kept.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mien.labels import PAPER, LabelSet
from mien.media.data_frames import data_frame
from mien.media.table_files import open_typed
from mien.pixels import F64, U8
from mien.recognize.columns import columns_of, score_columns
from mien.recognize.results import Face, VideoFrame
from mien.table_kinds import TABLES

__all__ = ["SEGMENTS_HEADER", "Peak", "Segment", "Timeline"]


SEGMENTS_HEADER = tuple(TABLES["segments"].columns)
_MOST_BINS = 20_000  # of all tracks together
_LEAST_BIN_S = 0.04
_MOST_TRACKS = 64  # that have curves and peaks


@dataclass(slots=True)
class Segment:
    """A stretch of time in which a track shows one expression.

    Attributes:
        track: its number.
        label: what its faces are called.
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
        times = [round(float(self.start_s), 3), round(float(self.end_s), 3)]
        return [self.track, self.label, *times, round(self.confidence, 4)]


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """The frame in which a track showed an expression most.

    Attributes:
        label: the expression.
        time_s: when.
        confidence: how surely.
        crop: shape (side, side, 3), RGB.
        probability: of the label, on the scale of `Timeline.probabilities`.
    """

    label: str
    time_s: float
    confidence: float
    crop: U8
    probability: float


@dataclass(slots=True, eq=False)
class _History:
    """What is kept of one track: sums of (scores, neutral, 1) by bin, and peaks."""

    frames: int = 0
    bins: dict[int, F64] = field(default_factory=dict)
    peaks: dict[str, Peak] = field(default_factory=dict)


class Timeline:
    """All that is known of the faces of a video so far.

    Attributes:
        segments: in order of their start.
        tracks: how many there were.
        bin_s: seconds over which scores are averaged.
        labels: the classes of the faces; until there is one those of the paper.
        start_s: when the first frame is shown.
        end_s: when the last one is shown no longer, taken to last as long as the one before it.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.segments: list[Segment] = []
        self.tracks = 0
        self.bin_s = _LEAST_BIN_S
        self.start_s = self.end_s = 0.0
        self.labels: LabelSet = PAPER
        self._histories: dict[int, _History] = {}
        self._open: dict[int, Segment] = {}
        self._last_track = -1
        self._last_s: float | None = None

    def add(self, frame: VideoFrame) -> None:
        """Take in the next frame.

        Args:
            frame: not earlier than the last.
        """
        step = 0.0 if self._last_s is None else frame.time_s - self._last_s
        self.start_s = frame.time_s if self._last_s is None else self.start_s
        self.end_s = frame.time_s + step
        for segment in self._open.values():
            segment.end_s = frame.time_s
        shown: dict[int, Segment] = {}
        if frame.faces:
            self.labels = frame.faces[0].labels
        for face in frame.faces:
            if face.track is None:
                continue
            shown[face.track] = self._segment(face.track, face, frame.time_s, step)
            self._count(face.track, face, frame.time_s)
        self._open = shown
        self._last_s = frame.time_s
        self._prune()

    def _segment(self, track: int, face: Face, time_s: float, step: float) -> Segment:
        running = self._open.get(track)
        if running is not None and running.label == face.label:
            running.frames += 1
            running.confidence += (face.confidence - running.confidence) / running.frames
        else:
            running = Segment(track, face.label, time_s, time_s, face.confidence)
            self.segments.append(running)
        running.end_s = time_s + step  # unless a next frame says better
        return running

    def _count(self, track: int, face: Face, time_s: float) -> None:
        if track > self._last_track:  # numbers only grow
            self.tracks, self._last_track = self.tracks + 1, track
        history = self._histories.setdefault(track, _History())
        history.frames += 1
        number = int(time_s / self.bin_s + 1e-6)
        sums = history.bins.setdefault(number, np.zeros(len(face.values) + 2))
        sums += (*face.values, face.neutral, 1)
        if face.label not in face.labels.targets:
            return  # uncertain is no expression that a face could show most
        peak = history.peaks.get(face.label)
        if peak is None or face.confidence > peak.confidence:
            crop, probability = face.crop.copy(), face.probability
            peak = Peak(face.label, time_s, face.confidence, crop, probability)
            history.peaks[face.label] = peak

    def _prune(self) -> None:
        """Forget the shorter half of too many tracks; halve the number of too many bins."""
        if len(self._histories) > _MOST_TRACKS:
            kept = set(self.longest(_MOST_TRACKS // 2)) | self._open.keys()
            self._histories = {n: h for n, h in self._histories.items() if n in kept}
        while sum(len(history.bins) for history in self._histories.values()) > _MOST_BINS:
            self.bin_s *= 2
            for history in self._histories.values():
                history.bins = _halved(history.bins)

    def longest(self, count: int) -> list[int]:
        """Return the tracks with most frames.

        Args:
            count: at most so many.

        Returns:
            Their numbers, the longest first.
        """
        order = sorted(self._histories, key=lambda n: (-self._histories[n].frames, n))
        return order[:count]

    def curve(self, track: int) -> tuple[F64, F64]:
        """Return a track's scores over time.

        Args:
            track: one of `longest`.

        Returns:
            shape (N,), the middle of each bin in seconds; shape (N, C + 1), the C scores
            and neutral, which is 0 or one of them where it is not beside them.
        """
        bins = sorted(self._histories[track].bins.items())
        times = np.array([(number + 0.5) * self.bin_s for number, _ in bins])
        sums = np.stack([values for _, values in bins])
        return times, sums[:, :-1] / sums[:, -1:]

    def probabilities(self, track: int) -> tuple[F64, F64]:
        """Return over time what a track may show, on one scale.

        Args:
            track: one of `longest`.

        Returns:
            shape (N,), the middle of each bin in seconds; shape (N, targets of `labels`), summing
            to 1, of the mean scores and neutral.
        """
        times, values = self.curve(track)
        if not self.labels.calm_beside:
            return times, values[:, :-1]
        calm = values[:, -1:]
        return times, np.hstack([values[:, :-1] * (1 - calm), calm])

    def to_frame(self, library: str | None = None) -> Any:
        """Return the curves of the longest tracks as a DataFrame, a row a track and bin.

        Args:
            library: ``pandas`` or ``polars``; by default the first of them that is installed.

        Returns:
            ``pandas.DataFrame`` or ``polars.DataFrame`` with the columns track, time_s (the middle
            of the bin), neutral and the scores: means over the bin.

        Raises:
            MissingExtraError: if neither library is installed.
            UnknownNameError: if there is no such library.

        Example:
            >>> list(Timeline().to_frame().columns)[:4]
            ['track', 'time_s', 'neutral', 'happiness']
        """
        beside = self.labels.calm_beside
        rows = (
            (track, float(time_s), *map(float, [*values[-1:]] * beside), *map(float, values[:-1]))
            for track in sorted(self._histories)
            for time_s, values in zip(*self.curve(track), strict=True)
        )
        return data_frame(
            columns_of(("track", "time_s", *score_columns(self.labels))), rows, library
        )

    def peaks(self, track: int) -> list[Peak]:
        """Return the frames in which a track showed each of its expressions most.

        Args:
            track: one of `longest`.

        Returns:
            In order of time; none of what is no expression, as ``uncertain``.
        """
        return sorted(self._histories[track].peaks.values(), key=lambda peak: peak.time_s)

    def write_segments(self, path: str | Path) -> None:
        """Write the segments as a table.

        Args:
            path: the target: Parquet if it ends in .parquet or .pq, else CSV.

        Raises:
            MissingExtraError: for Parquet without the extra ``tables``.
            OutputError: if it cannot be written.
        """
        with open_typed(Path(path), TABLES["segments"].columns) as add:
            for segment in self.segments:
                add(segment.row())


def _halved(bins: dict[int, F64]) -> dict[int, F64]:
    """Put every two neighbouring bins together."""
    halved: dict[int, F64] = {}
    for number, sums in bins.items():
        halved[number // 2] = halved[number // 2] + sums if number // 2 in halved else sums
    return halved
