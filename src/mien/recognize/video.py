"""A video becomes frames with the faces in them, each face with its track and its scores.

Pipeline: a thread decodes -> faces are followed -> those that are due are read, all of a frame in
one batch -> scores smoothed over each track -> a `VideoFrame`. One frame is in work and two wait,
so memory does not grow with the video.

Smoothing keeps scores from flickering: the logits of each track are averaged exponentially,
weighted by time and not by frames, and over the past only: what is shown in a frame never depends
on a later one. A calm face says little about the six, so a frame counts for them as much as the
face is not calm; else a smile would begin with what the calm face resembled. Knows nothing of
drawing and tables.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.faces import align
from mien.faces.boxes import Detection
from mien.faces.tracker import Follower, Tracked
from mien.media.sources import open_video
from mien.media.threads import prefetch
from mien.media.video_source import VideoSource
from mien.pixels import F32, F64, U8
from mien.recognize.model import calm_scores
from mien.recognize.recognizer import Recognizer
from mien.recognize.results import Face, VideoFrame

__all__ = ["USUAL_S", "Choice", "Smoother", "VideoRecognizer", "read_video", "recognize_frames"]

# In the clips of a calm face that smiles it leaves the smile alone of 2 changes of label, and in a
# film with noise the 4 that were drawn of 6; a change is seen 0.2 s later, with longer ones later
# still (benchmarks/bench_tracks.py).
USUAL_S = 0.3
_LEAST = 1e-6  # probability; the logarithm of 0 would never be forgotten
_FORGOTTEN = 10  # time constants after which the past weighs less than 1 in 20,000


@dataclass(frozen=True, slots=True)
class Choice:
    """How closely a video is read.

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
        if not (self.every >= 1 and self.every % 1 == 0):
            raise ValueError(f"every must be a whole number from 1, got {self.every}")
        if not self.smooth_s >= 0:  # nor what is no number
            raise ValueError(f"smooth_s must be 0 or more, got {self.smooth_s}")


def read_video(
    path: str | Path | int,
    recognizer: Recognizer | None = None,
    choice: Choice | None = None,
    rate: float = 0,
    allow_network: bool = False,
) -> Generator[VideoFrame, None, None]:
    """Read the expressions in a video, frame by frame.

    The frames come as they are read; keep no more of them than you need, each has its pixels. A
    film is closed after its last frame, and when the iterator is closed or forgotten:
    `contextlib.closing` does so at the end of a block.

    Args:
        path: a video file; ``-`` for standard input; a pattern such as ``frames/%05d.jpg`` for
            numbered pictures, or a folder of pictures; a number for a camera; an address.
        recognizer: reads the faces; by default a new one of one thread, as decoding and reading
            overlap, and more threads for so little work wait for each other.
        choice: how closely to read.
        rate: frames a second of pictures and of raw streams such as an .h264, 25 unless said.
        allow_network: let addresses be opened, and lists of other files and addresses.

    Yields:
        Every frame, with its faces in the order of their tracks.

    Raises:
        BadImageError: if there is no such video, or nothing of it can be read.
        BadSettingError: if a rate is given to a source that has its own, or is not above 0.
        BadModelError: as `Recognizer` and its `detector`.
        MissingExtraError: if PyAV is not installed and a video file is named.

    Example:
        >>> import mien
        >>> for frame in mien.read_video("talk.mp4"):  # doctest: +SKIP
        ...     for face in frame.faces:
        ...         print(frame.time_s, face.track, face.label, face.confidence)
    """
    with open_video(path, rate, allow_network=allow_network) as source:
        recognizer = recognizer or Recognizer(threads=1)
        yield from recognize_frames(source, VideoRecognizer(recognizer, choice))


def recognize_frames(
    source: VideoSource, video_recognizer: "VideoRecognizer"
) -> Generator[VideoFrame, None, None]:
    """Read the frames of an open video, while the next ones are being decoded.

    Args:
        source: of the frames.
        video_recognizer: a new one for each video.

    Yields:
        Every frame with its faces.
    """
    decoded = ((frame.number, frame.time_s, rgb) for frame, rgb in source.pictures(source))
    with closing(prefetch(decoded, stop=source.stop)) as frames:
        for number, time_s, rgb in frames:
            yield video_recognizer.read(number, time_s, rgb)


