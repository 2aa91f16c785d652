"""Does memory stay flat over 200,000 pictures, and how soon does the first row come?

The command as a user starts it, on a folder of folders: hard links to two hundred small photographs
that differ, `mien predict --no-heatmap --csv`. It prints a picture as soon as it is read, so the
lines tell how far it is. Memory: the sum of the peaks of the command's processes by the system's
own count, when a tenth of the pictures is read and when the last hundredth is left, as its helpers
go with the last picture. Beside it the same on a hundredth of the pictures: if the names were kept,
the first row of the many would come later, and their memory be larger.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_many [--pictures N] [--flat] [--small]
Goal: the peak near the end at most 1.05 times the peak at a tenth; the first row after at most a
hundredth of the time of the whole run.
Check: every picture has the rows of the photograph that it is a link to, in the order of the names.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peak, timing
from benchmarks.bench_workers import write_small
from mien.cores import cores

MEMORY_LIMIT, FIRST_LIMIT = 1.05, 0.01
_PICTURES, _SMALL, _FEW = 200_000, 2_000, 0.01
_DIFFERENT, _IN_A_FOLDER = 200, 1_000


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen of a command.

    Attributes:
        first_s: from its start to the line of the first picture.
        whole_s: to its end.
        tenth_mib: peak when a tenth of the pictures was read.
        end_mib: peak when the last hundredth was left.
    """

    first_s: float
    whole_s: float
    tenth_mib: float
    end_mib: float

    def record(self, count: int) -> dict[str, float | int]:
        """Return it as JSON-ready values."""
        return {
            "pictures": count,
            "first_row_s": round(self.first_s, 2),
            "whole_s": round(self.whole_s, 1),
            "pictures_per_s": round(count / self.whole_s, 1),
            "peak_at_a_tenth_mib": round(self.tenth_mib, 1),
            "peak_mib": round(self.end_mib, 1),
        }


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=_PICTURES, help=f"default {_PICTURES:,}")
    parser.add_argument("--flat", action="store_true", help="all in one folder")
    parser.add_argument("--small", action="store_true", help=f"{_SMALL:,}: does it run at all?")
    chosen = timing.options(1, parser)
    chosen.pictures = _SMALL if chosen.small else chosen.pictures
    if chosen.pictures < 10 * _DIFFERENT:
        parser.error(f"--pictures must be {10 * _DIFFERENT:,} or more")
    return chosen


def link(originals: list[Path], folder: Path, count: int, in_a_folder: int) -> None:
    """Fill a folder with links to the originals in turn; copies where the disk has no links."""
    for number in range(count):
        target = folder / f"{number // in_a_folder:05}" / f"{number:07}.jpg"
        if number % in_a_folder == 0:
            target.parent.mkdir(parents=True)
        try:
            target.hardlink_to(originals[number % len(originals)])
        except OSError:
            shutil.copyfile(originals[number % len(originals)], target)


def watch(folder: Path, table: Path, count: int) -> Run:
    """Run the command, and look at it when a tenth of the pictures is read, and near the end."""
    words = [peak.MIEN, "predict", str(folder), "--no-heatmap", "--csv", str(table)]
    looks = {count // 10: 0.0, count - count // 100: 0.0}
    start, first_s, seen = time.perf_counter(), 0.0, 0
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            if line.startswith(" "):  # a face of the picture before
                continue
            seen += 1
            first_s = first_s or time.perf_counter() - start
            if seen in looks:
                looks[seen] = peaks_mib(running.pid)
    whole_s = time.perf_counter() - start
    timing.check(running.returncode == 0, "the command ends well")
    timing.check(seen == count, f"it prints every picture: {seen} of {count}")
    return Run(first_s, whole_s, *looks.values())


def peaks_mib(pid: int) -> float:
    """The sum of the peaks of resident memory of a process and of those that it started."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    own = next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM"))
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return own / 1024 + sum(map(peaks_mib, children))


def check_rows(table: Path, count: int) -> int:
    """Check the rows against those of the first pictures; return how many there are."""
    of_original: dict[int, list[list[str]]] = {}
    rows = 0
    last = -1
    with table.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        next(lines)
        found: dict[int, list[list[str]]] = {}
        for path, *cells in lines:
            number, rows = int(Path(path).stem), rows + 1
            timing.check(number >= last, "the rows are in the order of the names")
            if number != last and number >= _DIFFERENT:
                _same(found.pop(last, None), of_original.get(last % _DIFFERENT), last)
            into = of_original if number < _DIFFERENT else found
            into.setdefault(number, []).append(cells)
            last = number
        _same(found.pop(last, None), of_original.get(last % _DIFFERENT), last)
    faces = sum(len(of_original.get(n % _DIFFERENT, ())) for n in range(count))
    timing.check(rows == faces > count // 2, f"{rows} rows of {faces} faces")
    return rows


def _same(found: list[list[str]] | None, expected: list[list[str]] | None, number: int) -> None:
    if found is not None:
        timing.check(found == expected, f"picture {number} has the rows of its original")


def main() -> None:
    chosen = options()
    few = max(_DIFFERENT, round(chosen.pictures * _FEW))
    settings = {
        "pictures": chosen.pictures,
        "flat": chosen.flat,
        "cores": cores(),
        "different": _DIFFERENT,
    }
    report = timing.Report("many", (__doc__ or "").splitlines()[0], settings)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        place = Path(folder)
        write_small(place / "originals", _DIFFERENT, side=160)
        originals = sorted((place / "originals").iterdir())
        runs = {}
        for name, count in (("few", few), ("all", chosen.pictures)):
            link(originals, place / name, count, count if chosen.flat else _IN_A_FOLDER)
            runs[name] = watch(place / name, place / f"{name}.csv", count)
            rows = check_rows(place / f"{name}.csv", count)
            report.figures[name] = runs[name].record(count) | {"rows": rows}
    whole = runs["all"]
    growth, first = whole.end_mib / whole.tenth_mib, whole.first_s / whole.whole_s
    report.figures["first row, all / few"] = round(whole.first_s / runs["few"].first_s, 2)
    report.table([(name, str(figure)) for name, figure in report.figures.items()])
    named = f"{chosen.pictures:,} pictures"
    report.goals = [
        timing.Goal(f"peak memory, {named} / a tenth of them", MEMORY_LIMIT, growth),
        timing.Goal(f"time to the first of {named} / to the last", FIRST_LIMIT, first),
    ]
    report.write(chosen.out)


if __name__ == "__main__":
    sys.exit(main())
