"""What long use leaves behind: memory, threads and file descriptors at the end over the start.

Run: python -m fuzz.soak [--frames N] [--pictures N] [--videos N] [--recognizers N]; `make soak`
Frames of a video, pictures of twelve sizes, videos whose reader walks away after a few frames,
and recognizers made and dropped; one after another in one process. Each part is done once in a
small number first, so that what is loaded once does not count. Linux only: reads /proc. Writes
results/soak.json.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import timing
from benchmarks.portraits import portrait
from mien import Recognizer, read_video
from mien.media.writers import write_text
from tests.support.video_files import clip, swaying

__all__ = ["PARTS", "Amount", "measure", "state"]

_ROOT = Path(__file__).parents[1]
_FRAMES = 500  # of the video that is read again and again
_LIMITS = {"memory": 1.1, "threads": 1.0, "descriptors": 1.0}  # the end over the start


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of each part is done; the names are those of `PARTS`."""

    frames: int = 100_000
    pictures: int = 20_000
    videos: int = 300
    recognizers: int = 1_000


def state() -> dict[str, int]:
    """Return what this process holds now.

    Returns:
        Resident memory in KiB, and the numbers of threads and of open file descriptors.
    """
    gc.collect()
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return {
        "memory": int(values["VmRSS"]),
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())) - 1,  # the listing's own
    }


def frames(folder: Path, count: int) -> None:
    """Read a video of a swaying face again and again, until `count` frames were read."""
    path = _video(folder)
    recognizer = Recognizer(threads=1)
    left = count
    while left > 0:
        for frame in read_video(path, recognizer):
            left -= 1
            timing.check(frame.faces, "the face is found in every frame")
            if left == 0:
                break


def pictures(folder: Path, count: int) -> None:
    """Read files of twelve sizes in turn, each with a face."""
    recognizer = Recognizer(threads=1)
    files = _pictures(folder)
    for number in range(count):
        [face] = recognizer.read(files[number % len(files)]).faces
        timing.check(face.label == "happiness", "the portrait smiles")


def videos(folder: Path, count: int) -> None:
    """Walk away from videos: some are closed, some are left to the garbage collector."""
    path = _video(folder)
    recognizer = Recognizer(threads=1)
    for number in range(count):
        reader = read_video(path, recognizer)
        for _ in range(1 + number % 3):
            next(reader)
        if number % 2:
            reader.close()
        del reader


def recognizers(folder: Path, count: int) -> None:
    """Make recognizers, use each once, and drop them."""
    rgb = np.asarray(Image.open(_pictures(folder)[0]))
    for _ in range(count):
        timing.check(len(Recognizer(threads=1).read(rgb).faces) == 1, "one face is found")


PARTS: dict[str, tuple[Callable[[Path, int], None], int]] = {  # with the number of the warm-up
    "frames": (frames, 1_000),
    "pictures": (pictures, 240),
    "videos": (videos, 12),
    "recognizers": (recognizers, 20),
}


def _video(folder: Path) -> Path:
    path = folder / "talk.mp4"
    return path if path.exists() else clip(path, swaying(portrait(), 80) * (_FRAMES // 80))


def _pictures(folder: Path) -> list[Path]:
    files = []
    for number in range(12):
        file = folder / f"{number}.jpg"
        if not file.exists():
            side = (160 + 32 * number, 160 + 30 * number)
            Image.fromarray(portrait()).resize(side).save(file, quality=90)
        files.append(file)
    return files


def measure(amount: Amount) -> dict[str, dict[str, float]]:
    """Do every part, and look at the process before and after.

    Args:
        amount: of each part; 0 leaves it out.

    Returns:
        For each part: its amount and seconds; for memory, threads and descriptors the start, the
        end, and the end over the start.
    """
    figures = {}
    with tempfile.TemporaryDirectory(prefix="mien-soak-") as work:
        for name, (do, warmup) in PARTS.items():
            count = getattr(amount, name)
            if not count:
                continue
            do(Path(work), min(count, warmup))
            start, began = state(), time.perf_counter()
            do(Path(work), count)
            seconds = time.perf_counter() - began
            figures[name] = {"count": count, "seconds": round(seconds, 1)} | _change(start, state())
            print(name, figures[name], flush=True)
    return figures


def _change(start: dict[str, int], end: dict[str, int]) -> dict[str, float]:
    change: dict[str, float] = {}
    for name in start:
        ratio = round(end[name] / start[name], 4)
        change |= {f"{name}_start": start[name], f"{name}_end": end[name], f"{name}_ratio": ratio}
    return change


def main() -> None:
    """Measure, and say what grew."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.soak")
    for name in PARTS:
        parser.add_argument(f"--{name}", type=int, default=getattr(Amount(), name))
    parser.add_argument("--out", type=Path, default=_ROOT / "results" / "soak.json")
    chosen = parser.parse_args()
    amount = Amount(**{name: getattr(chosen, name) for name in PARTS})
    question = "what memory, threads and descriptors long use leaves behind"
    head = timing.head(question, "fuzz.soak", {"limits": _LIMITS})
    figures = measure(amount)
    grown = [
        f"{part}: {name} is {row[f'{name}_ratio']} times that of the start, at most {limit}"
        for part, row in figures.items()
        for name, limit in _LIMITS.items()
        if row[f"{name}_ratio"] > limit
    ]
    write_text(json.dumps({**head, "parts": figures}, indent=1) + "\n", chosen.out)
    print(f"wrote {chosen.out}")
    sys.exit("\n".join(grown) or 0)


if __name__ == "__main__":
    main()
