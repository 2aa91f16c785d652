"""A search over settings: run after run, the best so far, one row a point.

Every point is judged on held-out training pictures; the test set is not read. A run that was
finished is not trained again, so a search that was killed goes on where it was. Knows nothing of
other machines: see `mien.scale.tune`.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from mien.errors import BadDataError, BadModelError, BadSettingError
from mien.media.writers import CsvWriter, write_text
from mien.train import config
from mien.train.config import DEFAULTS, TrainConfig
from mien.train.data import Data, gather
from mien.train.grid import Family, Grid, families
from mien.train.trainer import History, Progress, train
from mien.train.validate import stopped

__all__ = [
    "MEASURED",
    "Median",
    "Outcome",
    "claim",
    "collect",
    "end",
    "is_over",
    "read_history",
    "search",
    "write",
]

MEASURED = ("held_accuracy", "held_loss", "best_epoch", "epochs_run", "seconds", "state", "run")
_ENDED = "ended.txt"
# What does not decide which pictures a run trains on.
_NOT_OF_DATA = (
    "model", "epochs", "batch", "rate", "schedule", "warmup", "optimiser", "momentum", "nesterov",
    "weight_decay", "smoothing", "dropout", "average", "patience", "bf16", "compile", "threads",
    "devices", "teachers", "distil", "heat",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a point of the grid came to.

    Attributes:
        point: its settings.
        run: name of the run that answers it.
        history: the epochs that it would have run.
        state: ``done``, ``pruned``, ``diverged`` or ``to do``.
    """

    point: TrainConfig
    run: str
    history: History
    state: str

    @property
    def best(self) -> dict[str, Any]:
        """Row of the epoch that would be kept; empty before the first."""
        return max(self.history, key=lambda row: float(row["held_accuracy"]), default={})

    def row(self, varied: Sequence[str]) -> list[object]:
        """Return its CSV row: the values that vary, then `MEASURED`."""
        values = [getattr(self.point, name) for name in varied]
        spent = round(sum(float(row["seconds"]) for row in self.history), 1)
        best = [self.best.get(name, "") for name in ("held_accuracy", "held_loss", "epoch")]
        return [*values, *best, len(self.history), spent, self.state, self.run]


@dataclass(slots=True)
class Median:
    """Ends a run that is hopeless: the median rule.

    After five epochs, a run ends when its best held-out accuracy is below the median of what the
    earlier runs had reached by the same epoch; three earlier runs are needed to judge.

    Source: Golovin et al. 2017, "Google Vizier", doi:10.1145/3097983.3098043, section 3.2.2, with
    the best in place of the running mean.

    Attributes:
        earlier: accuracies by epoch of the earlier runs.
        best: of this run, so far.
        over: whether it was ended.
        grace: epochs before it is judged.
        least: earlier runs needed to judge.
    """

    earlier: Sequence[Sequence[float]]
    best: float = 0.0
    over: bool = False
    grace: int = 5
    least: int = 3

    def __call__(self, row: dict[str, Any]) -> bool:
        """Look at an epoch.

        Args:
            row: of the history.

        Returns:
            True to end the run.
        """
        epoch = int(row["epoch"])
        self.best = max(self.best, float(row["held_accuracy"]))
        reached = [max(other[:epoch]) for other in self.earlier if len(other) >= epoch]
        judged = epoch >= self.grace and len(reached) >= self.least
        self.over = judged and self.best < median(reached)
        return self.over


def search(
    grid: Grid,
    out: Path,
    prune: bool = False,
    progress: Callable[[str], Progress] = lambda _: lambda steps, _name: steps,
    report: Callable[[list[Outcome]], None] = lambda outcomes: None,
) -> list[Outcome]:
    """Train what a grid asks for.

    Args:
        grid: the points.
        out: the search's folder.
        prune: end hopeless runs early, see `Median`.
        progress: makes, for a run's title, what wraps the steps of its epochs.
        report: is given all outcomes after each run.

    Returns:
        One outcome a point.
    """
    claim(grid, out)
    runs = families(grid)
    data: dict[TrainConfig, Data] = {}
    histories: dict[str, History] = {}
    for number, family in enumerate(runs):
        run = out / "runs" / family.name
        if not is_over(run, family.settings, prune):
            key = _of_data(family.settings)
            if key not in data:
                data = {key: gather(family.settings)}  # one at a time, for memory
            rule = Median([_accuracies(h) for h in histories.values()] if prune else [])
            title = f"run {number + 1}/{len(runs)} {family.name}"
            _train(family, run, rule, progress(title), data[key])
        histories[family.name] = read_history(run)
        outcomes = collect(grid, out)
        write(grid, outcomes, out)
        report(outcomes)
    return collect(grid, out)


