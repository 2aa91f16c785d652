"""The paper's rows, rerun: a database and a network, under the paper's protocol and leak-free.

The way through: databases as downloaded -> prepared once -> a run for each row, protocol and seed
-> its figures -> one JSON a row. Every piece is kept in a folder of its own, so the same command
goes on after a stop. Test pictures and the paper's 600 are read once, when a run is over; only the
paper's own protocol lets the 600 choose the epoch.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from mien import __version__
from mien.data.datasets import Item
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError
from mien.evaluate.accuracy import commit
from mien.evaluate.metrics import summarise
from mien.labels import LABELS
from mien.media import progress as media_progress
from mien.media.writers import write_text
from mien.train import config
from mien.train.config import TrainConfig
from mien.train.data import Data, gather
from mien.train.dataset import Crops, drop_leaks, load_crops
from mien.train.paper_tables import PROTOCOLS, TABLES, PaperRow, rows, settings
from mien.train.run import trained
from mien.train.trainer import History, Progress, Report, train
from mien.train.validate import predict

__all__ = ["RECIPES", "Request", "configs", "prepared", "run_row"]

RECIPES = dict(zip(PROTOCOLS, ("paper-protocol.toml", "paper-leak-free.toml"), strict=True))
_FIVE = ("rafdb", "fer2013", "affectnet", "ckplus", "tfeid")
# Names under which a database may lie in the folder of databases, beside its own.
_FILES = {"affectnet": "affectnet-subset.zip", "gimefive": "gimefive-valid.zip"}
_NO_TEST = {"affectnet": 0.2, "ckplus": 0.2, "tfeid": 0.2}  # share to hold out: they have no test
_RESULT = "result.json"
Preparing = media_progress.Progress


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of `mien reproduce`.

    Attributes:
        data: folder of the databases as downloaded.
        out: receives prepared folders, runs and results.
        limit: pictures of each split to use, for a trial; 0 for all.
        epochs: instead of the recipe's; 0 for those.
        preparing: wraps the pictures of a database, to show how far it is.
    """

    data: Path
    out: Path
    limit: int = 0
    epochs: int = 0
    preparing: Preparing = iter

    @property
    def mark(self) -> str:
        """What sets a trial's runs apart from whole ones."""
        limit = f"-limit{self.limit}" if self.limit else ""
        return limit + (f"-epochs{self.epochs}" if self.epochs else "")


def configs() -> Path:
    """Return the folder of the recipes: in the package, or beside ``src`` in a clone."""
    package = Path(__file__).parents[1]
    installed = package / "configs"
    return installed if installed.is_dir() else package.parents[1] / "configs"


def prepared(database: str, protocol: str, request: Request) -> Path:
    """Prepare a database for a protocol, unless that was done before.

    Args:
        database: a name that ``mien prepare`` knows.
        protocol: one of `PROTOCOLS`; leak-free leaves out copies of test pictures and of the 600.
        request: where from and where to.

    Returns:
        The prepared folder.

    Raises:
        BadDataError: if the database is not in the folder of databases.
    """
    names = (database, f"{database}.zip", _FILES.get(database, database))
    archive = next((request.data / n for n in names if (request.data / n).exists()), None)
    if archive is None:
        raise BadDataError(
            f"no {' or '.join(sorted(set(names)))} in {request.data}",
            fix="download it there, or name the folder with --data",
        )
    against: tuple[str, ...] = ()
    if database != "gimefive" and protocol == "leak-free":
        against = (str(prepared("gimefive", protocol, request)),)
    own = Settings(database, str(archive), neutral=False, against=against)
    own = replace(own, test=_NO_TEST.get(database, 0), keep_leaks=protocol == "paper")
    name = f"{database}-{protocol}"
    if database == "gimefive":  # it has nothing to train on
        own, name = replace(own, keep_leaks=False), database
    folder = request.out / "data" / (f"{name}-limit{request.limit}" if request.limit else name)
    prepare(own, folder, request.preparing, choose=lambda items: _some(items, request.limit))
    return folder


def _some(items: list[Item], limit: int) -> list[Item]:
    """The first of every class in turn, in proportion to the class; so many of each split."""
    if not limit:
        return items
    totals = Counter((item.split, item.label) for item in items)
    seen: Counter[tuple[str, str]] = Counter()
    places: list[tuple[float, int]] = []
    for number, item in enumerate(items):
        key = item.split, item.label
        places.append((seen[key] / totals[key], number))
        seen[key] += 1
    taken: Counter[str] = Counter()
    chosen = []
    for _, number in sorted(places):
        if taken[items[number].split] < limit:
            taken[items[number].split] += 1
            chosen.append(number)
    return [items[number] for number in sorted(chosen)]


