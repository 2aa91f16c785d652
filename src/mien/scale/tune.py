"""The search of `mien.train.search` on Ray Tune: many runs at once, on one machine or many.

The way through: grid -> one trial a run -> every epoch reported to Ray -> histories in the
search's folder -> the same rows. On several machines, prepared folders and the search's folder are
reached by the same paths everywhere; where the latter is not, histories come back through Ray, and
a killed run starts anew.
"""

import logging
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import MedianStoppingRule

from mien.errors import BadModelError, BadSettingError
from mien.train.grid import Family, Grid, families
from mien.train.run import write_history
from mien.train.search import Median, Outcome, claim, collect, end, is_over, read_history, write
from mien.train.trainer import History, train

__all__ = ["search"]


_RULE = Median([])  # only for its numbers

_ROW = ("epoch", "train_loss", "held_loss", "held_accuracy", "rate", "seconds")


def search(grid: Grid, out: Path, address: str, prune: bool = False) -> list[Outcome]:
    """Train what a grid asks for, on Ray.

    Args:
        grid: the points.
        out: the search's folder.
        address: of a cluster, as ``ray.init`` takes it; ``local`` starts one here.
        prune: end hopeless runs early, by Ray's median rule with the numbers of ours.

    Returns:
        One outcome a point.

    Raises:
        BadSettingError: if there is no cluster at the address.
    """
    claim(grid, out)
    runs = [f for f in families(grid) if not is_over(_run(out, f), f.settings, prune)]
    if runs:
        try:
            ray.init(
                address=None if address == "local" else address,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise BadSettingError(
                f"no Ray at {address}: {error}", "start it, or --ray local"
            ) from error
        try:
            _run_all(runs, out, prune)
        finally:
            ray.shutdown()
    outcomes = collect(grid, out)
    write(grid, outcomes, out)
    return outcomes


def _run(out: Path, family: Family) -> Path:
    return (out / "runs" / family.name).resolve()


def _run_all(runs: Sequence[Family], out: Path, prune: bool) -> None:
    """Let Ray train the runs, and put what comes back into their folders."""
    rule = MedianStoppingRule(
        time_attr="epoch", grace_period=_RULE.grace, min_samples_required=_RULE.least
    )
    threads = max((family.settings.threads for family in runs), default=0) or 1
    resources: dict[str, float] = ray.cluster_resources()
    gpus = 1 if resources.get("GPU") else 0
    tuner = tune.Tuner(
        tune.with_resources(_trial, {"cpu": threads, "gpu": gpus}),
        param_space={
            "family": tune.grid_search([(f.name, f.settings) for f in runs]),
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
        name, settings = (result.config or {})["family"]
        run = out / "runs" / name
        if result.error is not None:
            raise BadModelError(f"run {name} failed: {result.error}", fix=f"see {out / 'ray'}")
        told = _history_of(result)
        if len(told) > len(read_history(run)):
            write_history(run / "history.csv", told)
        told_last = result.metrics or {}
        if told_last.get("diverged"):
            end(run, f"diverged\n{told_last['diverged']}\n")
        elif not is_over(run, settings):
            end(run, "pruned\n")


def _history_of(result: Any) -> History:
    """The epochs that a trial reported."""
    table = result.metrics_dataframe
    if table is None or "epoch" not in table:
        return []
    rows = table.dropna(subset=["epoch"])[list(_ROW)].to_dict("records")
    return [{**row, "epoch": int(row["epoch"])} for row in rows if row["epoch"] > 0]


def _trial(chosen: dict[str, Any]) -> None:
    """Train one run in a process of Ray's."""
    name, settings = chosen["family"]
    run = Path(chosen["out"]) / "runs" / name
    nothing = dict.fromkeys(_ROW, 0.0)
    try:
        train(settings, run, resume=run.exists(), report=_report)
    except BadModelError as error:
        tune.report({**nothing, "diverged": error.message})


def _report(row: dict[str, Any]) -> None:
    tune.report(dict(row))
