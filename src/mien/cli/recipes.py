"""The command that shows the recipes which come with mien: recipes."""

from pathlib import Path

import click

from mien.cli._shared import FILE, echo, echo_written

__all__ = ["recipes_command"]


@click.command(name="recipes")
@click.argument("name", required=False)
@click.option("--out", type=FILE, help="Write the recipe to this file, to change it there.")
def recipes_command(name: str | None, out: Path | None) -> None:
    """List the recipes that come with mien, or print the one called NAME.

    A recipe is the settings of a run of mien train, or the grid of mien search. Both also take a
    name in place of a file: mien train miennet.

    Example: mien recipes miennet --out my.toml
    """
    from mien.media.writers import write_text
    from mien.train.recipes import find_recipe, recipes

    if name is None:
        if out is not None:
            raise click.UsageError("--out needs the NAME of a recipe")
        table = click.HelpFormatter()
        table.write_dl(list(recipes().items()), col_max=40)
        echo(table.getvalue().rstrip())
        return
    text = find_recipe(name).read_text(encoding="utf-8")
    if out is None:
        echo(text.rstrip())
    else:
        write_text(text, out)
        echo_written(out)
