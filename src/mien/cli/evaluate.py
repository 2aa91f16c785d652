"""Commands that measure a model and its explanations: evaluate, regions, faithful."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._language import drawn_in
from mien.cli._outputs import echo_beside
from mien.cli._shared import (
    FILE,
    PARQUET,
    THREADS,
    Echo,
    NamedPath,
    bar,
    echo,
    echo_note,
    echo_written,
    needs,
)
from mien.cores import cores
from mien.errors import UnknownNameError
from mien.media.escapes import escaped

if TYPE_CHECKING:
    from mien.media.progress import Progress
    from mien.models.network import Network

__all__ = ["evaluate_command", "faithful_command", "regions_command"]

SPLIT = click.option(
    "--split", type=click.Choice(["train", "valid", "test"]), default="test", show_default=True
)


@click.command(name="evaluate")
@click.argument("model", type=FILE)
@click.argument("folder", metavar="DIR", type=FILE)
@SPLIT
@click.option("--out", type=FILE, help="Folder for the figures as JSON.")
@click.option("--pictures", is_flag=True, help="Also write a row for every picture to --out.")
@click.option("--csv", "csv_file", type=FILE, help="One row a picture; - prints it.")
@PARQUET
@click.option("--flip", is_flag=True, help="Average each crop and its mirror image.")
@click.option(
    "--against",
    type=NamedPath(path_type=str),
    metavar="OTHER",
    help="Another model, compared on the same pictures.",
)
@click.option("--report", "as_page", is_flag=True, help="Also write plots and a page to --out.")
@click.option("--workers", type=THREADS, default=0, help="Batches side by side; 0: all cores.")
def evaluate_command(
    model: Path,
    folder: Path,
    split: str,
    out: Path | None,
    pictures: bool,
    csv_file: Path | None,
    parquet: Path | None,
    flip: bool,
    against: str | None,
    as_page: bool,
    workers: int,
) -> None:
    """Measure MODEL (an .onnx file, or ``shipped``) on a split of the prepared folder DIR.

    The page of --report shows the worst errors with their heat maps; keep it to yourself.

    Example: mien evaluate shipped data/rafdb --out results
    """
    from mien.evaluate.accuracy import compare_models, evaluate, pictures_header
    from mien.media.table_files import write_typed
    from mien.recognize.recognizer import Recognizer
    from mien.table_kinds import TABLES

    say = echo_beside(csv_file, parquet, folder=out, inputs=[folder])
    for option, given in (("--pictures", pictures), ("--report", as_page)):
        if given and out is None:
            raise click.UsageError(f"{option} needs --out")
    if as_page:
        needs("mien evaluate --report", "plot", "matplotlib")
    workers = workers or cores()
    recognizer = Recognizer(model, int(workers > 1), flip=flip)
    rivals = [] if against is None else [Recognizer(against, int(workers > 1), flip=flip)]
    if as_page:
        drawn_in("en", None, recognizer.labels)  # letters that no font has: not after hours
    evaluation = evaluate(recognizer, folder, split, _bar("measuring"), workers)
    for rival in rivals:
        other = evaluate(rival, folder, split, _bar("measuring"), workers)
        evaluation.record["against"] = compare_models(evaluation, other)
    _print_figures(evaluation.record, say)
    _note_learned([recognizer, *rivals], folder, split)
    columns = TABLES["pictures"].describe(pictures_header(recognizer.labels))
    wanted = csv_file or parquet or pictures
    rows = list(evaluation.picture_rows()) if wanted else []
    write_typed(rows, columns, csv_file, parquet)
    echo_written(csv_file, parquet)
    if out is None:
        return
    name = f"{folder.resolve().name}-{split}{'-flip' * flip}"
    _write_json(evaluation.record, out / f"{name}.json")
    echo_written(out / f"{name}.json")
    if pictures:
        write_typed(rows, columns, out / f"{name}-pictures.csv")
        echo_written(out / f"{name}-pictures.csv")
    if as_page:
        from mien.evaluate.report import report

        written = report(evaluation, recognizer, model, folder, out / f"{name}-report.html")
        echo_written(*written)


def _note_learned(recognizers: list[Any], folder: Path, split: str) -> None:
    """Say which models may have learned some of the pictures that they were measured on."""
    from mien.evaluate.learned import may_have_learned

    for model in (recognizer.model for recognizer in recognizers):
        for source in may_have_learned(model.card, folder, split):
            told = f"{escaped(model.path.name)} may have learned some of these pictures"
            echo_note(f"{told}: when it was trained, {split} had other ones of {source}")


def _bar(label: str) -> "Progress":
    return lambda items: bar(items, len(items), label)


def _write_json(record: dict[str, Any], path: Path) -> None:
    from mien.media.writers import write_text

    write_text(json.dumps(record, indent=1) + "\n", path)


def _print_figures(record: dict[str, Any], say: Echo) -> None:
    low, high = record["accuracy_95"]
    where = f"{record['source']} {record['split']} ({record['framing']})"
    say(f"{where}: {record['pictures']:,} pictures")
    say(f"accuracy           {record['accuracy']:.1%}  (95 %: {low:.1%} to {high:.1%})")
    say(f"mean recall        {record['mean_recall']:.1%}")
    for label, recall in record["recall"].items():
        say(f"  {label:<9}        {'-' if recall is None else f'{recall:.1%}'}")
    say(f"macro-F1           {record['macro_f1']:.1%}")
    low, high = record["calibration_error_by_chance"]
    chance = f"by chance alone {low:.1%} to {high:.1%}"
    say(f"calibration error  {record['calibration_error']:.1%}  ({chance})")
    say(f"at 80 % coverage   {record['accuracy_at_80']:.1%}")
    if "against" in record:
        other = record["against"]
        say(
            f"against {other['model']}: {other['accuracy']:.1%}; only this one right "
            f"{other['only_this_right']:,}, only the other {other['only_other_right']:,}, "
            f"McNemar p = {other['mcnemar_p']:.3g}"
        )


@click.command(name="regions")
@click.argument("model", type=FILE)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=FILE)
@SPLIT
@click.option("--out", "--json", type=FILE, help="The figures as JSON.")
@click.option("--csv", "csv_file", type=FILE, help="One row a folder and expression; - prints it.")
@PARQUET
def regions_command(
    model: Path,
    folders: tuple[Path, ...],
    split: str,
    out: Path | None,
    csv_file: Path | None,
    parquet: Path | None,
) -> None:
    """Measure on which parts of the face MODEL (a file, or ``shipped``) finds each expression.

    Beside it stands where the action units of the expression act, and how much of the crop that
    is: what a map that knows nothing would have there.

    Example: mien regions shipped data/rafdb-framed --out regions.json
    """
    from mien.evaluate.evidence import evidence, evidence_rows
    from mien.media.table_files import write_typed
    from mien.recognize.model import Model
    from mien.table_kinds import TABLES

    say = echo_beside(out, csv_file, parquet, inputs=folders)
    network = Model(model)
    by_folder = {}
    for folder, name in _named(folders).items():
        by_folder[name] = evidence(network, folder, split, _bar("looking"))
        say(f"{name} {split}: share of the evidence for the labelled expression")
        _print_shares(by_folder[name], say)
    if out:
        record = {
            "command": f"mien regions {model} {' '.join(map(str, folders))} --split {split}",
            "model": network.card.get("name"),
            "weights_sha256": network.card.get("weights_sha256"),
            "split": split,
            "folders": by_folder,
        }
        _write_json(record, out)
    rows = list(evidence_rows(by_folder, split))
    write_typed(rows, TABLES["regions"].columns, csv_file, parquet)
    echo_written(out, csv_file, parquet)


def _named(folders: Sequence[Path]) -> dict[Path, str]:
    """What each folder is called: its name, or the path as given where two have the same name."""
    names = {folder: folder.resolve().name for folder in folders}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {f: str(f) if name in shared else name for f, name in names.items()}


def _print_shares(by_label: dict[str, Any], say: Echo) -> None:
    """Print a row for each expression: the shares by region, then those of what is expected."""
    from mien.faces.regions import REGIONS
    from mien.show.tables import as_text

    rows = []
    for label, figures in by_label.items():
        shares = [f"{share:.0%}" for share in figures["share"].values()]
        beside = [figures.get(key) for key in ("on_expected", "area_of_expected")]
        # of a class that is none of the six nothing is expected
        rows.append([label, *shares, *("-" if part is None else f"{part:.0%}" for part in beside)])
    say(as_text(["", *REGIONS, "expected", "its area"], rows))


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
        _bar("measuring"),
        lambda method, reason: echo(f"left out {method}: {reason}", err=True),
    )
    command = f"mien faithful {model} {folder} --split {split} --pictures {pictures}"
    command += f" --sanity {sanity}" + "".join(f" --method {m}" for m in figures["against"])
    chosen = {"seed": seed, "run": run, "shuffled": shuffled}
    command += "".join(f" --{name} {value}" for name, value in chosen.items() if value)
    seconds = round(time.perf_counter() - start)
    record = {"command": command, **figures, "seconds": seconds}
    _print_table(record, say)
    _write(record, out, (csv_file, parquet), plot)


def _network(run: Path | None) -> "Network | None":
    """Load a run's network."""
    if run is None:
        return None
    needs("mien faithful --run and --shuffled", "train", "torch")
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
        _write_json(record, out)
    write_typed(list(mean_rows(record)), TABLES["faithful"].columns, *tables)
    if plot:
        from mien.show.plots import faithfulness

        faithfulness(record, METRICS, plot)
    echo_written(out, *tables, plot)
