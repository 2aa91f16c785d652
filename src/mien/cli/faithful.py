"""The command that measures whether heat maps show what a model uses: faithful."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._measuring import SPLIT, progress, write_json
from mien.cli._outputs import echo_beside
from mien.cli._shared import FILE, PARQUET, THREADS, Echo, echo, echo_written, needs
from mien.errors import UnknownNameError

if TYPE_CHECKING:
    from mien.models.network import Network

__all__ = ["faithful_command"]


@click.command(name="faithful")
@click.argument("model", type=FILE)
@click.argument("folder", metavar="DIR", type=FILE)
@SPLIT
@click.option("--method", "methods", multiple=True, help="May be repeated; all that MODEL allows.")
@click.option("--pictures", type=click.IntRange(2), default=500, show_default=True)
@click.option(
    "--sanity", type=click.IntRange(0), default=100, show_default=True, help="Pictures for it."
)
@click.option("--run", type=FILE, help="The run of MODEL: how maps change as it forgets.")
@click.option("--shuffled", type=FILE, help="A run trained with shuffle_labels = true.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=THREADS, default=0, help="To compute with; 0: all cores.")
@click.option("--out", "--json", type=FILE, help="The figures as JSON.")
@click.option("--csv", "csv_file", type=FILE, help="One row a method or control; - prints it.")
@PARQUET
@click.option("--plot", type=FILE, help="Every metric: .png, .svg, .pdf.")
def faithful_command(
    model: Path,
    folder: Path,
    split: str,
    methods: tuple[str, ...],
    pictures: int,
    sanity: int,
    run: Path | None,
    shuffled: Path | None,
    seed: int,
    threads: int,
    out: Path | None,
    csv_file: Path | None,
    parquet: Path | None,
    plot: Path | None,
) -> None:
    """Measure whether the heat maps of MODEL show what it uses, beside maps that know nothing.

    MODEL is an .onnx file or ``shipped``. Higher is better for insertion, road and increase, lower
    for deletion and drop. A method is worth trusting where it beats every control.

    Example: mien faithful shipped data/rafdb --out faithful.json --plot faithful.png
    """
    needs("mien faithful", "proof", "scipy")
    from mien.evaluate.accuracy import commit
    from mien.evaluate.explanations import FaithfulnessSettings, faithfulness_record
    from mien.explain.methods import METHODS
    from mien.recognize.model import Model

    if shuffled and not run:
        raise click.UsageError("--shuffled needs --run")
    if sanity == 1:
        raise click.UsageError("--sanity compares pictures: take 2 or more, or 0 for none")
    if plot:
        needs("mien faithful --plot", "plot", "matplotlib")
    say = echo_beside(out, csv_file, parquet, plot, inputs=[folder])
    for method in methods:
        if method not in METHODS:
            raise UnknownNameError("method", method, METHODS)
    start = time.perf_counter()
    figures = faithfulness_record(
        Model(model, threads),
        FaithfulnessSettings(folder, split, methods or tuple(METHODS), pictures, sanity, seed),
        _network(run),
        _network(shuffled),
        progress("measuring"),
        lambda method, reason: echo(f"left out {method}: {reason}", err=True),
    )
    command = f"mien faithful {model} {folder} --split {split} --pictures {pictures}"
    command += f" --sanity {sanity}" + "".join(f" --method {m}" for m in figures["against"])
    chosen = {"seed": seed, "run": run and run.name, "shuffled": shuffled and shuffled.name}
    command += "".join(f" --{name} {value}" for name, value in chosen.items() if value)
    seconds = round(time.perf_counter() - start)
    record = {"command": command, "commit": commit(), **figures, "seconds": seconds}
    _print_table(record, say)
    _write(record, out, (csv_file, parquet), plot)


def _network(run: Path | None) -> "Network | None":
    """Load a run's network."""
    if run is None:
        return None
    needs("mien faithful --run and --shuffled", "train", "torch", "safetensors")
    from mien.train.run import load_run

    return load_run(run).network


def _print_table(record: dict[str, Any], say: Echo) -> None:
    """Print the means; a method that beats every control in a metric has a star there."""
    from mien.evaluate.explanations import beats
    from mien.evaluate.faithfulness import METRICS
    from mien.show.tables import as_text

    rows = [
        [name, *(f"{mean[m]:.3f}{'*' * beats(record, name, m)}" for m in METRICS)]
        for name, mean in record["mean"].items()
    ]
    say(as_text(["", *METRICS], rows))
    say("* better than every control, p < 0.05 (Wilcoxon, Bonferroni)")
    for stage, alike in record.get("forgetting", {}).items():
        values = "  ".join(f"{name} {value:.2f}" for name, value in alike.items())
        say(f"forgotten down to {stage}: likeness {values}")


def _write(
    record: dict[str, Any],
    out: Path | None,
    tables: tuple[Path | None, Path | None],
    plot: Path | None,
) -> None:
    """Write the files that are wanted; the tables are CSV and Parquet."""
    from mien.evaluate.explanations import mean_rows
    from mien.evaluate.faithfulness import METRICS
    from mien.media.table_files import write_typed
    from mien.table_kinds import TABLES

    if out:
        write_json(record, out)
    write_typed(list(mean_rows(record)), TABLES["faithful"].columns, *tables)
    if plot:
        from mien.show.plots import faithfulness

        faithfulness(record, METRICS, plot)
    echo_written(out, *tables, plot)
