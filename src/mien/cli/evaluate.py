"""Commands that measure a model on prepared folders: evaluate, regions."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mien.cli._language import drawn_in
from mien.cli._measuring import SPLIT, progress, write_json
from mien.cli._outputs import echo_beside
from mien.cli._shared import (
    FILE,
    PARQUET,
    THREADS,
    Echo,
    NamedPath,
    echo_note,
    echo_written,
    needs,
)
from mien.cores import cores
from mien.media.escapes import escaped

__all__ = ["evaluate_command", "regions_command"]


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
    from mien.evaluate.accuracy import (
        compare_models,
        evaluate,
        pictures_header,
        refuse_other_classes,
    )
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
    for rival in rivals:  # the first refuses other classes itself
        refuse_other_classes(rival.model.path, rival.labels, folder)
    if as_page:
        drawn_in("en", None, recognizer.labels)  # letters that no font has: not after hours
    evaluation = evaluate(recognizer, folder, split, progress("measuring"), workers)
    for rival in rivals:
        other = evaluate(rival, folder, split, progress("measuring"), workers)
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
    write_json(evaluation.record, out / f"{name}.json")
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
@click.option("--method", help="As of mien explain; by default the class maps of the file.")
@click.option("--out", "--json", type=FILE, help="The figures as JSON.")
@click.option("--csv", "csv_file", type=FILE, help="One row a folder and expression; - prints it.")
@PARQUET
def regions_command(
    model: Path,
    folders: tuple[Path, ...],
    split: str,
    method: str | None,
    out: Path | None,
    csv_file: Path | None,
    parquet: Path | None,
) -> None:
    """Measure on which parts of the face MODEL (a file, or ``shipped``) finds each expression.

    Beside it stands where the action units of the expression act, and how much of the crop that
    is: what a map that knows nothing would have there.

    Example: mien regions shipped data/rafdb-framed --out regions.json
    """
    from mien.data.manifest import rows_of_split
    from mien.evaluate.accuracy import commit, refuse_other_classes
    from mien.evaluate.evidence import evidence, evidence_rows
    from mien.media.table_files import write_typed
    from mien.recognize.model import Model
    from mien.table_kinds import TABLES

    say = echo_beside(out, csv_file, parquet, inputs=folders)
    network = Model(model)
    for folder in folders:  # what cannot be measured: not after others were
        refuse_other_classes(network.path, network.labels, folder)
        rows_of_split(folder, split)
    by_folder = {}
    for folder, name in _named(folders).items():
        by_folder[name] = evidence(network, folder, split, progress("looking"), method)
        say(f"{name} {split}: share of the evidence for the labelled expression")
        _print_shares(by_folder[name], say)
    if out:
        command = f"mien regions {model} {' '.join(map(str, folders))} --split {split}"
        record = {
            "command": command + (f" --method {method}" if method else ""),
            "commit": commit(),
            "model": network.card.get("name"),
            "weights_sha256": network.card.get("weights_sha256"),
            "split": split,
            "folders": by_folder,
        }
        write_json(record, out)
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
