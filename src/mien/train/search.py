"""A search over settings: run after run, the best points so far, one row a point.

Every point is validated on held-out training pictures; the test set is not read. A run that was
finished is not trained again, so a search that was killed goes on where it was. Knows nothing of
other machines: see `mien.scale.tune`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import median
from typing import Any

from mien.errors import BadSettingError
from mien.media.writers import as_output_error, write_text
from mien.models import zoo
from mien.train import config
from mien.train.augment import Strength
from mien.train.config import DEFAULTS, TrainConfig
from mien.train.data import Data, is_validated, load_data
from mien.train.divergence import DivergedError
from mien.train.grid import Grid, PlannedRun, plan_runs
from mien.train.history import read_history, restore_history
from mien.train.outcomes import Outcome, write_outcomes
from mien.train.run import History
from mien.train.trainer import EpochProgress, no_progress, train
from mien.train.validate import out_of_patience

__all__ = [
    "Median",
    "claim_folder",
    "collect_outcomes",
    "is_finished",
    "mark_ended",
    "search",
]

_ENDED = "ended.txt"
# These settings do not decide which pictures a run trains on, nor do the strengths of augmentation.
_NOT_OF_DATA = (
    "model", "epochs", "batch", "rate", "schedule", "warmup", "optimiser", "momentum", "nesterov",
    "weight_decay", "smoothing", "dropout", "average", "patience", "bf16", "compile", "threads",
    "devices", "teachers", "distil", "heat", "augment",
)  # fmt: skip


@dataclass(slots=True)
class Median:
    """Ends a hopeless run: the median rule, as an `EpochReport`.

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
        """Judge the run after an epoch.

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
    progress: Callable[[str], EpochProgress] = lambda _title: no_progress,
    report: Callable[[list[Outcome]], None] = lambda _outcomes: None,
) -> list[Outcome]:
    """Train the points of a grid.

    Args:
        grid: the points.
        out: the search's folder.
        prune: end hopeless runs early, see `Median`.
        progress: makes, for a run's title, what wraps the steps of its epochs.
        report: is given all outcomes after each run.

    Returns:
        One outcome a point.
    """
    claim_folder(grid, out)
    runs = plan_runs(grid)
    data: dict[TrainConfig, Data] = {}
    accuracies: list[list[float]] = []
    for number, run in enumerate(runs, 1):
        folder = out / "runs" / run.name
        restore_history(folder)
        if not is_finished(folder, run.settings, prune):
            key = _data_settings(run.settings)
            if key not in data:
                data = {key: load_data(run.settings)}  # one at a time, for memory
            rule = Median(list(accuracies) if prune else [])
            title = f"run {number}/{len(runs)} {run.name}"
            _train(run, folder, rule, progress(title), data[key])
        accuracies.append([row["held_accuracy"] for row in read_history(folder)])
        outcomes = collect_outcomes(grid, out)
        write_outcomes(grid, outcomes, out)
        report(outcomes)
    return collect_outcomes(grid, out)


def claim_folder(grid: Grid, out: Path) -> None:
    """Take a folder for a search, or continue the one in it.

    Args:
        grid: the points.
        out: the folder.

    Raises:
        BadSettingError: if it holds a search of another grid, or a point sets folds, or holds
            nothing out.
    """
    if any(point.folds for point in grid.points):
        raise BadSettingError(
            "folds is set, and a search compares runs by the pictures that all of them hold out",
            fix="leave folds out",
        )
    if not all(map(is_validated, _data_of(grid))):
        raise BadSettingError(
            "nothing is held out, and a search compares runs by held-out pictures",
            fix="set hold_out, or prepare the data with a valid split",
        )
    path = out / "grid.toml"
    text = "\n".join(config.to_toml(point) for point in grid.points)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise BadSettingError(f"{out} holds a search of another grid", fix="choose another --out")
    if not path.exists():
        write_text(text, path)


def _data_of(grid: Grid) -> Iterable[TrainConfig]:
    """A point for each way in which the points of a grid hold pictures out."""
    return {(point.data, point.hold_out): point for point in grid.points}.values()


def _data_settings(settings: TrainConfig) -> TrainConfig:
    """Return the settings that decide which pictures a run trains on; the others as by default."""
    usual = (*_NOT_OF_DATA, *(field.name for field in fields(Strength)))
    shown = {name: DEFAULTS[name] for name in usual} | {
        "side": zoo.side_of(settings.model, settings.side),
        "colour": float(settings.augment and settings.colour > 0),  # then crops are kept in colour
    }
    if not settings.shuffle_labels:
        shown["seed"] = DEFAULTS["seed"]
    return replace(settings, **shown)


def _train(
    run: PlannedRun, folder: Path, rule: Median, progress: EpochProgress, data: Data
) -> None:
    """Train one run; one that diverges or is hopeless is marked as ended."""
    with as_output_error(folder / _ENDED):
        (folder / _ENDED).unlink(missing_ok=True)
    for row in read_history(folder):
        rule(row)
    try:
        if not rule.over:
            history = train(run.settings, folder, folder.exists(), progress, rule, data)
            for row in history:  # of several devices, another process has asked its own rule
                rule(row)
    except DivergedError as error:
        mark_ended(folder, f"diverged\n{error.message}\n")
    if rule.over and not is_finished(folder, run.settings):
        mark_ended(folder, "pruned\n")


def mark_ended(folder: Path, reason: str) -> None:
    """Note that a run ended before its last epoch.

    Args:
        folder: of the run.
        reason: first line ``pruned`` or ``diverged``.
    """
    write_text(reason, folder / _ENDED)


def is_finished(folder: Path, settings: TrainConfig, prune: bool = True) -> bool:
    """Tell whether a run needs no more training.

    Args:
        folder: of the run.
        settings: of the run.
        prune: whether a run that was ended as hopeless stays ended.

    Returns:
        True if it has all its epochs, or was ended.
    """
    history, reason = read_history(folder), _reason_ended(folder)
    if reason == "diverged" or (reason == "pruned" and prune):
        return True
    return len(history) >= settings.epochs or out_of_patience(history, settings.patience)


def _reason_ended(folder: Path) -> str:
    path = folder / _ENDED
    return path.read_text(encoding="utf-8").splitlines()[0] if path.exists() else ""


def collect_outcomes(grid: Grid, out: Path) -> list[Outcome]:
    """Read the result of every point from the history of its run.

    Args:
        grid: the points.
        out: the search's folder.

    Returns:
        One outcome a point, in the grid's order.
    """
    outcomes: dict[int, Outcome] = {}
    for run in plan_runs(grid):
        folder = out / "runs" / run.name
        history, reason = read_history(folder), _reason_ended(folder) or "to do"
        for number in run.points:
            point = grid.points[number]
            own = _epochs_of(point, history)
            done = len(own) == point.epochs or out_of_patience(own, point.patience)
            state = "done" if done else reason
            outcomes[number] = Outcome(point, run.name, own, state, grid.variant(number))
    return [outcomes[number] for number in range(len(grid.points))]


def _epochs_of(point: TrainConfig, history: History) -> History:
    """Return the epochs of a run that a run of one point would have trained."""
    own: History = []
    for row in history[: point.epochs]:
        if out_of_patience(own, point.patience):
            break
        own.append(row)
    return own
