"""Commands around training: train, export, show-augmentation."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._measuring import progress
from mien.cli._outputs import refuse_clashes
from mien.cli._shared import (
    DETECTOR,
    FILE,
    NamedPath,
    echo,
    echo_note,
    echo_written,
    epoch_bar,
    needs,
    recipe_or_file,
)
from mien.cli._usage import WrongUsageError, in_file
from mien.media.escapes import escaped

if TYPE_CHECKING:
    from mien.train.config import TrainConfig
    from mien.train.data import Data

__all__ = ["export_command", "show_augmentation_command", "train_command"]


@click.command(name="train")
@click.argument("settings", metavar="CONFIG.toml", type=FILE)
@click.option("--out", type=FILE, help="The run's folder; default runs/NAME.")
@click.option(
    "--resume", is_flag=True, help="Continue a run that was stopped, or with more epochs."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Instead of the file's.")
@click.option("--epochs", type=click.IntRange(1), help="Instead of the file's.")
def train_command(
    settings: Path, out: Path | None, resume: bool, seed: int | None, epochs: int | None
) -> None:
    """Train the network that CONFIG.toml, or a recipe of mien recipes, describes.

    Example: mien train configs/miennet.toml --out runs/miennet
    """
    needs("mien train", "train", "torch", "kornia", "matplotlib", "safetensors")
    from dataclasses import replace

    from mien.train import config

    settings = recipe_or_file(settings)
    run = out or Path("runs") / settings.stem
    with in_file(settings):
        chosen = config.load(settings)
        chosen = chosen if seed is None else replace(chosen, seed=seed)
        chosen = chosen if epochs is None else replace(chosen, epochs=epochs)
        try:
            _train(chosen, run, resume)
        except KeyboardInterrupt:
            echo_note("stopped; with --resume the same command goes on from the last whole epoch")
            raise
    echo_note(f"wrote {escaped(run)}; next: mien export {escaped(run)}")


def _train(chosen: "TrainConfig", run: Path, resume: bool) -> None:
    """Train the network, or one for each fold, and say how good it is."""
    from mien.show.plots import history_curves
    from mien.train.augment import Strength
    from mien.train.cross_validate import train_by_folds
    from mien.train.data import load_data
    from mien.train.divergence import divergence_of
    from mien.train.run import refuse_other_run
    from mien.train.trainer import train
    from mien.train.validate import best_epoch, is_measured

    Strength.of(chosen)  # one out of its range: not after all pictures were read
    if chosen.folds:
        _print_folds(train_by_folds(chosen, run, resume, epoch_bar, _print_epoch, _print_data))
        return
    refuse_other_run(run, chosen, resume)  # before the pictures are read
    data = load_data(chosen)
    _print_data(data)
    history = train(chosen, run, resume, epoch_bar, _print_epoch, data)
    history_curves(history, run / "history.png")
    if len(history) < chosen.epochs:
        echo_note(
            f"stopped after epoch {len(history)} of {chosen.epochs}: {chosen.patience} without a "
            "better held-out accuracy (patience)"
        )
    if diverged := divergence_of(history):
        echo_note(diverged)
    best = best_epoch(history)
    if is_measured(best):
        echo(f"best epoch {best['epoch']}: held-out accuracy {best['held_accuracy']:.1%}")
        scored = [row.label for row in data.held.rows if row.label in data.held.labels.names]
        _print_chance(best["held_accuracy"], scored)
    else:
        echo("no picture was held out: the last epoch is kept, and nothing was measured")


def _print_chance(accuracy: float, labels: list[str]) -> None:
    """Say where an accuracy may be chance, and what helps."""
    from mien.train.validate import by_chance

    if told := by_chance(accuracy, labels):
        echo_note(
            f"{escaped(told)}; what helps: more pictures, more epochs, a trained network as start, "
            "labels that the pictures show"
        )


def _print_data(data: "Data") -> None:
    """Say what becomes of the pictures, so that none is left out without a word."""
    counts = {
        "trained on": len(data.train),
        "held out": len(data.held),
        "left out as copies": data.test_copies + data.held_copies,
    }
    told = ", ".join(f"{what} {count:,}" for what, count in counts.items() if count)
    echo_note(f"fold {data.fold}: {told}" if data.fold else told)


def _print_epoch(row: dict[str, Any]) -> None:
    from mien.train.divergence import has_exploded
    from mien.train.validate import is_measured

    held = ""
    if is_measured(row):
        exploded = " (exploded)" if has_exploded(row) else ""
        loss = f"held-out loss {row['held_loss']:.3f}{exploded}"
        held = f"{loss}  accuracy {row['held_accuracy']:.1%}  "
    echo_note(
        f"epoch {row['epoch']:>3}  train loss {row['train_loss']:.3f}  {held}{row['seconds']:.0f} s"
    )


def _print_folds(record: dict[str, Any]) -> None:
    """Print the figures over all held-out answers."""
    low, high = record["accuracy_95"]
    folds = "  ".join(f"{accuracy:.1%}" for accuracy in record["accuracy_by_fold"])
    echo(f"{record['split']}: {record['pictures']:,} pictures, each held out once")
    echo(f"accuracy           {record['accuracy']:.1%}  (95 %: {low:.1%} to {high:.1%})")
    echo(f"by fold            {folds}")
    echo(f"mean recall        {record['mean_recall']:.1%}")
    for label, recall in record["recall"].items():
        echo(f"  {label:<9}        {'-' if recall is None else f'{recall:.1%}'}")
    totals = zip(record["recall"], map(sum, record["confusion"]), strict=True)
    _print_chance(record["accuracy"], [name for name, total in totals for _ in range(total)])


def _printable(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not name.isprintable() or len(name) > 100:
        raise click.BadParameter(f"expected up to 100 letters that can be printed, got {name!r}")
    return name


@click.command(name="export")
@click.argument("run", type=FILE)
@click.option("--out", type=FILE, help="Default RUN/NAME.onnx.")
@click.option(
    "--metrics",
    multiple=True,
    type=FILE,
    help="JSON of mien evaluate, to put on the card; may be repeated.",
)
@click.option(
    "--with",
    "others",
    multiple=True,
    type=NamedPath(path_type=str),
    metavar="MODEL",
    help="Another run, an .onnx file or a shipped model that answers together with RUN: one file "
    "whose answer is the mean of theirs; may be repeated.",
)
@click.option(
    "--name", default="", callback=_printable, help="On the card; by default the network's."
)
@click.option(
    "--fast-occlusion",
    is_flag=True,
    help="Also learn what the answer loses where a place is hidden, for mien explain "
    "--method fast-occlusion; some minutes.",
)
def export_command(
    run: Path,
    out: Path | None,
    metrics: tuple[Path, ...],
    others: tuple[str, ...],
    name: str,
    fast_occlusion: bool,
) -> None:
    """Write the best weights of RUN as one .onnx file with its card.

    Example: mien export runs/miennet --out miennet.onnx
    """
    needs("mien export", "train", "torch", "kornia", "onnx", "safetensors")
    from mien.evaluate.calibration import bound_of
    from mien.recognize.model import find
    from mien.train.export import export, read_metrics

    target = out or run / f"{run.resolve().name}.onnx"
    refuse_clashes([target], inputs=[run, *map(Path, others)])
    for name_twice, count in Counter(path.stem for path in metrics).items():
        if count > 1:  # on the card the second would take the place of the first
            raise WrongUsageError(
                f"--metrics names {count} files called {name_twice}", fix="rename one of them"
            )
    for other in others:
        if not Path(other).is_dir():
            find(other)  # a name that mien does not know: not after minutes
    echo_note("reading the training pictures; with 100,000 it takes some minutes")
    known = {path.stem: read_metrics(path) for path in metrics}
    card = export(run, target, known, others, name, progress("hiding") if fast_occlusion else None)
    echo(f"largest difference from torch on 256 crops: {card['parity']:.1e}")
    if not card["calibrated_on"]:
        echo("too few held-out pictures to calibrate: the temperature is 1, nothing is uncertain")
    if bound := bound_of(card["temperature"]):
        echo(bound)
    echo(f"temperature {card['temperature']}, {card['parameters']:,} parameters")
    echo_written(target)


@click.command(name="show-augmentation")
@click.argument("settings", metavar="CONFIG.toml", type=FILE)
@click.option("--out", type=FILE, default="augmentation.png", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Show what is switched off, too.")
@click.option("--draws", type=click.IntRange(1, 20), default=7, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@DETECTOR
def show_augmentation_command(
    settings: Path, out: Path, everything: bool, draws: int, seed: int
) -> None:
    """Write a contact sheet of what CONFIG.toml's augmentation does to crops.

    The crops are of the configuration's data, one an expression, or of the portrait that comes
    with mien where none of those folders exists.

    Example: mien show-augmentation configs/miennet.toml --all
    """
    needs("mien show-augmentation", "train", "torch", "kornia")
    from mien.media.writers import write_picture
    from mien.show.picture_grid import contact_sheet
    from mien.train import config, preview
    from mien.train.augment import Strength

    settings = recipe_or_file(settings)
    with in_file(settings):
        chosen = config.load(settings, data=("data",))
    crops = preview.crops_of(chosen.data)
    if not len(crops):
        echo("none of its data is here: showing the portrait that comes with mien", err=True)
        crops = preview.portrait()
    strips = preview.strips(Strength.of(chosen), crops, draws, seed, everything)
    rows = [(strip.name, strip.note, strip.pictures, strip.captions) for strip in strips]
    off = "" if chosen.augment else " (augment = false: training uses none of it)"
    names = ["original", *(f"draw {i + 1}" for i in range(draws))]
    write_picture(contact_sheet(f"Augmentation of {settings.name}{off}", names, rows), out)
    echo_written(out)