def claim(grid: Grid, out: Path) -> None:
    """Take a folder for a search, or go on with the one in it.

    Args:
        grid: the points.
        out: the folder.

    Raises:
        BadSettingError: if it holds a search of another grid.
    """
    path = out / "grid.toml"
    described = "\n".join(config.to_toml(point) for point in grid.points)
    if path.exists() and path.read_text(encoding="utf-8") != described:
        raise BadSettingError(f"{out} holds a search of another grid", fix="choose another --out")
    if not path.exists():
        write_text(described, path)


def _of_data(settings: TrainConfig) -> TrainConfig:
    """What two runs must have in common to share their pictures."""
    return replace(settings, **{name: DEFAULTS[name] for name in _NOT_OF_DATA})


def _train(family: Family, run: Path, rule: Median, progress: Progress, data: Data) -> None:
    """Train one run; one that diverges or is hopeless is marked as ended."""
    (run / _ENDED).unlink(missing_ok=True)
    for row in read_history(run):
        rule(row)
    try:
        if not rule.over:
            train(family.settings, run, run.exists(), progress, rule, data)
    except BadModelError as error:
        end(run, f"diverged\n{error.message}\n")
    if not is_over(run, family.settings):
        end(run, "pruned\n")


def end(run: Path, why: str) -> None:
    """Note that a run is over before its last epoch.

    Args:
        run: its folder.
        why: first line ``pruned`` or ``diverged``.
    """
    write_text(why, run / _ENDED)


def is_over(run: Path, settings: TrainConfig, prune: bool = True) -> bool:
    """Tell whether a run need not be trained any further.

    Args:
        run: its folder.
        settings: of the run.
        prune: whether one that was ended as hopeless stays so.

    Returns:
        True if it has all its epochs, or was ended.
    """
    history, why = read_history(run), _ended(run)
    if why == "diverged" or (why == "pruned" and prune):
        return True
    return len(history) >= settings.epochs or stopped(history, settings.patience)


def _ended(run: Path) -> str:
    path = run / _ENDED
    return path.read_text(encoding="utf-8").splitlines()[0] if path.exists() else ""


def read_history(run: Path) -> History:
    """Read the history of a run.

    Args:
        run: its folder.

    Returns:
        One row an epoch; none where it has not begun.

    Raises:
        BadDataError: if the table is damaged.
    """
    path = run / "history.csv"
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = [{k: float(v) for k, v in line.items()} for line in csv.DictReader(file)]
        return [{**line, "epoch": int(line["epoch"])} for line in lines]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadDataError(f"{path} is no history ({error})", fix=f"remove {run}") from error


def _accuracies(history: History) -> list[float]:
    return [row["held_accuracy"] for row in history]


def collect(grid: Grid, out: Path) -> list[Outcome]:
    """Read off every point what its run says.

    Args:
        grid: the points.
        out: the search's folder.

    Returns:
        One outcome a point, in the grid's order.
    """
    found: dict[int, Outcome] = {}
    for family in families(grid):
        run = out / "runs" / family.name
        history, why = read_history(run), _ended(run) or "to do"
        for number in family.points:
            point = grid.points[number]
            own: History = []
            while len(own) < min(point.epochs, len(history)) and not stopped(own, point.patience):
                own.append(history[len(own)])
            done = len(own) == point.epochs or stopped(own, point.patience)
            found[number] = Outcome(point, family.name, own, "done" if done else why)
    return [found[number] for number in range(len(grid.points))]


def write(grid: Grid, outcomes: Sequence[Outcome], out: Path) -> None:
    """Write ``search.csv``, one row a point, and ``best.toml``, the settings of the best.

    Args:
        grid: the points.
        outcomes: of them.
        out: the search's folder.
    """
    with CsvWriter(out / "search.csv", (*grid.varied, *MEASURED)) as table:
        for outcome in outcomes:
            table.write(outcome.row(grid.varied))
    done = [outcome for outcome in outcomes if outcome.state == "done"]
    if done:
        best = max(done, key=lambda outcome: float(outcome.best["held_accuracy"]))
        write_text(config.to_toml(best.point), out / "best.toml")
