"""How fast is a video of 1280x720 annotated, where does the time go, and does memory stay flat?

One, three and ten moving faces. The stages, on one thread; `mien video` with a video out and with
a table alone, as a user starts it, on one core and on two; and beside a straightforward loop,
which detects in every frame at full size and reads one face a call. The peak of memory at 1,000
and at 100,000 frames.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_video [--quick] [--long N]
--quick leaves out memory, --long measures it at another number than 100,000 frames.
Goals: with one face on one core, 30 frames a second with everything and the video encoded (aim:
60), 75 with the table alone; the peak at 100,000 frames under 600 MiB and, without what PyAV alone
grows by, at most 1.1 times that at 1,000.
Check: as many tracks as faces, from the first frame to the last; boxes on the faces that the loop
finds and labels equal to its labels; the video has every frame and its sound.
"""

import argparse
import csv
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2

from benchmarks import peak, timing, videos
from mien.media.sources import open_video
from mien.media.video_writer import atomic_video
from mien.recognize.recognizer import Recognizer
from mien.recognize.results import VideoFrame
from mien.recognize.video import Choice, VideoRecognizer
from mien.show.annotate import Overlay

COUNTS, DRAWN, FRAMES, WARMUP = (1, 3, 10), 75, 300, 25
STAGES = ("decode", "look", "draw", "encode")
SHORT, LONG, SMALL = 1_000, 100_000, (320, 180)


def stages(path: Path, out: Path) -> tuple[dict[str, float], list[VideoFrame]]:
    """Annotate a video on one thread; return each stage's mean milliseconds, and what was read."""
    recognizer = Recognizer(threads=1)
    watcher, overlay = VideoRecognizer(recognizer, Choice()), Overlay()
    spent: dict[str, list[float]] = {name: [] for name in STAGES}
    results = []
    with open_video(path, sound=True) as source, atomic_video(out, source, threads=1) as written:
        frames = iter(source)
        while True:
            marks = [time.perf_counter()]
            frame = next(frames, None)
            if frame is None:
                break
            rgb = frame.rgb()
            marks.append(time.perf_counter())
            result = watcher.read(frame.number, frame.time_s, rgb)
            marks.append(time.perf_counter())
            drawn = overlay.draw(result)
            marks.append(time.perf_counter())
            written.write(drawn, result.time_s)
            marks.append(time.perf_counter())
            results.append(
                VideoFrame(result.number, result.time_s, result.faces, rgb[:1, :1].copy())
            )
            for name, start, end in zip(STAGES, marks, marks[1:], strict=False):
                spent[name].append(end - start)
    means = {name: 1e3 * statistics.fmean(all_[WARMUP:]) for name, all_ in spent.items()}
    return {name: round(mean, 3) for name, mean in means.items()}, results


def plain_loop(path: Path) -> tuple[float, list[list[tuple[float, float, str]]]]:
    """Detect in every frame, read one face a call; return ms a frame, and centres and labels."""
    recognizer = Recognizer(threads=1)
    seen: list[list[tuple[float, float, str]]] = []
    spent = []
    with open_video(path) as source:
        start = time.perf_counter()
        for frame in source:
            rgb = frame.rgb()
            found = recognizer.detector.find(rgb)
            faces = [recognizer.read_faces(rgb, [face])[0] for face in found]
            seen.append([(*_centre(face.box), face.label) for face in faces])
            spent.append(time.perf_counter() - start)
            start = time.perf_counter()
    return 1e3 * statistics.fmean(spent[WARMUP:]), seen


def _centre(box: object) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def check_faces(
    results: list[VideoFrame], plain: list[list[tuple[float, float, str]]], faces: int
) -> dict[str, float]:
    """Compare with the loop; return the share of faces kept and of equal labels."""
    timing.check(len(results) == len(plain) == FRAMES, f"{FRAMES} frames are read")
    tracks = {face.track for frame in results for face in frame.faces}
    timing.check(len(tracks) == faces, f"{faces} tracks, got {len(tracks)}")
    kept = same = total = 0
    for frame, found in zip(results, plain, strict=True):
        total += len(found)
        for x, y, label in found:
            on = [
                face
                for face in frame.faces
                if face.box.left < x < face.box.right and face.box.top < y < face.box.bottom
            ]
            kept += bool(on)
            same += bool(on) and on[0].label == label
    timing.check(kept >= 0.98 * total, f"98 % of the loop's faces are kept, got {kept}/{total}")
    timing.check(same >= 0.97 * total, f"97 % of its labels are equal, got {same}/{total}")
    return {"faces_kept": round(kept / total, 4), "labels_equal": round(same / total, 4)}


def check_video(path: Path) -> None:
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    timing.check(frames == FRAMES, f"{FRAMES} frames in the video, got {frames}")
    timing.check(abs(samples / 48_000 - FRAMES / videos.RATE) < 0.1, "its sound is as long")


