"""Command: search."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._shared import epoch_bar, needs
from mien.errors import MissingExtraError

if TYPE_CHECKING:
    from mien.train.grid import Grid
    from mien.train.search import Outcome
    from mien.train.trainer import Progress

    pass
    pass

__all__ = ["run_search", "search_command"]

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
        run_search(asked, folder, prune)
    else:
        click.echo(_cost(asked), err=True)
        _finish(asked, _on_ray(asked, folder, address, prune), folder)


def run_search(grid: "Grid", folder: Path, prune: bool = False) -> None:
    """Train the points of a grid on this machine, plot them and print the best.

    Args:
        grid: its points.
        folder: of the search.
        prune: whether to end runs below the median of the earlier ones.
    """
    from mien.train.search import search

    click.echo(_cost(grid), err=True)
    found = search(grid, folder, prune, _titled, lambda outcomes: _live(grid, outcomes))
    _finish(grid, found, folder)


def _titled(title: str) -> "Progress":
    return partial(epoch_bar, title=title)


def _on_ray(grid: "Grid", folder: Path, address: str, prune: bool) -> "list[Outcome]":
    from importlib.util import find_spec

    if find_spec("ray") is None:
        raise MissingExtraError("mien search --ray", "ray")
    from mien.scale.tune import search

    return search(grid, folder, address, prune)


def _cost(grid: "Grid") -> str:
    """Say what the search costs, and why not less."""
    from mien.train.grid import families

    text = f"{len(grid.points)} points in {len(families(grid))} runs"
    if "epochs" in grid.varied and any(p.schedule != "constant" for p in grid.points):
        return f"{text}; a schedule that depends on the epochs keeps them from sharing a run"
    return text


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
