"""What does `mien prepare` cost beyond decoding, resizing and encoding, and does its memory grow?

`prepare` (list, decode, resize or keep, encode, hash, thumbnail, find copies of test pictures,
write everything) beside a loop over the same .zip that decodes, resizes to 64x64, encodes and
writes: both in one process, and both shared between as many processes as there are cores; in turn,
round after round, written to memory where the system has a place for that. On archives made here of
pictures of 64 and of 96 pixels a side, or, where MIEN_DATA names the folder of the research
databases, on all of these instead.
Memory: the peak of the command on N and on 4 N pictures, in one process, by the system's own count.

Run: python -m benchmarks.bench_prepare
Goals: prepare / bare at most 1.5 over all archives, in one process each, and as a user starts both
(prepare on all cores beside the plain loop); peak at 4 N at most 1.1 times the peak at N.
Check: every picture is in the manifest or among those left out; 20 crops are, pixel by pixel, the
picture itself where it had the size, else Pillow's own resized and encoded one.
"""

import csv
import io
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks import peak, timing
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.media.parallel import cores, share
from mien.pixels import F64

ROUNDS = 3
COUNTS, SIDE, QUALITY, SAMPLE = (4_000, 16_000), 64, 95, 20
TIME_LIMIT, MEMORY_LIMIT, PART = 1.5, 1.1, 32
RIVALS = ("bare", "bare on all cores", "prepare", "prepare on all cores")
MEMORY = Path("/dev/shm")  # a disk takes from 0.1 to 0.6 ms to make a file, as it likes
DATABASES = {
    "rafdb.zip": "rafdb",
    "fer2013.zip": "fer2013",
    "fer2013-neutral.zip": "fer2013",
    "affectnet-subset.zip": "affectnet",
}
WORDS = ("happy", "surprise", "sad", "angry", "disgust", "fear")


def make(path: Path, count: int, side: int) -> Path:
    """Write a .zip in the layout of FER2013: smooth colours, no two pictures alike."""
    rng = np.random.default_rng(side)
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(count):
            coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            buffer = io.BytesIO()
            coarse.resize((side, side), Image.Resampling.BICUBIC).save(
                buffer, "JPEG", quality=QUALITY
            )
            split = "test" if i % 5 == 0 else "train"
            archive.writestr(f"{split}/{WORDS[i % 6]}/{i:06}.jpg", buffer.getvalue())
    return path


def archives(folder: Path) -> dict[Path, str]:
    """Return archives and their databases: the real ones where they are."""
    data = os.environ.get("MIEN_DATA")
    if data:
        return {Path(data) / name: database for name, database in DATABASES.items()}
    made = [make(folder / f"{side}-pixels.zip", COUNTS[0], side) for side in (64, 96)]
    return dict.fromkeys(made, "fer2013")


def pictures(archive: zipfile.ZipFile) -> Iterator[str]:
    return (n for n in archive.namelist() if n.endswith((".jpg", ".png")))


def resized(data: bytes) -> bytes:
    """Decode, resize, encode."""
    with Image.open(io.BytesIO(data)) as image:
        small = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def bare(path: Path, out: Path) -> int:
    """Turn every picture of a .zip into a crop, and return how many there were."""
    out.mkdir()
    number = 0
    with zipfile.ZipFile(path) as archive:
        for number, name in enumerate(pictures(archive), start=1):
            (out / f"{number}.jpg").write_bytes(resized(archive.read(name)))
    return number


def bare_on_all_cores(path: Path, out: Path) -> None:
    """Do what `bare` does, shared as `prepare` shares its work."""
    out.mkdir()
    with zipfile.ZipFile(path) as archive:
        names = list(pictures(archive))
    parts = [list(enumerate(names))[start : start + PART] for start in range(0, len(names), PART)]
    for _ in share(partial(bare_part, path, out), parts, cores()):
        pass


def bare_part(path: Path, out: Path) -> Callable[[list[tuple[int, str]]], None]:
    """Make the function that turns pictures of a .zip into crops."""
    archive = zipfile.ZipFile(path)

    def work(names: list[tuple[int, str]]) -> None:
        for number, name in names:
            (out / f"{number}.jpg").write_bytes(resized(archive.read(name)))

    return work


