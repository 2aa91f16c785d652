"""How much faster do threads read pictures with one `Recognizer` than a single thread does?

Sixty-four pictures of eight sizes, half of them without a face; one thread for each network and for
OpenCV, so that only the callers' threads work side by side. Then 10,000 reads in eight threads.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_threads
Goal: on two cores at most 0.65 of the time of one thread; 0.5 is the least there can be.
Check: every picture is read by the threads exactly as by one thread, all 10,000 times.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

import mien
from benchmarks import non_faces, portraits, timing
from mien.cores import cores
from mien.pixels import U8

SIDES = (96, 160, 224, 288, 352, 420, 512, 640)
PICTURES, SOAK, MANY, LIMIT = 64, 10_000, 8, 0.65


def pictures() -> list[U8]:
    """Portraits and textures in turn, of eight sizes."""
    made = []
    for number in range(PICTURES):
        side = SIDES[number % len(SIDES)]
        whole = portraits.portrait()
        if number // len(SIDES) % 2:
            [whole] = non_faces.make("texture", 1, seed=number)
        made.append(np.asarray(cv2.resize(whole, (side, side - side // 8)), dtype=np.uint8))
    return made


def digest(picture: mien.Picture) -> tuple[bytes, ...]:
    """All that was read, bit for bit."""
    parts: list[bytes] = []
    for face in picture.faces:
        maps = b"" if face.maps is None else face.maps.tobytes()
        numbers = np.array([*face.box.as_list(), face.neutral, face.detection.confidence])
        parts += [numbers.tobytes(), face.landmarks.tobytes(), face.values.tobytes(), maps]
    return tuple(parts)


def soak(recognizer: mien.Recognizer, given: Sequence[U8], right: Sequence[object]) -> float:
    """Read in eight threads, each in an order of its own; return pictures a second."""
    start = time.perf_counter()

    def work(seed: int) -> int:
        order = np.random.default_rng(seed).integers(0, len(given), SOAK // MANY)
        return sum(digest(recognizer.read(given[i])) != right[i] for i in order)

    with ThreadPoolExecutor(MANY) as threads:
        wrong = sum(threads.map(work, range(MANY)))
    timing.check(wrong == 0, f"every read in threads as in one, {wrong} of {SOAK} differ")
    return SOAK / (time.perf_counter() - start)


def main() -> None:
    chosen = timing.options(repeats=9)
    count = cores()
    settings = {"pictures": PICTURES, "threads": count, "soak": SOAK, "repeats": chosen.repeats}
    report = timing.Report("threads", __doc__.splitlines()[0], settings)
    cv2.setNumThreads(1)
    recognizer, given = mien.Recognizer(threads=1), pictures()
    right = [digest(recognizer.read(picture)) for picture in given]
    timing.check(sum(map(bool, right)) == PICTURES // 2, "a face in every portrait, none elsewhere")
    with ThreadPoolExecutor(count) as threads:
        times = timing.take_turns(
            {
                "one": lambda: list(map(recognizer.read, given)),
                "threads": lambda: list(threads.map(recognizer.read, given)),
            },
            chosen.repeats,
            warmup=1,
        )
    ratio = timing.ratio(times["threads"], times["one"])
    report.figures = {
        "per_picture": {name: spent.record(PICTURES) for name, spent in times.items()},
        "threads_to_one": ratio,
        "speed_up": round(1 / ratio["median"], 3),
        "soak_pictures_per_s": round(soak(recognizer, given, right), 1),
        "soak_wrong": 0,
    }
    report.goals = [timing.Goal(f"{count} threads / one thread, reading", LIMIT, ratio["median"])]
    rows = [
        (name, f"{row['median_ms']:.2f} ms a picture, IQR {row['iqr_ms']:.2f}")
        for name, row in report.figures["per_picture"].items()
    ]
    rows += [
        (f"{count} threads / one", f"{ratio['median']:.3f}, IQR {ratio['iqr']:.3f}"),
        (f"{SOAK:,} reads in {MANY} threads", f"{report.figures['soak_pictures_per_s']} a second"),
    ]
    report.table(rows)
    report.write(chosen.out)


if __name__ == "__main__":
    main()
