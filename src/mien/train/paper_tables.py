"""The values that the paper printed, and our results beside them.

Needs no torch: the documentation is made with it.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from mien.errors import UnknownNameError
from mien.media.writers import write_text
from mien.show.tables import as_markdown, mean_and_spread

__all__ = [
    "HEADER",
    "PROTOCOLS",
    "TABLES",
    "PaperRow",
    "choose_rows",
    "comparison",
    "judgement",
    "read_results",
    "rows",
    "runs_under",
    "settings",
    "source",
    "write_table",
]

TABLES = ("1", "later")
# paper: no copy is removed, and the paper's 600 pictures choose the epoch.
# leak-free: copies of test pictures and of the 600 are removed; a tenth of train chooses the epoch.
PROTOCOLS = ("paper", "leak-free")
HEADER = (
    "data",
    "network",
    "parameters",
    "accuracy",
    "train",
    "test",
    "test without copies",
    "600",
    "epochs",
    "minutes",
    "seeds",
)

_TITLES = {"paper": "ours, the paper's protocol", "leak-free": "ours, leak-free"}
_ACCURACIES = ("train", "test", "test_without_copies", "valid")
_JUDGED = {"train": "train", "test": "test", "valid": "600"}  # the printed columns
_NEAR = 2.0  # points below the printed value that count as reached
_FILE = Path(__file__).with_name("paper.toml")


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A row of a table.

    Attributes:
        data: ``rafdb``, ``fer2013`` or ``five`` for all databases together.
        model: a network's name.
        parameters: of the network as printed; None where they are not known.
        train, test, valid: accuracies in percent as printed; None where they are not known.
    """

    data: str
    model: str
    parameters: int | None = None
    train: float | None = None
    test: float | None = None
    valid: float | None = None

    @property
    def name(self) -> str:
        """Name of the row, of its runs and of its results."""
        return f"{self.data}-{self.model}"


def rows(table: str) -> list[PaperRow]:
    """Return a table's rows as printed.

    Args:
        table: one of `TABLES`.

    Returns:
        Its rows.
    """
    return [PaperRow(**line) for line in _read()[table]["rows"]]


def source(table: str) -> str:
    """Return the source of a table's values.

    Args:
        table: one of `TABLES`.

    Returns:
        A sentence or two.
    """
    return " ".join(_read()[table]["source"].split())


def settings(row: PaperRow) -> dict[str, Any]:
    """Return the settings in which a row differs from the recipe of its protocol.

    Args:
        row: of a table.

    Returns:
        Settings by name, often none: those of its database, of its network, of this row alone.
    """
    own: dict[str, dict[str, Any]] = _read()["settings"]
    return own.get(row.data, {}) | own.get(row.model, {}) | own.get(row.name, {})


def choose_rows(table: str, only: str | None) -> list[PaperRow]:
    """Choose rows by name.

    Args:
        table: one of `TABLES`.
        only: a network, a database, or a row like ``rafdb-cnn15``; None for all.

    Returns:
        The rows.

    Raises:
        UnknownNameError: if no row is called so.
    """
    every = rows(table)
    chosen = [row for row in every if only in {None, row.name, row.model, row.data}]
    if not chosen:
        raise UnknownNameError("row", str(only), {n for r in every for n in (r.name, r.model)})
    return chosen


def read_results(folder: Path, mark: str = "") -> dict[str, dict[str, Any]]:
    """Read the results of rows.

    Args:
        folder: with ``paper-ROW.json`` files.
        mark: of trial runs, see `mien.train.paper.Request.mark`.

    Returns:
        A record by the row's name.
    """
    results = {}
    for path in sorted(folder.glob(f"paper-*{mark}.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == f"paper-{record['row']}{mark}":
            results[record["row"]] = record
    return results


def runs_under(protocol: str, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Choose a row's runs by their protocol.

    Args:
        protocol: one of `PROTOCOLS`.
        record: of a row, as `mien.train.paper` writes it.

    Returns:
        A record a seed.
    """
    return [run for run in record["runs"] if run["protocol"] == protocol]


def comparison(table: str, results: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Put our results below the printed values, in the columns of `HEADER`.

    Args:
        table: one of `TABLES`.
        results: a row's record by its name, as `mien.train.paper` writes it.

    Returns:
        Three lines a row: printed, ours under the paper's protocol, ours leak-free; "" for what is
        not known.
    """
    lines = []
    for row in rows(table):
        record = results.get(row.name, {"runs": []})
        size = f"{record['parameters']:,}" if record["runs"] else ""
        theirs = size if row.parameters is None else f"{row.parameters:,}"
        printed = (row.train, row.test, None, row.valid)
        values = ["" if value is None else f"{value:.1f}" for value in printed]
        lines.append([row.data, row.model, theirs, "printed", *values, "", "", ""])
        for protocol, title in _TITLES.items():
            own = _ours(runs_under(protocol, record))
            lines.append([row.data, row.model, size, title, *own])
    return lines


def _ours(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    if not runs:
        return ["not run yet", *[""] * 6]
    percents = [
        mean_and_spread([100 * run["accuracy"][key] for run in runs]) for key in _ACCURACIES
    ]
    minutes = mean(run["seconds"] for run in runs) / 60
    epochs = "/".join(str(count) for count in sorted({run["epochs"] for run in runs}))
    return [*percents, epochs, f"{minutes:.0f}" if minutes >= 1 else "< 1", str(len(runs))]


def judgement(table: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Judge every row in every printed column, by our runs under the paper's protocol.

    Args:
        table: one of `TABLES`.
        results: a row's record by its name, as `mien.train.paper` writes it.

    Returns:
        A table in Markdown: by how many points ours is above the printed value, and whether it is
        reached, which 2 points below are; then how many are. "" before the first run.
    """
    lines, counts = [], {key: [0, 0] for key in _JUDGED}  # reached, judged
    for row in rows(table):
        runs = runs_under("paper", results.get(row.name, {"runs": []}))
        if not runs:
            continue
        cells = []
        for key in _JUDGED:
            printed = getattr(row, key)
            if printed is None:
                cells.append("")
                continue
            gap = 100 * mean(run["accuracy"][key] for run in runs) - printed
            reached = round(gap, 1) >= -_NEAR
            counts[key] = [counts[key][0] + reached, counts[key][1] + 1]
            cells.append(f"{gap:+.1f} {'reached' if reached else '**below**'}")
        lines.append([row.name, *cells])
    if not lines:
        return ""
    sums = [
        f"{name} {counts[k][0]} of {counts[k][1]}" for k, name in _JUDGED.items() if counts[k][1]
    ]
    return (
        "Ours under the paper's protocol less the printed accuracy, in points; "
        f"{_NEAR:.0f} below count as reached:\n\n"
        + as_markdown(["row", *_JUDGED.values()], lines)
        + f"\nReached: {', '.join(sums)}.\n"
    )


def write_table(table: str, folder: Path, mark: str = "") -> Path:
    """Write a table with our results so far as Markdown.

    Args:
        table: one of `TABLES`.
        folder: of the results; receives the table.
        mark: of trial runs, see `mien.train.paper.Request.mark`.

    Returns:
        The file.
    """
    results = read_results(folder, mark)
    text = as_markdown(HEADER, comparison(table, results))
    path = folder / f"table-{table}{mark}.md"
    write_text(f"{text}\n{judgement(table, results)}\nPrinted: {source(table)}\n", path)
    return path


def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
