"""What the paper printed, and our figures beside it.
No torch: the documentation is made of it.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from mien.errors import UnknownNameError
from mien.show.tables import mean_and_spread

__all__ = [
    "HEADER",
    "PROTOCOLS",
    "TABLES",
    "PaperRow",
    "beside",
    "chosen",
    "results",
    "rows",
    "runs_under",
    "settings",
    "source",
]


TABLES = ("1", "later")

# Ours under the paper's protocol: no copy removed, its 600 pictures choose the epoch.
# Ours leak-free: copies of test pictures and of the 600 removed, a tenth of train chooses it.
PROTOCOLS = ("paper", "leak-free")

_KEYS = ("train", "test", "test_without_copies", "valid")

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

_FILE = Path(__file__).with_name("paper.toml")


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A row of a table.

    Attributes:
        data: ``rafdb``, ``fer2013`` or ``five`` for all databases together.
        model: a network's name.
        train, test, valid: accuracies in percent as printed; None where they are not known.
    """

    data: str
    model: str
    train: float | None = None
    test: float | None = None
    valid: float | None = None

    @property
    def name(self) -> str:
        """Of the row, its runs and its results."""
        return f"{self.data}-{self.model}"


def rows(table: str) -> list[PaperRow]:
    """Return a table's rows as printed.

    Args:
        table: one of `TABLES`.

    Returns:
        Its rows. Where Table 1's own values are not known, those of the later table stand in.
    """
    told = _read()
    own = [PaperRow(**line) for line in told[table]["rows"]]
    if table == "later":
        return own
    later = {row.name: row for row in rows("later")}
    return [later.get(row.name, row) if row.test is None else row for row in own]


def source(table: str) -> str:
    """Say where a table's values are from.

    Args:
        table: one of `TABLES`.

    Returns:
        A sentence or two.
    """
    return " ".join(_read()[table]["source"].split())


def settings(row: PaperRow) -> dict[str, Any]:
    """Return what a row's recipe changes.

    Args:
        row: of a table.

    Returns:
        Settings by name, often none: those of its database, of its network, of this very row.
    """
    own: dict[str, dict[str, Any]] = _read()["settings"]
    return own.get(row.data, {}) | own.get(row.model, {}) | own.get(row.name, {})


def chosen(table: str, only: str | None) -> list[PaperRow]:
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
    found = [row for row in every if only in {None, row.name, row.model, row.data}]
    if not found:
        raise UnknownNameError("row", str(only), {n for r in every for n in (r.name, r.model)})
    return found


def results(folder: Path, mark: str = "") -> dict[str, dict[str, Any]]:
    """Read the results of rows.

    Args:
        folder: with ``paper-ROW.json`` files.
        mark: of a trial, see `mien.train.paper.Request.mark`.

    Returns:
        A record by the row's name.
    """
    found = {}
    for path in sorted(folder.glob(f"paper-*{mark}.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == f"paper-{record['row']}{mark}":
            found[record["row"]] = record
    return found


def runs_under(protocol: str, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Choose a row's runs by their protocol.

    Args:
        protocol: one of `PROTOCOLS`.
        record: of a row, as `mien.train.paper` writes it.

    Returns:
        A record a seed.
    """
    return [run for run in record["runs"] if run["protocol"] == protocol]


def beside(table: str, results: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Set our results below what was printed, under `HEADER`.

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
        told = ["" if v is None else f"{v:.1f}" for v in (row.train, row.test, None, row.valid)]
        lines.append([row.data, row.model, size, "printed", *told, "", "", ""])
        for protocol, title in _TITLES.items():
            own = _ours(runs_under(protocol, record))
            lines.append([row.data, row.model, size, title, *own])
    return lines


def _ours(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    if not runs:
        return ["not run yet", *[""] * 6]
    percents = [mean_and_spread([100 * run["accuracy"][key] for run in runs]) for key in _KEYS]
    minutes = mean(run["seconds"] for run in runs) / 60
    epochs = "/".join(str(count) for count in sorted({run["epochs"] for run in runs}))
    return [*percents, epochs, f"{minutes:.0f}", str(len(runs))]


def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
