"""How many pictures a second does `mien scores` read, and does its memory grow with their number?

The command, as a user starts it, on folders of 1,000 and of 10,000 JPEG crops of 64x64 pixels,
start and all threads included. The peak of resident memory is the system's own count.

Run: python -m benchmarks.bench_scores
Goal: the peak at 10,000 pictures at most 1.1 times the peak at 1,000.
Check: one row a picture, sorted, and 20 of them equal to plain arithmetic, to two decimals.
"""

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks import bare, peak, portraits, timing
from mien.labels import LABELS

COUNTS, SAMPLE, QUALITY, LIMIT = (1_000, 10_000), 20, 95, 1.1


def make(folder: Path) -> dict[int, Path]:
    """Write the crops; the smaller folder holds the first of them."""
    crops = portraits.crops(max(COUNTS))
    folders = {}
    for count in COUNTS:
        folders[count] = folder / str(count)
        for i, crop in enumerate(crops[:count]):
            target = folders[count] / f"{i // 1000:02}" / f"{i:05}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(crop).save(target, quality=QUALITY)
    return folders


def run(folder: Path, out: Path) -> tuple[float, float]:
    """Return seconds and peak megabytes of one `mien scores`."""
    return peak.run("scores", str(folder), "--out", str(out))


def check_rows(out: Path, count: int) -> None:
    with out.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    timing.check(header == ["filepath", *LABELS], "the header of the paper's table")
    timing.check(len(rows) == count, f"{count} rows, got {len(rows)}")
    paths = [row[0] for row in rows]
    timing.check(paths == sorted(paths) and len(set(paths)) == count, "sorted, each once")
    session = bare.open_session(1)
    for i in np.linspace(0, count - 1, SAMPLE).astype(int):
        rgb = np.asarray(Image.open(paths[i]).convert("RGB"))
        [expected] = bare.softmax(bare.logits(session, bare.to_tensor(rgb)[None], 1))
        off = np.abs(np.array(rows[i][1:], dtype=np.float64) - expected).max()
        timing.check(off <= 0.00501, f"row {i} to two decimals, off by {off:.4f}")


def main() -> None:
    chosen = timing.options(repeats=3)
    settings = {"pictures": list(COUNTS), "jpeg_quality": QUALITY, "repeats": chosen.repeats}
    report = timing.Report("scores", __doc__.splitlines()[0], settings)
    seconds: dict[int, list[float]] = {count: [] for count in COUNTS}
    peaks: dict[int, list[float]] = {count: [] for count in COUNTS}
    with TemporaryDirectory() as folder:
        out = Path(folder) / "scores.csv"
        folders = make(Path(folder))
        run(folders[COUNTS[0]], out)  # warm-up
        for _ in range(chosen.repeats):
            for count in COUNTS:
                spent, most = run(folders[count], out)
                seconds[count].append(spent)
                peaks[count].append(most)
                check_rows(out, count)
    highest = {count: float(np.median(peaks[count])) for count in COUNTS}
    growth = round(highest[COUNTS[1]] / highest[COUNTS[0]], 4)
    rows = []
    for count in COUNTS:
        q1, median, q3 = np.percentile(seconds[count], (25, 50, 75))
        rate = round(count / float(median), 1)
        report.figures[f"pictures_{count}"] = {
            "median_s": round(float(median), 3),
            "iqr_s": round(float(q3 - q1), 3),
            "pictures_per_s": rate,
            "peak_mib": round(highest[count], 1),
            "peak_range_mib": round(max(peaks[count]) - min(peaks[count]), 1),
        }
        spent = f"{median:.2f} s, IQR {q3 - q1:.2f}, {rate:.0f} pictures a second"
        rows.append((f"{count:,} pictures", f"{spent}, peak {highest[count]:.0f} MiB"))
    report.figures["peak_growth"] = growth
    report.table([*rows, ("peak, 10,000 / 1,000", f"{growth:.3f}")])
    report.goals = [timing.Goal("peak memory, 10,000 / 1,000 pictures", LIMIT, growth)]
    report.write(chosen.out)


if __name__ == "__main__":
    main()
