"""The command that turns a dataset into crops and a manifest: prepare."""

from dataclasses import Field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._numbers import Number
from mien.cli._outputs import refuse_clashes
from mien.cli._shared import (
    DETECTOR,
    FILE,
    QUALITY,
    SIDE,
    THREADS,
    bar,
    echo,
    echo_note,
    echo_written,
)
from mien.cli._usage import WrongUsageError, wrong_usage
from mien.errors import BadSettingError
from mien.media.escapes import escaped

if TYPE_CHECKING:
    from mien.data.datasets import Listing, OptionValue
    from mien.data.prepare.record import Report

__all__ = ["prepare_command"]

_MOST_WORDS = 60  # lines of the table of what was taken for what
_SHARE = Number(0, 1, max_open=True)


class _PrepareCommand(click.Command):
    """Takes the names of the datasets and the options of their readers from `mien.data.datasets`.

    It does so when the command runs or prints its help; `mien --help` loads no reader.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        *own, help_option = super().get_params(ctx)
        return [*own, *_reader_options(), help_option]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from mien.data.datasets import DATASETS

        names = ", ".join(name for name in DATASETS if name != "folder")
        self.help = (self.help or "").replace("{names}", names)
        super().format_help_text(ctx, formatter)


@cache
def _reader_options() -> tuple[click.Option, ...]:
    from mien.data.datasets import options_of_all

    return tuple(map(_click_option, options_of_all().values()))


def _click_option(field: "Field[OptionValue]") -> click.Option:
    """What `mien.data.datasets.listing.option` declared, for the command line."""
    flag, text = f"--{field.name}", field.metadata["help"]
    if field.metadata["choices"]:
        return click.Option(
            [flag], type=click.Choice(field.metadata["choices"]), help=text, callback=_as_text
        )
    match field.default:
        case bool():
            return click.Option([flag], is_flag=True, help=text)
        case str():
            return click.Option([flag], help=text, callback=_as_text)
        case float():
            kind: Number | click.IntRange = _SHARE
        case _:
            kind = click.IntRange(field.metadata["least"], field.metadata["most"])
    return click.Option([flag], type=kind, default=field.default, show_default=True, help=text)


def _as_text(_ctx: click.Context, option: click.Parameter, given: str | None) -> str:
    if given == "":
        raise WrongUsageError(
            f"an empty {option.opts[0]} was given", fix="check the variable between the quotes"
        )
    return given or ""


@click.command(name="prepare", cls=_PrepareCommand)
@click.argument("name")
@click.argument("source", type=FILE)
@click.option("--out", type=FILE, help="Folder to make; default data/NAME.")
@click.option("--frame/--as-is", default=False, help="Re-frame faces as recognition does.")
@click.option("--size", type=SIDE, default=64, show_default=True)
@click.option("--quality", type=QUALITY, default=95, show_default=True)
@click.option("--gray/--color", default=None, help="Default: as each picture is.")
@click.option("--neutral/--no-neutral", default=True, help="Keep neutral faces.", show_default=True)
@click.option("--valid", type=_SHARE, default=0.0, help="Share of train to hold out as valid.")
@click.option("--test", type=_SHARE, default=0.0, help="Share to hold out where there is no test.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of --valid and --test.")
@click.option(
    "--against",
    multiple=True,
    type=FILE,
    help="A prepared folder whose held-out pictures must not have a copy here; may be repeated.",
)
@click.option("--keep-leaks", is_flag=True, help="Leave copies of held-out pictures in.")
@click.option("--workers", type=THREADS, default=0, help="Processes; 0: a core each.")
@DETECTOR
def prepare_command(
    name: str,
    source: Path,
    out: Path | None,
    frame: bool,
    size: int,
    quality: int,
    gray: bool | None,
    neutral: bool,
    valid: float,
    test: float,
    seed: int,
    against: tuple[Path, ...],
    keep_leaks: bool,
    workers: int,
    **options: Any,
) -> None:
    """Turn the database NAME, as downloaded to SOURCE, into crops and a manifest.

    NAME is {names}, or folder for your own pictures: a folder for each class, or a CSV file with
    the columns path,label. SOURCE is a .zip, a .tar.gz, or the folder it was unpacked to; it is
    only read. What each word is taken for is said before a picture is copied. Training pictures
    that are copies of held-out pictures are left out and counted.

    Example: mien prepare rafdb rafdb.zip --out data/rafdb
    """
    from mien.cores import cores
    from mien.data.prepare.pipeline import prepare
    from mien.data.prepare.record import Settings

    _refuse_other_options(name)
    settings = Settings(
        source=name,
        archive=str(source),
        frame=frame,
        side=size,
        quality=quality,
        against=tuple(map(str, against)),
        gray=gray,
        neutral=neutral,
        valid=valid,
        test=test,
        seed=seed,
        options=options,
        keep_leaks=keep_leaks,
    )
    folder = out or Path("data") / (f"{name}-framed" if frame else name)
    count = workers or cores()
    refuse_clashes([folder], inputs=[source])
    with wrong_usage(BadSettingError):
        report = prepare(
            settings, folder, lambda items: bar(items, len(items), "preparing"), count, tell=_tell
        )
    if not report.fresh:
        echo_note(f"{escaped(folder)} is prepared already; nothing to do")
    _print(report, frame)
    echo_written(folder / "manifest.csv" if report.fresh else None)


def _refuse_other_options(name: str) -> None:
    """Refuse options that the reader of another database has: they would change nothing."""
    from mien.data.datasets import DATASETS, OPTIONS, options_of_all

    if name not in DATASETS:
        return
    given = click.get_current_context().get_parameter_source
    has = {database: {f.name for f in fields(kind)} for database, kind in OPTIONS.items()}
    for option in options_of_all():
        owners = [database for database, names in has.items() if option in names]
        typed = given(option) is click.core.ParameterSource.COMMANDLINE
        if typed and name not in owners and option != "classes":  # which every reader takes
            raise click.UsageError(f"--{option} is for {' and '.join(owners)}, not for {name}")


def _tell(listing: "Listing") -> None:
    """Say on standard error which word was taken for which class, the most pictures first."""
    for table in listing.unused:
        echo_note(f"not read: {escaped(table)}")
    taken = listing.taken.most_common(_MOST_WORDS)
    width = max((len(escaped(word)) for (word, _), _ in taken), default=0)
    for (word, label), count in taken:
        meant = f"-> {escaped(label)}" if label else "left out"
        echo_note(f"{escaped(word) or '(no word)':<{width}}  {meant:<14}  {count:>6,}")
    if len(listing.taken) > len(taken):
        echo_note(f"... and {len(listing.taken) - len(taken):,} more words")


def _print(report: "Report", frame: bool) -> None:
    for (split, label), count in sorted(report.kept.items()):
        echo(f"{split:<5}  {label:<9}  {count:>6,}")
    for database, count in report.leaked.items():
        echo(f"left out of train: {count:,} copies of {database} test pictures")
    if report.near_valid:
        echo(f"left out of train: {report.near_valid:,} copies of validation pictures")
    if frame:
        echo(f"no face found to frame, kept as they came: {report.unframed:,}")
    for reason, count in report.skipped.items():
        examples = report.examples.get(reason, [])  # a folder of an older mien has none
        names = ", ".join(map(escaped, examples))
        more = ", ... (all in excluded.csv)" if count > len(examples) else ""
        echo(f"left out, {reason}: {count:,}: {names}{more}")
    for original, reason in report.unreadable.items():
        echo(f"skipped {escaped(original)}: {escaped(reason)}", err=True)
    if report.unreadable:
        echo(f"skipped: {len(report.unreadable):,} unreadable pictures", err=True)
