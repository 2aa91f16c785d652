"""The options of commands that draw: in which language, and with which font."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._shared import FILE

if TYPE_CHECKING:
    from mien.labels import LabelSet
    from mien.show.writing import Writing

__all__ = ["FONT", "LANG", "drawn_in", "refuse_undrawn"]

LANG = click.option(
    "--lang",
    default="en",
    show_default=True,
    help="Language of what is drawn: de, fr, es, it, pt, tr, zh, ja or en. Tables stay English.",
)
FONT = click.option(
    "--font",
    type=FILE,
    help="A .ttf, .otf or .ttc file for what is drawn; by default one that has the letters.",
)


def refuse_undrawn(lang: str, font: Path | None, drawn: bool, needed: str) -> None:
    """Refuse a language where nothing is drawn, and one that cannot be written here.

    Args:
        lang: of --lang.
        font: of --font.
        drawn: whether anything will be.
        needed: the options that draw.

    Raises:
        UnknownNameError: if there is no such language.
        BadSettingError: if the font is none, or no font of this system has the letters.
    """
    if not drawn and (lang != "en" or font):
        raise click.UsageError(f"--lang and --font are for what is drawn: they need {needed}")
    drawn_in(lang, font)


def drawn_in(lang: str, font: Path | None, labels: "LabelSet | None" = None) -> "Writing":
    """Return the language and the font of what a command draws.

    Args:
        lang: of --lang.
        font: of --font.
        labels: the classes whose names are drawn; by default the paper's.

    Returns:
        What drawing functions take as ``lang``.

    Raises:
        UnknownNameError: if there is no such language.
        BadSettingError: if the font is none, or no font of this system has the letters.
    """
    from mien.labels import PAPER
    from mien.show.writing import write_in

    return write_in(lang, font, labels or PAPER)
