"""The tables of what augmentation does to the paper's networks: one run each, and a whole grid.

The grid is configs/paper-ablation.toml. Its runs are compared seed by seed: a run and the one
without augmentation have the same first weights and the same held-out pictures.
"""

import csv
from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import mean, stdev

import records
from scipy.stats import t as student

from mien.show.tables import as_markdown
from mien.train import config

__all__ = ["PARTS", "interval"]

_GRID, _NONE = "paper-ablation", "none"
_SURE = 0.95

Row = dict[str, str]


def on_and_off() -> str:
    """The paper's cnn15 with and without random augmentation, on the test set."""
    rows = []
    for name in ("off", "on"):
        folder = f"ablation-augment-{name}"
        r = records.read(f"{folder}/rafdb-test")
        best = max(_rows(f"{folder}/history.csv"), key=lambda row: float(row["held_accuracy"]))
        low, high = r["accuracy_95"]
        rows.append([
            name,
            f"{float(best['held_accuracy']):.1%} (epoch {best['epoch']})",
            best["train_loss"],
            f"{r['accuracy']:.1%} ({low:.1%} to {high:.1%})",
            f"{r['mean_recall']:.1%}",
            str(r["seed"]),
        ])
    header = ["augmentation", "held out", "train loss", "RAF-DB test (95 %)", "mean recall", "seed"]
    return as_markdown(header, rows)


def each_change() -> str:
    """Every change alone, none and all, by network: the difference from none over the seeds."""
    if not (records.RESULTS / _GRID / "search.csv").exists():
        return f"Not measured yet: `mien search configs/{_GRID}.toml`.\n"
    points = _rows(f"{_GRID}/search.csv")
    done = [point for point in points if point["state"] == "done"]
    rows = [
        [model, variant, *_cells(_by_seed(done, model, variant), _compared(done, model, variant))]
        for model in dict.fromkeys(point["model"] for point in points)
        for variant in dict.fromkeys(point["variant"] for point in points)
    ]
    header = ["network", "augmentation", "held out", "seeds", "less none, in points (95 %)"]
    missing = [f"{p['run']} ({p['state']})" for p in points if p["state"] != "done"]
    not_done = f" Not in it: {', '.join(missing)}." if missing else ""
    return as_markdown(header, rows) + f"\n{_sentence()}{not_done}\n"


def _rows(name: str) -> list[Row]:
    with (records.RESULTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _by_seed(points: Sequence[Row], model: str, variant: str) -> dict[str, float]:
    """Held-out accuracies of one network and variant."""
    own = [point for point in points if (point["model"], point["variant"]) == (model, variant)]
    return {point["seed"]: float(point["held_accuracy"]) for point in own}


def _compared(points: Sequence[Row], model: str, variant: str) -> dict[str, float]:
    """What a variant is compared with; none itself with nothing."""
    return {} if variant == _NONE else _by_seed(points, model, _NONE)


def _cells(own: Mapping[str, float], none: Mapping[str, float]) -> list[str]:
    """Mean accuracy, how many seeds, and the difference of those that both have."""
    if not own:
        return ["", "0", ""]
    differences = [100 * (own[seed] - none[seed]) for seed in own if seed in none]
    cells = [f"{mean(own.values()):.1%}", str(len(own))]
    if not differences:
        return [*cells, ""]
    if len(differences) == 1:
        return [*cells, f"{differences[0]:+.1f} (one seed: no interval)"]
    low, high = interval(differences)
    return [*cells, f"{mean(differences):+.1f} ({low:+.1f} to {high:+.1f})"]


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """Return where the mean of paired differences lies, with 95 %, by Student's t.

    Args:
        differences: one a pair, at least two.

    Returns:
        Both ends; with three pairs there are two degrees of freedom, and t is 4.30.
    """
    count = len(differences)
    half = float(student.ppf((1 + _SURE) / 2, count - 1)) * stdev(differences) / sqrt(count)
    return mean(differences) - half, mean(differences) + half


def _sentence() -> str:
    """What was trained on how many pictures, and what the numbers are."""
    settings = config.read(records.RESULTS / _GRID / "best.toml")
    pictures = f"{settings['limit']:,}" if settings["limit"] else "all"
    return (
        f"{settings['epochs']} epochs on {pictures} training pictures of "
        f"{', '.join(settings['data'])}, {settings['hold_out']:.0%} of them held out. Held out: "
        "accuracy at the best epoch, mean of the seeds. Less none: the same seed without "
        "augmentation taken away, mean and interval (Student's t) over the seeds. An interval "
        "with 0 in it may be chance."
    )


PARTS = {"ablation": on_and_off, "paper-ablation": each_change}
