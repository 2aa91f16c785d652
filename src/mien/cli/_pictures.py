"""What commands for folders of pictures share: options, the count of files, what ends them."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien import __version__
from mien.cli._shared import FILE, PIXELS, THREADS, Refusals, bar, echo, say_left_out
from mien.cli._usage import WrongUsageError
from mien.media.files import real_path
from mien.media.journal import Journal, journal_of
from mien.media.standard_output import STANDARD_OUTPUT

if TYPE_CHECKING:
    from mien.recognize.recognizer import Recognizer

__all__ = [
    "FLIP",
    "MAX_MEMORY",
    "MAX_PIXELS",
    "MODEL",
    "NETWORK_THREADS",
    "PROBABILITIES",
    "RESUME",
    "SMALL",
    "TURNED",
    "WORKERS",
    "Pictures",
    "finish",
    "open_journal",
    "settings_of",
    "shown",
]

MODEL = click.option("--model", type=FILE, help="An .onnx file, or a name of mien models.")
WORKERS = click.option(
    "--workers",
    type=THREADS,
    default=0,
    help="Read so many pictures side by side; 0 takes all cores, if there are enough pictures.",
)
NETWORK_THREADS = click.option(
    "--threads",
    type=THREADS,
    help="Of each network; 0 takes all cores. Default: 1, or for few pictures 0.",
)
RESUME = click.option(
    "--resume",
    is_flag=True,
    help="Keep a journal beside the table; go on from it after the run was stopped.",
)
PROBABILITIES = click.option(
    "--probabilities",
    is_flag=True,
    help="More columns in tables: of all classes on one scale, p_happiness to p_neutral.",
)
FLIP = click.option(
    "--flip", is_flag=True, help="Also look at each face's mirror image, in twice the time."
)
SMALL = click.option(
    "--small", is_flag=True, help="Look a second time, at full size: for crowds and small faces."
)
TURNED = click.option(
    "--turned", is_flag=True, help="Look in turned copies too, unless all faces are surely upright."
)
MAX_PIXELS = click.option(
    "--max-pixels",
    type=PIXELS,
    default=100_000_000,
    show_default=True,
    help="Refuse larger pictures.",
)
MAX_MEMORY = click.option(
    "--max-memory",
    type=click.IntRange(1),
    default=432,
    show_default=True,
    help="MiB; refuse pictures that take more to decode.",
)


class Pictures:
    """The picture files that paths name: counted first, then walked again without a list.

    Attributes:
        count: how many there are.
        found: what was left out of the folders.
    """

    def __init__(self, paths: Iterable[Path], out: Path | None, outputs: Iterable[Path]) -> None:
        """Count them.

        Args:
            paths: files and folders.
            out: a folder that is written to, and not read.
            outputs: tables to write.

        Raises:
            BadImageError: if there is not one.
            WrongUsageError: if a table would be written over one of them.
        """
        from mien.media.folders import PictureFiles, walk_pictures

        self._paths, self._out = list(paths), out
        self.found, self._found_again = PictureFiles(), PictureFiles()
        self.count = 0
        tables = {real_path(path): path for path in outputs if path != STANDARD_OUTPUT}
        some_exist = any(path.exists() for path in tables)  # else no link can lead to one
        for file in walk_pictures(self._paths, self.found, out):
            self.count += 1
            if some_exist or any(file.name == path.name for path in tables):
                table = tables.get(real_path(file))
                if table is not None:
                    raise WrongUsageError(
                        f"{table} is one of the pictures", fix="choose another name"
                    )

    def __iter__(self) -> Iterator[Path]:
        """Walk again; what has come since is read, what has gone is missing."""
        from mien.media.folders import PictureFiles, walk_pictures

        self._found_again = PictureFiles()
        return walk_pictures(self._paths, self._found_again, self._out)

    def say_left_out(self) -> None:
        """Say on standard error what was left out of the folders."""
        say_left_out(self.found)

    def faults(self) -> int:
        """Count the folders and links that could hold pictures, and were not read.

        Returns:
            How many; those that were met since they were counted are named now.
        """
        since = self._found_again.faults_since(self.found)
        say_left_out(since)
        return self.found.faults + since.faults


def shown(results: Iterable[Any], count: int) -> Iterator[Any]:
    """Show how far results are, their rate and the time left, on a terminal.

    Args:
        results: in order.
        count: how many are expected.

    Returns:
        The results.
    """
    return bar(results, count, rate=True)


def settings_of(recognizer: "Recognizer", **others: object) -> dict[str, Any]:
    """Return all that what is read in a picture depends on, for `open_journal`.

    Args:
        recognizer: that reads.
        **others: options of the command.

    Returns:
        JSON-ready.
    """
    model = recognizer.model
    weights = {"model": model.card["sha256"], "flip": model.flip, "search": recognizer.search}
    return {"mien": __version__, **weights, **others}


def open_journal(
    stack: ExitStack,
    resume: bool,
    tables: Iterable[Path | None],
    settings: dict[str, Any],
    holds: Callable[[Any], bool] = lambda _result: True,
) -> Journal | None:
    """Open the journal of a run that shall be able to go on.

    Args:
        stack: closes it.
        resume: whether it is wanted.
        tables: to write; the journal is beside the first that is a file.
        settings: all that results depend on.
        holds: tells whether what was written of a result is still there.

    Returns:
        The journal, or None if it is not wanted.

    Raises:
        OutputError: if it is of other settings, or cannot be written.
    """
    if not resume:
        return None
    files = [path for path in tables if path and path != STANDARD_OUTPUT]
    if not files:
        raise click.UsageError("--resume needs a file to go on with: name one for the table")
    return stack.enter_context(Journal(journal_of(files[0]), settings, holds))


def finish(
    failures: int,
    pictures: Pictures,
    refused: Refusals | None = None,
    known: int = 0,
) -> None:
    """Exit with 1 if a picture was not read, a file not written, or a folder not entered.

    Args:
        failures: pictures that could not be read.
        pictures: all of them.
        refused: files that could not be written.
        known: pictures that an earlier run had read.
    """
    if known:
        echo(f"mien: {known:,} pictures had been read before", err=True)
    if failures and pictures.count > 1:  # of an only one the error has said it all
        echo(f"mien: {failures} of {pictures.count} pictures could not be read", err=True)
    if refused:
        refused.report()
    if pictures.faults() or failures or (refused and refused.count):
        sys.exit(1)
