"""The tables of docs/model-card.md, which the README repeats in part.

They show the card inside the shipped file, and what `mien evaluate` measured of that model.
Measurements of another model stop the build.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from records import RESULTS, read, read_of_shipped

from mien.labels import LABELS
from mien.recognize.model import SHIPPED, read_card
from mien.show.tables import as_markdown, mean_and_spread
from mien.train import config
from mien.train.recipes import configs

__all__ = ["PARTS"]

SETS = {
    "rafdb-test": "RAF-DB test",
    "rafdb-framed-test": "RAF-DB test, framed by mien",
    "fer2013-test": "FER2013 test",
    "fer2013-framed-test": "FER2013 test, framed by mien",
}
SEED_COLUMNS = {
    "accuracy": "accuracy",
    "mean recall": "mean_recall",
    "at 80 % coverage": "accuracy_at_80",
    "ECE": "calibration_error",
}
STUDIO = {
    "ckplus-framed-train": "CK+, framed by mien",
    "tfeid-framed-train": "TFEID, framed by mien",
}
_STAGES = ("miennet-start", "miennet-teacher", "miennet")  # recipes of the shipped model
SETTINGS = {  # of a recipe
    "epochs": "epochs",
    "batch": "batch",
    "rate": "learning rate at the start",
    "stem_rate": "that of the first convolution, as a share",
    "first_side": "side of the first crops in pixels; 0 is the whole side",
    "smoothing": "label smoothing",
    "trust": "share of the votes in a target that has some",
    "distil": "share of distillation in the loss",
    "balance": "[balance](training.md#rare-expressions-small-datasets)",
}
VOTED = {"voted": "most saw one of the six", "clear": "more than half of the votes for it"}


def accuracy(sets: Mapping[str, str]) -> str:
    """Accuracy by test set; with mirror images averaged where that was measured."""
    rows = []
    for name, title in sets.items():
        r = read_of_shipped(name)
        low, high = r["accuracy_95"]
        least, most = r["calibration_error_by_chance"]
        rows.append([
            title,
            r["pictures"],
            f"**{r['accuracy']:.1%}** ({low:.1%} to {high:.1%})",
            _with_mirror_images(name),
            f"{r['mean_recall']:.1%}",
            f"{r['accuracy_at_80']:.1%}",
            f"{r['calibration_error']:.1%} ({least:.1%} to {most:.1%})",
        ])
    header = [
        "pictures of", "pictures", "accuracy (95 %)", "with `--flip`", "mean recall",
        "at 80 % coverage", "ECE (by chance alone)",
    ]  # fmt: skip
    return as_markdown(header, rows)


def as_called() -> str:
    """What a user sees: neutral and uncertain are answers too, and wrong ones on these pictures."""
    peers = read("peers")
    ours = next(rival["sets"] for rival in peers["rivals"] if rival["name"] == "mien")
    records = {title: read_of_shipped(name) for name, title in SETS.items()}
    whole = all("accuracy_as_called" in record for record in records.values())
    rows = [
        [
            title,
            f"{r['accuracy']:.1%}",
            f"{ours[title]['accuracy_with_neutral']:.1%}" if title in ours else "",
            *([f"**{r['accuracy_as_called']:.1%}**"] if whole else []),
            f"{r['called_neutral_rate']:.1%}",
            f"{r['called_uncertain_rate']:.1%}",
        ]
        for title, r in records.items()
    ]
    header = [
        "right, of all pictures of", "forced to one of the six", "neutral may be the answer",
        *(["neutral and uncertain may be"] if whole else []), "called neutral", "called uncertain",
    ]  # fmt: skip
    unknown = "" if all(row[2] for row in rows) else "\n`-`: not measured for this framing.\n"
    return as_markdown(header, rows) + unknown


def _with_mirror_images(name: str) -> str:
    if not (RESULTS / f"{name}-flip.json").exists():
        return ""
    return f"{read_of_shipped(f'{name}-flip')['accuracy']:.1%}"


def recalls(sets: Mapping[str, str]) -> str:
    """Recall by expression and test set."""
    rows = [
        [title, *(f"{read_of_shipped(name)['recall'][label]:.1%}" for label in LABELS)]
        for name, title in sets.items()
    ]
    return as_markdown(["pictures of", *LABELS], rows)


def seeds() -> str:
    """Mean and spread over training runs with several seeds, the shipped one among them."""
    folders = sorted(path.name for path in RESULTS.glob("seed-*"))
    if not folders:
        return "Of this network one seed was trained so far.\n"
    rows = []
    for name, title in SETS.items():
        runs = [read_of_shipped(name), *(read(f"{folder}/{name}") for folder in folders)]
        columns = [[100 * run[key] for run in runs] for key in SEED_COLUMNS.values()]
        rows.append([title, *map(mean_and_spread, columns)])
    listed = ", ".join(str(run["seed"]) for run in runs)
    note = f"\nMean and standard deviation in per cent over {len(runs)} seeds ({listed}).\n"
    return as_markdown(["pictures of", *SEED_COLUMNS], rows) + note


def card() -> str:
    """The card inside the shipped file: the network and its training."""
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
        ["begins with", _start(data.get("start", {}))],
        ["epochs and minutes of the three stages", _stages()],
        ["seed, epoch of the third stage", f"{data['seed']}, {shipped['epoch']}"],
        ["largest difference from torch on 256 crops", f"{shipped['parity']:.1e}"],
        ["licence", shipped["licence"]],
    ]
    return as_markdown(["", ""], rows)


def stages() -> str:
    """The settings of the three stages that matter most, from their recipes."""
    recipes = [config.load(configs() / f"{name}.toml") for name in _STAGES]
    recipes = [r if r.teachers else replace(r, distil=0.0) for r in recipes]
    rows = [
        [words, *(f"{getattr(recipe, name):g}" for recipe in recipes)]
        for name, words in SETTINGS.items()
    ]
    return as_markdown(["setting", *(f"`{name}`" for name in _STAGES)], rows)


def _stages() -> str:
    """Epochs and minutes of each stage, from the histories that `mien train` wrote."""
    stages = []
    for name in _STAGES:
        rows = list(csv.DictReader((RESULTS / f"train-{name}.csv").open(encoding="utf-8")))
        minutes = sum(float(row["seconds"]) for row in rows) / 60
        stages.append(f"{len(rows)} in {minutes:.0f} min")
    return f"{', then '.join(stages)}, on two cores"


def _start(start: dict[str, str]) -> str:
    return f'{start["source"]}. "{start["licence"]}"' if start else "fresh weights"


def _uncertain(rule: dict[str, float] | None) -> str:
    if not rule:
        return "never"
    return (
        f"below {rule['below']:.3f}; {rule['answered']:.1%} of held-out pictures are named, "
        f"{rule['error_rate']:.0%} of these wrongly (mean over datasets)"
    )


def _neutral(figures: dict[str, float]) -> str:
    return (
        f"AUROC {figures['auroc']:.3f}; {figures['found_rate']:.1%} of {figures['held_out']:,} "
        f"neutral crops called neutral, {figures['false_rate']:.1%} of {figures['others']:,} "
        "others; most pictures are there in two framings"
    )


def votes() -> str:
    """Right answers on FER2013 by its labels, and by what most of ten annotators saw."""
    record = read_of_shipped("votes")
    rows, calm_rows = [], []
    for framing in ("as distributed", "framed by mien"):
        found = record[framing]
        rows.append([f"the six, {framing}", *_judged(found["labelled"], "accuracy"), "", ""])
        for key, words in VOTED.items():
            row = found[key]
            cells = (f"**{_rate(row['by_votes'])}**", f"{row['label_agrees']['rate']:.1%}")
            rows.append([f"{words}, {framing}", *_judged(row, "by_label"), *cells])
        calm = found["neutral"]
        judges = ("by_label", "by_votes", "by_clear_votes")
        hidden, called = calm["labelled_one_of_the_six"], calm["called_neutral"]["rate"]
        calm_rows.append([
            framing,
            *(f"{calm[judge]['auroc']:.3f}" for judge in judges),
            f"{hidden} of {found['labelled']['pictures']:,}",
            f"{called:.0%}",
        ])
    header = ["pictures of", "pictures", "right by the label", "right by the votes", "label agrees"]
    calm_header = [
        "neutral told from the six, AUROC", "by the label", "by the votes", "by clear votes",
        "labelled one of the six, neutral to most", "of these called neutral",
    ]  # fmt: skip
    return f"{as_markdown(header, rows)}\n{as_markdown(calm_header, calm_rows)}"


def _judged(row: Mapping[str, Any], key: str) -> tuple[str, str]:
    return f"{row['pictures']:,}", _rate(row[key])


def _rate(found: Mapping[str, Any]) -> str:
    low, high = found["95"]
    return f"{found['rate']:.1%} ({low:.1%} to {high:.1%})"


PARTS: dict[str, Callable[[], str]] = {
    "accuracy": partial(accuracy, SETS),
    "as-called": as_called,
    "card": card,
    "recalls": partial(recalls, SETS),
    "seeds": seeds,
    "stages": stages,
    "studio": partial(accuracy, STUDIO),
    "studio-recalls": partial(recalls, STUDIO),
    "votes": votes,
}
