"""How a command shows how far a loop of the library is. Knows nothing of what the loop does."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

__all__ = ["Progress"]

T = TypeVar("T")


class Progress(Protocol):
    """Wraps what a loop works through: hands on every item, in order, and shows how far it is.

    `iter` is one that shows nothing.
    """

    def __call__(self, items: Sequence[T], /) -> Iterable[T]:
        """Return the items, to be iterated over once."""
