"""Results that hold arrays are equal when their values are.

A dataclass cannot compare arrays by itself: ``==`` of two arrays has no single truth value. Knows
nothing of what the results are.
"""

from dataclasses import fields, is_dataclass
from typing import Any, Protocol

import numpy as np

__all__ = ["Result", "hash_values", "same_values"]


def same_values(one: object, other: object) -> bool:
    """Compare two results field by field, for ``__eq__`` of a frozen dataclass.

    Args:
        one: the result itself.
        other: anything.

    Returns:
        True if `other` is of the same class and every field is equal; arrays are if their shapes
        and all their numbers are, where NaN equals NaN.
    """
    if one is other:
        return True
    if type(one) is not type(other) or not is_dataclass(one):
        return False
    return all(_same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return False
    return bool(one == other)


def hash_values(result: Any) -> int:
    """Hash a result so that equal ones have one hash, for ``__hash__`` of a frozen dataclass.

    Args:
        result: the result itself.

    Returns:
        A number made of its fields; of an array only the shape is in it.
    """
    values = (getattr(result, f.name) for f in fields(result))
    return hash(tuple(v.shape if isinstance(v, np.ndarray) else v for v in values))


class _Recorded(Protocol):
    def record(self) -> dict[str, Any]:
        """Return the result as JSON-ready values."""


class Result:
    """What a frozen dataclass with a `record` inherits: equality, a hash and `to_dict`."""

    __slots__ = ()
    __eq__ = same_values
    __hash__ = hash_values

    def to_dict(self: _Recorded) -> dict[str, Any]:
        """Return the result as JSON-ready values: its `record`, as ``--json`` prints it."""
        return self.record()
