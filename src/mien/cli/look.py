"""Commands to look at data before training on them: stats, show-augmentation."""

from pathlib import Path

import click

from mien.cli.extras import needs

__all__ = ["show_augmentation_command", "stats_command"]


@click.command(name="stats")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path())
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="One row a split.")
@click.option("--markdown", type=click.Path(path_type=Path), help="The tables as Markdown.")
@click.option("--plot", type=click.Path(path_type=Path), help="Bars by class, as PNG.")
def stats_command(
    folders: tuple[str, ...], csv_file: Path | None, markdown: Path | None, plot: Path | None
) -> None:
    """Count the pictures of prepared folders by split and class, beside the paper's Table 3.

    Example: mien stats data/rafdb data/fer2013 --plot table3.png
    """
    from mien.data import stats
    from mien.media.writers import CsvSink, write_text
    from mien.show.tables import as_markdown, as_text

    if plot:
        needs("mien stats --plot", "train", "matplotlib")
    counts = stats.count(folders)
    rows, paper, notes = stats.rows(counts), stats.beside_paper(counts), stats.notes(counts)
    click.echo(as_text(stats.HEADER, rows))
    if paper:
        click.echo("\nBeside the paper's Table 3 (six expressions):\n")
        click.echo(as_text(stats.PAPER_HEADER, paper))
        click.echo("".join(f"\n{note}\n" for note in notes), nl=False)
    if csv_file:
        with CsvSink(csv_file, stats.HEADER) as sink:
            for row in rows:
                sink.write(row)
    if markdown:
        parts = [as_markdown(stats.HEADER, rows)]
        if paper:
            parts += [as_markdown(stats.PAPER_HEADER, paper), *(f"{note}\n" for note in notes)]
        write_text("\n".join(parts), markdown)
    if plot:
        from mien.show.plots import class_bars

        class_bars([(f"{c.folder}: {c.source}", c.split, c.labels) for c in counts], plot)
    for path in filter(None, (csv_file, markdown, plot)):
        click.echo(f"wrote {path}", err=True)


@click.command(name="show-augmentation")
@click.argument("settings", metavar="CONFIG.toml", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), default="augmentation.png", show_default=True
)
@click.option("--all", "everything", is_flag=True, help="Show what is switched off, too.")
@click.option("--draws", type=click.IntRange(1, 20), default=7, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def show_augmentation_command(
    settings: Path, out: Path, everything: bool, draws: int, seed: int
) -> None:
    """Write a contact sheet of what CONFIG.toml's augmentation does to crops.

    The crops are of the configuration's data, one an expression, or of the portrait that comes
    with mien where none of those folders exists.

    Example: mien show-augmentation configs/miennet.toml --all
    """
    needs("mien show-augmentation", "train", "torch")
    from mien.media.writers import write_picture
    from mien.show.picture_grid import contact_sheet
    from mien.train import config, preview
    from mien.train.augment import Strength

    chosen = config.load(settings, data=("data",))
    crops = preview.crops_of(chosen.data)
    if not len(crops):
        click.echo("none of its data is here: showing the portrait that comes with mien", err=True)
        crops = preview.portrait()
    strips = preview.strips(Strength.of(chosen), crops, draws, seed, everything)
    rows = [(strip.name, strip.note, strip.pictures, strip.captions) for strip in strips]
    off = "" if chosen.augment else " (augment = false: training uses none of it)"
    names = ["original", *(f"draw {i + 1}" for i in range(draws))]
    write_picture(contact_sheet(f"Augmentation of {settings.name}{off}", names, rows), out)
    click.echo(f"wrote {out}")
