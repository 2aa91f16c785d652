"""The same work shared between processes, its results in order.

Each process makes for itself what does the work (an archive opened, a detector loaded), so nothing
but tasks and results is handed to and fro; a few tasks are ahead, so memory does not grow with
their number.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

from mien.errors import OutputError

__all__ = ["cores", "share"]

Task = TypeVar("Task")
Result = TypeVar("Result")
_AHEAD = 3  # tasks that wait for each process
_own: list[Callable[[Any], Any]] = []  # in a process of the pool: what does the work


def cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share(
    make: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], workers: int
) -> Iterator[Result]:
    """Do tasks in several processes.

    Args:
        make: called once in each process, returns what does the work; it can be pickled.
        tasks: what to do; each can be pickled.
        workers: how many processes; 1 does the work here.

    Yields:
        The result of each task, in their order.

    Raises:
        OutputError: if a process was ended from outside, by want of memory for one.
    """
    if workers == 1:
        yield from map(make(), tasks)
        return
    # "spawn": a forked copy of a process with threads may hang
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _set_up, (make,))
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(_work, task))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise OutputError(
            "a process that helped was ended", fix="free some memory, or add --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _set_up(make: Callable[[], Callable[[Any], Any]]) -> None:
    """Prepare a process of the pool: Ctrl-C is the first process's, whose end is this one's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()
    _own.append(make())


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    return _own[0](task)
