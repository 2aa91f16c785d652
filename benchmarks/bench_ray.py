"""What does reading on a Ray cluster cost beside reading on all cores, and listing, and joining?

`mien predict --ray local` beside `mien predict` with all cores, on photographs (1280x720, one to
three faces) in the same round. What more pictures take more time for is compared, so that starting
(Ray's takes seconds, once a run) is a figure of its own. Then the two steps that one machine does
alone for a whole cluster: listing the pictures, and joining the parts into one table.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_ray [--repeats N] [--small]
Goal: at most 1.15 times the time of all cores without Ray.
Check: the table is that of one machine, row by row; the joined table has every row in order.
"""

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from pyarrow import parquet

from benchmarks import peak, timing
from benchmarks.bench_workers import write_photos
from mien.cores import cores
from mien.media.folders import PictureFiles
from mien.recognize.columns import columns_of
from mien.recognize.results import CSV_HEADER
from mien.scale.places import Place
from mien.scale.run_folder import Size, open_run

LIMIT = 1.15


def options() -> tuple[argparse.Namespace, dict[str, int]]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="small numbers: does it run at all?")
    chosen = timing.options(5, parser)
    sizes = {"few": 256, "many": 2_304, "listed": 1_000_000}
    if chosen.small:
        sizes = {"few": 64, "many": 192, "listed": 20_000}
    return chosen, sizes


def read(place: Path, count: str) -> dict[str, float]:
    """Seconds of both ways for a folder; their tables must agree."""
    run, table = place / "run", place / "one.parquet"
    shutil.rmtree(run, ignore_errors=True)
    photos = ("predict", str(place / count), "--no-heatmap", "--quiet")
    on_ray, _ = peak.run(*photos, "--ray", "local", "--out", str(run))
    alone, _ = peak.run(*photos, "--parquet", str(table))
    found = parquet.read_table(run / "faces.parquet")
    same = found["error"].null_count == len(found)
    same = same and found.drop_columns("error").equals(parquet.read_table(table))
    timing.check(same, "the cluster writes the table of one machine")
    return {"ray": on_ray, "all cores": alone}


def compare(report: timing.Report, place: Path, sizes: dict[str, int], repeats: int) -> None:
    """What more pictures cost more, on Ray and without."""
    more = sizes["many"] - sizes["few"]
    spent: dict[str, list[float]] = {"ray": [], "all cores": []}
    starts = []
    for _ in range(repeats):
        few, many = read(place, "few"), read(place, "many")
        for name, values in spent.items():
            values.append(many[name] - few[name])
        starts.append(few["ray"] - few["all cores"])
    times = {name: timing.Times(values[0], tuple(values)) for name, values in spent.items()}
    figure = timing.ratio(times["ray"], times["all cores"])
    report.figures["photographs"] = {
        "ratio": figure,
        "a second and core": {
            name: round(more / taken.median_s / cores(), 1) for name, taken in times.items()
        },
        "seconds that Ray takes to start": round(sorted(starts)[len(starts) // 2], 1),
    }
    goal = f"more photographs by --ray local / by {cores()} workers"
    report.goals.append(timing.Goal(goal, LIMIT, figure["median"]))


def face_row(name: str, chance: random.Random) -> list[Any]:
    """A row of the table, whose numbers pack no better than real ones."""
    box = [chance.uniform(0, 1000) for _ in range(4)]
    scores = [chance.random() for _ in range(6)]
    return [name, 0, *box, chance.random(), "happiness", scores[0], chance.random(), *scores, None]


def alone(report: timing.Report, place: Path, count: int) -> None:
    """Listing and joining, by one machine for all."""
    columns: dict[str, Any] = columns_of((*CSV_HEADER, "error"))
    names = (f"photos/{number // 1000:06}/{number:09}.jpg" for number in range(count))
    begun = time.perf_counter()
    run = open_run(Place(place / "large"), {}, False, (names, PictureFiles()), Size())
    listed = time.perf_counter()
    chance = random.Random(0)
    for part in range(run.parts):
        run.write(part, columns, [face_row(name, chance) for name in run.names(part)])
    written = time.perf_counter()
    run.merge(columns, "faces.parquet")
    joined = time.perf_counter()
    paths = parquet.read_table(place / "large" / "faces.parquet")["path"]
    timing.check(paths.to_pylist() == sorted(paths.to_pylist()), "the rows are in order")
    timing.check(len(paths) == count, "every row is joined")
    size = (place / "large" / "faces.parquet").stat().st_size
    report.figures["one machine alone"] = {
        "names listed a second": round(count / (listed - begun)),
        "rows joined a second": round(count / (joined - written)),
        "bytes of the table a row": round(size / count, 1),
        "parts": run.parts,
    }


def main() -> None:
    chosen, sizes = options()
    settings = sizes | {"repeats": chosen.repeats, "cores": cores()}
    report = timing.Report("ray", (__doc__ or "").splitlines()[0], settings)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_photos(place / "few", sizes["few"])
        write_photos(place / "many", sizes["many"])
        compare(report, place, sizes, chosen.repeats)
        alone(report, place, sizes["listed"])
    report.table([(name, str(figure)) for name, figure in report.figures.items()])
    report.write(chosen.out)


if __name__ == "__main__":
    main()
