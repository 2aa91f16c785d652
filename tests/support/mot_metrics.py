"""How well faces are followed: against the truth, and against detection on every frame.

MOTA counts misses, false faces and switched numbers (Bernardin and Stiefelhagen 2008); IDF1 asks
how much of each person carries one number (Ristani et al. 2016); both by the library motmetrics.
Shared by tests and benchmarks. Imports: numpy, motmetrics, mien.
"""

from dataclasses import dataclass, field
from time import process_time

import motmetrics
import numpy as np

from mien.faces.boxes import Box, overlap
from mien.faces.tracker import Follower
from mien.recognize.video import Smoother

__all__ = ["Agreement", "Verdict", "against_detection", "against_truth"]

_SEEN = 0.5  # a face is to be found when this much of it is to be seen


@dataclass(frozen=True)
class Verdict:
    """How well numbers kept to persons.

    Attributes:
        mota: 1 is perfect; can be negative.
        idf1: 1 is perfect.
        switches: how often a person's number changed.
        misses: faces not found.
        false: found where nothing is.
        faces: to be found.
    """

    mota: float
    idf1: float
    switches: int
    misses: int
    false: int
    faces: int


@dataclass
class Agreement:
    """Following beside detection on every frame.

    Attributes:
        faces: that detection found.
        kept: of these, how many were followed there (overlap above 0.5).
        extra: faces followed where detection found none.
        frames: that have a face.
        same: of these, how many have the same labels on all the faces kept.
        same_smoothed: the same, both smoothed.
        searched: frames searched at full size.
        glanced: frames searched small.
        follow_s: seconds of the processor spent following, a frame each.
        detect_s: seconds of the processor spent detecting, a frame each.
    """

    faces: int = 0
    kept: int = 0
    extra: int = 0
    frames: int = 0
    same: int = 0
    same_smoothed: int = 0
    searched: int = 0
    glanced: int = 0
    follow_s: list[float] = field(default_factory=list)
    detect_s: list[float] = field(default_factory=list)


def against_truth(frames, follower: Follower) -> Verdict:
    """Follow the faces of a rendered scene and compare with where they are."""
    events = motmetrics.MOTAccumulator(auto_id=True)
    for rgb, time_s, truths in frames:
        found = [(face.track, face.detection.box) for face in follower.follow(rgb, time_s)]
        record(events, [(t.name, Box(*t.box), t.visible) for t in truths], found)
    names = ["mota", "idf1", "num_switches", "num_misses", "num_false_positives", "num_objects"]
    made = motmetrics.metrics.create().compute(events, metrics=names, return_dataframe=False)
    return Verdict(float(made["mota"]), float(made["idf1"]), *(int(made[n]) for n in names[2:]))


def record(events, truths, found) -> None:
    """Add one frame; faces hardly to be seen count neither for nor against."""
    hard = [box for _, box, visible in truths if visible < _SEEN]
    clear = [(name, box) for name, box, visible in truths if visible >= _SEEN]

    def excused(box):
        on_hard = max((overlap(box, b) for b in hard), default=0)
        return on_hard > 0.3 and on_hard > max((overlap(box, b) for _, b in clear), default=0)

    counted = [(number, box) for number, box in found if not excused(box)]
    distances = np.array([
        [1 - overlap(box, other) for _, other in counted] for _, box in clear
    ]).reshape(len(clear), len(counted))
    distances[distances > 0.5] = np.nan
    events.update([name for name, _ in clear], [number for number, _ in counted], distances)


def against_detection(frames, follower: Follower, detector, recognizer) -> Agreement:
    """Follow the faces of a film, and detect them on every frame as well."""
    result, smoothers = Agreement(), (Smoother(), Smoother())
    for rgb, time_s in frames:
        start = process_time()
        followed = follower.follow(rgb, time_s)
        middle = process_time()
        detected = detector.find(rgb)
        result.follow_s.append(middle - start)
        result.detect_s.append(process_time() - middle)
        pairs = _pairs(followed, detected)
        result.faces += len(detected)
        result.kept += len(pairs)
        result.extra += max(0, len(followed) - len(pairs))
        if detected:
            result.frames += 1
            raw, smoothed = _labels(rgb, time_s, pairs, smoothers, recognizer)
            result.same += raw[0] == raw[1]
            result.same_smoothed += smoothed[0] == smoothed[1]
    result.searched, result.glanced = follower.searched, follower.glanced
    return result


def _pairs(followed, detected) -> list:
    """Number, detection followed and detection found, where they overlap by more than half."""
    pairs = []
    for face in detected:
        best = max(followed, key=lambda f: overlap(f.detection.box, face.box), default=None)
        if best is not None and overlap(best.detection.box, face.box) > 0.5:
            pairs.append((best.track, best.detection, face))
    return pairs


def _labels(rgb, time_s, pairs, smoothers, recognizer) -> tuple[list, list]:
    """Labels of the faces followed and found, raw; and both, smoothed by the same numbers."""
    numbers = [number for number, *_ in pairs]
    raw, smoothed = [], []
    for i, smoother in enumerate(smoothers):
        faces = recognizer.read_faces(rgb, [pair[1 + i] for pair in pairs], heatmap=False)
        scores = np.array([f.values for f in faces], dtype=np.float32).reshape(-1, 6)
        neutral = np.array([f.neutral for f in faces], dtype=np.float32)
        raw.append([f.label for f in faces])
        scores, neutral = smoother.smooth(numbers, scores, neutral, time_s)
        smoothed.append(np.where(neutral > 0.5, 6, scores.argmax(axis=1)).tolist())
    return raw, smoothed
