"""Pictures are read on a Ray cluster, part by part, by Ray Data over the readers of one machine.

Pipeline: the run's list -> a row for each part that is missing -> actors that keep their networks
read a part each, write its rows and send back how it went -> the whole table. An actor or machine
that is killed costs the part it was in: Ray gives it to another one, and a part that was written
is there. Order needs no sorting, as parts have numbers and pictures their place in them.
"""

import os
import pickle
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import ray
import ray.data

from mien import __version__
from mien.errors import BadSettingError, MienError, OutputError
from mien.faces.yunet import use_one_thread
from mien.media.data_frames import Column
from mien.media.inputs import FetchedFile, path_of
from mien.media.parallel import share
from mien.scale.places import Place
from mien.scale.run_folder import RunFolder

__all__ = ["Job", "read_parts"]

_FETCHERS = 4  # threads that fetch from an object store while one reads
_TRIES = 10  # of a part whose reader is killed again and again
_Files = Sequence[Path | FetchedFile]


@dataclass(frozen=True, slots=True)
class Job:
    """What an actor does with a part; it can be pickled.

    Attributes:
        run: which parts there are, and where their rows go.
        make: returns what reads a batch of files.
        size: of a batch.
        rows: of a reading, without the error.
        columns: of these rows, and ``error`` last.
        sources: addresses that pictures are fetched from.
        base: the folder that relative names are in; "" where there are none.
    """

    run: RunFolder
    make: Callable[[], Callable[[_Files], list[Any]]]
    size: int
    rows: Callable[[Any], list[list[Any]]]
    columns: Mapping[str, Column]
    sources: tuple[str, ...] = ()
    base: str = ""


def read_parts(job: Job, parts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Read parts on the cluster that this process is connected to.

    Args:
        job: what to do.
        parts: numbers of those that are missing.

    Yields:
        As each part is written, its pictures and how many of them could not be read.

    Raises:
        MienError: what an actor could not go on after, such as a full disk.
        OutputError: if a part is not where this machine sees it, or the cluster cannot go on.
    """
    if not parts:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    readers = min(len(parts), max(1, int(ray.cluster_resources().get("CPU", 1))))
    rows = ray.data.from_items([{"part": n} for n in parts], override_num_blocks=len(parts))
    read = rows.map_batches(
        _PartReader,
        fn_constructor_args=(pickle.dumps(job), __version__),
        batch_size=1,
        num_cpus=1,
        # min_size 1: a cluster that shrinks goes on; more machines that come later are taken too
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=len(parts), initial_size=readers),
        max_restarts=-1,
        max_task_retries=_TRIES,
    )
    try:
        for row in read.iter_rows():
            if row["error"] is not None:
                error: MienError = pickle.loads(row["error"])
                raise error
            job.run.refuse_unseen(row["part"])
            yield row["pictures"], row["failures"]
    except ray.exceptions.RayError as gone:
        raise OutputError(
            f"the cluster could not go on: {_last_line(gone)}",
            fix="give its machines the same mien and more memory, then the same command with "
            "--resume",
        ) from gone


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


class _PartReader:
    """An actor: keeps the networks, reads one part after another."""

    def __init__(self, job: bytes, version: str) -> None:
        """Keep what to do; what fails here would be tried again for ever.

        Args:
            job: pickled.
            version: of mien that made it.
        """
        self._job, self._version = job, version
        self._work: _Work | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Read a part; an error of ours travels as a row, as Ray would wrap and repeat it."""
        [part] = (int(number) for number in batch["part"])
        try:
            if self._work is None:
                self._work = _Work(self._loaded())
            pictures, failures = self._work.read(part)
        except MienError as error:
            row = {"part": part, "pictures": 0, "failures": 0, "error": pickle.dumps(error)}
        else:
            row = {"part": part, "pictures": pictures, "failures": failures, "error": None}
        return {name: [value] for name, value in row.items()}

    def _loaded(self) -> Job:
        if self._version != __version__:
            raise BadSettingError(
                f"{socket.gethostname()} has mien {__version__}, this machine {self._version}",
                fix="install the same version on every machine",
            )
        job: Job = pickle.loads(self._job)
        return job


class _Work:
    """The reader of one actor, and where its pictures are."""

    def __init__(self, job: Job) -> None:
        self._job = job
        if job.base:
            try:
                os.chdir(job.base)  # so that names are the same as on one machine, in errors too
            except OSError as error:
                raise BadSettingError(
                    f"no folder {job.base} on {socket.gethostname()}: {error.strerror}",
                    fix="name pictures that every machine sees at the same place",
                ) from error
        use_one_thread()
        self._read = job.make()
        self._places = [Place(address) for address in job.sources]

    def read(self, part: int) -> tuple[int, int]:
        """Read a part and write its rows; how many pictures, and how many failed."""
        names, failures = self._job.run.names(part), 0
        width = len(self._job.columns)
        rows: list[list[Any]] = []
        for batch in self._batches(names):
            for file, reading in zip(batch, self._read(batch), strict=True):
                if reading.error:
                    failures += 1
                    blank = [None] * (width - 2)
                    rows.append([path_of(file), *blank, reading.error.message])
                else:
                    rows += [[*row, None] for row in self._job.rows(reading)]
        self._job.run.write(part, self._job.columns, rows)
        return len(names), failures

    def _batches(self, names: Sequence[str]) -> Iterator[_Files]:
        """Give the files of a part a batch at a time; some are fetched ahead."""
        if not self._places:
            files: Iterator[Path | FetchedFile] = map(Path, names)
            while batch := list(islice(files, self._job.size)):
                yield batch
            return
        fetched = share(lambda: self._opened, names, _FETCHERS, threads=True)
        with closing(fetched):
            while batch := list(islice(fetched, self._job.size)):
                yield batch

    def _opened(self, name: str) -> Path | FetchedFile:
        place = next((place for place in self._places if place.holds(name)), None)
        return Path(name) if place is None else place.fetch(name)
