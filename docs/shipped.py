"""Tables of the model in the package: its card, and what `mien evaluate` measured of it.

Figures of another model than the one shipped stop the build.
Imports: results/*.json, the shipped file's card.
"""

import csv
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mien.labels import LABELS
from mien.recognize.model import SHIPPED, read_card
from mien.show.tables import as_markdown, mean_and_spread

__all__ = ["PARTS", "aged"]

RESULTS = Path(__file__).parents[1] / "results"
SETS = {
    "rafdb-test": "RAF-DB test",
    "rafdb-framed-test": "RAF-DB test, framed by mien",
    "fer2013-test": "FER2013 test",
    "fer2013-framed-test": "FER2013 test, framed by mien",
}
SEEDED = {
    "accuracy": "accuracy",
    "mean recall": "mean_recall",
    "at 80 % coverage": "accuracy_at_80",
    "ECE": "calibration_error",
}
STUDIO = {
    "ckplus-framed-train": "CK+, framed by mien",
    "tfeid-framed-train": "TFEID, framed by mien",
}


def _read(name: str) -> dict[str, Any]:
    record = _load(RESULTS / f"{name}.json")
    if record["weights_sha256"] != read_card(SHIPPED)["weights_sha256"]:
        sys.exit(f"results/{name}.json was measured on another model: measure it again")
    return record


def _load(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def aged(record: Mapping[str, Any]) -> str:
    """Say so if figures of our network are those of weights that came before the shipped ones."""
    card = read_card(SHIPPED)
    own = record.get("name", record.get("model")) == card["name"]
    if not own or record["weights_sha256"] == card["weights_sha256"]:
        return ""
    return f" (weights {record['weights_sha256'][:8]}, which came before those in the package now)"


def accuracy(sets: Mapping[str, str]) -> str:
    """How often the model is right, by set; with mirror images averaged where that was measured."""
    rows = []
    for name, title in sets.items():
        r = _read(name)
        low, high = r["accuracy_95"]
        least, most = r["calibration_error_by_chance"]
        mirrored = _read(f"{name}-flip")["accuracy"] if _was_measured(f"{name}-flip") else None
        rows.append([
            title,
            r["pictures"],
            f"**{r['accuracy']:.1%}** ({low:.1%} to {high:.1%})",
            "" if mirrored is None else f"{mirrored:.1%}",
            f"{r['mean_recall']:.1%}",
            f"{r['accuracy_at_80']:.1%}",
            f"{r['calibration_error']:.1%} ({least:.1%} to {most:.1%})",
        ])
    header = [
        "pictures of", "pictures", "accuracy (95 %)", "with `--flip`", "mean recall",
        "at 80 % coverage", "ECE (by chance alone)",
    ]  # fmt: skip
    return as_markdown(header, rows)


def _was_measured(name: str) -> bool:
    return (RESULTS / f"{name}.json").exists()


def recalls(sets: Mapping[str, str]) -> str:
    """Recall by expression, by set."""
    rows = [
        [title, *(f"{_read(name)['recall'][label]:.1%}" for label in LABELS)]
        for name, title in sets.items()
    ]
    return as_markdown(["pictures of", *LABELS], rows)


def seeds() -> str:
    """What training anew with other seeds gives, the shipped one among them."""
    others = sorted(RESULTS.glob("seed-*"))
    rows = []
    for name, title in SETS.items():
        runs = [_read(name), *(_load(folder / f"{name}.json") for folder in others)]
        by_measure = [[100 * run[key] for run in runs] for key in SEEDED.values()]
        rows.append([title, *map(mean_and_spread, by_measure)])
    seen = ", ".join(str(run["seed"]) for run in runs)
    note = f"\nMean and standard deviation in per cent over {len(runs)} seeds ({seen}).\n"
    return as_markdown(["pictures of", *SEEDED], rows) + note


def card() -> str:
    """What the card inside the file says of the network and its training."""
    shipped = read_card(SHIPPED)
    data = shipped["data"]
    sources = ", ".join(f"{name} {count:,}" for name, count in data["train_by_source"].items())
    rows = [
        ["parameters", f"{shipped['parameters']:,}"],
        ["multiply-adds a crop", f"{shipped['multiply_adds']:,}"],
        ["file", f"{SHIPPED.stat().st_size / 1e6:.1f} MB"],
        ["temperature", str(shipped["temperature"])],
        ["called uncertain", _uncertain(shipped.get("uncertain"))],
        ["crops trained on", f"{data['train']:,} ({sources})"],
        ["crops held out, to choose the epoch and the temperature", f"{data['held_out']:,}"],
        ["neutral told from the six on held-out crops", _neutral(shipped["neutral"])],
        ["epochs and minutes of the two stages", _stages()],
        ["seed, epoch of the second stage", f"{data['seed']}, {shipped['epoch']}"],
        ["largest difference from torch on 256 crops", f"{shipped['parity']:.1e}"],
        ["licence", shipped["licence"]],
    ]
    return as_markdown(["", ""], rows)


def _stages() -> str:
    """How long each stage took, by the histories that `mien train` wrote."""
    stages = []
    for name in ("train-miennet-teacher", "train-miennet"):
        rows = list(csv.DictReader((RESULTS / f"{name}.csv").open(encoding="utf-8")))
        minutes = sum(float(row["seconds"]) for row in rows) / 60
        stages.append(f"{len(rows)} in {minutes:.0f} min")
    return f"{', then '.join(stages)}, on two cores with bfloat16"


def _uncertain(found: dict[str, float] | None) -> str:
    if not found:
        return "never"
    return (
        f"below {found['below']:.3f}; {found['answered']:.1%} of held-out pictures are named, "
        f"{found['error_rate']:.0%} of these wrongly (mean over databases)"
    )


def _neutral(found: dict[str, float]) -> str:
    return (
        f"AUROC {found['auroc']:.3f}; {found['found_rate']:.1%} of {found['held_out']:,} neutral "
        f"crops called neutral, {found['false_rate']:.1%} of {found['others']:,} others; most "
        "pictures are there in two framings"
    )


PARTS: dict[str, Callable[[], str]] = {
    "accuracy": partial(accuracy, SETS),
    "card": card,
    "recalls": partial(recalls, SETS),
    "seeds": seeds,
    "studio": partial(accuracy, STUDIO),
    "studio-recalls": partial(recalls, STUDIO),
}
