"""Commands that ask whether explanations are true: regions, faithful."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli.bar import bar
from mien.cli.extras import needs
from mien.errors import UnknownNameError

if TYPE_CHECKING:
    from mien.models.network import Network

__all__ = ["faithful_command", "regions_command"]

_FILE = click.Path(path_type=Path)


@click.command(name="regions")
@click.argument("model", type=_FILE)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=_FILE)
@click.option("--split", default="test", show_default=True)
@click.option("--out", type=_FILE, help="The figures as JSON.")
def regions_command(model: Path, folders: tuple[Path, ...], split: str, out: Path | None) -> None:
    """Measure on which parts of the face MODEL (a file, or ``shipped``) finds each expression.

    Beside it stands where the action units of the expression act, and how much of the crop that
    is: what a map that knows nothing would have there.

    Example: mien regions shipped data/rafdb-framed --out regions.json
    """
    from mien.evaluate.evidence import evidence
    from mien.faces.regions import REGIONS
    from mien.media.writers import write_text
    from mien.recognize.model import Model
    from mien.show.tables import as_text

    network = Model(model)
    found = {}
    for folder in folders:
        name = folder.resolve().name
        found[name] = evidence(network, folder, split, lambda s: bar(s, len(s), "looking"))
        rows = [
            [label, *(f"{of['share'][r]:.0%}" for r in REGIONS), f"{of['on_expected']:.0%}",
             f"{of['area_of_expected']:.0%}"]
            for label, of in found[name].items()
        ]  # fmt: skip
        click.echo(f"{name} {split}: share of the evidence for the labelled expression")
        click.echo(as_text(["", *REGIONS, "expected", "its area"], rows))
    if out:
        record = {
            "command": f"mien regions {model} {' '.join(map(str, folders))} --split {split}",
            "model": network.card["name"],
            "weights_sha256": network.card["weights_sha256"],
            "split": split,
            "folders": found,
        }
        write_text(json.dumps(record, indent=1) + "\n", out)
        click.echo(f"wrote {out}", err=True)


@click.command(name="faithful")
@click.argument("model", type=_FILE)
@click.argument("folder", metavar="DIR", type=_FILE)
@click.option("--split", default="test", show_default=True)
@click.option("--method", "methods", multiple=True, help="May be repeated; all that MODEL allows.")
@click.option("--pictures", type=click.IntRange(2), default=500, show_default=True)
@click.option(
    "--sanity", type=click.IntRange(0), default=100, show_default=True, help="Pictures for it."
)
@click.option("--run", type=_FILE, help="The run of MODEL: how maps change as it forgets.")
@click.option("--shuffled", type=_FILE, help="A run trained with shuffle_labels = true.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(0), default=0, help="To compute with; 0: all cores.")
@click.option("--out", type=_FILE, help="The figures as JSON.")
@click.option("--csv", "csv_file", type=_FILE, help="One row a method or control.")
@click.option("--plot", type=_FILE, help="Every metric, as PNG.")
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
    plot: Path | None,
) -> None:
    """Measure whether the heat maps of MODEL show what it uses, beside maps that know nothing.

    MODEL is an .onnx file or ``shipped``. Higher is better for insertion, road and increase, lower
    for deletion and drop. A method is worth trusting where it beats every control.

    Example: mien faithful shipped data/rafdb --out faithful.json --plot faithful.png
    """
    needs("mien faithful", "proof", "scipy")
    from mien.evaluate import explanations
    from mien.evaluate.sanity import doubts
    from mien.explain.methods import METHODS
    from mien.recognize.model import Model

    if shuffled and not run:
        raise click.UsageError("--shuffled needs --run")
    if plot:
        needs("mien faithful --plot", "train", "matplotlib")
    _refuse_unknown(methods)
    start = time.perf_counter()
    file = Model(model, threads)
    subject = explanations.Subject(file, file.card["temperature"])
    networks = [_network(run), _network(shuffled)]
    rows, crops = explanations.choose(folder, split, pictures, seed)
    usable, refused = explanations.usable(subject, methods or METHODS)
    for method, reason in refused.items():
        click.echo(f"left out {method}: {reason}", err=True)
    values = explanations.values_of(
        subject, crops, usable, seed, lambda s: bar(s, len(s), "measuring")
    )
    record: dict[str, Any] = {
        "command": f"mien faithful {model} {folder} --split {split} --pictures {pictures} "
        f"--sanity {sanity}" + "".join(f" --method {method}" for method in usable),
        "name": file.card["name"],
        "weights_sha256": file.card["weights_sha256"],
        "source": rows[0].source,
        "split": split,
        "pictures": len(rows),
        "seed": seed,
        "refused": refused,
        **explanations.compare(values),
        "sanity_pictures": min(sanity, len(rows)),
        **(doubts(subject, crops[:sanity], usable, *networks) if sanity else {}),
        "seconds": round(time.perf_counter() - start),
    }
    _print(record)
    _write(record, out, csv_file, plot)


def _refuse_unknown(methods: tuple[str, ...]) -> None:
    from mien.explain.methods import METHODS

    for method in methods:
        if method not in METHODS:
            raise UnknownNameError("method", method, METHODS)


def _network(run: Path | None) -> "Network | None":
    """Load a run's network."""
    if run is None:
        return None
    needs("mien faithful --run and --shuffled", "train", "torch")
    from mien.train.run import trained

    return trained(run).network


def _print(record: dict[str, Any]) -> None:
    """Print the table; a method that beats every control in a metric has a star there."""
    from mien.evaluate.explanations import beats
    from mien.evaluate.faithfulness import BETTER
    from mien.show.tables import as_text

    rows = [
        [name, *(f"{mean[m]:.3f}{'*' * beats(record, name, m)}" for m in BETTER)]
        for name, mean in record["mean"].items()
    ]
    click.echo(as_text(["", *BETTER], rows))
    click.echo("* better than every control, p < 0.05 (Wilcoxon, Bonferroni)")
    for stage, found in record.get("forgetting", {}).items():
        shown = "  ".join(f"{name} {value:.2f}" for name, value in found.items())
        click.echo(f"forgotten down to {stage}: likeness {shown}")


def _write(
    record: dict[str, Any], out: Path | None, csv_file: Path | None, plot: Path | None
) -> None:
    from mien.evaluate.faithfulness import BETTER
    from mien.media.writers import CsvSink, write_text

    if out:
        write_text(json.dumps(record, indent=1) + "\n", out)
    if csv_file:
        header = ("name", "kind", *BETTER, *(f"{metric}_error" for metric in BETTER))
        with CsvSink(csv_file, header) as sink:
            for name, mean in record["mean"].items():
                kind = "method" if name in record["against"] else "control"
                sink.write([name, kind, *mean.values(), *record["error"][name].values()])
    if plot:
        from mien.show.plots import faithfulness

        faithfulness(record, BETTER, plot)
    for path in (out, csv_file, plot):
        if path:
            click.echo(f"wrote {path}", err=True)
