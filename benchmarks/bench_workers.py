"""How much faster do all cores read a folder than one process, and do they write the same?

Commands as a user starts them, with their start, against the same command with --workers 1 in the
same round: photographs (1280x720, one to three faces) without and with --out, and face crops. Two
more tell what the machine allows: one process whose OpenCV has one thread too (else it finds faces
with all cores also with --workers 1), and as many separate processes of this kind as there are
cores, each with its share of the folder. Then threads beside processes, both without their start;
faces of several pictures in one batch beside each picture's own; and a run that is killed ten times
and goes on.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_workers [--repeats N] [--small]
Goal: on two cores at least 1.8 times as fast (a time of at most 0.556 of one process's), and no
slower than separate processes (1.05).
Check: the tables and pictures of every number of workers are equal; the killed run's table is that
of the undisturbed one.
"""

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

import mien
from benchmarks import peak, portraits, timing
from mien.cores import cores
from mien.recognize.model import Model
from mien.scale.readers import Caps, Drawing, PhotoReader, PhotoReading
from mien.scale.stream import Plan, read_files

LIMIT = 1 / 1.8
LITTLE = 1.05  # of a time that is called no slower
_ONE_THREAD = {"OPENCV_FOR_THREADS_NUM": "1"}
FACES = (1, 3, 10)
_KILLS = 10


def options() -> tuple[argparse.Namespace, dict[str, int]]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="small numbers: does it run at all?")
    chosen = timing.options(5, parser)
    sizes = {"photos": 600, "few": 120, "crops": 20_000, "killed": 20_000}
    if chosen.small:
        sizes = {"photos": 12, "few": 8, "crops": 130, "killed": 300}
    return chosen, sizes


def write_photos(folder: Path, count: int) -> None:
    """Photographs that differ in light and noise, so that none is like another."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    scenes = {faces: portraits.scene(faces)[0].astype(np.int16) for faces in (1, 2, 3)}
    for number in range(count):
        rgb = scenes[1 + number % 3] + rng.integers(-8, 9, (1, 1, 3))
        Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05}.jpg")


def write_small(folder: Path, count: int, side: int = 64) -> None:
    """Crops, or with a larger side small photographs, from two hundred that differ."""
    folder.mkdir()
    crops = portraits.crops(200)
    files = []
    for number, crop in enumerate(crops):
        path = folder / f"{number:05}.jpg"
        Image.fromarray(crop).resize((side, side)).save(path, quality=92)
        files.append(path.read_bytes())
    for number in range(len(files), count):
        (folder / f"{number:05}.jpg").write_bytes(files[number % len(files)])


def digest(folder: Path) -> str:
    """All files of a folder."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()


def commands(
    folders: list[Path], target: Path, words: tuple[str, ...], env: dict[str, str]
) -> None:
    """Run a command for each folder, all at once; `{in}` and `{out}` of its words are replaced."""
    shutil.rmtree(target, ignore_errors=True)
    running = []
    for number, folder in enumerate(folders):
        out = target / str(number)
        out.mkdir(parents=True)
        full = [word.replace("{in}", str(folder)).replace("{out}", str(out)) for word in words]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen([peak.MIEN, *full], env=os.environ | env, **quiet))
    for process in running:
        timing.check(process.wait() == 0, f"{' '.join(words[:2])} ends well")


def shares_of(folder: Path) -> list[Path]:
    """Folders of links that share out the files of a folder, one a core."""
    files = sorted(folder.iterdir())
    shares = [folder.parent / f"{folder.name}-{number}" for number in range(cores())]
    for number, share in enumerate(shares):
        share.mkdir(exist_ok=True)
        for file in files[number :: len(shares)]:
            (share / file.name).hardlink_to(file)
    return shares


def compare(report: timing.Report, place: Path, repeats: int) -> None:
    """Commands with all cores beside the same with one worker, and what the machine allows."""
    table, pictures = ("--csv", "{out}/t.csv"), ("--out", "{out}/pictures")
    jobs = {
        "photos": ("photos", "predict", "{in}", *table),
        "photos, --out": ("photos", "predict", "{in}", *table, *pictures),
        "few photos": ("few", "predict", "{in}", *table),
        "one photo": ("few", "predict", "{in}/00000.jpg", *table),
        "crops": ("crops", "scores", "{in}", "--full", "--out", "{out}/t.csv"),
    }
    shares = {name: shares_of(place / name) for name in ("photos", "crops")}
    for name, (source, *words) in jobs.items():
        whole, one = [place / source], (*words, "--workers", "1")
        rivals = {
            "one": partial(commands, whole, place / "one", one, {}),
            "all": partial(commands, whole, place / "all", tuple(words), {}),
        }
        if source in shares:
            rivals |= {
                "one thread": partial(commands, whole, place / "thread", one, _ONE_THREAD),
                "apart": partial(commands, shares[source], place / "apart", one, _ONE_THREAD),
            }
        times = timing.take_turns(rivals, repeats, warmup=1)
        same = digest(place / "one") == digest(place / "all")
        timing.check(same, f"{name}: all cores write what one worker writes")
        ratios = {f"all / {n}": timing.ratio(times["all"], times[n]) for n in times if n != "all"}
        report.figures[name] = {n: t.record() for n, t in times.items()} | ratios
        limits = {"one": LIMIT, "apart": LITTLE} if source in shares else {"one": LITTLE}
        for rival, limit in limits.items():  # the default never loses
            goal = f"{name}: {cores()} workers / {rival}"
            report.goals.append(timing.Goal(goal, limit, ratios[f"all / {rival}"]["median"]))


