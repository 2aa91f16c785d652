"""Command: reproduce, which reruns the tables of the paper."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._shared import FILE, bar, echo, echo_note, epoch_bar, needs
from mien.cli.search import run_search
from mien.media.escapes import escaped

if TYPE_CHECKING:
    from mien.train.paper import Request
    from mien.train.paper_tables import PaperRow

__all__ = ["reproduce_command"]

# Option: the tables that it changes.
_BELONGS = {
    "only": ("1", "2", "later"),
    "protocol": ("1", "2", "later"),
    "seeds": ("1", "later"),
    "epochs": ("1", "2", "4", "later"),
    "limit": ("1", "2", "4", "later"),
}


@click.command(name="reproduce")
@click.option(
    "--table",
    type=click.Choice(["1", "2", "3", "4", "later"]),
    default="1",
    show_default=True,
    help="1 accuracies, 2 scores, 3 statistics, 4 the search, later: the authors' later table.",
)
@click.option(
    "--data",
    type=FILE,
    envvar="MIEN_DATA",
    default=".",
    help="Folder of the databases as downloaded; default MIEN_DATA, or here.",
)
@click.option("--out", type=FILE, default="reproduced", show_default=True)
@click.option("--only", metavar="NAME", help="A network, a database, or a row: rafdb-cnn15.")
@click.option(
    "--protocol",
    type=click.Choice(["both", "paper", "leak-free"]),
    default="both",
    show_default=True,
    help="Whose rules: the paper's, or those without leaks.",
)
@click.option("--limit", type=click.IntRange(12), help="Pictures of each split, for a trial.")
@click.option("--epochs", type=click.IntRange(1), help="Instead of the recipe's.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.pass_context
def reproduce_command(
    ctx: click.Context,
    table: str,
    data: Path,
    out: Path,
    only: str | None,
    protocol: str,
    limit: int | None,
    epochs: int | None,
    seeds: int,
) -> None:
    """Rerun a table of the paper, and print ours beside what it printed.

    Tables 1 and later train and measure every row twice: under the paper's protocol, and without
    leaks. Table 2 trains one network without leaks, rafdb-cnn15 or that of --only, and writes its
    scores of RAF-DB's test set and of the 600. What was finished is kept; the same command goes on
    after a stop.

    Example: mien reproduce --only cnn15 --limit 500 --epochs 2
    """
    needs("mien reproduce", "train", "torch", "kornia", "matplotlib", "safetensors")
    from mien.train.paper import Request

    request = Request(
        data, out, limit or 0, epochs or 0, lambda items: bar(items, len(items), "preparing")
    )
    _refuse_options_of_others(ctx, table)
    if table in {"1", "later"}:
        _rows(table, only, protocol, seeds, request)
    elif table == "2":
        _table2(ctx, only, protocol, request)
    else:
        {"3": _table3, "4": _table4}[table](ctx, request)


def _refuse_options_of_others(ctx: click.Context, table: str) -> None:
    """Refuse options that would change nothing in a table."""
    for name, tables in _BELONGS.items():
        typed = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if typed and table not in tables:
            *first, last = tables
            raise click.UsageError(
                f"--{name} belongs to the tables {', '.join(first)} and {last}, not to {table}"
            )


def _rows(table: str, only: str | None, protocol: str, seeds: int, request: "Request") -> None:
    """Train and measure rows, print a line for each, and write the table."""
    from mien.train import paper, paper_tables

    runs = paper.table_runs(table, only, protocol, seeds)
    for number, run in enumerate(runs, 1):
        title = f"{number}/{len(runs)} {run.title}"
        echo_note(title)
        record = paper.run_row(run, request, partial(epoch_bar, title=title), _print_epoch)
        echo(_summary(run.row, record))
    path = paper_tables.write_table(table, request.out / "results", request.mark)
    echo_note(f"wrote {escaped(path)}, and a JSON of every row beside it")


def _print_epoch(row: dict[str, Any]) -> None:
    echo_note(f"epoch {row['epoch']:>3}  held-out accuracy {row['held_accuracy']:.1%}")


def _summary(row: "PaperRow", record: dict[str, Any]) -> str:
    accuracy, pictures = record["accuracy"], record["pictures"]
    printed = "" if row.test is None else f" (printed {row.test})"
    return (
        f"{row.name}, {record['protocol']}, seed {record['seed']}: "
        f"test {100 * accuracy['test']:.1f}{printed} of {pictures['test']:,}, without copies "
        f"{100 * accuracy['test_without_copies']:.1f} of {pictures['test_without_copies']:,}, "
        f"600 {100 * accuracy['valid']:.1f}, train {100 * accuracy['train']:.1f}; "
        f"{record['parameters']:,} parameters, {record['seconds'] / 60:.1f} min"
    )


def _table2(ctx: click.Context, only: str | None, protocol: str, request: "Request") -> None:
    """Score RAF-DB's test set, and the 600, by a network of the paper; train it if need be."""
    from mien.cli.scores import scores_command
    from mien.train import paper
    from mien.train.export import export

    if protocol == "paper":  # it holds nothing out that the exported file could be fitted on
        raise click.UsageError("table 2 takes the leak-free protocol")
    run = paper.RowRun(_row_of_rafdb(only), "leak-free", 0)
    record = paper.run_row(run, request, partial(epoch_bar, title=run.title), _print_epoch)
    echo(_summary(run.row, record))
    model = run.folder(request) / f"{run.row.model}.onnx"
    if not model.exists():
        export(run.folder(request), model)
    for database, split, name in (
        ("rafdb", "test", "table-2"),
        ("gimefive", "valid", "table-2-600"),
    ):
        folder = paper.prepare_database(database, "leak-free", request) / split
        out = request.out / "results" / f"{name}{request.mark}.csv"
        ctx.invoke(scores_command, folder=folder, model=model, out=out)


