"""In which language and letters something is drawn.

``lang`` of what draws is a code, as ``de``, or a `Writing`, which has a font of one's own as well.
The letters are looked for before anything is drawn. Knows nothing of pictures.
"""

import string
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from unicodedata import bidirectional

from mien.errors import UnknownNameError
from mien.labels import PAPER, LabelSet
from mien.show.fonts import BUILT_IN, Font, find_font, font_of_file
from mien.words import LANGUAGES, called, caption, letters

__all__ = ["ENGLISH", "Writing", "as_writing", "write_in"]

_COLONS = {"fr": " : ", "zh": "：", "ja": "："}
_TO_THE_RIGHT = "\u200e"  # a mark without width, after which a line goes on from left to right
_ALWAYS = string.digits + string.ascii_letters + "%.,:()=…·"  # numbers, names of layers and methods


@dataclass(frozen=True, slots=True)
class Writing:
    """A language, and a font that has its letters; made by `write_in`.

    Attributes:
        language: one of `mien.words.LANGUAGES`.
        font: of everything that is drawn.
    """

    language: str = "en"
    font: Font = BUILT_IN

    def name(self, label: str) -> str:
        """Return what an expression is called; another class as it is."""
        return called(label, self.language)

    def say(self, key: str, *values: object) -> str:
        """Return a text of ``captions.toml``, its blanks filled."""
        return caption(key, self.language, *values)

    def share(self, label: str, value: float) -> str:
        """Return what an expression is called and how probable it is; in Arabic, too, together."""
        name = self.name(label)
        mark = _TO_THE_RIGHT if bidirectional(name[-1]) in {"R", "AL"} else ""
        return f"{name} {mark}{100 * value:.0f}%"

    def colon(self, word: str, more: str) -> str:
        """Return a word and what there is more to say, with a colon as the language writes it."""
        return f"{word}{_COLONS.get(self.language, ': ')}{more}"


ENGLISH = Writing()


def write_in(
    language: str = "en", font: str | Path | None = None, labels: LabelSet = PAPER
) -> Writing:
    """Choose the language of what is drawn, and find a font for it.

    Args:
        language: one of `mien.words.LANGUAGES`.
        font: a .ttf, .otf or .ttc file; by default Pillow's own if it has the letters, else one
            of this system.
        labels: the classes whose names are drawn.

    Returns:
        What drawing functions take as ``lang``.

    Raises:
        UnknownNameError: if there is no such language.
        BadSettingError: if the file is no font, or no font has the letters.

    Example:
        >>> write_in("de").name("happiness")
        'Freude'
    """
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    return _written(language, None if font is None else Path(font), labels)


@lru_cache(maxsize=64)
def _written(language: str, font: Path | None, labels: LabelSet) -> Writing:
    names = "".join(called(name, language) for name in labels.targets)
    if font is None and language == "en" and names.isascii():
        return ENGLISH
    needed = "".join(sorted({*letters(language), *names, *_ALWAYS} - {" "}))
    if font is None:
        return Writing(language, find_font(needed, language))
    return Writing(language, font_of_file(font, needed))


def as_writing(lang: str | Writing, labels: LabelSet = PAPER) -> Writing:
    """Return the writing that ``lang`` of a drawing function means.

    Args:
        lang: a language, or what `write_in` returned.
        labels: the classes whose names are drawn.

    Returns:
        The writing.

    Raises:
        UnknownNameError: if there is no such language.
        BadSettingError: if no font of this system has the letters.
    """
    return lang if isinstance(lang, Writing) else write_in(lang, labels=labels)