def threads_or_processes(report: timing.Report, place: Path, repeats: int) -> None:
    """The same pictures by the same number of threads and of processes, one network thread each."""
    files = sorted((place / "photos").iterdir())
    recognizer = mien.Recognizer(threads=1)
    for name, drawing in {"": Drawing(), ", drawn": Drawing(True)}.items():
        make = partial(PhotoReader, recognizer, True, Caps(), drawing)
        seconds: dict[str, list[float]] = {"threads": [], "processes": []}
        for _ in range(repeats):
            for kind, spent in seconds.items():
                how = Plan(cores(), 1, processes=kind == "processes")
                with closing(read_files(files, make, PhotoReading, how)) as results:
                    next(results)  # processes have started
                    start = time.perf_counter()
                    count = sum(1 for _ in results)
                    spent.append(time.perf_counter() - start)
                timing.check(count == len(files) - 1, "every picture comes back")
        times = {kind: timing.Times(spent[0], tuple(spent)) for kind, spent in seconds.items()}
        ratio = timing.ratio(times["processes"], times["threads"])
        report.figures[f"processes / threads{name}"] = ratio


def batches(report: timing.Report, repeats: int) -> None:
    """Milliseconds of the network for a face: the batch of one picture, and of sixty faces."""
    model = Model(threads=1)
    batch = model.to_batch(portraits.crops(60))

    def run(size: int) -> None:
        for start in range(0, len(batch), size):
            model.run(np.ascontiguousarray(batch[start : start + size]))

    rivals = {str(size): partial(run, size) for size in (*FACES, 60)}
    times = timing.take_turns(rivals, max(3, repeats))
    found = {n: model.run(np.ascontiguousarray(batch[:n])).scores[0] for n in FACES}
    right = all(np.allclose(scores, found[1], atol=1e-6) for scores in found.values())
    timing.check(right, "a face has the same scores in every batch")
    report.figures["ms of the network for a face, by faces a picture"] = {
        name: round(1e3 * taken.median_s / len(batch), 3) for name, taken in times.items()
    }


def kill(report: timing.Report, place: Path) -> None:
    """Kill a run ten times; its table must be that of an undisturbed run."""
    words = [peak.MIEN, "predict", str(place / "killed"), "--no-heatmap", "--csv"]
    start = time.perf_counter()
    subprocess.run([*words, place / "whole.csv"], stdout=subprocess.DEVNULL, check=True)
    whole_s = time.perf_counter() - start
    chance, spent = random.Random(0), 0.0
    resumed = [*words, place / "t.csv", "--resume"]
    for _ in range(_KILLS):
        start = time.perf_counter()
        running = subprocess.Popen(resumed, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.05, 0.2) * whole_s)
        running.kill()
        running.wait()
        spent += time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run(resumed, stdout=subprocess.DEVNULL, check=True)
    spent += time.perf_counter() - start
    same = (place / "t.csv").read_bytes() == (place / "whole.csv").read_bytes()
    timing.check(same, "the killed run's table is that of the undisturbed one")
    report.figures["killed ten times / undisturbed, s"] = [round(spent, 1), round(whole_s, 1)]


def main() -> None:
    chosen, sizes = options()
    settings = sizes | {"repeats": chosen.repeats, "cores": cores(), "kills": _KILLS}
    report = timing.Report("workers", (__doc__ or "").splitlines()[0], settings)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_photos(place / "photos", sizes["photos"])
        write_photos(place / "few", sizes["few"])
        write_small(place / "crops", sizes["crops"])
        write_small(place / "killed", sizes["killed"], side=160)
        compare(report, place, chosen.repeats)
        threads_or_processes(report, place, chosen.repeats)
        batches(report, chosen.repeats)
        kill(report, place)
    report.table([(name, str(figure)) for name, figure in report.figures.items()])
    report.write(chosen.out)


if __name__ == "__main__":
    sys.exit(main())
