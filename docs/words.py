"""Tables of words and numbers: what `mien prepare folder` takes a name or a number for."""

import tomllib
from collections.abc import Callable

from records import ROOT

from mien.data.datasets.numbering import NUMBERINGS
from mien.show.tables import as_markdown

__all__ = ["PARTS"]


def words() -> str:
    """Every word of every expression, as the file that is read has them."""
    text = (ROOT / "src" / "mien" / "expressions.toml").read_text(encoding="utf-8")
    rows = [
        [f"**{label}**", ", ".join(dict.fromkeys(word for own in names.values() for word in own))]
        for label, names in tomllib.loads(text).items()
    ]
    return as_markdown(["expression", "words"], rows)


def orders() -> str:
    """What each number means in each order."""
    numbers = sorted({int(number) for order in NUMBERINGS.values() for number in order})
    rows = [
        [f"`{whose}`", *(order.get(str(number), "") for number in numbers)]
        for whose, order in NUMBERINGS.items()
    ]
    return as_markdown(["`--labels`", *map(str, numbers)], rows)


PARTS: dict[str, Callable[[], str]] = {"orders": orders, "words": words}
