"""A file of settings with lists in it: the points of a search, and the runs that they need.

With a constant rate, the first epochs of a long run are those of a short one, and early stopping
only ends it sooner: one run of the most epochs holds the results of all of these points. Another
schedule depends on the number of epochs, and so do crops that grow from a first side: then points
share a run only if they differ in patience.
Settings that change together have a name, a variant: each is combined with all the rest.
Needs no torch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from sklearn.model_selection import ParameterGrid

from mien.errors import BadSettingError
from mien.train import config
from mien.train.config import DEFAULTS, TrainConfig

__all__ = ["VARIANT", "Grid", "PlannedRun", "load", "plan_runs"]

VARIANT = "variant"  # the name under which it varies beside the settings
_VARIANTS = "variants"  # their table in the file
_ASK_FOR_VARIANTS = "give settings for each name, [variants] then plain = {} then turned = {...}"


@dataclass(frozen=True, slots=True)
class Grid:
    """The points of a search.

    Attributes:
        varied: names of the settings with several values; `VARIANT` is last if there are some.
        points: the settings of every combination.
        variants: of each point; empty if the grid has none.
    """

    varied: tuple[str, ...]
    points: tuple[TrainConfig, ...]
    variants: tuple[str, ...] = ()

    def variant(self, number: int) -> str:
        """Return the variant of a point, or "" if the grid has none.

        Args:
            number: of the point.
        """
        return self.variants[number] if self.variants else ""

    def value(self, number: int, name: str) -> Any:
        """Return what a point has for a name that varies.

        Args:
            number: of the point.
            name: of a setting, or `VARIANT`.

        Returns:
            Its value.
        """
        return self.variant(number) if name == VARIANT else getattr(self.points[number], name)


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
        path: a TOML file. Its table ``variants`` has a name for settings that change together.
        overrides: values that replace the file's.

    Returns:
        Its points, in the order of scikit-learn's `ParameterGrid`, each in every variant in the
        order of the file.

    Raises:
        BadSettingError: if the file cannot be read, or a value is out of range.
    """
    raw = {**config.read(path), **(overrides or {})}
    variants = _read_variants(raw.pop(_VARIANTS)) if _VARIANTS in raw else {}
    choices = _read_choices(raw)
    varied = tuple(key for key, values in choices.items() if len(values) > 1)
    _refuse_settings_twice(varied, variants)
    pairs = [
        (name, config.make({**point, **changes}))
        for point in ParameterGrid(choices)
        for name, changes in (variants or {"": {}}).items()
    ]
    points = tuple(point for _, point in pairs)
    if not variants:
        return Grid(varied, points)
    _refuse_alike(list(variants), points)
    return Grid((*varied, VARIANT), points, tuple(name for name, _ in pairs))


def _read_choices(raw: Mapping[str, object]) -> dict[str, list[Any]]:
    """Return the values of every setting, one or several."""
    choices: dict[str, list[Any]] = {}
    for key, value in raw.items():
        is_one_value = isinstance(DEFAULTS.get(key), tuple) and not _has_lists(value)
        choices[key] = value if isinstance(value, list) and not is_one_value else [value]
        if not choices[key]:
            raise BadSettingError(f"{key} has no value", fix="give at least one")
        if any(a in choices[key][:i] for i, a in enumerate(choices[key])):
            raise BadSettingError(f"{key} names a value twice", fix="give each once")
    return choices


def _has_lists(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, list) for item in value)


def _read_variants(value: object) -> dict[str, dict[str, Any]]:
    """Return the settings of each variant; their values are checked with the rest."""
    if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
        raise BadSettingError(f"{_VARIANTS} is {value!r}", fix=_ASK_FOR_VARIANTS)
    if not value:
        raise BadSettingError(f"{_VARIANTS} has no name", fix=_ASK_FOR_VARIANTS)
    for name in value:
        if not re.fullmatch(r"[\w.-]+", name):
            raise BadSettingError(
                f"a variant is called {name!r}", fix="use letters, digits and the signs _ . -"
            )
    return value


def _refuse_settings_twice(
    varied: Sequence[str], variants: Mapping[str, Mapping[str, Any]]
) -> None:
    for name, changes in variants.items():
        for key in changes:
            if key in varied:
                raise BadSettingError(
                    f"{key} is a list, and the variant {name} sets it too",
                    fix=f"give {key} in the variants alone, or take it out of them",
                )


def _refuse_alike(names: Sequence[str], points: Sequence[TrainConfig]) -> None:
    """Refuse two variants of the same settings: their rows would be one run, told as two."""
    first = points[: len(names)]  # all variants of one combination of the rest
    for number, point in enumerate(first):
        if point in first[:number]:
            other = names[first.index(point)]
            raise BadSettingError(
                f"the variants {other} and {names[number]} have the same settings",
                fix="leave one of them out",
            )


def plan_runs(grid: Grid) -> list[PlannedRun]:
    """Group the points that can share a run.

    Args:
        grid: what to search.

    Returns:
        The runs, in the order of their first points, each with a folder of its own.
    """
    groups: dict[TrainConfig, list[int]] = {}
    for number, point in enumerate(grid.points):
        groups.setdefault(_common_settings(point), []).append(number)
    return _with_own_names([_plan(grid, numbers) for numbers in groups.values()])


def _common_settings(point: TrainConfig) -> TrainConfig:
    """Return a point's settings without those in which points of one run may differ."""
    alike = point.schedule == "constant" and not point.first_side  # whatever the epochs
    return replace(point, patience=0, epochs=1 if alike else point.epochs)


def _plan(grid: Grid, numbers: Sequence[int]) -> PlannedRun:
    """Make the run that holds the results of some points; its name tells it from the others."""
    points = [grid.points[number] for number in numbers]
    patience = 0 if any(p.patience == 0 for p in points) else max(p.patience for p in points)
    longest = max(point.epochs for point in points)
    settings = replace(points[0], epochs=longest, patience=patience)
    words = []
    for key in grid.varied:
        own = list(dict.fromkeys(grid.value(number, key) for number in numbers))
        if len(own) == 1 or key == VARIANT:  # other variants need another name
            words.append(f"{key}-{'+'.join(map(_as_folder_name, own))}")
    return PlannedRun("_".join(words) or "run", settings, tuple(numbers))


def _with_own_names(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Number the names that are another run's: values such as a/b and a-b are called alike."""
    taken: set[str] = set()
    named = []
    for run in runs:
        tries = (run.name if n == 1 else f"{run.name}-{n}" for n in count(1))
        name = next(name for name in tries if name.lower() not in taken)  # as on other systems
        taken.add(name.lower())
        named.append(replace(run, name=name))
    return named


def _as_folder_name(value: object) -> str:
    text = "+".join(value) if isinstance(value, tuple) else str(value)
    return re.sub(r"[^\w.+-]", "-", text)
