"""Commands for somebody with a question: search, reproduce."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli.bar import bar
from mien.cli.extras import needs
from mien.errors import MissingExtraError

if TYPE_CHECKING:
    from mien.train.grid import Grid
    from mien.train.paper import Request
    from mien.train.paper_tables import Row
    from mien.train.search import Outcome
    from mien.train.trainer import Progress

    pass
    pass
    pass
    pass

    pass
    pass
    pass
    pass

    pass
    pass
    pass
    pass

    pass
    pass
    pass
    pass

    pass
    pass
    pass
    pass

    pass
    pass
    pass
    pass

    pass
    pass
    pass
    pass

__all__ = ["reproduce_command", "search_command"]

_SHOWN = 5  # of the best points


@click.command(name="search")
@click.argument("grid", metavar="GRID.toml", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder; default searches/NAME.")
@click.option("--prune", is_flag=True, help="End runs below the median of the earlier ones.")
@click.option("--ray", "address", metavar="ADDRESS", help="Run on Ray: an address, or local.")
def search_command(grid: Path, out: Path | None, prune: bool, address: str | None) -> None:
    """Train every combination in GRID.toml: settings where a value may be a list of values.

    Points that differ in epochs or patience alone share a run where the schedule allows it. The
    same command goes on after a stop.

    Example: mien search configs/paper-grid.toml --out searches/paper
    """
    needs("mien search", "train", "torch", "matplotlib")
    from mien.train import grid as grids

    asked = grids.load(grid)
    folder = out or Path("searches") / grid.stem
    if address is None:
        _search(asked, folder, prune)
    else:
        click.echo(_cost(asked), err=True)
        _finish(asked, _on_ray(asked, folder, address, prune), folder)


def _search(grid: "Grid", folder: Path, prune: bool = False) -> None:
    from mien.train.search import search

    click.echo(_cost(grid), err=True)
    found = search(grid, folder, prune, _progress, lambda outcomes: _live(grid, outcomes))
    _finish(grid, found, folder)


def _on_ray(grid: "Grid", folder: Path, address: str, prune: bool) -> "list[Outcome]":
    from importlib.util import find_spec

    if find_spec("ray") is None:
        raise MissingExtraError("mien search --ray", "ray")
    from mien.scale.search import search

    return search(grid, folder, address, prune)


def _cost(grid: "Grid") -> str:
    """Say what the search costs, and why not less."""
    from mien.train.grid import families

    text = f"{len(grid.points)} points in {len(families(grid))} runs"
    if "epochs" in grid.varied and any(p.schedule != "constant" for p in grid.points):
        return f"{text}; a schedule that depends on the epochs keeps them from sharing a run"
    return text


def _progress(title: str) -> "Progress":
    return partial(_shown, title)


def _shown(title: str, steps: range, epoch: str) -> Iterable[int]:
    """Show how far an epoch is; a function of its own, so that other processes can be given it."""
    return bar(steps, len(steps), f"{title}, {epoch}")


def _live(grid: "Grid", outcomes: "Sequence[Outcome]") -> None:
    """Print the best points so far."""
    from mien.show.tables import as_text

    done = [outcome for outcome in outcomes if outcome.state == "done"]
    best = sorted(done, key=lambda o: -float(o.best["held_accuracy"]))[:_SHOWN]
    rows = [
        [f"{o.best['held_accuracy']:.1%}", str(o.best["epoch"]), *_values(grid, o)] for o in best
    ]
    head = f"\n{len(done)} of {len(outcomes)} points; the best so far:"
    click.echo(f"{head}\n{as_text(['held-out', 'epoch', *grid.varied], rows)}", err=True)


def _values(grid: "Grid", outcome: "Outcome") -> list[str]:
    return [str(getattr(outcome.point, name)) for name in grid.varied]


def _finish(grid: "Grid", outcomes: "Sequence[Outcome]", folder: Path) -> None:
    """Plot a search and print its best point."""
    from mien.show.plots import effects

    done = [outcome for outcome in outcomes if outcome.state == "done"]
    for state in ("pruned", "diverged"):
        count = sum(outcome.state == state for outcome in outcomes)
        if count:
            click.echo(f"{state}: {count} points")
    if not done:
        click.echo(f"no point was trained to its end; see {folder / 'search.csv'}")
        return
    best = max(done, key=lambda o: float(o.best["held_accuracy"]))
    values = ", ".join(
        f"{name} {value}" for name, value in zip(grid.varied, _values(grid, best), strict=True)
    )
    click.echo(f"best: {values or best.run}: {best.best['held_accuracy']:.1%} held out")
    pairs = [
        ({name: getattr(o.point, name) for name in grid.varied}, float(o.best["held_accuracy"]))
        for o in done
    ]
    effects(pairs, folder / "effects.png")
    click.echo(f"wrote {folder}/search.csv, effects.png and best.toml")


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
    type=click.Path(path_type=Path),
    envvar="MIEN_DATA",
    default=".",
    help="Folder of the databases as downloaded; default MIEN_DATA, or here.",
)
@click.option("--out", type=click.Path(path_type=Path), default="reproduced", show_default=True)
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
    leaks. What was finished is kept; the same command goes on after a stop.

    Example: mien reproduce --only cnn15 --limit 500 --epochs 2
    """
    needs("mien reproduce", "train", "torch")
    from mien.train.paper import Request

    request = Request(
        data, out, limit or 0, epochs or 0, lambda items: bar(items, len(items), "preparing")
    )
    if table in {"1", "later"}:
        _rows(table, only, protocol, seeds, request)
    elif only or limit:
        raise click.UsageError("--only and --limit belong to the tables 1 and later")
    else:
        {"2": _table2, "3": _table3, "4": _table4}[table](ctx, request)


