"""What is explained: a class, or any function of the six logits.

A function takes an array of logits (M, 6), in the order of `mien.labels.LABELS`, and returns (M,):
``lambda logits: logits[:, 5] - logits[:, 1]`` asks "fear rather than surprise". Its slope is
computed by central differences, so the function needs no gradients.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mien.errors import UnknownNameError
from mien.labels import LABELS, index
from mien.pixels import F32, F64

__all__ = ["Objective", "Target", "named_labels", "resolve_target", "versus"]

Function = Callable[[F64], F64]
Target = str | Function | None

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
            logits: shape (M, 6).
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
            raise ValueError(f"a target must map ({len(wide)}, 6) to one each, got {values.shape}")
        return values

    def slope(self, logits: F32) -> F32:
        """Return how the target of each crop grows with its logits.

        Args:
            logits: shape (N, 6), one row a crop.

        Returns:
            shape (N, 6), d(target) / d(logits).
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


def named_labels(name: str | None) -> list[str | None]:
    """Return the expressions that a user asks for.

    Args:
        name: one of the six; ``all``; or None for the one predicted.

    Returns:
        Expressions; None stands for the one predicted.

    Raises:
        UnknownNameError: if there is no such expression.

    Example:
        >>> named_labels("fear"), len(named_labels("all"))
        (['fear'], 6)
    """
    if name is None or name in LABELS:
        return [name]
    if name != "all":
        raise UnknownNameError("expression", name, [*LABELS, "all"])
    return list(LABELS)


def resolve_target(target: Target, logits: F32) -> Objective:
    """Resolve a target for crops.

    Args:
        target: one of the six expressions, a function of logits, or None for each crop's most
            probable expression.
        logits: shape (N, 6), of the crops.

    Returns:
        The target of each crop.

    Raises:
        UnknownNameError: if there is no such expression.

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
    if target not in LABELS:
        raise UnknownNameError("expression", target, LABELS)
    return Objective(np.full(len(logits), index(target)))


def versus(one: str, other: str) -> Function:
    """Ask why one expression rather than another: the difference of their logits.

    Args:
        one: an expression.
        other: another.

    Returns:
        The target.

    Raises:
        UnknownNameError: if one of them is no expression.

    Example:
        >>> versus("fear", "surprise")(np.array([[0, 2.0, 0, 0, 0, 5.0]])).tolist()
        [3.0]
    """
    for name in (one, other):
        if name not in LABELS:
            raise UnknownNameError("expression", name, LABELS)
    first, second = index(one), index(other)
    return lambda logits: logits[:, first] - logits[:, second]
