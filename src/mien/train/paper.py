"""The rows of the paper's tables, trained and measured again.

A row is a database and a network; it has a run for each protocol and seed.
Pipeline: databases as downloaded -> prepared once -> runs -> their accuracies -> one JSON a row.
Every run is kept in a folder of its own, so the same command goes on after a stop. Test pictures
and the paper's 600 are read once, when a run is over; only the paper's own protocol lets the 600
choose the epoch.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from mien.data.datasets import Item
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError
from mien.evaluate.metrics import summarise
from mien.labels import LABELS
from mien.media.progress import Progress
from mien.media.writers import write_text
from mien.train import config
from mien.train.config import TrainConfig
from mien.train.data import Data, load_data
from mien.train.dataset import Crops, load_crops
from mien.train.leakage import drop_leaks
from mien.train.paper_tables import PROTOCOLS, TABLES, PaperRow, choose_rows, rows, settings
from mien.train.recipes import configs
from mien.train.run import History, load_run, made_with
from mien.train.trainer import EpochProgress, EpochReport, no_progress, no_report, train
from mien.train.validate import best_epoch, predict

__all__ = [
    "RECIPES",
    "Request",
    "RowRun",
    "find_database",
    "prepare_database",
    "run_row",
    "table_runs",
]

RECIPES = dict(zip(PROTOCOLS, ("paper-protocol.toml", "paper-leak-free.toml"), strict=True))
_FIVE = ("rafdb", "fer2013", "affectnet", "ckplus", "tfeid")
# Other file names that a database may have in the folder of databases.
_FILES = {"affectnet": "affectnet-subset.zip", "gimefive": "gimefive-valid.zip"}
_TEST_SHARES = {"affectnet": 0.2, "ckplus": 0.2, "tfeid": 0.2}  # of databases without a test split
_RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Request:
    """The options of `mien reproduce` that every run shares.

    Attributes:
        data: folder of the databases as downloaded.
        out: receives prepared folders, runs and results.
        limit: pictures of each split to use, for a trial; 0 for all.
        epochs: instead of the recipe's; 0 for the recipe's.
        preparing: wraps the pictures of a database, to show how far preparing it is.
    """

    data: Path
    out: Path
    limit: int = 0
    epochs: int = 0
    preparing: Progress = iter

    @property
    def mark(self) -> str:
        """End of the names of trial runs, which sets them apart from whole ones."""
        limit = f"-limit{self.limit}" if self.limit else ""
        return limit + (f"-epochs{self.epochs}" if self.epochs else "")


@dataclass(frozen=True, slots=True)
class RowRun:
    """One run of a row.

    Attributes:
        row: database and network.
        protocol: one of `PROTOCOLS`.
        seed: of the run.
    """

    row: PaperRow
    protocol: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the run's folder, without the mark of a trial."""
        return f"{self.row.name}-{self.protocol}-seed{self.seed}"

    def folder(self, request: Request) -> Path:
        """Return the run's folder."""
        return request.out / "runs" / f"{self.name}{request.mark}"

    @property
    def title(self) -> str:
        """The run in words."""
        return f"{self.row.name}, {self.protocol}, seed {self.seed}"


def table_runs(table: str, only: str | None, protocol: str, seeds: int) -> list[RowRun]:
    """List the runs of a table.

    Args:
        table: one of `TABLES`.
        only: a network, a database, or a row like ``rafdb-cnn15``; None for all.
        protocol: one of `PROTOCOLS`, or ``both``.
        seeds: how many runs a row and protocol have.

    Returns:
        All runs of the first seed, then those of the next.
    """
    chosen = choose_rows(table, only)
    protocols = PROTOCOLS if protocol == "both" else (protocol,)
    return [RowRun(row, p, seed) for seed in range(seeds) for row in chosen for p in protocols]


def find_database(database: str, request: Request) -> Path | None:
    """Look for a database as downloaded.

    Args:
        database: a name that ``mien prepare`` knows.
        request: names the folder of databases.

    Returns:
        Its archive or folder; None if it is not there.
    """
    places = (request.data / name for name in _names(database))
    return next((place for place in places if place.exists()), None)


def _names(database: str) -> tuple[str, ...]:
    return (database, f"{database}.zip", _FILES.get(database, database))


def prepare_database(database: str, protocol: str, request: Request, divided: bool = True) -> Path:
    """Prepare a database for a protocol, unless that was done before.

    Args:
        database: a name that ``mien prepare`` knows.
        protocol: one of `PROTOCOLS`; leak-free leaves out copies of test pictures and of the 600.
        request: names the folders and the limit.
        divided: make a test split where the database has none.

    Returns:
        The prepared folder.

    Raises:
        BadDataError: if the database is not in the folder of databases.
    """
    archive = find_database(database, request)
    if archive is None:
        raise BadDataError(
            f"no {' or '.join(sorted(set(_names(database))))} in {request.data}",
            fix="download it there, or name the folder with --data",
        )
    against: tuple[str, ...] = ()
    if database != "gimefive" and protocol == "leak-free":
        against = (str(prepare_database("gimefive", protocol, request)),)
    own = Settings(database, str(archive), neutral=False, against=against)
    share = _TEST_SHARES.get(database, 0) if divided else 0
    own = replace(own, test=share, keep_leaks=protocol == "paper")
    name = f"{database}-{protocol}{'' if divided else '-whole'}"
    if database == "gimefive":  # it has nothing to train on
        own, name = replace(own, keep_leaks=False), database
    folder = request.out / "data" / (f"{name}-limit{request.limit}" if request.limit else name)
    prepare(own, folder, request.preparing, choose=lambda items: _limited(items, request.limit))
    return folder


