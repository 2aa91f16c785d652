"""What several commands share: messages, a progress bar, types of options, what was left out."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Protocol, TextIO, TypeVar

import click

from mien.cli._usage import WrongUsageError
from mien.cores import cores
from mien.errors import BadSettingError, MienError, MissingExtraError, OutputError
from mien.media.atomic import refuses_every_file
from mien.media.escapes import escaped
from mien.media.standard_output import STANDARD_OUTPUT

if TYPE_CHECKING:
    from mien.media.folders import PictureFiles

__all__ = [
    "DETECTOR",
    "FILE",
    "PARQUET",
    "PIXELS",
    "QUALITY",
    "SIDE",
    "THREADS",
    "Echo",
    "NamedPath",
    "Refusals",
    "bar",
    "echo",
    "echo_error",
    "echo_note",
    "echo_written",
    "epoch_bar",
    "needs",
    "quiet_option",
    "recipe_or_file",
    "say_left_out",
]

T = TypeVar("T")


class NamedPath(click.Path):
    """Name of a file or folder; an empty word, which `Path` reads as this folder, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            raise WrongUsageError(
                "an empty path was given", fix="check the variable between the quotes"
            )
        return super().convert(value, param, ctx)


FILE = NamedPath(path_type=Path)
SIDE = click.IntRange(16, 1024)  # pixels, of a crop
QUALITY = click.IntRange(1, 100)  # of a JPEG
PIXELS = click.IntRange(1, 178_956_970)  # of a picture; above that Pillow refuses
PARQUET = click.option(
    "--parquet",
    type=FILE,
    help="The table as Parquet, with types and units. Needs the tables extra.",
)


class _AtMostCores(click.IntRange):
    """A number of threads or processes; 0 is all cores, and more than there are is capped."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Cap the number, and say so."""
        wanted: int = super().convert(value, param, ctx)
        if wanted <= cores():
            return wanted
        name = param.opts[0] if param else "number"
        echo(f"mien: {name} {wanted}: taking {cores()}, one a core", err=True)
        return cores()


THREADS = _AtMostCores(0)


_QUIET, _BAR = "mien.quiet", "mien.bar"  # notes in the context of the command that runs
_WIDEST, _BESIDE = 36, 44  # characters: of the bar itself, and of what is written beside it


def _meta() -> dict[str, Any]:
    """What is noted of the command that runs; nothing outside of one."""
    ctx = click.get_current_context(silent=True)
    return ctx.meta if ctx else {}