def on_cores(cores: int, call: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """Call with so many of the cores that this process may use."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[-cores:])
    try:
        return call()
    finally:
        os.sched_setaffinity(0, allowed)


def commands(path: Path, folder: Path, repeats: int) -> dict[str, float]:
    """Frames a second of `mien video`, its start left out: what more frames cost more."""
    head = videos.write(folder / "head.mp4", videos.frames(0, 2), 2)
    video, table = str(folder / "o.mp4"), str(folder / "o.csv")
    rates: dict[str, list[float]] = {}
    for _ in range(repeats):
        for cores in (1, 2):
            for name, outputs in (
                ("film", ("--out", video, "--csv", table)),
                ("table", ("--csv", table)),
            ):
                words = ("video", *outputs)
                begun, _ = on_cores(cores, lambda w=words: peak.run(*w, str(head)))
                spent, _ = on_cores(cores, lambda w=words: peak.run(*w, str(path)))
                rates.setdefault(f"{name}_{cores}", []).append(FRAMES / (spent - begun))
                with Path(table).open(encoding="utf-8", newline="") as file:
                    timing.check(len(list(csv.reader(file))) > FRAMES, "a row a face")
        check_video(Path(video))
    return {name: round(statistics.median(all_), 1) for name, all_ in rates.items()}


def memory(folder: Path, report: timing.Report, long: int) -> None:
    """Measure the peak of a video of 1,000 frames and of a much longer one.

    Beside it, what PyAV alone takes for the same two: FFmpeg keeps a line for each packet that it
    reads and writes, of pictures and of sound, until the file's index is written. An MP4 of so
    many frames cannot be read or written without, so this growth is taken off; the whole growth
    of both is among the figures.
    """
    pictures = videos.frames(1, DRAWN, SMALL)
    peaks, bare = {}, {}
    for count in (SHORT, long):
        path = videos.write(folder / f"{count}.mp4", pictures, count)
        words = ("--out", str(folder / "o.mp4"), "--csv", str(folder / "o.csv"))
        _, peaks[count] = peak.run("video", str(path), *words)
        words = ("-m", "benchmarks.bare_film", str(path), str(folder / "o.mp4"))
        _, bare[count] = peak.of(sys.executable, *words)
        path.unlink()
    own = peaks[long] - (bare[long] - bare[SHORT])
    frames = long - SHORT
    report.figures["memory"] = {
        **{f"peak_mib_{n}": round(most, 1) for n, most in peaks.items()},
        **{f"pyav_alone_mib_{n}": round(most, 1) for n, most in bare.items()},
        "growth": round(peaks[long] / peaks[SHORT], 4),
        "bytes_a_frame": round((peaks[long] - peaks[SHORT]) * 2**20 / frames, 1),
        "pyav_alone_bytes_a_frame": round((bare[long] - bare[SHORT]) * 2**20 / frames, 1),
    }
    name = f"peak memory, {long:,} / {SHORT:,} frames, without the growth of PyAV alone"
    report.goals += [
        timing.Goal(name, 1.1, round(own / peaks[SHORT], 4)),
        timing.Goal(f"peak memory of {long:,} frames, MiB", 600, round(peaks[long], 1)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="leave out memory")
    parser.add_argument("--long", type=int, default=LONG, help=f"frames, default {LONG:,}")
    chosen = timing.options(3, parser)
    settings = {"size": list(videos.SIZE), "frames": FRAMES, "repeats": chosen.repeats}
    report = timing.Report("video", __doc__.splitlines()[0], settings)
    cv2.setNumThreads(1)
    rows = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        for faces in COUNTS:
            path = videos.write(folder / f"{faces}.mp4", videos.frames(faces, DRAWN), FRAMES)
            spent, results = on_cores(1, lambda p=path: stages(p, folder / "o.mp4"))
            plain_ms, plain = on_cores(1, lambda p=path: plain_loop(p))
            figures = check_faces(results, plain, faces)
            ours = spent["decode"] + spent["look"]
            figures |= {"loop_ms": round(plain_ms, 3), "loop_ratio": round(ours / plain_ms, 4)}
            rates = commands(path, folder, chosen.repeats)
            report.figures[f"faces_{faces}"] = {"stages_ms": spent, "frames_per_s": rates} | figures
            rows += [(f"{faces} faces, {stage}", f"{ms:.2f} ms") for stage, ms in spent.items()]
            rows += [(f"{faces} faces, {what}", f"{rate} frames/s") for what, rate in rates.items()]
            rows += [(f"{faces} faces, {what}", f"{value}") for what, value in figures.items()]
            path.unlink()
        one = report.figures["faces_1"]["frames_per_s"]
        report.goals = [
            timing.Goal(f"a frame, one face, one core, {what}, ms", limit, 1000 / one[name])
            for what, limit, name in (
                ("film out", 33.3, "film_1"),
                ("table alone", 13.3, "table_1"),
            )
        ]
        if not chosen.quick:
            memory(folder, report, chosen.long)
    report.table(rows)
    report.write(chosen.out)


if __name__ == "__main__":
    main()