def check_folder(path: Path, out: Path, count: int) -> None:
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (out / "excluded.csv").open(encoding="utf-8", newline="") as file:
        left_out = len(list(csv.DictReader(file)))
    timing.check(
        len(rows) + left_out == count, f"{count} pictures in {path.name} are accounted for"
    )
    with zipfile.ZipFile(path) as archive:
        for i in np.linspace(0, len(rows) - 1, SAMPLE).astype(int):
            data = archive.read(rows[i]["original"])
            ready = Image.open(io.BytesIO(data)).size == (SIDE, SIDE)
            expected = np.asarray(Image.open(io.BytesIO(data if ready else resized(data))))
            found = np.asarray(Image.open(out / rows[i]["path"]))
            timing.check(np.array_equal(found, expected), f"{rows[i]['path']} of {path.name}")


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(path: Path, database: str, folder: Path) -> tuple[int, list[float]]:
    """Return how many pictures an archive has, and the seconds of each of `RIVALS`."""
    plain, made = folder / "plain", folder / "made"
    with zipfile.ZipFile(path) as archive:
        count = len(list(pictures(archive)))
    settings, seconds = Settings(database, str(path)), []
    for rival in (bare, bare_on_all_cores):
        seconds.append(timed(partial(rival, path, plain)))
        shutil.rmtree(plain)
    for workers in (1, cores()):
        seconds.append(timed(partial(prepare, settings, made, workers=workers)))
        check_folder(path, made, count)
        shutil.rmtree(made)
    return count, seconds


def peaks(folder: Path) -> dict[int, float]:
    """Return the peak of the command in MiB, by the number of pictures."""
    found = {}
    for count in COUNTS:
        archive = make(folder / f"{count}.zip", count, SIDE)
        out = folder / f"made-{count}"
        words = ("prepare", "fer2013", str(archive), "--out", str(out), "--workers", "1")
        _, found[count] = peak.run(*words)
    return found


def main() -> None:
    chosen = timing.options(repeats=ROUNDS)
    if chosen.repeats < ROUNDS:
        raise SystemExit(
            f"fewer than {ROUNDS} rounds say nothing on a machine that does other work"
        )
    settings = {"side": SIDE, "quality": QUALITY, "repeats": chosen.repeats}
    settings["data"] = "research databases" if os.environ.get("MIEN_DATA") else "made here"
    report = timing.Report("prepare", __doc__.splitlines()[0], settings)
    rows, rounds = [], np.zeros((chosen.repeats, len(RIVALS)))
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        for path, database in archives(folder).items():
            runs = [measure(path, database, folder) for _ in range(chosen.repeats)]
            seconds = np.array([run[1] for run in runs])  # (repeats, rivals)
            rounds += seconds
            count = runs[0][0]
            each_ms = dict(zip(RIVALS, 1e3 / count * np.median(seconds, axis=0), strict=True))
            report.figures[path.stem] = {
                "pictures": count,
                "ms_a_picture": {rival: round(ms, 4) for rival, ms in each_ms.items()},
            }
            words = ", ".join(f"{rival} {ms:.2f}" for rival, ms in each_ms.items())
            rows.append((f"{path.stem}, {count:,} pictures, ms each", words))
        high = peaks(folder)
    conclude(report, rows, rounds, high)
    report.write(chosen.out)


def conclude(
    report: timing.Report, rows: list[tuple[str, str]], rounds: F64, high: dict[int, float]
) -> None:
    """Put down the ratio over all archives and the growth of memory."""
    one, all_cores = rounds[:, 2] / rounds[:, 0], rounds[:, 3] / rounds[:, 1]
    as_started = rounds[:, 3] / rounds[:, 0]
    ratios = {}
    for name, found in (
        ("in one process each", one),
        ("both on all cores", all_cores),
        ("prepare on all cores / the plain loop", as_started),
    ):
        q1, ratio, q3 = np.percentile(found, (25, 50, 75)).tolist()
        ratios[name] = {"median": round(ratio, 4), "iqr": round(q3 - q1, 4)}
        rows.append((f"{name}, median of {len(rounds)} rounds", f"{ratio:.2f}, IQR {q3 - q1:.2f}"))
    seconds = dict(zip(RIVALS, np.median(rounds, axis=0).round(2).tolist(), strict=True))
    report.figures["all"] = {"seconds": seconds, "ratios": ratios, "cores": cores()}
    report.figures["peak_mib"] = {str(count): round(mib, 1) for count, mib in high.items()}
    growth = round(high[COUNTS[1]] / high[COUNTS[0]], 4)
    rows += [(f"peak, {count:,} pictures", f"{mib:.0f} MiB") for count, mib in high.items()]
    report.table(rows)
    report.goals = [
        timing.Goal(
            "prepare / bare decode, resize, encode, one process each",
            TIME_LIMIT,
            ratios["in one process each"]["median"],
        ),
        timing.Goal(
            "prepare as started (all cores) / bare loop",
            TIME_LIMIT,
            ratios["prepare on all cores / the plain loop"]["median"],
        ),
        timing.Goal("peak memory of prepare, 16,000 / 4,000 pictures", MEMORY_LIMIT, growth),
    ]


if __name__ == "__main__":
    main()
