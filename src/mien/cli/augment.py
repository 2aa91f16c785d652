"""The command augment: altered copies of training crops on disk."""

from pathlib import Path

import click

from mien.cli._outputs import refuse_clashes
from mien.cli._shared import (
    FILE,
    QUALITY,
    THREADS,
    bar,
    echo,
    echo_note,
    needs,
    recipe_or_file,
)
from mien.cli._usage import in_file
from mien.media.escapes import escaped

__all__ = ["augment_command"]


@click.command(name="augment")
@click.argument("folder", metavar="DIR", type=FILE)
@click.argument("settings", metavar="CONFIG.toml", type=FILE)
@click.option(
    "--copies", type=click.IntRange(1), default=1, show_default=True, help="Of each crop."
)
@click.option("--out", type=FILE, help="Folder to make; default DIR-copies.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--quality", type=QUALITY, default=95, show_default=True)
@click.option("--workers", type=THREADS, default=0, help="Processes; 0: a core each.")
def augment_command(
    folder: Path,
    settings: Path,
    copies: int,
    out: Path | None,
    seed: int,
    quality: int,
    workers: int,
) -> None:
    """Write altered copies of the training crops in the prepared folder DIR, for mien train.

    The changes are those of CONFIG.toml or of a recipe, by their strengths; mien show-augmentation
    shows them. The manifest names the picture of each copy, so that audit and train still know it.
    The same command goes on after a stop.

    Example: mien augment data/rafdb --copies 4 --out data/rafdb-copies replications
    """
    needs("mien augment", "train", "torch", "kornia")
    from mien.cores import cores
    from mien.train import config
    from mien.train.augment import Strength
    from mien.train.copies import CopySettings, write_copies

    target = out or _beside(folder)
    refuse_clashes([target], inputs=[folder])
    settings = recipe_or_file(settings)
    with in_file(settings):
        strength = Strength.of(config.load(settings, data=("data",)))
    chosen = CopySettings(strength, copies, seed, quality)
    written = write_copies(
        folder,
        target,
        chosen,
        lambda tasks: bar(tasks, len(tasks), "augmenting"),
        workers or cores(),
    )
    for path, reason in written.unreadable.items():
        echo(f"no copy of {escaped(path)}: {escaped(reason)}", err=True)
    if written.unreadable:
        echo(f"skipped: {len(written.unreadable):,} unreadable crops", err=True)
    if not written.fresh:
        echo_note(f"{escaped(target)} is complete already; nothing to do")
    echo(f"{written.written:,} copies of {written.originals:,} training crops in {escaped(target)}")


def _beside(folder: Path) -> Path:
    """The default of --out, DIR-copies; also where DIR is . or .., which have no name."""
    place = folder.resolve() if folder.name in {"", ".."} else folder
    return place.parent / f"{folder.resolve().name}-copies"
