"""The words that people have for an expression, in nine languages: ``expressions.toml``.

Knows no sets of classes; what a word means is one of the paper's six, neutral or contempt.
"""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

__all__ = ["meaning", "plain"]

_FILE = Path(__file__).with_name("expressions.toml")


def meaning(name: str) -> str | None:
    """Return the expression that a word of any of nine languages means.

    Args:
        name: in any case, with or without accents, numbers, brackets and other signs around it.

    Returns:
        One of the six, ``neutral``, ``contempt``, or None if the word is none in
        ``expressions.toml``.

    Example:
        >>> meaning("01-Neutral"), meaning("[Wütend]"), meaning("IĞRENME"), meaning("verachtung")
        ('neutral', 'anger', 'disgust', 'contempt')
    """
    return _meanings().get(plain(name))


def plain(name: str) -> str:
    """Return a word by which names are compared: letters alone, without case and accents.

    Args:
        name: of a class, as somebody wrote it.

    Returns:
        Its words with a space between them; "" if it has no letters.

    Example:
        >>> plain("(03) Überrascht"), plain("2024")
        ('uberrascht', '')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(sign for sign in letters if not unicodedata.combining(sign)).replace("ı", "i")
    return re.sub(r"[\W\d_]+", " ", bare).strip()


@cache
def _meanings() -> dict[str, str]:
    """What each word means, read when the first one is asked for."""
    words = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {plain(word): label for label, names in words.items() for word in names}
