"""Hand items from thread to thread, a few at a time: stages overlap and memory stays flat.

`prefetch` prepares the next items while the caller works on one; `WriteBehind` finishes items after
the caller has gone on. Errors are raised at the caller, in order. A caller that leaves early
(Ctrl-C, an error of its own) waits for the one item in work and drops the rest. Knows nothing of
frames.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

__all__ = ["WriteBehind", "prefetch"]

T = TypeVar("T")


def prefetch(
    items: Iterable[T], depth: int = 2, stop: Callable[[], object] = lambda: None
) -> Generator[T, None, None]:
    """Iterate in a thread of its own, some items ahead of the caller.

    Args:
        items: used by that thread alone.
        depth: how many items may wait, 1 or more.
        stop: called before the thread is waited for, to wake it where it waits itself.

    Yields:
        The items, in order; an error of theirs is raised in its place.

    Example:
        >>> list(prefetch(iter("abc")))
        ['a', 'b', 'c']
    """
    end = object()
    source = (item for item in items)  # it ends with an error: what raised is not asked again
    pool = ThreadPoolExecutor(1, "mien-ahead")
    try:
        waiting: deque[Future[T | object]] = deque()
        for _ in range(depth):
            waiting.append(pool.submit(next, source, end))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, source, end))
            yield item  # type: ignore[misc]  # mypy cannot know that `end` is not a T
    finally:
        stop()
        pool.shutdown(cancel_futures=True)


class WriteBehind(Generic[T]):
    """Calls a function for one item after another in a thread of its own.

    An error of the function is raised by the next call and every later one, at the latest by
    leaving the ``with`` block; what was put after the item that failed is dropped.
    """

    def __init__(self, work: Callable[[T], object], depth: int = 2) -> None:
        """Start the thread.

        Args:
            work: called for each item, in order.
            depth: how many items may wait, 1 or more; `put` waits for room.
        """
        self._work = work
        self._depth = depth
        self._error: BaseException | None = None  # of the first item that failed
        self._waiting: deque[Future[object]] = deque()
        self._pool = ThreadPoolExecutor(1, "mien-behind")

    def put(self, item: T) -> None:
        """Hand over an item.

        Args:
            item: what to call the function for.
        """
        while len(self._waiting) > self._depth or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()
        self._raise_error()
        self._waiting.append(self._pool.submit(self._do, item))

    def _do(self, item: T) -> None:
        """Call the function, unless it failed before."""
        if self._error:
            return
        try:
            self._work(item)
        except BaseException as error:
            self._error = error
            raise

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def __enter__(self) -> Self:
        """Return itself; leaving the block waits for the work."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish all that was put; after an error only what is being worked on."""
        try:
            while error is None and self._waiting:
                self._waiting.popleft().result()
            if error is None:
                self._raise_error()
        finally:
            self._pool.shutdown(cancel_futures=True)
