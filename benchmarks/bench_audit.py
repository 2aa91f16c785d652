"""Which copies does `mien audit` find, whom does it accuse wrongly, and what does it cost?

Finding: copies planted among RAF-DB's test pictures (textures where MIEN_DATA does not lead to
them), 15 kinds of change, one curve over the threshold; beside it the curve of the correlation of
the pictures alone, which the detector used before. See planted.py.
Cost: `find_pairs`, the part that could grow with the square, on 8,000 to 1,000,000 synthetic
thumbnails that are as alike as aligned faces are, a hundredth of them copies; each size in a
process of its own, for its peak of memory. And the whole command on 64,000 pictures of a folder.

Run: python -m benchmarks.bench_audit          `--largest 64000` leaves the million out.
Goals: the command on 64,000 pictures at most 300 s; the power of N by which the time grows between
8,000 and the largest size at most 1.7; 1,000,000 thumbnails in at most 4,000 MiB; wrong pairs at
most 5 for 1,000 copies and mean recall without the heaviest crop at least 0.95, at `COPY`.
Check: at least 99 % of the copies among the synthetic thumbnails are found, and at most
one wrong pair for 1,000 thumbnails: some are alike by chance.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from benchmarks import peak, planted, timing
from mien.data import manifest
from mien.data.dedup import duplicates
from mien.data.manifest import Row
from mien.labels import LABELS, folder
from mien.pixels import U8

SIZES = (8_000, 16_000, 32_000, 64_000, 1_000_000)
PICTURES, PLANTED, COARSE = 64_000, 300, 13
HEAVIEST = "cropped 25 %"
GOALS = {"seconds": 300, "power": 1.7, "MiB": 4000, "wrong": 5, "missed": 0.05}


def synthetic(count: int) -> U8:
    """Thumbnails that correlate by about 0.5 with each other; the last hundredth are copies.

    Of these, every second one is mirrored. Shape (count, 32, 32).
    """
    rng = np.random.default_rng(count)
    coarse = np.eye(COARSE, dtype=np.float32)
    finer = cv2.resize(coarse, (COARSE, 32), interpolation=cv2.INTER_CUBIC)  # (32, COARSE)
    half = rng.normal(size=(COARSE, COARSE)) / 2**0.5
    face = half + half[:, ::-1]  # as symmetric as faces are, so mirrored ones are alike, too
    found = np.empty((count, 32, 32), dtype=np.uint8)
    for start in range(0, count, 8192):
        fields = face + rng.normal(size=(min(8192, count - start), COARSE, COARSE))
        grays = 128 + 40 * (finer @ fields.astype(np.float32) @ finer.T)
        found[start : start + 8192] = grays.clip(0, 255)
    twins = count // 100
    noise = rng.normal(0, 3, (twins, 32, 32))
    found[-twins:] = (found[:twins] * 0.8 + 20 + noise).clip(0, 255)
    found[-twins::2] = found[-twins::2, :, ::-1]
    return found


def one_size(count: int) -> None:
    """Time `find_pairs` in this process and print what was seen as JSON."""
    thumbnails = synthetic(count)
    start = time.perf_counter()
    found = duplicates.find_pairs(thumbnails)
    spent = time.perf_counter() - start
    twins = count // 100
    right = {(i, count - twins + i) for i in range(twins)}
    pairs = {(copy.this, copy.that) for copy in found}
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
    print(json.dumps([spent, mebibytes, len(pairs & right) / twins, len(pairs - right)]))


def scaling(largest: int) -> dict[str, dict[str, float]]:
    figures = {}
    for count in (size for size in SIZES if size <= largest):
        command = [sys.executable, "-m", "benchmarks.bench_audit", "--one", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, mebibytes, found, wrong = json.loads(done.stdout)
        right = found >= 0.99 and wrong <= count / 1000
        timing.check(right, f"copies among {count}: {found}, wrong {wrong}")
        print(f"{count:>9,} thumbnails  {seconds:8.1f} s  {mebibytes:6.0f} MiB", flush=True)
        figures[str(count)] = {"seconds": round(seconds, 1), "MiB": round(mebibytes)}
    return figures


def whole_command() -> dict[str, float]:
    """Seconds and memory of `mien audit` on a folder of pictures."""
    with TemporaryDirectory() as name:
        rows = []
        for number, gray in enumerate(synthetic(PICTURES)):
            label = LABELS[number % 6]
            path = Path(name) / "train" / folder(label) / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = cv2.resize(gray, (64, 64), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(path), np.repeat(picture[..., None], 3, axis=2))
            relative = path.relative_to(name).as_posix()
            rows.append(Row(relative, label, "made", "train", "", "", path.name, "as-is"))
        manifest.write(rows, name)
        seconds, mebibytes = peak.run("audit", name)
    return {"seconds": round(seconds, 1), "MiB": round(mebibytes)}


def curves() -> dict[str, Any]:
    """Precision and recall, by threshold and at the one chosen."""
    name, pictures = planted.pictures()
    originals, found = planted.measure(pictures, PLANTED)
    figures: dict[str, Any] = {"pictures": name, "originals": originals, "copies_a_kind": PLANTED}
    chosen = int(np.argmin(abs(planted.THRESHOLDS - duplicates.COPY)))
    for curve in found:
        recall = np.array([r for kind, r in curve.recall.items() if kind != HEAVIEST])
        figures[curve.name] = {
            "threshold": planted.THRESHOLDS.tolist(),
            "precision": curve.precision.round(4).tolist(),
            "wrong_pairs_for_1000_copies": curve.wrong.round(2).tolist(),
            "mean_recall_without_the_heaviest": recall.mean(axis=0).round(4).tolist(),
            "f1": curve.f1().round(4).tolist(),
            "best_f1_at": float(planted.THRESHOLDS[curve.f1().argmax()]),
        }
    both = found[0]
    figures["chosen"] = {
        "threshold": duplicates.COPY,
        "precision": round(float(both.precision[chosen]), 4),
        "wrong_pairs_for_1000_copies": round(float(both.wrong[chosen]), 2),
        "recall": {kind: round(float(r[chosen]), 3) for kind, r in both.recall.items()},
    }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="thumbnails, default 10^6")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    chosen = parser.parse_args()
    if chosen.one:
        one_size(chosen.one)
        return
    settings = {"sizes": SIZES, "pictures": PICTURES, "planted": PLANTED}
    report = timing.Report("audit", __doc__.splitlines()[0], settings)
    report.figures["find_pairs"] = sizes = scaling(chosen.largest)
    report.figures["command"] = command = whole_command()
    report.figures["finding"] = finding = curves()
    at = finding["chosen"]
    report.table([(kind, f"{recall:.1%}") for kind, recall in at["recall"].items()])
    recalls = [recall for kind, recall in at["recall"].items() if kind != HEAVIEST]
    (first, least), *_, (last, most) = sizes.items()
    power = log(most["seconds"] / least["seconds"]) / log(int(last) / int(first))
    report.goals += [
        timing.Goal("`mien audit` of 64,000 pictures, s", GOALS["seconds"], command["seconds"]),
        timing.Goal("power of N by which the search for copies grows", GOALS["power"], power),
        timing.Goal(
            "wrong pairs for 1,000 planted copies",
            GOALS["wrong"],
            at["wrong_pairs_for_1000_copies"],
        ),
        timing.Goal(
            "planted copies missed, without the heaviest crop",
            GOALS["missed"],
            1 - float(np.mean(recalls)),
        ),
    ]
    if str(SIZES[-1]) in sizes:
        report.goals.append(
            timing.Goal("peak of 1,000,000 thumbnails, MiB", GOALS["MiB"], most["MiB"])
        )
    report.write(chosen.out)


if __name__ == "__main__":
    main()
