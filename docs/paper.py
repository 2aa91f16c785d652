"""The tables of docs/paper.md: what the paper printed beside what was measured, and its leaks."""

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean

from records import RESULTS, Record, read

from mien.show.tables import as_markdown, mean_and_spread
from mien.train import config, paper_tables
from mien.train.recipes import configs

__all__ = ["PARTS"]

_GRID = "paper-search"  # of configs/paper-grid.toml
_RECIPES = "paper-recipe"  # of configs/paper-recipe.toml
_BEST = "paper-best"  # of configs/paper-best.toml
Point = dict[str, str]


def whole_search() -> str:
    """The points of Table 4: a row for each rate, batch and dropout, which share a run."""
    if not (RESULTS / _GRID / "search.csv").exists():
        return "Not measured yet: `mien search configs/paper-grid.toml --limit 1200`.\n"
    points = _points(_GRID)
    lengths = list(dict.fromkeys(point["epochs"] for point in points))
    plain, stopping = dict.fromkeys(point["patience"] for point in points)
    settings = ("rate", "batch", "dropout")
    runs: dict[tuple[str, ...], dict[tuple[str, str], Point]] = {}
    for point in points:
        run = runs.setdefault(tuple(point[name] for name in settings), {})
        run[point["epochs"], point["patience"]] = point
    rows = []
    for values, run in runs.items():
        cells = [_reached(run[length, plain]) for length in lengths]
        early = run[lengths[-1], stopping]
        ended = f" ({early['epochs_run']})" if early["state"] == "done" else ""
        rows.append([*values, *cells, _reached(early) + ended])
    rows.sort(key=lambda row: (row[-2].endswith("%"), row[-2]), reverse=True)
    header = [*settings, *(f"{length} epochs" for length in lengths), "stopped early (epochs)"]
    done = sum(point["state"] == "done" for point in points)
    return as_markdown(header, rows) + f"\n{done} of {len(points)} points are done.\n"


def _reached(point: Point) -> str:
    """Held-out accuracy of a point, or why there is none."""
    return f"{float(point['held_accuracy']):.1%}" if point["state"] == "done" else point["state"]


def _points(name: str) -> list[Point]:
    return _read_csv(f"{name}/search.csv")


