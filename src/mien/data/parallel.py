"""Share tasks between processes; the results come in the order of the tasks.

Each process makes its own worker (with an archive opened, a detector loaded), so only tasks and
results travel between processes. Only a few tasks wait at a time, so memory does not grow with
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

from mien.cores import cores
from mien.errors import OutputError

__all__ = ["cores", "share"]

Task = TypeVar("Task")
Result = TypeVar("Result")
_AHEAD = 3  # tasks that wait, for each process
_worker: list[Callable[[Any], Any]] = []  # the worker of this process, in a process of the pool


def share(
    make: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], workers: int
) -> Iterator[Result]:
    """Do tasks in several processes.

    Args:
        make: called once in each process, returns the function that does a task; can be pickled.
        tasks: arguments of that function; each can be pickled.
        workers: number of processes; with 1 the work is done in this one.

    Yields:
        The result of each task, in their order.

    Raises:
        OutputError: if a process was killed, for example because memory ran out.
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
    """Prepare a process of the pool: it ignores Ctrl-C and ends when its parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()
    _worker.append(make())


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    return _worker[0](task)
