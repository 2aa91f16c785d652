"""Do faces keep their numbers, does following keep what detection finds, what does smoothing do?

Three questions over rendered scenes with known faces (tests/support/rendered_scenes.py) and, where
MIEN_DATA has them, over the real clips:
numbers: MOTA and IDF1 by the library motmetrics, in every scene;
quality: against detection of every frame at full size, how many of its faces are followed there
(overlap above 0.5), in how many frames all faces have the same label, raw and smoothed; beside it,
how often detection agrees with itself when the video gets noise of 2 gray levels, and what a frame
costs, as a ratio measured side by side;
smoothing: changes of label a second without and with it, and how much later a change is seen.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_tracks      Needs motmetrics (the dev extra).
Check: the drawn faces change their expression as often, and when, they were drawn to.
"""

import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import mien
from benchmarks import timing
from mien.faces.detect import Detector
from mien.faces.tracker import Follower
from mien.labels import LABELS, NEUTRAL
from mien.media.video_reader import VideoFile
from mien.recognize.video import USUAL_S, Smoother
from tests.support import mot_metrics, rendered_scenes

CLIPS = Path(os.environ.get("MIEN_DATA", "../shared/data")) / "videos"
CONSTANTS = (0.0, 0.1, 0.2, USUAL_S, 0.5)  # seconds
NOISE = 2.0  # gray levels

Pictures = list[tuple[np.ndarray, float]]
Courses = dict[int, list[tuple[float, str]]]


class Reader:
    """The networks, and what they say of faces; kept between videos."""

    def __init__(self) -> None:
        """Load them, for one thread."""
        self.recognizer = mien.Recognizer(threads=1)
        self.detector = Detector(threads=1)

    def follow(self, pictures: Pictures) -> list[tuple[float, list[int], Any, Any]]:
        """Return time, tracks, scores and neutral of every frame with a face."""
        follower, read = Follower(self.detector), []
        for rgb, time_s in pictures:
            tracked = follower.follow(rgb, time_s)
            faces = self.recognizer.read_faces(rgb, [t.detection for t in tracked], heatmap=False)
            if faces:
                scores = np.stack([face.values for face in faces])
                neutral = np.array([face.neutral for face in faces], dtype=np.float32)
                read.append((time_s, [t.track for t in tracked], scores, neutral))
        return read


def courses(read: Iterable[tuple[float, list[int], Any, Any]], constant_s: float) -> Courses:
    """Smooth what was read; return each track's times and labels."""
    smoother, made = Smoother(constant_s), {}
    for time_s, tracks, scores, neutral in read:
        shown = zip(tracks, *smoother.smooth(tracks, scores, neutral, time_s), strict=True)
        for track, values, calm in shown:
            label = NEUTRAL if calm > 0.5 else LABELS[int(values.argmax())]
            made.setdefault(track, []).append((time_s, label))
    return made


def changes(made: Courses) -> list[list[tuple[float, str]]]:
    """Return when each track's label changed, and to what."""
    return [[new for old, new in pairwise(course) if old[1] != new[1]] for course in made.values()]


def per_second(made: Courses) -> float:
    """Changes of label in a second of a track."""
    seconds = sum(course[-1][0] - course[0][0] for course in made.values())
    return sum(map(len, changes(made))) / seconds if seconds else 0.0


def drawn_video(shots: tuple[rendered_scenes.Shot, ...]) -> Pictures:
    """Render a scene."""
    return [(rgb, time_s) for rgb, time_s, _ in rendered_scenes.frames(shots)]


def clips() -> dict[str, Pictures]:
    """Decode the real clips, where they are."""
    found: dict[str, Pictures] = {}
    for path in sorted(CLIPS.glob("*face*")):
        with VideoFile(path) as frames:
            found[path.name] = [(frame.rgb(), frame.time_s) for frame in frames]
    return found


def numbers(report: timing.Report, reader: Reader) -> None:
    """MOTA and IDF1 of every scene."""
    rows = report.figures["scenes"] = {}
    for name, shots in rendered_scenes.SCENES.items():
        verdict = mot_metrics.against_truth(
            rendered_scenes.frames(shots), Follower(reader.detector)
        )
        rows[name] = {
            "mota": round(verdict.mota, 4),
            "idf1": round(verdict.idf1, 4),
            "switches": verdict.switches,
            "misses": verdict.misses,
            "false": verdict.false,
            "faces": verdict.faces,
        }
    report.goals.append(timing.Goal("1 - IDF1, worst scene", 0.05, _worst(rows, "idf1")))
    report.goals.append(timing.Goal("1 - MOTA, worst scene", 0.05, _worst(rows, "mota")))


def _worst(rows: dict[str, Any], key: str) -> float:
    return round(1 - min(row[key] for row in rows.values()), 4)