def _read_csv(name: str) -> list[dict[str, str]]:
    with (RESULTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def best_points() -> str:
    """The best points of Table 4 on all of RAF-DB, beside what they had on a part of it."""
    if not (RESULTS / _BEST / "search.csv").exists():
        return f"Not measured yet: `mien search configs/{_BEST}.toml`.\n"
    names = ("rate", "batch", "dropout", "epochs")
    part = {
        tuple(float(point[name]) for name in names): point
        for point in _points(_GRID)
        if point["patience"] == "0"
    }
    common = config.read(configs() / f"{_BEST}.toml")
    rows = []
    for point in _points(_BEST):
        values = [point.get(name, str(common[name])) for name in names]
        on_part = part[tuple(map(float, values))]
        best = f" (epoch {point['best_epoch']})" if point["state"] == "done" else ""
        rows.append([*values, _reached(on_part), _reached(point) + best])
    limit = config.read(RESULTS / _GRID / "best.toml")["limit"]
    return as_markdown([*names, f"on {limit:,} pictures", "on all"], rows)


def recipes() -> str:
    """The search for one recipe: the held-out accuracy of each network, and their mean."""
    points = _points(_RECIPES)
    networks = list(dict.fromkeys(point["model"] for point in points))
    found: dict[str, dict[str, Point]] = {}
    for point in points:
        found.setdefault(point["variant"], {})[point["model"]] = point
    means = {
        name: mean(float(own[network]["held_accuracy"]) for network in networks)
        for name, own in found.items()
    }
    rows = []
    for name in sorted(means, key=means.__getitem__, reverse=True):
        own = [found[name][network] for network in networks]
        cells = [f"{float(p['held_accuracy']):.1%} ({p['best_epoch']})" for p in own]
        rows.append([name, *cells, f"{means[name]:.1%}"])
    return as_markdown(["recipe", *(f"{name} (epoch)" for name in networks), "mean"], rows)


def scores() -> str:
    """Table 2: the first picture of each class of RAF-DB's test set, and the network's scores."""
    rows = _read_csv("table-2.csv")
    names = list(rows[0])[1:]
    first: dict[str, Point] = {}
    right = 0
    for row in rows:
        label = Path(row["filepath"]).parent.name.partition("_")[2]  # of 0_happiness
        first.setdefault(label, row)
        right += max(names, key=lambda name, row=row: float(row[name])) == label
    lines = [[Path(r["filepath"]).name, *(r[name] for name in names)] for r in first.values()]
    return as_markdown(["filepath", *names], lines) + (
        f"\nThe first picture of each class, in the order of the columns. Of all {len(rows):,} the "
        f"highest score is that of the label for {right:,}.\n"
    )


def pooled() -> str:
    """How the network that CAM is defined for does beside the one it was made of."""
    if not (RESULTS / "cnn15-gap" / "rafdb-test.json").exists():
        return "Not measured yet: `mien train cnn15-gap`.\n"
    own, whole = read("cnn15-gap/rafdb-test"), read("paper-rafdb-cnn15")
    runs = paper_tables.runs_under("leak-free", whole)
    theirs = mean_and_spread([100 * run["accuracy"]["test"] for run in runs])
    low, high = own["accuracy_95"]
    return (
        f"Of RAF-DB's test set ({own['pictures']:,} pictures), trained without leaks by the same "
        f"recipe, `cnn15-gap` names {own['accuracy']:.1%} ({low:.1%} to {high:.1%}; one seed) and "
        f"`cnn15` {theirs}% ({len(runs)} seeds).\n"
    )


def search() -> str:
    """Every run of an earlier search, best first, at the epochs where it was best.

    All that varies is a column, so that no row stands for several networks or seeds.
    """
    points = [point for point in _points("cnn13-grid") if point["state"] == "done"]
    names = list(points[0])
    varied = [name for name in names[: names.index("held_accuracy")] if name != "epochs"]
    longest = [p for p in points if int(p["epochs"]) == max(int(q["epochs"]) for q in points)]
    longest.sort(key=lambda point: -float(point["held_accuracy"]))
    rows = [
        [*(p[name] for name in varied), f"{float(p['held_accuracy']):.1%}", p["best_epoch"]]
        for p in longest
    ]
    return as_markdown([*varied, "held out", "best epoch"], rows)


def table(name: str) -> str:
    """A table of the paper, and what `mien reproduce` measured so far."""
    measured = paper_tables.read_results(RESULTS)
    rows = as_markdown(paper_tables.HEADER, paper_tables.comparison(name, measured))
    judged = paper_tables.judgement(name, measured)
    missing = _not_run(name, measured)
    return f"{rows}\n{judged}\n{missing}Printed: {paper_tables.source(name)}\n"


def _not_run(name: str, measured: Mapping[str, Record]) -> str:
    """Which rows of a table were not run, and how many hours a run would take on two cores."""
    speeds = read("bench-train")["figures"]
    recipe = config.read(configs() / "paper-protocol.toml")
    pictures = {
        row.data: measured[row.name]["runs"][0]["pictures"]["train"]
        for row in paper_tables.rows(name)
        if row.name in measured
    }
    hours = []
    for row in paper_tables.rows(name):
        if row.name not in measured and row.data in pictures:
            epochs = paper_tables.settings(row).get("epochs", recipe["epochs"])
            speed = speeds[row.model]["bfloat16"]["crops_per_s"]["loop"]
            hours.append(f"{row.name} {pictures[row.data] * epochs / speed / 3600:.1f}")
    if not hours:
        return ""
    return (
        "Not run, for want of time: beside each row the hours that one run of it takes on the two "
        f"cores of [bench-train.json](../results/bench-train.json): {', '.join(hours)}.\n\n"
    )


def leaks() -> str:
    """How much copies in train, and choosing the epoch by the 600, change the accuracies."""
    rows, gaps = [], []
    for name, record in paper_tables.read_results(RESULTS).items():
        leaky, clean = (
            paper_tables.runs_under(protocol, record) for protocol in paper_tables.PROTOCOLS
        )
        if not leaky or not clean:
            continue
        copied = mean(_accuracy_on_copies(run) for run in leaky)
        others = _accuracy(leaky, "test_without_copies")
        tests = [_accuracy(runs, "test") for runs in (leaky, clean)]
        valids = [_accuracy(runs, "valid") for runs in (leaky, clean)]
        count = str(leaky[0]["test_pictures_with_a_copy_in_train"])
        percents = [f"{100 * share:.1f}" for share in (copied, others, *tests, *valids)]
        rows.append([name, count, *percents])
        differences = (tests[0] - tests[1], valids[0] - valids[1])
        gaps.append((copied - others, tests[0] - others, *differences))
    if not rows:
        return "No row was run under both protocols yet.\n"
    header = [
        "row", "test pictures with a copy in train", "right of these", "right of the others",
        "test, the paper's protocol", "test, leak-free", "600, the paper's protocol",
        "600, leak-free",
    ]  # fmt: skip
    copies, whole, protocol, valid = (100 * mean(column) for column in zip(*gaps, strict=True))
    return as_markdown(header, rows) + (
        f"\nOn average over {len(rows)} rows, in points: a test picture whose copy was trained on "
        f"is right {copies:+.1f} more often than the others, and all of them together move the "
        f"test set by {whole:+.1f}. Test accuracy under the paper's protocol less the leak-free "
        f"one is {protocol:+.1f} (it also trains on more pictures); the 600, where they choose the "
        f"epoch, less where they do not, {valid:+.1f}.\n\n"
        "Leak-free, copies are searched from each training picture. Searched from each test "
        f"picture, which finds others, some still have one in training: {_still_leaked()}. "
        "`Test without copies`, above, leaves them out.\n"
    )


def _still_leaked() -> str:
    """How many test pictures have a copy in the training pictures of leak-free runs."""
    counts: dict[str, set[int]] = {}
    totals: dict[str, int] = {}
    for name, record in paper_tables.read_results(RESULTS).items():
        data = name.partition("-")[0]
        for run in paper_tables.runs_under("leak-free", record):
            counts.setdefault(data, set()).add(run["test_pictures_with_a_copy_in_train"])
            totals[data] = run["pictures"]["test"]
    return ", ".join(
        f"{' or '.join(map(str, sorted(own)))} of {totals[data]:,} ({data})"
        for data, own in counts.items()
    )


def _accuracy(runs: Sequence[Record], split: str) -> float:
    return mean(run["accuracy"][split] for run in runs)


def _accuracy_on_copies(run: Record) -> float:
    """Accuracy on the test pictures that have a copy in train."""
    counts = [run["pictures"][key] for key in ("test", "test_without_copies")]
    right = [run["accuracy"][k] * run["pictures"][k] for k in ("test", "test_without_copies")]
    return float((right[0] - right[1]) / (counts[0] - counts[1]))


PARTS = {
    "paper-1": partial(table, "1"),
    "paper-2": scores,
    "paper-later": partial(table, "later"),
    "paper-leaks": leaks,
    "paper-search": search,
    "paper-4": whole_search,
    "paper-best": best_points,
    "paper-recipe": recipes,
    "cam-network": pooled,
}
