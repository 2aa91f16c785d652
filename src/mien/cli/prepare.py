"""Commands that bring pictures in: prepare, frames."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._shared import QUALITY, SIDE, bar

if TYPE_CHECKING:
    from mien.data.datasets import Options
    from mien.data.prepare.record import Report

    pass

__all__ = ["prepare_command"]

_SHARE = click.FloatRange(0, 1, max_open=True)


_READER_OPTIONS = (
    click.option(
        "--labels",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="folder, ferplus: a CSV file of labels or votes outside SOURCE.",
    ),
    click.option(
        "--agreement",
        type=_SHARE,
        default=0.5,
        show_default=True,
        help="ferplus: the share of votes that a majority needs more than.",
    ),
    click.option(
        "--outliers",
        type=click.IntRange(0, 9),
        default=1,
        show_default=True,
        help="ferplus: so few votes for a class count as none.",
    ),
    click.option("--soft", is_flag=True, help="ferplus: keep pictures without a majority too."),
    click.option(
        "--every",
        type=click.IntRange(1),
        default=20,
        show_default=True,
        help="disfa: look at one frame in so many.",
    ),
    click.option(
        "--intensity",
        type=click.IntRange(1, 5),
        default=2,
        show_default=True,
        help="disfa: from which an action unit counts as seen.",
    ),
)


def _reader_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that readers of databases heed, handed on as one `Options`."""

    @wraps(command)
    def collected(
        labels: Path | None,
        agreement: float,
        outliers: int,
        soft: bool,
        every: int,
        intensity: int,
        **others: Any,
    ) -> None:
        from mien.data.datasets import Options

        options = Options(str(labels or ""), agreement, outliers, soft, every, intensity)
        command(options=options, **others)

    for option in reversed(_READER_OPTIONS):
        collected = option(collected)
    return collected


@click.command(name="prepare")
@click.argument("name")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make; default data/NAME.")
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
    type=click.Path(path_type=Path),
    help="A prepared folder whose held-out pictures must not have a copy here; may be repeated.",
)
@click.option("--keep-leaks", is_flag=True, help="Leave copies of held-out pictures in.")
@click.option("--workers", type=click.IntRange(0), default=0, help="Processes; 0: a core each.")
@_reader_options
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
    options: "Options",
) -> None:
    """Turn the database NAME, as downloaded to SOURCE, into crops and a manifest.

    NAME is affectnet, ckplus, disfa, fer2013, ferplus, gimefive, rafdb, tfeid, or folder for your
    own pictures: a folder for each expression, or a CSV file with the columns path,label. SOURCE
    is a .zip or the folder it was unpacked to; it is only read. Training pictures that are copies
    of held-out pictures are left out and counted.

    Example: mien prepare rafdb rafdb.zip --out data/rafdb
    """
    from mien.data.parallel import cores
    from mien.data.prepare.pipeline import prepare
    from mien.data.prepare.record import Settings

    others = tuple(map(str, against))
    shape = (frame, size, quality, others, gray, neutral)
    settings = Settings(name, str(source), *shape, valid, test, seed, options, keep_leaks)
    folder = out or Path("data") / (f"{name}-framed" if frame else name)
    count = workers or cores()
    report = prepare(settings, folder, lambda items: bar(items, len(items), "preparing"), count)
    if not report.fresh:
        click.echo(f"{folder} is prepared already; nothing to do")
    _print(report, frame)
    click.echo(f"wrote {folder}/manifest.csv" if report.fresh else f"see {folder}/manifest.csv")


def _print(report: "Report", frame: bool) -> None:
    for (split, label), count in sorted(report.kept.items()):
        click.echo(f"{split:<5}  {label:<9}  {count:>6,}")
    for database, count in report.leaked.items():
        click.echo(f"left out of train: {count:,} copies of {database} test pictures")
    if report.near_valid:
        click.echo(f"left out of train: {report.near_valid:,} copies of validation pictures")
    if frame:
        click.echo(f"no face found to frame, kept as they came: {report.unframed:,}")
    for reason, count in report.skipped.items():
        names = ", ".join(report.examples[reason])
        more = ", ... (all in excluded.csv)" if count > len(report.examples[reason]) else ""
        click.echo(f"left out, {reason}: {count:,}: {names}{more}")
    for original, reason in report.unreadable.items():
        click.echo(f"skipped {original}: {reason}", err=True)
    if report.unreadable:
        click.echo(f"skipped: {len(report.unreadable):,} unreadable pictures")