def _rows(table: str, only: str | None, protocol: str, seeds: int, request: "Request") -> None:
    """Train and measure rows, and print the table after each."""
    from mien.show.tables import as_markdown
    from mien.train import paper, paper_tables

    chosen = paper_tables.chosen(table, only)
    protocols = paper_tables.PROTOCOLS if protocol == "both" else (protocol,)
    pieces = [(row, one, seed) for seed in range(seeds) for row in chosen for one in protocols]
    for number, (row, one, seed) in enumerate(pieces):
        title = f"{number + 1}/{len(pieces)} {row.name}, {one}, seed {seed}"
        click.echo(title, err=True)
        found = paper.run_row(row, one, seed, request, _progress(title), _print_epoch)
        click.echo(_summary(row, found))
    results = paper_tables.results(request.out / "results", request.mark)
    text = as_markdown(paper_tables.HEADER, paper_tables.beside(table, results))
    path = request.out / "results" / f"table-{table}{request.mark}.md"
    from mien.media.writers import write_text

    write_text(f"{text}\nPrinted: {paper_tables.source(table)}\n", path)
    click.echo(f"wrote {path}, and a JSON of every row beside it")


def _print_epoch(row: dict[str, Any]) -> None:
    click.echo(f"epoch {row['epoch']:>3}  held-out accuracy {row['held_accuracy']:.1%}", err=True)


def _summary(row: "Row", found: dict[str, Any]) -> str:
    accuracy, pictures = found["accuracy"], found["pictures"]
    beside = "" if row.test is None else f" (printed {row.test})"
    return (
        f"{row.name}, {found['protocol']}, seed {found['seed']}: "
        f"test {100 * accuracy['test']:.1f}{beside} of {pictures['test']:,}, without copies "
        f"{100 * accuracy['test_without_copies']:.1f} of {pictures['test_without_copies']:,}, "
        f"600 {100 * accuracy['valid']:.1f}, train {100 * accuracy['train']:.1f}; "
        f"{found['parameters']:,} parameters, {found['seconds'] / 60:.1f} min"
    )


def _table2(ctx: click.Context, request: "Request") -> None:
    from mien.cli.recognise import scores_command
    from mien.train.paper import prepared

    folder = prepared("gimefive", "leak-free", request) / "valid"
    ctx.invoke(scores_command, folder=folder, out=request.out / "results" / "table-2.csv")


def _table3(ctx: click.Context, request: "Request") -> None:
    from mien.cli.look import stats_command
    from mien.train.paper import prepared

    folders = tuple(str(prepared(name, "leak-free", request)) for name in ("rafdb", "fer2013"))
    ctx.invoke(stats_command, folders=folders, markdown=request.out / "results" / "table-3.md")


def _table4(_ctx: click.Context, request: "Request") -> None:
    from mien.train import grid as grids
    from mien.train.paper import configs, prepared

    instead: dict[str, object] = {"data": [str(prepared("rafdb", "leak-free", request))]}
    if request.epochs:
        instead["epochs"] = request.epochs
    _search(grids.load(configs() / "paper-grid.toml", instead), request.out / "search")
