"""Commands that check prepared folders: audit finds what is wrong, stats counts the pictures."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._outputs import echo_beside
from mien.cli._shared import FILE, PARQUET, bar, echo_written, needs
from mien.cli._usage import WrongUsageError
from mien.media.files import real_path
from mien.media.standard_output import STANDARD_OUTPUT

if TYPE_CHECKING:
    from mien.data.audit.findings import Audit

__all__ = ["audit_command", "stats_command"]


@click.command(name="audit")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=FILE)
@click.option("--out", "--csv", type=FILE, help="Every finding: .csv, .parquet; - prints it.")
@PARQUET
@click.option("--html", type=FILE, help="Page with the pictures side by side; keep it to yourself.")
@click.option("--json", "json_file", type=FILE, help="The counts, without names of pictures.")
@click.option("--fix", is_flag=True, help="Write manifests without what is wrong; keep the old.")
def audit_command(
    folders: tuple[Path, ...],
    out: Path | None,
    parquet: Path | None,
    html: Path | None,
    json_file: Path | None,
    fix: bool,
) -> None:
    """Find copies, leaks, contradictions, blanks and give-away labels in prepared folders.

    Copies are found within and across splits and databases, also mirrored, re-encoded, resized,
    cropped a little or lit otherwise. --fix takes out of training what is a copy of a held-out
    picture or exactly the same picture with two labels, and what is blank or unreadable. No
    picture is deleted.

    Example: mien audit data/rafdb data/fer2013 --out findings.csv --html findings.html
    """
    from mien.data.audit.clean import clean, to_drop
    from mien.data.audit.findings import audit
    from mien.data.audit.summary import csv_rows, record, summary, write_page
    from mien.media.parquet import is_parquet
    from mien.media.table_files import write_typed
    from mien.media.writers import atomic, write_text
    from mien.table_kinds import TABLES

    outputs = [path for path in (out, parquet, html, json_file) if path]
    say = echo_beside(*outputs, inputs=folders)
    result = audit(folders, lambda entries: bar(entries, len(entries), "looking"))
    _refuse_over_data(result, outputs)
    say(summary(result))
    dropped = to_drop(result) if fix else {}
    with ExitStack() as stack:  # the outputs appear when the rows are dropped, or nothing does
        files = [path for path in outputs if path != STANDARD_OUTPUT]
        parts = {path: stack.enter_context(atomic(path)) for path in files}
        parts[STANDARD_OUTPUT] = STANDARD_OUTPUT
        for path in filter(None, (out, parquet)):
            form = "parquet" if path == parquet or is_parquet(path) else "csv"
            target = {form: parts[path]}
            write_typed(csv_rows(result, dropped), TABLES["audit"].columns, **target)
        if html:
            write_page(result, parts[html])
        if json_file:
            write_text(json.dumps(record(result, dropped), indent=1) + "\n", parts[json_file])
        cleaned_folders = clean(result, dropped) if fix else []
    for cleaned in cleaned_folders:
        count = cleaned.dropped.total()
        before = f"; the old manifest is {cleaned.before}" if count else ""
        say(f"\n{cleaned.folder}: kept {cleaned.kept:,} rows, dropped {count:,}{before}")
        for (reason, split), rows in sorted(cleaned.dropped.items()):
            say(f"  {rows:>6,}  {split:<5}  {reason}")
    echo_written(*outputs)


def _refuse_over_data(result: "Audit", outputs: Sequence[Path]) -> None:
    """Refuse to overwrite a picture; the tables beside them were refused before the work."""
    framings = [framing for entry in result.entries for framing in entry.framings]
    real = {folder: real_path(folder) for folder, _ in framings}
    data = {real[folder] / row.path for folder, row in framings}
    for path in outputs:
        if real_path(path) in data:
            raise WrongUsageError(f"{path} is part of the data", fix="choose another name")


@click.command(name="stats")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=FILE)
@click.option("--csv", "csv_file", type=FILE, help="One row a split; - prints it.")
@PARQUET
@click.option("--markdown", type=FILE, help="The tables as Markdown.")
@click.option("--plot", type=FILE, help="Bars by class: .png, .svg, .pdf.")
def stats_command(
    folders: tuple[Path, ...],
    csv_file: Path | None,
    parquet: Path | None,
    markdown: Path | None,
    plot: Path | None,
) -> None:
    """Count the pictures of prepared folders by split and class, beside the paper's Table 3.

    Example: mien stats data/rafdb data/fer2013 --plot table3.png
    """
    from mien.data import stats
    from mien.media.table_files import write_typed
    from mien.media.writers import write_text
    from mien.show.plots import class_bars
    from mien.show.tables import as_markdown, as_text
    from mien.table_kinds import TABLES

    if plot:
        needs("mien stats --plot", "plot", "matplotlib")
    say = echo_beside(csv_file, parquet, markdown, plot, inputs=folders)
    counts = stats.count(folders)
    rows, paper, notes = stats.rows(counts), stats.beside_paper(counts), stats.notes(counts)
    classes = counts[0].classes
    header = stats.header(classes)
    say(as_text(header, rows))
    if paper:
        say("\nBeside the paper's Table 3 (six expressions):\n")
        say(as_text(stats.PAPER_HEADER, paper))
        for note in notes:
            say(f"\n{note}")
    write_typed(rows, TABLES["stats"].describe(header), csv_file, parquet)
    if markdown:
        parts = [as_markdown(header, rows)]
        if paper:
            parts += [as_markdown(stats.PAPER_HEADER, paper), *(f"{note}\n" for note in notes)]
        write_text("\n".join(parts), markdown)
    if plot:
        bars = [(f"{c.folder}: {c.source}", c.split, c.labels) for c in counts]
        class_bars(bars, plot, classes)
    echo_written(csv_file, parquet, markdown, plot)