def _limited(items: list[Item], limit: int) -> list[Item]:
    """Keep so many items of each split, of every class in proportion to its size."""
    if not limit:
        return items
    totals = Counter((item.split, item.label) for item in items)
    seen: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[float, int]] = []  # share of its class that comes before an item, its number
    for number, item in enumerate(items):
        key = item.split, item.label
        turns.append((seen[key] / totals[key], number))
        seen[key] += 1
    taken: Counter[str] = Counter()
    chosen = []
    for _, number in sorted(turns):
        if taken[items[number].split] < limit:
            taken[items[number].split] += 1
            chosen.append(number)
    return [items[number] for number in sorted(chosen)]


def run_row(
    run: RowRun,
    request: Request,
    progress: EpochProgress = no_progress,
    report: EpochReport = no_report,
) -> dict[str, Any]:
    """Train and measure a row once; what was done before is not done again.

    Args:
        run: of the row.
        request: names the folders, the limit and the epochs.
        progress: wraps the steps of an epoch.
        report: is given each epoch's history row.

    Returns:
        The run's record.
    """
    out = run.folder(request)
    if (out / _RESULT).exists():
        return dict(json.loads((out / _RESULT).read_text(encoding="utf-8")))
    databases = _FIVE if run.row.data == "five" else (run.row.data,)
    folders = [prepare_database(name, run.protocol, request) for name in databases]
    valid = load_crops([prepare_database("gimefive", run.protocol, request)], "valid")
    own = _settings(run, request, folders)
    if run.protocol == "paper":
        data = Data(load_crops(folders, "train"), valid, 0, 0)
    else:
        data = load_data(own)
    history = train(own, out, out.exists(), progress, report, data)
    record = _describe(run, request, history)
    record |= _measure(out, data, load_crops(folders, "test"), valid)
    write_text(json.dumps(record, indent=1) + "\n", out / _RESULT)
    _write_row(run.row, request)
    return record


def _settings(run: RowRun, request: Request, folders: Sequence[Path]) -> TrainConfig:
    """Return the recipe of the protocol, with what the row and the request change."""
    raw = config.read(configs() / RECIPES[run.protocol])
    data = [str(folder) for folder in folders]
    raw |= {"data": data, "model": run.row.model, "seed": run.seed}
    raw |= settings(run.row)
    if request.epochs:
        raw["epochs"] = request.epochs
    return config.make(raw)


def _describe(run: RowRun, request: Request, history: History) -> dict[str, Any]:
    """Record how a run was made: the command, the versions, the machine, its epochs."""
    name = run.row.name
    table = next((key for key in TABLES if name in {row.name for row in rows(key)}), "later")
    command = f"mien reproduce --table {table} --only {name} --protocol {run.protocol}"
    trial = [f"--{k} {v}" for k, v in (("limit", request.limit), ("epochs", request.epochs)) if v]
    best = best_epoch(history)
    return {
        "protocol": run.protocol,
        "seed": run.seed,
        "command": " ".join([command, f"--seeds {run.seed + 1}", *trial]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        **made_with(),
        "limit": request.limit,
        "epochs": len(history),
        "best_epoch": best["epoch"],
        "held_accuracy": best["held_accuracy"],
        "seconds": round(sum(float(line["seconds"]) for line in history), 1),
    }


def _measure(folder: Path, data: Data, test: Crops, valid: Crops) -> dict[str, Any]:
    """Measure the best weights of a run on every split."""
    network = load_run(folder).network
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    without_copies, copies = drop_leaks(test, data.train)
    splits = {
        "train": data.train,
        "test": test,
        "test_without_copies": without_copies,
        "valid": valid,
    }
    measured = {
        name: summarise(torch.softmax(predict(network, crops), 1).numpy(), crops.targets.numpy())
        for name, crops in splits.items()
    }
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "pictures": {**{k: len(v) for k, v in splits.items()}, "held": len(data.held)},
        "test_pictures_with_a_copy_in_train": copies,
        "accuracy": {name: round(s.accuracy, 4) for name, s in measured.items()},
        "accuracy_95": {name: [round(b, 4) for b in s.interval] for name, s in measured.items()},
        "mean_recall": {name: round(s.mean_recall, 4) for name, s in measured.items()},
        "recall_test": {
            label: round(recall, 4)
            for label, recall in zip(LABELS, measured["test"].recalls, strict=True)
        },
    }


def _write_row(row: PaperRow, request: Request) -> None:
    """Write the records of a row's runs to one file."""
    runs = []
    for path in sorted((request.out / "runs").glob(f"{row.name}-*/{_RESULT}")):
        record = json.loads(path.read_text(encoding="utf-8"))
        run = RowRun(row, record["protocol"], record["seed"])
        if path.parent.name == f"{run.name}{request.mark}":
            runs.append(record)
    whole = {"row": row.name, "parameters": runs[0]["parameters"], "runs": runs}
    path = request.out / "results" / f"paper-{row.name}{request.mark}.json"
    write_text(json.dumps(whole, indent=1) + "\n", path)