class VideoRecognizer:
    """Follows and reads the faces of one video; to be given its frames in order."""

    def __init__(self, recognizer: Recognizer, choice: Choice | None = None) -> None:
        """Start before the first frame.

        Args:
            recognizer: reads the faces.
            choice: how closely to read.
        """
        self._recognizer = recognizer
        self._choice = choice or Choice()
        self._follower = Follower(recognizer.detector)
        self._smoother = Smoother(self._choice.smooth_s)
        self._last: dict[int, Face] = {}  # by track: the faces of the frame before

    def read(self, number: int, time_s: float, rgb: U8) -> VideoFrame:
        """Read the faces of the next frame.

        Args:
            number: how many frames were shown before it.
            time_s: when it is shown.
            rgb: shape (H, W, 3), uint8, RGB.

        Returns:
            The frame with its faces.

        Raises:
            BadImageError: if `rgb` has another shape or type.

        Example:
            >>> import skimage.data
            >>> video = VideoRecognizer(Recognizer(threads=1))
            >>> frames = [skimage.data.astronaut()] * 3
            >>> [video.read(n, n / 25, rgb).faces[0].track for n, rgb in enumerate(frames)]
            [0, 0, 0]
        """
        tracked = self._follower.follow(rgb, time_s)
        all_due = number % self._choice.every == 0
        due = [t for t in tracked if all_due or t.track not in self._last]
        faces = self._read_due(rgb, due, time_s)
        for t in tracked:
            if t.track not in faces:
                faces[t.track] = _moved(self._last[t.track], t.detection)
        self._last = faces
        shown = tuple(faces[t.track] for t in tracked)
        return VideoFrame(number, time_s, shown, rgb, self._recognizer.labels)

    def _read_due(self, rgb: U8, due: list[Tracked], time_s: float) -> dict[int, Face]:
        """Read the faces that are due, and smooth their scores over their tracks."""
        if not due:
            return {}
        tracks = [t.track for t in due]
        detections = [t.detection for t in due]
        faces = self._recognizer.read_faces(rgb, detections, self._choice.heatmap)
        scores = np.stack([face.values for face in faces])
        labels = self._recognizer.labels
        # a frame weighs less for the others the calmer it is; not if calm is one of the others
        own = [face.neutral if labels.calm_beside else 0.0 for face in faces]
        calms = np.array(own, dtype=np.float32)
        scores, neutral = self._smoother.smooth(tracks, scores, calms, time_s)
        if not labels.calm_beside:
            neutral = calm_scores(labels, scores)
        return {
            track: replace(face, values=values, neutral=float(calm), track=track)
            for track, face, values, calm in zip(tracks, faces, scores, neutral, strict=True)
        }


def _moved(face: Face, detection: Detection) -> Face:
    """The face as it was read last, where it is now."""
    to_crop = align.framing(detection.landmarks, face.crop.shape[0])
    return replace(face, detection=detection, to_crop=to_crop, measured=False)


@dataclass(slots=True, eq=False)
class _State:
    time_s: float
    sums: F64  # (C,): of the scores' logits, each frame by its weight
    weight: float
    calm: float  # neutral's logit


class Smoother:
    """Smooths the scores of each track over time; remembers their logits."""

    def __init__(self, time_constant_s: float = USUAL_S) -> None:
        """Start without tracks.

        Args:
            time_constant_s: after this time a change has come through by 63 %; 0 smooths nothing.

        Raises:
            ValueError: if it is negative.
        """
        if not time_constant_s >= 0:
            raise ValueError(f"the time constant must be 0 or more, got {time_constant_s}")
        self.time_constant_s = time_constant_s
        self._states: dict[int, _State] = {}

    def smooth(
        self, tracks: Sequence[int], scores: F32, neutral: F32, time_s: float
    ) -> tuple[F32, F32]:
        """Smooth the scores of the faces in one frame.

        Args:
            tracks: their numbers, no two alike.
            scores: shape (N, C), probabilities, each row summing to 1.
            neutral: shape (N,), probabilities.
            time_s: when the frame is shown; not earlier than the last.

        Returns:
            The same, smoothed: the first frame of a track as it is.
        """
        if self.time_constant_s == 0 or not tracks:
            return scores, neutral
        self._forget(time_s)
        states = [
            self._step(track, values.astype(np.float64), float(calm), time_s)
            for track, values, calm in zip(tracks, scores, neutral, strict=True)
        ]
        powers = np.exp(np.stack([state.sums / state.weight for state in states]))
        shares = powers / powers.sum(axis=1, keepdims=True)
        calms = (1 + np.tanh(np.array([state.calm for state in states]) / 2)) / 2  # logistic
        return shares.astype(np.float32), calms.astype(np.float32)

    def _step(self, track: int, scores: F64, neutral: float, time_s: float) -> _State:
        weight = max(1 - neutral, _LEAST)
        calm = float(np.log(max(neutral, _LEAST) / weight))
        new = _State(time_s, weight * np.log(np.clip(scores, _LEAST, None)), weight, calm)
        old = self._states.get(track)
        if old is not None:
            kept = float(np.exp(-max(0.0, time_s - old.time_s) / self.time_constant_s))
            new.sums += kept * (old.sums - new.sums)
            new.weight += kept * (old.weight - new.weight)
            new.calm += kept * (old.calm - new.calm)
        self._states[track] = new
        return new

    def _forget(self, time_s: float) -> None:
        """Drop tracks whose past no longer matters."""
        oldest = time_s - _FORGOTTEN * self.time_constant_s
        self._states = {n: s for n, s in self._states.items() if s.time_s >= oldest}