def quiet_option() -> click.Option:
    """Make the option that every command has."""

    def note(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.meta[_QUIET] = value

    return click.Option(
        ["--quiet"],
        is_flag=True,
        expose_value=False,
        callback=note,
        help="No progress bar, and no line for each file written.",
    )


class Echo(Protocol):
    """Prints a message: `echo`, or what `mien.cli._outputs.echo_beside` returns."""

    def __call__(self, text: object) -> None:
        """Print it."""


def echo(text: object, err: bool = False) -> None:
    """Print a message; a terminal does not obey what names in it contain.

    Args:
        text: of one or more lines.
        err: print it to standard error.
    """
    shown = _meta().get(_BAR)
    if shown and (err or _is_terminal(sys.stdout)):
        click.echo("\r\x1b[2K", nl=False, file=shown)  # else the text would be glued to the bar
    click.echo(escaped(text, but="\n"), err=err)


def echo_note(text: object) -> None:
    """Print what is good to know and no result to standard error, unless --quiet is given.

    Args:
        text: of one or more lines.
    """
    if not _meta().get(_QUIET):
        echo(text, err=True)


def echo_error(error: MienError) -> None:
    """Print an error and its next step, a line each.

    Args:
        error: what happened.
    """
    echo(f"mien: {escaped(error.message)}\n  try: {escaped(error.fix)}", err=True)


def echo_written(*outputs: Path | None) -> None:
    """Name the files that were written, to standard error.

    Args:
        outputs: None where there is none; standard output is not named.
    """
    for path in outputs:
        if path is not None and path != STANDARD_OUTPUT:
            echo_note(f"wrote {escaped(path)}")


class Refusals:
    """Files that cannot be written for a reason of their own: named and counted; the rest goes on.

    Attributes:
        count: how many there were.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Go on after a file that cannot be written.

        Yields:
            Nothing.

        Raises:
            OutputError: if the disk would refuse every other file too.
        """
        try:
            yield
        except OutputError as error:
            if refuses_every_file(error):
                raise
            self.count += 1
            echo_error(error)

    def report(self) -> None:
        """Say how many there were, if any."""
        if self.count:
            echo(f"mien: {self.count} of the files could not be written", err=True)


def _set_detector(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    """Say where the detector's files are, to this process and those it starts, for this command."""
    if value is None:
        return
    from mien.faces.detect import PLACE

    before = os.environ.get(PLACE)
    os.environ[PLACE] = str(value.absolute())

    def put_back() -> None:
        del os.environ[PLACE]
        if before is not None:
            os.environ[PLACE] = before

    ctx.call_on_close(put_back)


DETECTOR = click.option(
    "--detector",
    type=FILE,
    expose_value=False,
    callback=_set_detector,
    help="Folder of the detector's two networks, or a file of one; or set MIEN_DETECTOR.",
)


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that draws; one that was closed, as by ``2>&-``, is None."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def bar(items: Iterable[T], length: int, label: str = "", rate: bool = False) -> Iterator[T]:
    """Yield items while a progress bar shows how far they are, and the time left.

    Args:
        items: to be worked through.
        length: how many there are; one alone needs no bar.
        label: text before the bar.
        rate: show how many were done in a second so far.

    Yields:
        The items.
    """
    if length < 2 or not _is_terminal(sys.stderr) or _meta().get(_QUIET):
        yield from items
        return
    began = time.monotonic()

    def pace(_item: T | None) -> str:
        return f"{shown.pos / max(1e-9, time.monotonic() - began):,.1f} a second"

    shown = click.progressbar(
        items,
        length=length,
        label=label,
        file=sys.stderr,
        width=min(_WIDEST, max(4, get_terminal_size().columns - _BESIDE)),
        show_pos=rate,
        item_show_func=pace if rate else None,
    )
    with shown:
        _meta()[_BAR] = sys.stderr
        try:
            yield from shown
        finally:
            _meta().pop(_BAR, None)


def epoch_bar(steps: range, epoch: str, title: str = "") -> Iterator[int]:
    """Show how far an epoch is; it can be pickled, for other processes.

    Args:
        steps: of the epoch.
        epoch: its name.
        title: of the run, put before the name.

    Returns:
        The steps.
    """
    return bar(steps, len(steps), f"{title}, {epoch}" if title else epoch)


def say_left_out(found: "PictureFiles") -> None:
    """Say on standard error what was left out of the folders that were searched.

    Args:
        found: from `mien.media.search_pictures`.
    """
    for line in found.summary():
        echo(f"mien: {escaped(line)}", err=True)


def needs(what: str, extra: str, *modules: str) -> None:
    """Refuse a command or an option whose modules are not installed.

    Args:
        what: the command or option.
        extra: of mien, which installs the modules.
        modules: all of them are needed.

    Raises:
        MissingExtraError: if one of them is not there.
    """
    if not all(map(find_spec, modules)):
        raise MissingExtraError(what, extra)


def recipe_or_file(path: Path) -> Path:
    """Take the recipe that comes with mien where no file of that name is there, and say so.

    Args:
        path: of a file of settings; or the name of a recipe, with or without ``.toml``, or as the
            documentation names it, ``configs/NAME.toml``.

    Returns:
        The path as it is if the file exists, else that of the recipe.

    Raises:
        BadSettingError: if there is neither.
        UnknownNameError: if it is a name without an ending, and no recipe's.
    """
    from mien.train.recipes import find_recipe, recipes

    is_run = path.is_dir() and str(path) in recipes()  # that a recipe of its name was trained into
    if path.exists() and not is_run:
        return path
    names = {path.name, f"{path.stem}.toml", f"configs/{path.stem}.toml"}
    if path.as_posix() not in names or (path.suffix and path.stem not in recipes()):
        fix = "check the path; mien recipes lists what comes with mien"
        raise BadSettingError(f"cannot read {path}: no such file", fix=fix)
    recipe = find_recipe(path.name)
    echo(f"mien: taking the recipe {recipe.stem}, which comes with mien: {recipe}", err=True)
    return recipe
