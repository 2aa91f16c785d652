"""Jobs for a cluster whose readers read lengths of files; some kill their own process."""

import os
import signal
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import ray
from pyarrow.parquet import read_table

from mien.media.data_frames import Column
from mien.media.folders import PictureFiles
from mien.scale.distribute import Job
from mien.scale.places import Place
from mien.scale.run_folder import Size, open_run

COLUMNS = {"path": Column("text", ""), "length": Column("integer", ""), "error": Column("text", "")}


@dataclass(frozen=True)
class Length:
    """A stand-in for a reading: how many bytes a file has."""

    file: Path
    length: int
    error: None = None


def reader(deadly, times):
    """Make a reader that kills its process when it comes to a file, so many times."""

    def read(files):
        for file in files:
            killed = file.with_suffix(".killed")
            count = int(killed.read_text()) if killed.exists() else 0
            if file.name == deadly and count < times:
                killed.write_text(str(count + 1))
                os.kill(os.getpid(), signal.SIGKILL)
        return [Length(file, file.stat().st_size) for file in files]

    return read


plain_reader = partial(reader, "", 0)


def slow_reader():
    """Make a reader that notes which node read a file, and takes its time."""

    def read(files):
        node = ray.get_runtime_context().get_node_id()
        for file in files:
            with file.with_suffix(".nodes").open("a") as notes:
                notes.write(f"{node}\n")
            time.sleep(0.3)
        return [Length(file, file.stat().st_size) for file in files]

    return read


def rows_of(reading):
    return [[str(reading.file), reading.length]]


def job_of(folder, make=plain_reader):
    """Twenty files of 0 to 19 bytes in seven parts."""
    files = [folder / f"{number:02}.txt" for number in range(20)]
    for number, file in enumerate(files):
        file.write_bytes(b"." * number)
    listed = (map(str, files), PictureFiles())
    run = open_run(Place(folder / "run"), {}, False, listed, Size(least=3, most=3))
    return Job(run, make, 2, rows_of, COLUMNS)


def check_rows(folder, job):
    """Each file once, in order, with its own length."""
    assert job.run.missing() == []
    job.run.merge(COLUMNS, "t.parquet")
    rows = read_table(folder / "run" / "t.parquet").to_pylist()
    expected = [(str(folder / f"{number:02}.txt"), number) for number in range(20)]
    assert [(row["path"], row["length"]) for row in rows] == expected
