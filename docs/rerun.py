"""The paper's tables with what was measured so far, and what its leaks are worth.

Imports: mien.printed; results/paper-*.json and the ablation's.
"""

import csv
import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from mien import printed
from mien.show.tables import as_markdown

__all__ = ["PARTS"]

RESULTS = Path(__file__).parents[1] / "results"
_NEAR = 2.0  # points below the printed value that count as reached

Record = dict[str, Any]


def ablation() -> str:
    """The paper's cnn15 with and without random augmentation."""
    rows = []
    for name in ("off", "on"):
        folder = RESULTS / f"ablation-augment-{name}"
        r = json.loads((folder / "rafdb-test.json").read_text(encoding="utf-8"))
        with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
            best = max(csv.DictReader(file), key=lambda row: float(row["held_accuracy"]))
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


def table(name: str) -> str:
    """A table of the paper, and what `mien reproduce` measured so far."""
    lines = printed.beside(name, _measured())
    shown = [[cell or "-" for cell in line] for line in lines]
    whole = as_markdown(list(printed.HEADER), shown)
    return f"{whole}\n{_verdict(name)}Printed: {printed.source(name)}\n"


def _measured() -> dict[str, Record]:
    """A row's record by its name; trials have other names."""
    found = {}
    for path in sorted(RESULTS.glob("paper-*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == f"paper-{record['row']}":
            found[record["row"]] = record
    return found


def _verdict(name: str) -> str:
    """Which rows reach what was printed, under the paper's own protocol."""
    measured = _measured()
    far = {
        row.name: 100 * mean(r["accuracy"]["test"] for r in runs) - row.test
        for row in printed.rows(name)
        if row.test is not None and (runs := _under("paper", measured.get(row.name, {})))
    }
    if not far:
        return ""
    reached = [f"`{row}` ({gap:+.1f})" for row, gap in far.items() if gap >= -_NEAR]
    below = [f"`{row}` ({gap:+.1f})" for row, gap in far.items() if gap < -_NEAR]
    words = (
        f"Test accuracy under the paper's protocol less the printed one, in points; {_NEAR:.0f} "
    )
    words += f"below count as reached. Reached: {', '.join(reached) or 'none'}."
    return words + (f" Below: {', '.join(below)}." if below else "") + "\n\n"


def leaks() -> str:
    """What copies in train, and choosing by the 600, do to the figures."""
    rows, gaps = [], []
    for name, record in _measured().items():
        leaky, clean = (_under(protocol, record) for protocol in printed.PROTOCOLS)
        if not leaky or not clean:
            continue
        copied, apart = (
            _mean(leaky, _copied),
            _mean(leaky, lambda r: r["accuracy"]["test_without_copies"]),
        )
        tests = [_mean(runs, lambda r: r["accuracy"]["test"]) for runs in (leaky, clean)]
        valids = [_mean(runs, lambda r: r["accuracy"]["valid"]) for runs in (leaky, clean)]
        count = leaky[0]["test_pictures_with_a_copy_in_train"]
        rows.append([
            name,
            str(count),
            *(f"{100 * v:.1f}" for v in (copied, apart, *tests, *valids)),
        ])
        gaps.append((tests[0] - apart, tests[0] - tests[1], valids[0] - valids[1], copied - apart))
    header = [
        "row", "test pictures with a copy in train", "right of these", "right of the others",
        "test, the paper's protocol", "test, leak-free", "600, the paper's protocol",
        "600, leak-free",
    ]  # fmt: skip
    if not rows:
        return "No row was run under both protocols yet.\n"
    inside, across, chosen, known = (100 * mean(column) for column in zip(*gaps, strict=True))
    return as_markdown(header, rows) + (
        f"\nOn average over {len(rows)} rows, in points: a test picture whose copy was trained on "
        f"is right {known:+.1f} more often than the others, and all of them together move the test "
        f"set by {inside:+.1f}. Test accuracy under the paper's protocol less the leak-free one is "
        f"{across:+.1f} (it also trains on a tenth more); the 600, where they choose the epoch, "
        f"less where they do not, {chosen:+.1f}.\n"
    )


def _under(protocol: str, record: Record) -> list[Record]:
    return [run for run in record.get("runs", []) if run["protocol"] == protocol]


def _copied(run: Record) -> float:
    """Accuracy on the test pictures that have a copy in train."""
    whole, apart = (run["pictures"][key] for key in ("test", "test_without_copies"))
    right = [run["accuracy"][k] * run["pictures"][k] for k in ("test", "test_without_copies")]
    return float((right[0] - right[1]) / (whole - apart))


def _mean(runs: Iterable[Record], of: Any) -> float:
    return mean(of(run) for run in runs)


PARTS = {
    "ablation": ablation,
    "paper-1": partial(table, "1"),
    "paper-later": partial(table, "later"),
    "paper-leaks": leaks,
}
