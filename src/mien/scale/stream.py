"""Files are read side by side by all cores; what a journal knows is not read again.

Results come in the order of the files, whoever read them and when. Few files are read in this
process, more by its threads, many by processes: threads cost nothing to start, but share Python's
lock. Only a few files wait at a time, so memory does not grow with their number.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from mien.cores import cores
from mien.faces.yunet import one_thread, use_one_thread
from mien.media.journal import Journal, Stamp
from mien.media.parallel import share

__all__ = ["CROP_S", "DRAWN_S", "PHOTO_S", "Plan", "Reading", "plan", "read_files"]

# About what one core takes for a photograph, for one that is drawn and written too, for a crop.
PHOTO_S, DRAWN_S, CROP_S = 0.02, 0.04, 0.002
_FEW_S = 0.16  # so much work is done before other threads have loaded their networks
_MANY_S = 8  # from here on processes have won more than their start has cost
_MOST = 1024  # files in one part, nearly all of them known


class Reading(Protocol):
    """What was read in a file."""

    @property
    def stamp(self) -> Stamp | None:
        """The file's size and time before it was read; None if it could not be read."""

    def record(self) -> Any:
        """Return it as JSON-ready values."""

    @classmethod
    def restored(cls, path: Path, values: Any, /) -> Self:
        """Return it from its record."""


R = TypeVar("R", bound=Reading)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who reads.

    Attributes:
        workers: how many read side by side; 1 is the caller alone.
        threads: of each network; 0 takes all cores.
        size: files handed over at once.
        processes: whether workers are processes; else they are threads.
    """

    workers: int
    threads: int
    size: int = 1
    processes: bool = False


def plan(
    count: int, workers: int, threads: int | None, each_s: float = PHOTO_S, size: int = 1
) -> Plan:
    """Choose who reads.

    Args:
        count: how many files there are.
        workers: that were asked for, at most one a core; 0 takes as many as are of use.
        threads: of each network, that were asked for; None for one, or for few files all cores.
        each_s: about how long one core takes for a file: `PHOTO_S`, `DRAWN_S` or `CROP_S`.
        size: files handed over at once: 1 for photographs, a batch for crops.

    Returns:
        At most a worker for each part of the files, and one for few of them.

    Example:
        >>> plan(3, 0, None)
        Plan(workers=1, threads=0, size=1, processes=False)
        >>> plan(5000, 1, None)
        Plan(workers=1, threads=1, size=1, processes=False)
    """
    few = count * each_s < _FEW_S
    if threads is None:
        threads = 0 if few and workers in {0, 1} else 1
    if not workers:
        workers = 1 if few else max(1, cores() // (threads or cores()))
    workers = max(1, min(workers, -(-count // size)))
    return Plan(workers, threads, size, workers > 1 and count * each_s >= _MANY_S)


def read_files(
    files: Iterable[Path],
    make: Callable[[], Callable[[Sequence[Path]], list[R]]],
    kind: type[R],
    how: Plan,
    journal: Journal | None = None,
    remembered: Callable[[R], Any] | None = None,
) -> Generator[tuple[R, bool], None, None]:
    """Read files side by side.

    Args:
        files: asked for a few ahead, in the caller's thread.
        make: returns what reads a part of the files; can be pickled, if processes read.
        kind: of the readings.
        how: from `plan`.
        journal: open; knows what need not be read, and is told what was read. What could not be
            read is not in it, so that the next run tries again.
        remembered: returns the record for the journal, once the caller has done with a reading;
            None where the next run shall read the file again. By default the reading's own.

    Yields:
        For each file in order what was read in it, and whether it was read now.

    Raises:
        OutputError: if a process was killed, or the journal cannot be written.
    """
    parts: deque[list[tuple[Path, Any]]] = deque()
    with ExitStack() as stack:
        if how.processes:
            make = partial(_made_in_process, make)
        elif how.workers > 1:
            stack.enter_context(one_thread())
        tasks = _tasks(files, how.size, journal, parts)
        stream = share(make, tasks, how.workers, threads=not how.processes)
        for fresh in map(iter, stack.enter_context(closing(stream))):
            for file, known in parts.popleft():
                if known is not None:
                    yield kind.restored(file, known), False
                    continue
                reading = next(fresh)
                yield reading, True
                if journal and reading.stamp:  # after the caller has written what belongs to it
                    record = remembered(reading) if remembered else reading.record()
                    if record is not None:
                        journal.add(file, reading.stamp, record)


def _tasks(
    files: Iterable[Path],
    size: int,
    journal: Journal | None,
    parts: deque[list[tuple[Path, Any]]],
) -> Iterator[list[Path]]:
    """Yield the files of each part that are to be read; put the whole part into `parts`."""
    part: list[tuple[Path, Any]] = []
    unknown: list[Path] = []
    for file in files:
        known = journal.known(file) if journal else None
        part.append((file, known))
        if known is None:
            unknown.append(file)
        if len(unknown) == size or len(part) == _MOST:
            parts.append(part)
            yield unknown
            part, unknown = [], []
    if part:
        parts.append(part)
        yield unknown


def _made_in_process(make: Callable[[], Any]) -> Any:
    use_one_thread()
    return make()
