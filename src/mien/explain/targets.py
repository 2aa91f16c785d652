"""What is explained: a class, or any function of the logits.

A class is named, or numbered from 0 in the order of the logits. A function takes an array of logits
(M, C), C = 6 in the order of `mien.labels.LABELS` for the models of the package, and returns (M,):
``lambda logits: logits[:, 5] - logits[:, 1]`` asks "fear rather than surprise". Its slope is
computed by central differences, so the function needs no gradients.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mien.errors import BadSettingError, UnknownNameError
from mien.labels import LABELS
from mien.pixels import F32, F64

__all__ = ["Objective", "Target", "named_labels", "resolve_target", "versus"]

Function = Callable[[F64], F64]
Target = str | int | Function | None

_STEP = 1e-3  # of the differences, in logits


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """A target, resolved for each of N crops.

    Attributes:
        classes: shape (N,), the class each crop is asked about; not used with a function.
        function: of logits, or None.
    """

    classes: npt.NDArray[np.intp]
    function: Function | None = None

    def value(self, logits: F32 | F64, crops: npt.NDArray[np.intp]) -> F64:
        """Return the target of some rows of logits.

        Args:
            logits: shape (M, C).
            crops: shape (M,), the crop that each row belongs to.

        Returns:
            shape (M,).

        Raises:
            ValueError: if the function returns another shape.
        """
        wide = logits.astype(np.float64)
        if self.function is None:
            picked: F64 = wide[np.arange(len(wide)), self.classes[crops]]
            return picked
        values = np.asarray(self.function(wide), dtype=np.float64)
        if values.shape != (len(wide),):
            raise ValueError(f"a target must map {wide.shape} to one each, got {values.shape}")
        return values

    def slope(self, logits: F32) -> F32:
        """Return how the target of each crop grows with its logits.

        Args:
            logits: shape (N, C), one row a crop.

        Returns:
            shape (N, C), d(target) / d(logits).
        """
        if self.function is None:
            return np.eye(logits.shape[1], dtype=np.float32)[self.classes]
        crops = np.arange(len(logits))
        slopes = np.empty(logits.shape, dtype=np.float32)
        for label in range(logits.shape[1]):
            step = np.zeros(logits.shape[1])
            step[label] = _STEP
            ends = [self.value(logits.astype(np.float64) + s, crops) for s in (step, -step)]
            slopes[:, label] = (ends[0] - ends[1]) / (2 * _STEP)
        return slopes


def named_labels(name: str | None, names: Sequence[str] = LABELS) -> list[str | None]:
    """Return the classes that a user asks for.

    Args:
        name: one of `names`; ``all``; or None for the one predicted.
        names: of the classes.

    Returns:
        Names; None stands for the class predicted.

    Raises:
        UnknownNameError: if there is no such class.

    Example:
        >>> named_labels("fear"), len(named_labels("all"))
        (['fear'], 6)
    """
    if name is None or name in names:
        return [name]
    if name != "all":
        raise UnknownNameError("expression", name, [*names, "all"])
    return list(names)


def resolve_target(target: Target, logits: F32, names: Sequence[str] | None = LABELS) -> Objective:
    """Resolve a target for crops.

    Args:
        target: the name of a class, its number from 0, a function of logits, or None for each
            crop's most probable class.
        logits: shape (N, C), of the crops.
        names: of the C classes, in the order of the logits; None where they have none.

    Returns:
        The target of each crop.

    Raises:
        UnknownNameError: if there is no such class.
        BadSettingError: if it is a name, and the classes have none.

    Example:
        >>> logits = np.array([[0, 2, 1, 0, 0, 0]], dtype=np.float32)
        >>> resolve_target(None, logits).classes.tolist()
        [1]
        >>> resolve_target("fear", logits).classes.tolist()
        [5]
    """
    if target is None:
        return Objective(logits.argmax(axis=1))
    if callable(target):
        return Objective(np.zeros(len(logits), dtype=np.intp), target)
    return Objective(np.full(len(logits), _number(target, logits.shape[1], names)))


def _number(target: str | int, count: int, names: Sequence[str] | None) -> int:
    """The class that a name or a number stands for."""
    if isinstance(target, str):
        if names is None:
            raise BadSettingError(
                f"the target is {target!r}, and the {count} outputs of this network have no names",
                fix="give labels=[...], a name for each output, or the number of the output",
            )
        if target not in names:
            raise UnknownNameError("expression", target, names)
        return list(names).index(target)
    if isinstance(target, bool) or target not in range(count):
        raise UnknownNameError("class number", str(target), map(str, range(count)))
    return int(target)


def versus(one: str, other: str, names: Sequence[str] = LABELS) -> Function:
    """Ask why one class rather than another: the difference of their logits.

    Args:
        one: a class.
        other: another.
        names: of all classes, in the order of the logits.

    Returns:
        The target.

    Raises:
        UnknownNameError: if one of them is no class.

    Example:
        >>> versus("fear", "surprise")(np.array([[0, 2.0, 0, 0, 0, 5.0]])).tolist()
        [3.0]
    """
    for name in (one, other):
        if name not in names:
            raise UnknownNameError("expression", name, names)
    first, second = (list(names).index(name) for name in (one, other))
    return lambda logits: logits[:, first] - logits[:, second]
