"""A file of settings with lists in it: the points of a search, and the runs that they need.

With a constant rate, the first epochs of a long run are those of a short one, and early stopping
only ends it sooner: one run of the most epochs holds the results of all of these points. Another
schedule depends on the number of epochs, so points share a run only if they differ in patience.
Needs no torch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from sklearn.model_selection import ParameterGrid

from mien.errors import BadSettingError
from mien.train import config
from mien.train.config import DEFAULTS, TrainConfig

__all__ = ["Grid", "PlannedRun", "load", "plan_runs"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The points of a search.

    Attributes:
        varied: names of the settings with several values.
        points: the settings of every combination.
    """

    varied: tuple[str, ...]
    points: tuple[TrainConfig, ...]


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run, and the points whose results it holds.

    Attributes:
        name: of the run's folder.
        settings: of the run.
        points: numbers of the points in the grid.
    """

    name: str
    settings: TrainConfig
    points: tuple[int, ...]


def load(path: str | Path, overrides: Mapping[str, object] | None = None) -> Grid:
    """Read a grid: settings as `mien train` takes them, where a value may be a list of values.

    Args:
        path: a TOML file.
        overrides: values that replace the file's.

    Returns:
        Its points, in the order of scikit-learn's `ParameterGrid`.

    Raises:
        BadSettingError: if the file cannot be read, or a value is out of range.
    """
    choices: dict[str, list[Any]] = {}
    for key, value in {**config.read(path), **(overrides or {})}.items():
        is_one_value = isinstance(DEFAULTS.get(key), tuple) and not _has_lists(value)
        choices[key] = value if isinstance(value, list) and not is_one_value else [value]
        if not choices[key]:
            raise BadSettingError(f"{key} has no value", fix="give at least one")
        if any(a in choices[key][:i] for i, a in enumerate(choices[key])):
            raise BadSettingError(f"{key} names a value twice", fix="give each once")
    varied = tuple(key for key, values in choices.items() if len(values) > 1)
    return Grid(varied, tuple(config.make(point) for point in ParameterGrid(choices)))


def _has_lists(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, list) for item in value)


def plan_runs(grid: Grid) -> list[PlannedRun]:
    """Group the points that can share a run.

    Args:
        grid: what to search.

    Returns:
        The runs, in the order of their first points.
    """
    groups: dict[TrainConfig, list[int]] = {}
    for number, point in enumerate(grid.points):
        groups.setdefault(_common_settings(point), []).append(number)
    return [_plan(grid, numbers) for numbers in groups.values()]


def _common_settings(point: TrainConfig) -> TrainConfig:
    """Return a point's settings without those in which points of one run may differ."""
    free = {"patience": 0, "epochs": 1} if point.schedule == "constant" else {"patience": 0}
    return replace(point, **free)  # type: ignore[arg-type]


def _plan(grid: Grid, numbers: Sequence[int]) -> PlannedRun:
    """Make the run that holds the results of some points; its name tells it from the others."""
    points = [grid.points[number] for number in numbers]
    patience = 0 if any(p.patience == 0 for p in points) else max(p.patience for p in points)
    longest = max(point.epochs for point in points)
    settings = replace(points[0], epochs=longest, patience=patience)
    fixed = [
        key
        for key in grid.varied
        if all(getattr(a, key) == getattr(b, key) for a, b in pairwise(points))
    ]
    words = [f"{key}-{_as_folder_name(getattr(settings, key))}" for key in fixed]
    return PlannedRun("_".join(words) or "run", settings, tuple(numbers))


def _as_folder_name(value: object) -> str:
    text = "+".join(value) if isinstance(value, tuple) else str(value)
    return re.sub(r"[^\w.+-]", "-", text)