def _row_of_rafdb(only: str | None) -> "PaperRow":
    """The row whose network writes Table 2."""
    from mien.train.paper_tables import TABLES, choose_rows, rows

    name = only or "rafdb-cnn15"
    own = {row.name: row for table in TABLES for row in rows(table) if row.data == "rafdb"}
    chosen = [row for row in own.values() if name in {row.name, row.model}]
    if not chosen:
        choose_rows("later", name)  # a name that no row has is refused with the nearest
        raise click.UsageError("table 2 takes a network on RAF-DB, like --only rafdb-cnn15")
    return chosen[0]


def _table3(ctx: click.Context, request: "Request") -> None:
    from mien.cli.audit import stats_command
    from mien.train.paper import find_database, prepare_database

    folders = [prepare_database(name, "leak-free", request) for name in ("rafdb", "fer2013")]
    for name in ("ckplus", "tfeid"):
        if find_database(name, request) is None:
            echo_note(f"no {name} in {request.data}: its rows of Table 3 are left out")
        else:
            folders.append(prepare_database(name, "leak-free", request, divided=False))
    markdown = request.out / "results" / "table-3.md"
    ctx.invoke(stats_command, folders=tuple(folders), markdown=markdown)


def _table4(_ctx: click.Context, request: "Request") -> None:
    from mien.train import grid as grids
    from mien.train.paper import prepare_database
    from mien.train.recipes import configs

    whole = replace(request, limit=0)  # the search itself takes the part
    overrides: dict[str, object] = {"data": [str(prepare_database("rafdb", "leak-free", whole))]}
    for name, value in (("epochs", request.epochs), ("limit", request.limit)):
        if value:
            overrides[name] = value
    mark = f"-limit{request.limit}" if request.limit else ""
    points = grids.load(configs() / "paper-grid.toml", overrides)
    run_search(points, request.out / f"search{mark}")
