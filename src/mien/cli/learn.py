"""Commands for somebody with prepared data: train, evaluate, export."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli.bar import bar
from mien.cli.extras import needs
from mien.errors import BadDataError

if TYPE_CHECKING:
    from mien.evaluate.accuracy import Evaluation
    from mien.recognize.recognizer import Recognizer

    pass

    pass

    pass

    pass

    pass

    pass

    pass

__all__ = ["evaluate_command", "export_command", "train_command"]


@click.command(name="train")
@click.argument("settings", metavar="CONFIG.toml", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder; default runs/NAME.")
@click.option("--resume", is_flag=True, help="Continue a run that was stopped.")
@click.option("--seed", type=int, help="Instead of the file's.")
@click.option("--epochs", type=click.IntRange(1), help="Instead of the file's.")
def train_command(
    settings: Path, out: Path | None, resume: bool, seed: int | None, epochs: int | None
) -> None:
    """Train the network that CONFIG.toml describes.

    Example: mien train configs/miennet.toml --out runs/miennet
    """
    needs("mien train", "train", "torch")
    from dataclasses import replace

    from mien.show.plots import history_curves
    from mien.train import config
    from mien.train.trainer import train

    chosen = config.load(settings)
    chosen = chosen if seed is None else replace(chosen, seed=seed)
    chosen = chosen if epochs is None else replace(chosen, epochs=epochs)
    run = out or Path("runs") / settings.stem
    history = train(chosen, run, resume, _steps, _print_epoch)
    history_curves(history, run / "history.png")
    best = max(history, key=lambda row: float(row["held_accuracy"]))
    click.echo(f"best epoch {best['epoch']}: held-out accuracy {best['held_accuracy']:.1%}")
    click.echo(f"wrote {run}; next: mien export {run}")


def _steps(steps: range, name: str) -> Iterator[int]:
    """Show how far an epoch is; a function of its own, so that other processes can be given it."""
    return bar(steps, len(steps), name)


def _print_epoch(row: dict[str, Any]) -> None:
    click.echo(
        f"epoch {row['epoch']:>3}  train loss {row['train_loss']:.3f}  "
        f"held-out loss {row['held_loss']:.3f}  accuracy {row['held_accuracy']:.1%}  "
        f"{row['seconds']:.0f} s",
        err=True,
    )


@click.command(name="evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the figures as JSON.")
@click.option("--pictures", is_flag=True, help="Also write a row for every picture to --out.")
@click.option("--flip", is_flag=True, help="Average each crop and its mirror image.")
@click.option("--against", metavar="OTHER", help="Another model, compared on the same pictures.")
@click.option("--report", "as_page", is_flag=True, help="Also write plots and a page to --out.")
def evaluate_command(
    model: Path,
    folder: Path,
    split: str,
    out: Path | None,
    pictures: bool,
    flip: bool,
    against: str | None,
    as_page: bool,
) -> None:
    """Measure MODEL (an .onnx file, or ``shipped``) on a split of the prepared folder DIR.

    The page of --report shows the worst errors with their heat maps; keep it to yourself.

    Example: mien evaluate shipped data/rafdb --out results
    """
    from mien.evaluate import accuracy as measuring
    from mien.media.writers import CsvSink, write_text

    for name, wanted in (("--pictures", pictures), ("--report", as_page)):
        if wanted and out is None:
            raise click.UsageError(f"{name} needs --out")
    if as_page:
        needs("mien evaluate --report", "train", "matplotlib")
    recognizer, found = _measure(model, folder, split, flip)
    if against is not None:
        _, other = _measure(Path(against), folder, split, flip)
        found.record["against"] = measuring.against(found, other)
    _print_figures(found.record)
    if out is None:
        return
    name = f"{folder.resolve().name}-{split}{'-flip' * flip}"
    write_text(json.dumps(found.record, indent=1) + "\n", out / f"{name}.json")
    click.echo(f"wrote {out / name}.json")
    if pictures:
        with CsvSink(out / f"{name}-pictures.csv", measuring.PICTURES_HEADER) as sink:
            for row in found.picture_rows():
                sink.write(row)
    if as_page:
        from mien.evaluate.report import report

        written = report(found, recognizer, model, folder, out / f"{name}-report.html")
        click.echo(f"wrote {', '.join(map(str, written))}")


def _measure(model: Path, folder: Path, split: str, flip: bool) -> "tuple[Recognizer, Evaluation]":
    from mien.evaluate.accuracy import evaluate
    from mien.recognize.recognizer import Recognizer

    recognizer = Recognizer(model, flip=flip)
    found = evaluate(recognizer, folder, split, lambda steps: bar(steps, len(steps), "measuring"))
    return recognizer, found


def _print_figures(record: dict[str, Any]) -> None:
    low, high = record["accuracy_95"]
    where = f"{record['source']} {record['split']} ({record['framing']})"
    click.echo(f"{where}: {record['pictures']:,} pictures")
    click.echo(f"accuracy           {record['accuracy']:.1%}  (95 %: {low:.1%} to {high:.1%})")
    click.echo(f"mean recall        {record['mean_recall']:.1%}")
    for label, recall in record["recall"].items():
        click.echo(f"  {label:<9}        {'-' if recall is None else f'{recall:.1%}'}")
    click.echo(f"macro-F1           {record['macro_f1']:.1%}")
    low, high = record["calibration_error_by_chance"]
    click.echo(
        f"calibration error  {record['calibration_error']:.1%}  (by chance alone {low:.1%} to "
        f"{high:.1%})"
    )
    click.echo(f"at 80 % coverage   {record['accuracy_at_80']:.1%}")
    if "against" in record:
        other = record["against"]
        click.echo(
            f"against {other['model']}: {other['accuracy']:.1%}; only this one right "
            f"{other['only_this_right']:,}, only the other {other['only_other_right']:,}, "
            f"McNemar p = {other['mcnemar_p']:.3g}"
        )


@click.command(name="export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Default RUN/NAME.onnx.")
@click.option(
    "--metrics",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON of mien evaluate, to put on the card; may be repeated.",
)
def export_command(run: Path, out: Path | None, metrics: tuple[Path, ...]) -> None:
    """Write the best weights of RUN as one .onnx file with its card.

    Example: mien export runs/miennet --out miennet.onnx
    """
    needs("mien export", "train", "torch")
    from mien.train.export import export

    target = out or run / f"{run.resolve().name}.onnx"
    click.echo("reading the training pictures; with 100,000 it takes some minutes", err=True)
    card = export(run, target, {path.stem: _measured(path) for path in metrics})
    click.echo(f"largest difference from torch on 256 crops: {card['parity']:.1e}")
    click.echo(f"temperature {card['temperature']}, {card['parameters']:,} parameters")
    click.echo(f"wrote {target}")


def _measured(path: Path) -> dict[str, Any]:
    """Read what mien evaluate wrote, and keep what belongs on a card."""
    kept = ("pictures", "accuracy", "mean_recall", "recall", "calibration_error", "split")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {key: record[key] for key in kept}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadDataError(
            f"{path} is no result of mien evaluate", fix="make it with mien evaluate --out"
        ) from error
