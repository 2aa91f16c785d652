"""The search of `mien.train.search` on Ray Tune: many runs at once, on one machine or many.

Pipeline: grid -> one trial a run -> every epoch reported to Ray -> histories in the search's folder
-> the same rows. On several machines, the prepared folders and the search's folder must have the
same paths everywhere. Where the search's folder has not, histories come back through Ray, and a
killed run starts anew.
"""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import MedianStoppingRule

from mien.errors import BadModelError
from mien.scale.cluster import connected
from mien.train.divergence import DivergedError
from mien.train.grid import Grid, PlannedRun, plan_runs
from mien.train.history import read_history, restore_history, write_history
from mien.train.outcomes import Outcome, write_outcomes
from mien.train.run import History
from mien.train.search import (
    Median,
    claim_folder,
    collect_outcomes,
    is_finished,
    mark_ended,
)
from mien.train.trainer import train

__all__ = ["search"]

_RULE = Median([])  # for its numbers alone
_ROW = ("epoch", "train_loss", "held_loss", "held_accuracy", "rate", "seconds")


def search(
    grid: Grid, out: Path, address: str, prune: bool = False, per_gpu: int = 1
) -> list[Outcome]:
    """Train the points of a grid on Ray.

    Args:
        grid: the points.
        out: the search's folder.
        address: of a cluster, as ``ray.init`` takes it; ``local`` starts one here.
        prune: end hopeless runs early, by Ray's median rule with the numbers of ours.
        per_gpu: runs that share a GPU, where there are some.

    Returns:
        One outcome a point.

    Raises:
        BadModelError: if a run failed.
        BadSettingError: if there is no cluster at the address.
    """
    claim_folder(grid, out)
    for run in plan_runs(grid):
        restore_history(out / "runs" / run.name)
    runs = [
        run
        for run in plan_runs(grid)
        if not is_finished(out / "runs" / run.name, run.settings, prune)
    ]
    if runs:
        with connected(address):
            _run_all(runs, out, prune, per_gpu)
    outcomes = collect_outcomes(grid, out)
    write_outcomes(grid, outcomes, out)
    return outcomes


def _run_all(runs: Sequence[PlannedRun], out: Path, prune: bool, per_gpu: int) -> None:
    """Let Ray train the runs, and put what comes back into their folders."""
    rule = MedianStoppingRule(
        time_attr="epoch", grace_period=_RULE.grace, min_samples_required=_RULE.least
    )
    tuner = tune.Tuner(
        tune.with_resources(_trial, _resources(runs, per_gpu)),
        param_space={
            "run": tune.grid_search([(run.name, run.settings) for run in runs]),
            "out": str(out.resolve()),
        },
        tune_config=tune.TuneConfig(
            metric="held_accuracy", mode="max", scheduler=rule if prune else None
        ),
        run_config=tune.RunConfig(storage_path=str((out / "ray").resolve()), verbose=0),
    )
    with redirect_stdout(sys.stderr):  # Ray prints where results belong
        results = tuner.fit()
    for result in (results[number] for number in range(len(results))):
        name, settings = (result.config or {})["run"]
        folder = out / "runs" / name
        if result.error is not None:
            raise BadModelError(f"run {name} failed: {result.error}", fix=f"see {out / 'ray'}")
        history = _reported_history(result)
        if len(history) > len(read_history(folder)):
            write_history(folder, history)
        message = (result.metrics or {}).get("diverged")
        if message:
            mark_ended(folder, f"diverged\n{message}\n")
        elif not is_finished(folder, settings):
            mark_ended(folder, "pruned\n")


def _resources(runs: Sequence[PlannedRun], per_gpu: int) -> dict[str, float]:
    """Return what a run takes of the cluster: its threads, and its share of a GPU."""
    threads = max(run.settings.threads for run in runs) or 1
    has_gpu = ray.cluster_resources().get("GPU")
    return {"cpu": threads, "gpu": 1 / per_gpu if has_gpu else 0}


def _reported_history(result: Any) -> History:
    """Return the epochs that a trial reported."""
    table = result.metrics_dataframe
    if table is None or "epoch" not in table:
        return []
    rows = table.dropna(subset=["epoch"])[list(_ROW)].to_dict("records")
    return [{**row, "epoch": int(row["epoch"])} for row in rows if row["epoch"] > 0]


def _trial(parameters: dict[str, Any]) -> None:
    """Train one run in a process of Ray's."""
    name, settings = parameters["run"]
    folder = Path(parameters["out"]) / "runs" / name
    try:
        train(settings, folder, resume=folder.exists(), report=_report)
    except DivergedError as error:
        tune.report({**dict.fromkeys(_ROW, 0.0), "diverged": error.message})


def _report(row: dict[str, Any]) -> None:
    tune.report(dict(row))
