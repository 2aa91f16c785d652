"""Jobs for a cluster whose readers read lengths of files, and may kill their own process."""

import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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


def rows_of(reading):
    return [[str(reading.file), reading.length]]


def job_of(folder, deadly="", times=0):
    """Twenty files of 0 to 19 bytes in seven parts; one of them may kill its readers."""
    files = [folder / f"{number:02}.txt" for number in range(20)]
    for number, file in enumerate(files):
        file.write_bytes(b"." * number)
    listed = (map(str, files), PictureFiles())
    run = open_run(Place(folder / "run"), {}, False, listed, Size(least=3, most=3))
    return Job(run, partial(reader, deadly, times), 2, rows_of, COLUMNS)