def run_row(
    row: PaperRow,
    protocol: str,
    seed: int,
    request: Request,
    progress: Progress,
    report: Report,
) -> dict[str, Any]:
    """Train and measure a row once; what was done before is not done again.

    Args:
        row: database and network.
        protocol: one of `PROTOCOLS`.
        seed: of the run.
        request: where from, where to, how much.
        progress: wraps the steps of an epoch.
        report: is given each epoch's history row.

    Returns:
        The run's record.
    """
    name = f"{row.name}-{protocol}-seed{seed}{request.mark}"
    run = request.out / "runs" / name
    if (run / _RESULT).exists():
        return dict(json.loads((run / _RESULT).read_text(encoding="utf-8")))
    names = _FIVE if row.data == "five" else (row.data,)
    folders = [prepared(name, protocol, request) for name in names]
    valid = load_crops([prepared("gimefive", protocol, request)], "valid")
    own = _settings(row, protocol, seed, request, folders)
    data = Data(load_crops(folders, "train"), valid, 0, 0) if protocol == "paper" else gather(own)
    history = train(own, run, run.exists(), progress, report, data)
    record = _record(row, protocol, own, request, history)
    record |= _measured(run, data, load_crops(folders, "test"), valid)
    write_text(json.dumps(record, indent=1) + "\n", run / _RESULT)
    _write_row(row, request)
    return record


def _settings(
    row: PaperRow, protocol: str, seed: int, request: Request, folders: Sequence[Path]
) -> TrainConfig:
    raw = config.read(configs() / RECIPES[protocol])
    raw |= {"data": [str(folder) for folder in folders], "model": row.model, "seed": seed}
    raw |= settings(row)
    if request.epochs:
        raw["epochs"] = request.epochs
    return config.make(raw)


def _record(
    row: PaperRow, protocol: str, own: TrainConfig, request: Request, history: History
) -> dict[str, Any]:
    best = max(history, key=lambda line: float(line["held_accuracy"]))
    words = [f"--{k} {v}" for k, v in (("limit", request.limit), ("epochs", request.epochs)) if v]
    table = next((name for name in TABLES if row.name in {r.name for r in rows(name)}), "later")
    asked = f"mien reproduce --table {table} --only {row.name} --protocol {protocol}"
    return {
        "protocol": protocol,
        "seed": own.seed,
        "command": " ".join([asked, f"--seeds {own.seed + 1}", *words]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit(),
        "mien": __version__,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),
        "limit": request.limit,
        "epochs": len(history),
        "best_epoch": best["epoch"],
        "held_accuracy": best["held_accuracy"],
        "seconds": round(sum(float(line["seconds"]) for line in history), 1),
    }


def _measured(run: Path, data: Data, test: Crops, valid: Crops) -> dict[str, Any]:
    """Measure the best weights of a run on every split."""
    network = trained(run).network
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    apart, copied = drop_leaks(test, data.train)
    splits = {"train": data.train, "test": test, "test_without_copies": apart, "valid": valid}
    found = {
        name: summarise(torch.softmax(predict(network, crops), 1).numpy(), crops.targets.numpy())
        for name, crops in splits.items()
    }
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "pictures": {**{k: len(v) for k, v in splits.items()}, "held": len(data.held)},
        "test_pictures_with_a_copy_in_train": copied,
        "accuracy": {name: round(s.accuracy, 4) for name, s in found.items()},
        "accuracy_95": {name: [round(b, 4) for b in s.interval] for name, s in found.items()},
        "mean_recall": {name: round(s.mean_recall, 4) for name, s in found.items()},
        "recall_test": dict(zip(LABELS, (round(r, 4) for r in found["test"].recalls), strict=True)),
    }


def _write_row(row: PaperRow, request: Request) -> None:
    """Gather the runs of a row into one file."""
    found = sorted((request.out / "runs").glob(f"{row.name}-*/{_RESULT}"))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    runs = [
        record
        for path, record in zip(found, records, strict=True)
        if path.parent.name == f"{row.name}-{record['protocol']}-seed{record['seed']}{request.mark}"
    ]
    whole = {"row": row.name, "parameters": runs[0]["parameters"], "runs": runs}
    path = request.out / "results" / f"paper-{row.name}{request.mark}.json"
    write_text(json.dumps(whole, indent=1) + "\n", path)
