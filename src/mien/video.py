"""A film's frames with the faces in them, each face with its track and its scores.

The way through: a thread decodes -> faces are followed -> those that are due are read, all of a
frame in one batch -> scores smoothed over each track -> a `Moment`. One frame is in work and two
wait, so memory does not grow with the film. Knows nothing of drawing and tables.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.faces import align
from mien.faces.tracker import Follower, Tracked
from mien.media.sources import Reel, open_film
from mien.media.threads import ahead
from mien.pixels import U8
from mien.recognize.recognizer import Recognizer
from mien.recognize.smooth import USUAL_S, Smoother
from mien.results import Face, Moment

__all__ = ["Choice", "Watcher", "read_video", "watch"]


@dataclass(frozen=True, slots=True)
class Choice:
    """How closely a film is looked at.

    Attributes:
        every: faces are read in the first frame and every so many after it, and when they are
            new; between, they keep their scores and move on.
        smooth_s: time constant of the smoothing of scores over a track, in seconds; 0 for none.
        heatmap: whether to keep the class maps, for `Face.heatmap`.
    """

    every: int = 1
    smooth_s: float = USUAL_S
    heatmap: bool = True

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.every < 1:
            raise ValueError(f"every must be 1 or more, got {self.every}")


def read_video(
    path: str | Path,
    recognizer: Recognizer | None = None,
    choice: Choice | None = None,
    rate: float = 0,
) -> Iterator[Moment]:
    """Read the expressions in a film, frame by frame.

    The frames come as they are read; keep no more of them than you need, each has its pixels.

    Args:
        path: a video file; ``-`` for standard input; a pattern such as ``frames/%05d.jpg`` for
            numbered pictures; a number for a camera.
        recognizer: reads the faces; by default a new one of one thread, as decoding and reading
            overlap, and more threads for so little work wait for each other.
        choice: how closely to look.
        rate: frames a second of numbered pictures, 25 unless said.

    Yields:
        Every frame, with its faces in the order of their tracks.

    Example:
        >>> import mien
        >>> for moment in mien.read_video("talk.mp4"):  # doctest: +SKIP
        ...     for face in moment.faces:
        ...         print(moment.time_s, face.track, face.label, face.confidence)
    """
    with open_film(path, rate) as reel:
        yield from watch(reel, Watcher(recognizer or Recognizer(threads=1), choice or Choice()))


def watch(reel: Reel, watcher: "Watcher") -> Iterator[Moment]:
    """Look at the frames of a film that is open, while the next ones are being decoded.

    Args:
        reel: the film.
        watcher: a new one for each film.

    Yields:
        Every frame with its faces.
    """
    decoded = ((frame.number, frame.time_s, frame.rgb()) for frame in reel)
    with closing(ahead(decoded, stop=reel.stop)) as frames:
        for number, time_s, rgb in frames:
            yield watcher.look(number, time_s, rgb)


class Watcher:
    """Follows and reads the faces of one film; to be given its frames in order."""

    def __init__(self, recognizer: Recognizer, choice: Choice) -> None:
        """Start before the first frame.

        Args:
            recognizer: reads the faces.
            choice: how closely to look.
        """
        self._recognizer = recognizer
        self._choice = choice
        self._follower = Follower(recognizer.detector)
        self._smoother = Smoother(choice.smooth_s)
        self._last: dict[int, Face] = {}  # by track: the faces of the frame before

    def look(self, number: int, time_s: float, rgb: U8) -> Moment:
        """Look at the next frame.

        Args:
            number: how many frames were shown before it.
            time_s: when it is shown.
            rgb: shape (H, W, 3), uint8, RGB.

        Returns:
            The frame with its faces.
        """
        tracked = self._follower.follow(rgb, time_s)
        turn = number % self._choice.every == 0
        due = [seen for seen in tracked if turn or seen.track not in self._last]
        faces = self._read(rgb, due, time_s)
        for seen in tracked:
            if seen.track not in faces:
                faces[seen.track] = _moved(self._last[seen.track], seen)
        self._last = faces
        return Moment(number, time_s, tuple(faces[seen.track] for seen in tracked), rgb)

    def _read(self, rgb: U8, due: list[Tracked], time_s: float) -> dict[int, Face]:
        """Read some faces, and smooth their scores with those before on the same tracks."""
        if not due:
            return {}
        found = [seen.detection for seen in due]
        faces = self._recognizer.read_faces(rgb, found, self._choice.heatmap)
        tracks = [seen.track for seen in due]
        scores = np.stack([face.values for face in faces])
        neutral = np.array([face.neutral for face in faces], dtype=np.float32)
        scores, neutral = self._smoother.smooth(tracks, scores, neutral, time_s)
        return {
            track: replace(face, values=values, neutral=float(calm), track=track)
            for track, face, values, calm in zip(tracks, faces, scores, neutral, strict=True)
        }


def _moved(face: Face, seen: Tracked) -> Face:
    """The face as it was read last, where it is now."""
    to_crop = align.similarity(seen.detection.landmarks)
    return replace(face, detection=seen.detection, to_crop=to_crop)
