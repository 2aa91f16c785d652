"""Share tasks between threads or processes; the results come in the order of the tasks.

Each process makes its own worker (with an archive opened, a detector loaded), so only tasks and
results travel between processes; threads share one worker. Only a few tasks wait at a time, so
memory does not grow with their number.

Threads start at once, and need nothing of the program that uses them; what holds Python's lock
is done by one of them at a time. Processes have no such lock, and take about a second to start.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context, parent_process, resource_tracker
from threading import Thread
from typing import Any, TypeVar

from mien.cores import cores
from mien.errors import OutputError

__all__ = ["cores", "share", "without_ctrl_c"]

Task = TypeVar("Task")
Result = TypeVar("Result")
_AHEAD = 3  # tasks that wait, for each worker
_worker: list[Callable[[Any], Any]] = []  # the worker of this process, in a process of the pool
_ended: list[int] = []  # the signal that ended this process, in a process of the pool


def share(
    make: Callable[[], Callable[[Task], Result]],
    tasks: Iterable[Task],
    workers: int,
    threads: bool = False,
) -> Generator[Result, None, None]:
    """Do tasks side by side.

    Close the iterator when you leave it early (`contextlib.closing`): the tasks that are being
    worked on end then, and the others are dropped.

    Args:
        make: called once in each process, returns the function that does a task; can be pickled.
            For threads it is called once, and the function is shared by them.
        tasks: arguments of that function; each can be pickled, for processes. They are asked for
            in the caller's thread, a few ahead.
        workers: number of processes or threads; with 1 the work is done in the caller's thread.
        threads: take threads of this process.

    Yields:
        The result of each task, in their order.

    Raises:
        OutputError: if a process was killed, for example because memory ran out.
    """
    if workers == 1:
        yield from map(make(), tasks)
        return
    pool, work = _threads(make, workers) if threads else _processes(make, workers)
    waiting: deque[Future[Result]] = deque()
    starting = nullcontext if threads else without_ctrl_c
    try:
        for task in tasks:
            with starting():  # the pool may start a process for the task
                waiting.append(pool.submit(work, task))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except (BrokenProcessPool, _Ended) as error:
        raise OutputError(
            "a process that helped was ended", fix="free some memory, or add --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


class _Ended(SystemExit):
    """SIGTERM reached a process of the pool; one that has no task ends without a word."""


def _threads(
    make: Callable[[], Callable[[Task], Result]], workers: int
) -> tuple[Executor, Callable[[Task], Result]]:
    return ThreadPoolExecutor(workers, "mien-worker"), make()


def _processes(
    make: Callable[[], Callable[[Any], Any]], workers: int
) -> tuple[Executor, Callable[[Any], Any]]:
    # "spawn": a forked copy of a process with threads may hang
    return ProcessPoolExecutor(workers, get_context("spawn"), _set_up, (make,)), _work


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Let what is started meanwhile not hear Ctrl-C, which a terminal sends to all processes.

    The first process does, and ends the others; one that is still importing would print where it
    was.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # it comes with the first process, and takes the mask off
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _set_up(make: Callable[[], Callable[[Any], Any]]) -> None:
    """Prepare a process of the pool: it ends when its parent process ends.

    SIGTERM ends its task as an error does, so that no part of a file stays.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where there is no mask to come with, too
    signal.signal(signal.SIGTERM, _end)
    Thread(target=_leave_with_parent, daemon=True).start()
    _worker.append(make())


def _end(number: int, _frame: object) -> None:
    if not _ended:
        _ended.append(number)
        raise _Ended


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    if _ended:
        raise _Ended
    return _worker[0](task)
