"""What expressions are called in nine languages, and what drawings say beside their names.

``expressions.toml`` has the words that people have for an expression: any of them is understood,
and the first of a language is drawn. ``captions.toml`` has all else that a drawing says. Knows no
sets of classes; what a word means is one of the paper's six, neutral or contempt.
"""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

__all__ = ["LANGUAGES", "called", "caption", "letters", "meaning", "plain"]

LANGUAGES = ("de", "fr", "es", "it", "pt", "tr", "zh", "ja", "en")
_FOLDER = Path(__file__).parent
_SAID_OF_ANY_FACE = ("uncertain", "no face")


def called(label: str, language: str = "en") -> str:
    """Return what an expression is called in a language.

    Args:
        label: one of the six, neutral, contempt, ``uncertain`` or ``no face``; or a class of one's
            own.
        language: one of `LANGUAGES`.

    Returns:
        Its name there; that of another class as it is.

    Example:
        >>> called("happiness", "de"), called("uncertain", "tr"), called("asleep", "de")
        ('Freude', 'belirsiz', 'asleep')
    """
    if language == "en":
        return label
    if label in _SAID_OF_ANY_FACE:
        return _captions()[label][language]
    names = _expressions().get(label)
    return names[language][0] if names else label


def caption(key: str, language: str = "en", *values: object) -> str:
    """Return what a drawing says, in a language.

    Args:
        key: of the text in ``captions.toml``.
        language: one of `LANGUAGES`.
        *values: what fills its blanks.

    Returns:
        The text.

    Example:
        >>> caption("track", "fr", 3)
        'piste 3'
    """
    return _captions()[key][language].format(*values)


def letters(language: str) -> str:
    """Return every letter that drawings in a language are made of, beside names of classes.

    Args:
        language: one of `LANGUAGES`.

    Returns:
        In order, each once, without spaces.
    """
    texts = [caption[language] for caption in _captions().values()]
    texts += [names[language][0] for names in _expressions().values()]
    return "".join(sorted({*"".join(texts)} - {" "}))


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
    signs = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(sign for sign in signs if not unicodedata.combining(sign)).replace("ı", "i")
    return re.sub(r"[\W\d_]+", " ", bare).strip()


@cache
def _meanings() -> dict[str, str]:
    """What each word means, read when the first one is asked for."""
    return {
        plain(word): label
        for label, names in _expressions().items()
        for words in names.values()
        for word in words
    }


@cache
def _expressions() -> dict[str, dict[str, list[str]]]:
    """The words of each expression by language."""
    return tomllib.loads((_FOLDER / "expressions.toml").read_text(encoding="utf-8"))


@cache
def _captions() -> dict[str, dict[str, str]]:
    """Each text by language."""
    return tomllib.loads((_FOLDER / "captions.toml").read_text(encoding="utf-8"))