def quality(report: timing.Report, reader: Reader, videos: dict[str, Pictures]) -> None:
    """Following beside detection of every frame."""
    rows, total, costs = {}, mot_metrics.Agreement(), []
    for name, pictures in videos.items():
        follower = Follower(reader.detector)
        found = mot_metrics.against_detection(
            pictures, follower, reader.detector, reader.recognizer
        )
        cost = float(np.sum(found.follow_s) / np.sum(found.detect_s))
        costs.append(cost)
        rows[name] = _row(found) | {"follow_to_detect": round(cost, 4)}
        if name in rendered_scenes.SCENES:
            for key in ("faces", "kept", "extra", "frames", "same", "same_smoothed"):
                setattr(total, key, getattr(total, key) + getattr(found, key))
    report.figures["quality"] = rows | {"all scenes": _row(total)}
    report.goals += [
        timing.Goal("faces of detection lost, all scenes", 0.02, _lost(total.kept, total.faces)),
        timing.Goal("frames with another label, all scenes", 0.03, _lost(total.same, total.frames)),
        timing.Goal(
            "cost of following / detection of every frame", 0.33, round(float(np.median(costs)), 4)
        ),
    ]


def _lost(kept: int, of: int) -> float:
    return round(1 - kept / of, 4)


def _row(found: mot_metrics.Agreement) -> dict[str, float | int]:
    counts = {"faces": found.faces, "extra": found.extra}
    if found.searched:
        counts |= {"searched": found.searched, "glanced": found.glanced}
    if not found.frames:
        return counts
    return counts | {
        "kept": round(found.kept / found.faces, 4),
        "same_label": round(found.same / found.frames, 4),
        "same_label_smoothed": round(found.same_smoothed / found.frames, 4),
    }


def self_agreement(reader: Reader, pictures: Pictures) -> float:
    """How often detection of every frame gives the same label when the video has a little noise."""
    rng, same, frames = np.random.default_rng(0), 0, 0
    for rgb, _ in pictures:
        noisy = np.clip(rgb + rng.normal(0, NOISE, rgb.shape), 0, 255).astype(np.uint8)
        labels = [[f.label for f in reader.recognizer.read(p, heatmap=False).faces[:1]] for p in
                  (rgb, noisy)]  # fmt: skip
        frames += bool(labels[0])
        same += bool(labels[0]) and labels[0] == labels[1]
    return round(same / max(1, frames), 4)


def smoothing(report: timing.Report, reader: Reader, videos: dict[str, Pictures]) -> None:
    """Changes a second and delay, by time constant."""
    rows = report.figures["smoothing"] = {}
    all_read = {name: reader.follow(pictures) for name, pictures in videos.items()}
    for name, read in all_read.items():
        if not read:
            continue
        rows[name] = {
            f"{constant} s": {
                "changes": [
                    [[round(time_s, 2), label] for time_s, label in track]
                    for track in changes(courses(read, constant))
                ][:1],
                "changes_per_s": round(per_second(courses(read, constant)), 3),
            }
            for constant in CONSTANTS
        }
    raw = changes(courses(all_read["alone"], 0.0))[0]
    timing.check(len(raw) == 4, f"four changes were drawn, {len(raw)} seen")
    timing.check(
        np.allclose([t for t, _ in raw], [0, 1, 2, 3], atol=0.08), f"when they were drawn: {raw}"
    )
    later = changes(courses(all_read["alone"], USUAL_S))[0]
    timing.check(len(later) == 4, "smoothed, the four changes are still seen")
    delay = float(np.mean([b[0] - a[0] for a, b in zip(raw, later, strict=True)]))
    report.figures["delay_s"] = round(delay, 3)
    report.goals.append(timing.Goal("delay of a change, s", 0.25, round(delay, 3)))


def main() -> None:
    chosen = timing.options(repeats=1)
    settings = {
        "scene": [640, 360],
        "rate": rendered_scenes.RATE,
        "threads": 1,
        "time_constant_s": USUAL_S,
    }
    report = timing.Report("tracks", __doc__.splitlines()[0], settings)
    cv2.setNumThreads(1)
    reader, real = Reader(), clips()
    numbers(report, reader)
    drawn = {name: drawn_video(shots) for name, shots in rendered_scenes.SCENES.items()}
    quality(report, reader, drawn | real)
    noisy = [(_with_noise(rgb, i), t) for i, (rgb, t) in enumerate(drawn["alone"])]
    smoothing(report, reader, {"alone": drawn["alone"], "alone, noise of 30": noisy} | real)
    for name, pictures in real.items():
        row = report.figures["quality"][name]
        if row["faces"]:
            row["detection_with_itself"] = self_agreement(reader, pictures)
    if not real:
        report.figures["clips"] = f"not measured: no clips in {CLIPS.name}/"
    rows = [(name, f"{row}") for name, row in report.figures["scenes"].items()]
    rows += [(name, f"{row}") for name, row in report.figures["quality"].items()]
    rows += [
        (f"{name}, {constant}", f"{row['changes_per_s']} changes a second")
        for name, by_constant in report.figures["smoothing"].items()
        for constant, row in by_constant.items()
    ]
    report.table(rows)
    report.write(chosen.out)


def _with_noise(rgb: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 30, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
