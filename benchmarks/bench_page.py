"""How fast does the page in the browser read, beside Python, and how soon after it is opened?

The same frames of 640x480, one face, are read in turn by the engine in Chromium and by Python, on
one thread each: found or followed as `mien video` does, framed, scored, smoothed. A camera in the
page searches less often and smaller; it is measured too. Then the page is opened anew, as files
and as one file, until the portrait in it has been answered. Needs playwright and Chromium.

Run: python -m benchmarks.bench_page
Goals: an answer within 3 s of opening, in at most 10 MB of gzip; a camera's frame within 40 ms.
Check: labels and tracks are those of Python, scores within 0.001; the portrait smiles.
"""

import gzip
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from benchmarks import timing
from mien import Recognizer
from mien.recognize.video import Choice, VideoRecognizer
from mien.serve.page_files import page_as_one_file, page_files
from tests.support.browser import Engine, chromium, engine, served
from tests.support.rendered_scenes import SCENES, frames

STAGES = ("find", "align", "classify")
SHOWN = 12  # frames of each round
WARM = 90  # frames before: a browser compiles WebAssembly fast at first, and well after a while


def pictures() -> Iterator[tuple[np.ndarray, float]]:
    """The scene of one face, 640x360, with borders above and below as in a camera's 4:3."""
    for rgb, time_s, _ in frames(SCENES["alone"]):
        yield cv2.copyMakeBorder(rgb, 60, 60, 0, 0, cv2.BORDER_CONSTANT), time_s


def read_python(video: VideoRecognizer, number: int, rgb: np.ndarray, time_s: float) -> Any:
    start = time.perf_counter()
    faces = video.read(number, time_s, rgb).faces
    return faces, time.perf_counter() - start


def warm_up(page: Engine) -> None:
    page.restart()
    for rgb, time_s in islice(pictures(), WARM):
        page.read(rgb, time_s)


def compare(page: Engine, count: int) -> dict[str, Any]:
    """Seconds by stage in the browser, and in all in Python, of the same frames in turn."""
    video = VideoRecognizer(Recognizer(threads=1), Choice())
    page.restart()
    stages: dict[str, list[float]] = {name: [] for name in (*STAGES, "all", "python")}
    for number, (rgb, time_s) in enumerate(islice(pictures(), count)):
        expected, seconds = read_python(video, number, rgb, time_s)
        faces, ms = page.read(rgb, time_s)
        timing.check([f["label"] for f in faces] == [f.label for f in expected], "labels")
        timing.check([f["track"] for f in faces] == [f.track for f in expected], "tracks")
        worst = [np.abs(a["scores"] - b.values).max() for a, b in zip(faces, expected, strict=True)]
        timing.check(max(worst, default=0) < 1e-3, "scores")
        for name in STAGES:
            stages[name].append(ms[name] / 1e3)
        stages["all"].append(sum(ms[name] for name in STAGES) / 1e3)
        stages["python"].append(seconds)
    return stages


def watch_camera(page: Engine, count: int) -> dict[str, list[float]]:
    """The same frames searched as a camera's are."""
    page.restart("CAMERA")
    stages: dict[str, list[float]] = {name: [] for name in (*STAGES, "all")}
    for rgb, time_s in islice(pictures(), count):
        faces, ms = page.read(rgb, time_s)
        timing.check(len(faces) == 1, "a camera's face is followed")
        for name in STAGES:
            stages[name].append(ms[name] / 1e3)
        stages["all"].append(sum(ms[name] for name in STAGES) / 1e3)
    return stages


def first_answer(browser: Any, address: str) -> float:
    """Seconds from opening the page to the portrait's answer."""
    context = browser.new_context(locale="en-US")  # nothing is kept from the last time
    page = context.new_page()
    start = time.perf_counter()
    page.goto(address)
    page.click("#sample")
    page.wait_for_selector(".face", timeout=120_000)
    seconds = time.perf_counter() - start
    timing.check(page.inner_text(".face strong").startswith("happiness"), "the portrait smiles")
    context.close()
    return seconds


def opened(browser: Any, files: dict[str, bytes], repeats: int) -> dict[str, list[float]]:
    """Seconds to the first answer, from a server and from a disk in turn."""
    times: dict[str, list[float]] = {"served": [], "one_file": []}
    with served(files) as (address, _), TemporaryDirectory() as folder:
        path = Path(folder) / "mien.html"
        path.write_bytes(page_as_one_file())
        for _ in range(repeats):
            times["served"].append(first_answer(browser, address))
            times["one_file"].append(first_answer(browser, path.as_uri()))
    return times


def record(seconds: dict[str, list[float]], warmup: int = 3) -> dict[str, Any]:
    return {k: timing.Times(v[0], tuple(v[warmup:] or v)).record() for k, v in seconds.items()}


def main() -> None:
    chosen = timing.options(repeats=5)
    count = SHOWN * chosen.repeats
    settings = {"frames": count, "opened": chosen.repeats, "threads": 1, "size": "640x480"}
    report = timing.Report("page", __doc__.splitlines()[0], settings)
    files = page_files()
    with chromium() as browser:
        times = opened(browser, files, chosen.repeats)
        with engine(browser, files) as page:
            warm_up(page)
            film, camera = compare(page, count), watch_camera(page, count)
        version = browser.version
    beside = float(np.median(np.array(film["all"][3:]) / np.array(film["python"][3:])))
    packed = sum(len(gzip.compress(data)) for data in files.values())
    report.figures = {
        "chromium": version,
        "bytes": {"files": sum(map(len, files.values())), "gzip": packed},
        "first_answer": record(times, warmup=0),
        "film": record(film),
        "camera": record(camera),
        "browser_over_python": round(beside, 3),
    }
    camera_ms = report.figures["camera"]["all"]["median_ms"]
    rows = [
        (f"camera, {k}", f"{v['median_ms']:.1f} ms") for k, v in report.figures["camera"].items()
    ]
    rows += [(f"film, {k}", f"{v['median_ms']:.1f} ms") for k, v in report.figures["film"].items()]
    report.table([*rows, ("browser / Python", f"{beside:.2f}"), ("bytes, gzip", f"{packed:,}")])
    report.goals = [
        timing.Goal(f"page {name}, s to the first answer", 3.0, round(float(np.median(all_)), 3))
        for name, all_ in times.items()
    ]
    report.goals.append(timing.Goal("page, MB of gzip", 10.0, round(packed / 1e6, 3)))
    report.goals.append(timing.Goal("page, ms of a camera's frame, one face", 40.0, camera_ms))
    report.write(chosen.out)


if __name__ == "__main__":
    main()
