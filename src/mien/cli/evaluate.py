"""Commands that ask whether explanations are true: regions, faithful."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._shared import FILE, bar, needs
from mien.errors import UnknownNameError

if TYPE_CHECKING:
    from mien.evaluate.accuracy import Evaluation
    from mien.models.network import Network
    from mien.recognize.recognizer import Recognizer

    pass
    pass

__all__ = ["evaluate_command", "faithful_command", "regions_command"]


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
    from mien.media.writers import CsvWriter, write_text

    for name, wanted in (("--pictures", pictures), ("--report", as_page)):
        if wanted and out is None:
            raise click.UsageError(f"{name} needs --out")
    if as_page:
        needs("mien evaluate --report", "plot", "matplotlib")
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
        with CsvWriter(out / f"{name}-pictures.csv", measuring.PICTURES_HEADER) as sink:
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


@click.command(name="regions")
@click.argument("model", type=FILE)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=FILE)
@click.option("--split", default="test", show_default=True)
@click.option("--out", type=FILE, help="The figures as JSON.")
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
@click.argument("model", type=FILE)
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--split", default="test", show_default=True)
@click.option("--method", "methods", multiple=True, help="May be repeated; all that MODEL allows.")
@click.option("--pictures", type=click.IntRange(2), default=500, show_default=True)
@click.option(
    "--sanity", type=click.IntRange(0), default=100, show_default=True, help="Pictures for it."
)
@click.option("--run", type=FILE, help="The run of MODEL: how maps change as it forgets.")
@click.option("--shuffled", type=FILE, help="A run trained with shuffle_labels = true.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(0), default=0, help="To compute with; 0: all cores.")
@click.option("--out", type=FILE, help="The figures as JSON.")
@click.option("--csv", "csv_file", type=FILE, help="One row a method or control.")
@click.option("--plot", type=FILE, help="Every metric, as PNG.")
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
    from mien.evaluate.sanity import findings
    from mien.explain.methods import METHODS
    from mien.recognize.model import Model

    if shuffled and not run:
        raise click.UsageError("--shuffled needs --run")
    if plot:
        needs("mien faithful --plot", "plot", "matplotlib")
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
        **(findings(subject, crops[:sanity], usable, *networks) if sanity else {}),
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
    from mien.train.run import load_run

    return load_run(run).network


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
    from mien.media.writers import CsvWriter, write_text

    if out:
        write_text(json.dumps(record, indent=1) + "\n", out)
    if csv_file:
        header = ("name", "kind", *BETTER, *(f"{metric}_error" for metric in BETTER))
        with CsvWriter(csv_file, header) as sink:
            for name, mean in record["mean"].items():
                kind = "method" if name in record["against"] else "control"
                sink.write([name, kind, *mean.values(), *record["error"][name].values()])
    if plot:
        from mien.show.plots import faithfulness

        faithfulness(record, BETTER, plot)
    for path in (out, csv_file, plot):
        if path:
            click.echo(f"wrote {path}", err=True)
