"""A plain function from a batch to logits, as the methods of explanation see it."""

from collections.abc import Callable

import numpy as np

from mien.errors import BadModelError
from mien.labels import LabelSet
from mien.pixels import F32, SIDE

__all__ = ["FunctionSource", "named"]


class FunctionSource:
    """A function from a batch to logits: no layers, no gradients."""

    layer, side = None, SIDE

    def __init__(self, function: Callable[[F32], F32], labels: LabelSet | None) -> None:
        """Take a function (N, 3, side, side) -> (N, C), and the names of the classes, if known."""
        self._function, self.labels = function, labels

    def logits(self, batch: F32) -> F32:
        """Call it, and refuse what is no array (N, C)."""
        logits = self._function(batch)
        if not isinstance(logits, np.ndarray) or logits.ndim != 2 or len(logits) != len(batch):
            raise BadModelError(
                f"expected a function that returns a numpy array ({len(batch)}, C), "
                f"got {named(logits)}",
                fix="return logits.detach().cpu().numpy(), or give the torch network itself",
            )
        return logits


def named(value: object) -> str:
    """Return what was given in place of an array of another kind, in a few words.

    Args:
        value: that was given.

    Returns:
        Shape and type of an array, the type of anything else.
    """
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    return type(value).__name__
