"""What a search found: the result of every point, its table, the best point, what plots show.

Knows nothing of training: results come from the histories of runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from mien.media.data_frames import Column, Kind
from mien.media.table_files import write_typed
from mien.media.writers import write_text
from mien.table_kinds import TABLES
from mien.train import config
from mien.train.config import DEFAULTS, TrainConfig
from mien.train.grid import VARIANT, Grid
from mien.train.run import History
from mien.train.validate import best_epoch

__all__ = [
    "MEASURED",
    "Outcome",
    "Repeated",
    "best_first",
    "effect_plots",
    "search_columns",
    "write_outcomes",
]

MEASURED = tuple(TABLES["search"].columns)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a point of the grid.

    Attributes:
        point: its settings.
        run: name of the run that holds its result.
        history: the epochs that it would have run.
        state: ``done``, ``pruned``, ``diverged`` or ``to do``.
        variant: of the point, if the grid has variants.
    """

    point: TrainConfig
    run: str
    history: History
    state: str
    variant: str = ""

    @property
    def best(self) -> Mapping[str, Any]:
        """History row of the epoch whose weights would be kept; empty before the first."""
        return best_epoch(self.history)

    @property
    def accuracy(self) -> float:
        """Held-out accuracy of that epoch; there must be one."""
        return float(self.best["held_accuracy"])

    def values(self, varied: Sequence[str]) -> list[Any]:
        """Return the point's values of the settings that vary."""
        return [self.variant if n == VARIANT else getattr(self.point, n) for n in varied]

    def row(self, varied: Sequence[str]) -> list[object]:
        """Return its CSV row: the values that vary, then `MEASURED`."""
        seconds = round(sum(float(row["seconds"]) for row in self.history), 1)
        best = [self.best.get(name, "") for name in ("held_accuracy", "held_loss", "epoch")]
        epochs = len(self.history)
        return [*self.values(varied), *best, epochs, seconds, self.state, self.run]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A point with all its seeds: outcomes whose settings are equal but for the seed.

    Attributes:
        done: those trained to their end, at least one; the lowest seed first.
        seeds: how many the grid has.
    """

    done: tuple[Outcome, ...]
    seeds: int

    @property
    def point(self) -> TrainConfig:
        """The settings, with the lowest seed."""
        return self.done[0].point

    @property
    def accuracy(self) -> float:
        """Mean held-out accuracy."""
        return fmean(outcome.accuracy for outcome in self.done)

    @property
    def counted(self) -> str:
        """How many seeds that is the mean of, as ``3`` or ``2 of 3``."""
        count = len(self.done)
        return str(count) if count == self.seeds else f"{count} of {self.seeds}"

    def values(self, varied: Sequence[str]) -> list[str]:
        """Return the point's values of settings that vary; where its seeds differ, all of them."""
        every = zip(*(outcome.values(varied) for outcome in self.done), strict=True)
        return ["+".join(map(str, dict.fromkeys(own))) for own in every]


def best_first(outcomes: Sequence[Outcome]) -> list[Repeated]:
    """Return the points that are done, by their held-out accuracy: the mean over their seeds.

    Args:
        outcomes: of the points.

    Returns:
        The best point first; equal ones in the order of the grid. A point of which a seed is
        missing, or did not reach its end, has the mean of the others.
    """
    groups: dict[TrainConfig, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(replace(outcome.point, seed=DEFAULTS["seed"]), []).append(outcome)
    points = [Repeated(_done_by_seed(own), len(own)) for own in groups.values()]
    return sorted((p for p in points if p.done), key=lambda point: -point.accuracy)


def _done_by_seed(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    done = (outcome for outcome in outcomes if outcome.state == "done")
    return tuple(sorted(done, key=lambda outcome: outcome.point.seed))


def effect_plots(
    varied: Sequence[str], outcomes: Sequence[Outcome]
) -> dict[str, list[tuple[dict[str, Any], float]]]:
    """Return what plots of each setting's effect need: one, or one more for each network.

    A mean over networks says nothing of any, so each has its own. Seeds repeat a point: they are
    dots of it, and no setting with an effect.

    Args:
        varied: names of the settings that vary.
        outcomes: of the points.

    Returns:
        By name of the file, values by name and held-out accuracy of each point that is done.
    """
    done = [outcome for outcome in outcomes if outcome.state == "done"]
    shown = [name for name in varied if name != "seed"] or list(varied)
    others = [name for name in shown if name != "model"]
    if others == shown or not others:
        return {"effects": _effects(shown, done)}
    plots = {"effects": _effects(["model"], done)}
    for model in dict.fromkeys(outcome.point.model for outcome in done):
        own = [outcome for outcome in done if outcome.point.model == model]
        plots[f"effects-{model}"] = _effects(others, own)
    return plots


def _effects(names: Sequence[str], done: Sequence[Outcome]) -> list[tuple[dict[str, Any], float]]:
    return [(dict(zip(names, o.values(names), strict=True)), o.accuracy) for o in done]


def search_columns(varied: Sequence[str]) -> dict[str, Column]:
    """Return the columns of ``search.csv``.

    Args:
        varied: names of the settings that vary.

    Returns:
        By name: the settings, with the types that `TrainConfig` gives them, then `MEASURED`.

    Example:
        >>> [column.kind for column in search_columns(["model", "epochs", "rate"]).values()][:3]
        ['text', 'integer', 'number']
    """
    kinds: dict[type, Kind] = {int: "integer", float: "number"}
    settings = {
        name: Column("text", "the name of settings that change together")
        if name == VARIANT
        else Column(kinds.get(type(DEFAULTS[name]), "text"), "a setting that varies")
        for name in varied
    }
    return settings | dict(TABLES["search"].columns)


def write_outcomes(grid: Grid, outcomes: Sequence[Outcome], out: Path) -> None:
    """Write ``search.csv``, one row a point, and ``best.toml``, the settings of the best.

    The best is that of `best_first`, with the lowest of its seeds.

    Args:
        grid: the points.
        outcomes: of them.
        out: the search's folder.
    """
    rows = [outcome.row(grid.varied) for outcome in outcomes]
    write_typed(rows, search_columns(grid.varied), out / "search.csv")
    ranked = best_first(outcomes)
    if ranked:
        write_text(config.to_toml(ranked[0].point), out / "best.toml")
