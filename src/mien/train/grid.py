"""A file of settings with lists in it: the points of a search, and the runs that they cost.

With a constant rate, the first epochs of a long run are those of a short one, and early stopping
only looks at them earlier: one run of the most epochs holds the results of all of these points.
Another schedule depends on the number of epochs, so there only early stopping shares a run. No
torch.
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

__all__ = ["Family", "Grid", "families", "load"]


@dataclass(frozen=True, slots=True)
class Grid:
    """What a search goes through.

    Attributes:
        varied: names of the settings with several values.
        points: the settings of every combination.
    """

    varied: tuple[str, ...]
    points: tuple[TrainConfig, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Points that one run answers.

    Attributes:
        name: of the run's folder.
        settings: of the run.
        points: their numbers in the grid.
    """

    name: str
    settings: TrainConfig
    points: tuple[int, ...]


def load(path: str | Path, instead: Mapping[str, object] | None = None) -> Grid:
    """Read a grid: settings as `mien train` takes them, where a value may be a list of values.

    Args:
        path: a TOML file.
        instead: values that replace the file's.

    Returns:
        Its points, in the order of scikit-learn's `ParameterGrid`.

    Raises:
        BadSettingError: if the file cannot be read, or a value is out of range.
    """
    choices: dict[str, list[Any]] = {}
    for key, value in {**config.read(path), **(instead or {})}.items():
        alone = isinstance(DEFAULTS.get(key), tuple) and not _are_lists(value)
        choices[key] = [value] if alone or not isinstance(value, list) else value
        if not choices[key]:
            raise BadSettingError(f"{key} has no value", fix="give at least one")
        if any(a in choices[key][:i] for i, a in enumerate(choices[key])):
            raise BadSettingError(f"{key} names a value twice", fix="give each once")
    varied = tuple(key for key, values in choices.items() if len(values) > 1)
    return Grid(varied, tuple(config.make(point) for point in ParameterGrid(choices)))


def _are_lists(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, list) for item in value)


def families(grid: Grid) -> list[Family]:
    """Group the points that one run answers.

    Args:
        grid: what to search.

    Returns:
        The runs, in the order of their first points.
    """
    groups: dict[TrainConfig, list[int]] = {}
    for number, point in enumerate(grid.points):
        groups.setdefault(_shared(point), []).append(number)
    return [_family(grid, numbers) for numbers in groups.values()]


def _shared(point: TrainConfig) -> TrainConfig:
    """What points must have in common to be answered by one run."""
    apart = {"patience": 0, "epochs": 1} if point.schedule == "constant" else {"patience": 0}
    return replace(point, **apart)  # type: ignore[arg-type]


def _family(grid: Grid, numbers: Sequence[int]) -> Family:
    points = [grid.points[number] for number in numbers]
    patience = 0 if any(p.patience == 0 for p in points) else max(p.patience for p in points)
    longest = max(point.epochs for point in points)
    settings = replace(points[0], epochs=longest, patience=patience)
    apart = [
        key
        for key in grid.varied
        if all(getattr(a, key) == getattr(b, key) for a, b in pairwise(points))
    ]
    words = [f"{key}-{_plain(getattr(settings, key))}" for key in apart]
    return Family("_".join(words) or "run", settings, tuple(numbers))


def _plain(value: object) -> str:
    """A value as part of a folder's name."""
    text = "+".join(value) if isinstance(value, tuple) else str(value)
    return re.sub(r"[^\w.+-]", "-", text)
