"""Command: search."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._outputs import refuse_clashes
from mien.cli._shared import (
    FILE,
    PARQUET,
    NamedPath,
    echo,
    echo_note,
    echo_written,
    epoch_bar,
    needs,
    recipe_or_file,
)
from mien.cli._usage import in_file
from mien.errors import MissingExtraError
from mien.media.escapes import escaped

if TYPE_CHECKING:
    from mien.train.grid import Grid
    from mien.train.outcomes import Outcome, Repeated
    from mien.train.trainer import EpochProgress

__all__ = ["run_search", "search_command"]

_SHOWN = 5  # of the best points


@click.command(name="search")
@click.argument("grid", metavar="GRID.toml", type=FILE)
@click.option("--out", type=FILE, help="Folder; default searches/NAME.")
@click.option("--prune", is_flag=True, help="End runs below the median of the earlier ones.")
@click.option("--limit", type=click.IntRange(12), help="Training pictures to use, for a trial.")
@click.option(
    "--ray",
    "address",
    type=NamedPath(path_type=str),
    metavar="ADDRESS",
    help="Run on Ray: an address, or local.",
)
@click.option("--per-gpu", type=click.IntRange(1), help="Runs that share a GPU; with --ray.")
@PARQUET
def search_command(
    grid: Path,
    out: Path | None,
    prune: bool,
    limit: int | None,
    address: str | None,
    per_gpu: int | None,
    parquet: Path | None,
) -> None:
    """Train every combination in GRID.toml: settings where a value may be a list of values.

    Settings that change together stand in its table variants, under a name of their own.

    Points that differ in epochs or patience alone share a run where the schedule allows it. The
    same command goes on after a stop.

    Example: mien search configs/paper-grid.toml --out searches/paper
    """
    if per_gpu and address is None:
        raise click.UsageError("--per-gpu belongs to --ray")
    needs("mien search", "train", "torch", "kornia", "matplotlib", "safetensors", "sklearn")
    from mien.train import grid as grids

    grid = recipe_or_file(grid)
    folder = out or Path("searches") / grid.stem
    refuse_clashes([parquet], folder)
    with in_file(grid):
        points = grids.load(grid, {} if limit is None else {"limit": limit})
        if address is None:
            run_search(points, folder, prune, parquet)
        else:
            echo_note(_cost(points))
            outcomes = _on_ray(points, folder, address, prune, per_gpu or 1)
            _finish(points, outcomes, folder, parquet)


def run_search(
    grid: "Grid", folder: Path, prune: bool = False, parquet: Path | None = None
) -> None:
    """Train the points of a grid on this machine, plot them and print the best.

    Args:
        grid: its points.
        folder: of the search.
        prune: whether to end runs below the median of the earlier ones.
        parquet: the table of the points as Parquet too; None for none.
    """
    from mien.train.search import search

    echo_note(_cost(grid))
    outcomes = search(grid, folder, prune, _progress, partial(_print_best, grid))
    _finish(grid, outcomes, folder, parquet)


def _progress(title: str) -> "EpochProgress":
    return partial(epoch_bar, title=title)


def _on_ray(grid: "Grid", folder: Path, address: str, prune: bool, per_gpu: int) -> "list[Outcome]":
    from importlib.util import find_spec

    if find_spec("ray") is None:
        raise MissingExtraError("mien search --ray", "ray")
    from mien.scale.tune import search

    return search(grid, folder, address, prune, per_gpu)


def _cost(grid: "Grid") -> str:
    """Say what the search costs, and why not less."""
    from mien.train.grid import plan_runs

    text = f"{len(grid.points)} points in {len(plan_runs(grid))} runs"
    if "epochs" in grid.varied and any(p.schedule != "constant" for p in grid.points):
        return f"{text}; a schedule that depends on the epochs keeps them from sharing a run"
    if "epochs" in grid.varied and any(p.first_side for p in grid.points):
        return f"{text}; first_side, which depends on the epochs, keeps them from sharing a run"
    return text


def _print_best(grid: "Grid", outcomes: "Sequence[Outcome]") -> None:
    """Print the best points so far."""
    from mien.show.tables import as_text
    from mien.train.outcomes import best_first

    ranked = best_first(outcomes)
    repeated = any(best.seeds > 1 for best in ranked)
    names = [name for name in grid.varied if not (repeated and name == "seed")]
    rows = [
        [
            _accuracy(best),
            *([best.counted] if repeated else []),
            "+".join(dict.fromkeys(str(outcome.best["epoch"]) for outcome in best.done)),
            *best.values(names),
        ]
        for best in ranked[:_SHOWN]
    ]
    done = sum(len(best.done) for best in ranked)
    means = ", means over seeds" if repeated else ""
    columns = ["held-out", *(["seeds"] if repeated else []), "epoch", *names]
    told = f"{done} of {len(outcomes)} points; the best so far{means}:\n{as_text(columns, rows)}"
    echo_note("\n".join(filter(None, (f"\n{told}", _seeds_of_points(ranked)))))


def _accuracy(best: "Repeated") -> str:
    """Held-out accuracy; of several seeds their mean and spread."""
    from mien.show.tables import mean_and_spread

    return f"{mean_and_spread([100 * outcome.accuracy for outcome in best.done])}%"


def _seeds_of_points(ranked: "Sequence[Repeated]") -> str:
    """Say that points do not have as many seeds each, or nothing."""
    counts = [len(best.done) for best in ranked]
    if min(counts, default=0) == max(counts, default=0):
        return ""
    return f"points have {min(counts)} to {max(counts)} seeds done: a mean of fewer is less sure"


def _finish(
    grid: "Grid", outcomes: "Sequence[Outcome]", folder: Path, parquet: Path | None
) -> None:
    """Plot a search and print its best point."""
    from mien.media.table_files import write_typed
    from mien.show.plots import effects
    from mien.train.outcomes import best_first, effect_plots, search_columns

    rows = [outcome.row(grid.varied) for outcome in outcomes]
    write_typed(rows, search_columns(grid.varied), parquet=parquet)
    echo_written(parquet)

    for state in ("pruned", "diverged"):
        count = sum(outcome.state == state for outcome in outcomes)
        if count:
            echo(f"{state}: {count} points")
    ranked = best_first(outcomes)
    if not ranked:
        echo(f"no point was trained to its end; see {folder / 'search.csv'}")
        return
    echo(_best_line(grid.varied, ranked[0]))
    if uneven := _seeds_of_points(ranked):
        echo(uneven)
    plots = effect_plots(grid.varied, outcomes)
    for name, points in plots.items():
        effects(points, folder / f"{name}.png")
    pictures = ", ".join(f"{name}.png" for name in plots)
    echo_note(f"wrote {escaped(folder)}/search.csv, {pictures} and best.toml")


def _best_line(varied: "Sequence[str]", best: "Repeated") -> str:
    """Name the best point, and say how good it is and by how many seeds."""
    repeated = best.seeds > 1
    names = [name for name in varied if not (repeated and name == "seed")] or varied
    pairs = zip(names, best.values(names), strict=True)
    values = ", ".join(f"{name} {value}" for name, value in pairs)
    by = f", the mean of {best.counted} seeds; best.toml has seed {best.point.seed}"
    shown = f"{_accuracy(best)} held out{by if repeated else ''}"
    return f"best: {values or best.done[0].run}: {shown}"
