"""The rows of a film's table: as it was read, or by the second; and its summary.

Frames go in one after the other, rows come out; only the second that is under way is kept. A
summary is made of a timeline's segments. Knows no files.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mien.labels import PAPER, UNCERTAIN, LabelSet, Rule
from mien.pixels import F64
from mien.recognize.columns import share_columns
from mien.recognize.face import Face
from mien.recognize.results import VideoFrame, probability_columns, video_header
from mien.show.timeline import Segment

__all__ = ["SUMMARY_HEADER", "FilmRows", "RowOptions", "summary_header", "summary_rows"]

Row = list[str | int | float | None]


def summary_header(labels: LabelSet) -> tuple[str, ...]:
    """Name the columns of a summary.

    Args:
        labels: the classes of the model that read the films.

    Returns:
        `SUMMARY_HEADER` for the paper's six and neutral.
    """
    times = ("film", "track", "start_s", "end_s", "seconds")
    return (*times, *share_columns(labels), "changes", "changes_per_minute", "transitions")


SUMMARY_HEADER = summary_header(PAPER)
_TOUCH_S = 1e-6  # segments that are no further apart follow each other


@dataclass(frozen=True, slots=True)
class RowOptions:
    """Which rows and columns a film's table has beyond the usual ones.

    Attributes:
        film: a first column: the name of the film.
        per_second: one row a track and second: means, and the label that follows from them.
        all_frames: a row, empty but for its time and number, for a frame (or second) without faces.
        measured: a last column: 1 where the scores are of this very frame, 0 where they are those
            of an earlier one.
        probabilities: last columns: those of all classes on one scale; by the second they are of
            the means.
        labels: the classes of the model that reads the film.
    """

    film: bool = False
    per_second: bool = False
    all_frames: bool = False
    measured: bool = False
    probabilities: bool = False
    labels: LabelSet = PAPER

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        first, last = ["film"] * self.film, ["measured"] * self.measured
        more = probability_columns(self.labels) if self.probabilities else ()
        return (*first, *video_header(self.labels), *last, *more)


@dataclass(slots=True)
class _Track:
    """Of one track in a second: sums of box, detection, neutral, scores; and how many."""

    rule: Rule
    sums: F64
    frames: int = 0


class FilmRows:
    """Makes the rows of one film; to be given its frames in order."""

    def __init__(self, options: RowOptions, film: str = "") -> None:
        """Start before the first frame.

        Args:
            options: which rows and columns.
            film: its name, for the first column.
        """
        self._options = options
        self._first: list[str] = [film] * options.film
        self._second: int | None = None
        self._frame = 0  # the first of the second
        self._tracks: dict[int, _Track] = {}

    def add(self, frame: VideoFrame) -> list[Row]:
        """Take in a frame.

        Args:
            frame: not earlier than the last.

        Returns:
            The rows that are complete now.
        """
        if not self._options.per_second:
            return self._rows(frame)
        rows: list[Row] = []
        second = int(frame.time_s + 1e-9)
        if second != self._second:
            rows = self.finish()
            self._second, self._frame = second, frame.number
        for face in frame.faces:
            if face.track is not None:
                new = _Track(face.rule, np.zeros(6 + len(face.values)))
                self._count(self._tracks.setdefault(face.track, new), face)
        return rows

    def _rows(self, frame: VideoFrame) -> list[Row]:
        rows: list[Row] = []
        for row, face in zip(frame.rows(), frame.faces, strict=True):
            last = [int(face.measured)] * self._options.measured
            asked = self._options.probabilities
            more = face.rounded_probabilities.values() if asked else ()
            rows.append([*self._first, *row, *last, *more])
        if not rows and self._options.all_frames:
            rows.append(self._empty(frame.time_s, frame.number))
        return rows

    def _empty(self, time_s: float, number: int) -> Row:
        start: Row = [*self._first, f"{time_s:.3f}", number]
        return start + [""] * (len(self._options.header) - len(start))

    @staticmethod
    def _count(track: _Track, face: Face) -> None:
        box = (face.box.left, face.box.top, face.box.right, face.box.bottom)
        track.sums += (*box, face.detection.confidence, face.neutral, *face.values)
        track.frames += 1

    def finish(self) -> list[Row]:
        """End the second that is under way.

        Returns:
            Its rows.
        """
        if self._second is None:
            return []
        rows: list[Row] = []
        for number, track in sorted(self._tracks.items()):
            means = (track.sums / track.frames).tolist()
            calm, scores = means[5], means[6:]
            labels = self._options.labels
            label = track.rule.label(scores, calm, labels)
            beside = [calm] if labels.calm_beside else []
            confidence = calm if beside and label == labels.calm else max(scores)
            start: Row = [*self._first, f"{self._second:.3f}", self._frame, number]
            box = [round(edge, 1) for edge in means[:4]]
            odds = labels.probabilities(scores, calm) if self._options.probabilities else {}
            means_of = (confidence, *beside, *scores, *odds.values())
            digits = [round(value, 4) for value in means_of]
            rows.append([*start, *box, round(means[4], 4), label, *digits])
        if not rows and self._options.all_frames:
            rows.append(self._empty(self._second, self._frame))
        self._second, self._tracks = None, {}
        return rows


def summary_rows(film: str, segments: Iterable[Segment], labels: LabelSet = PAPER) -> Iterator[Row]:
    """Sum up a film: for each track, and for all together, the share of time of each expression.

    A change is from one label to another without a gap between; a face that was away does not
    change meanwhile.

    Args:
        film: its name.
        segments: of its timeline.
        labels: the classes of the model that read it.

    Yields:
        Rows in the order of `summary_header`: each track by its number, then all of them, whose
        track is empty and whose time is that of all faces added up. No row for a film without
        faces.
    """
    by_track: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_track[segment.track].append(segment)
    everything: list[Segment] = []
    changes: Counter[str] = Counter()
    for track, own in sorted(by_track.items()):
        found = Counter(
            f"{a.label}>{b.label}"
            for a, b in pairwise(own)
            if a.label != b.label and b.start_s - a.end_s <= _TOUCH_S
        )
        yield _summary((film, track), own, found, labels)
        everything += own
        changes += found
    if everything:
        yield _summary((film, ""), everything, changes, labels)


def _summary(
    start: tuple[str, int | str], own: Sequence[Segment], changes: Counter[str], labels: LabelSet
) -> Row:
    named = (*labels.targets, UNCERTAIN)
    seconds = dict.fromkeys(named, 0.0)
    for segment in own:
        lasted = float(segment.end_s - segment.start_s)
        seconds[segment.label] = seconds.get(segment.label, 0.0) + lasted
    total = sum(seconds.values())
    shares = [round(seconds[word] / total, 4) if total else "" for word in named]
    first, last = min(s.start_s for s in own), max(s.end_s for s in own)
    times = [round(float(value), 3) for value in (first, last, total)]
    count = sum(changes.values())
    pace = round(60 * count / total, 3) if total else ""
    words = "; ".join(f"{change} {number}" for change, number in sorted(changes.items()))
    return [*start, *times, *shares, count, pace, words]
