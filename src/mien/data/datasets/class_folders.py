"""The class of a picture from where it lies: a folder's name or number, or the code in its name.

A word is better than a number, and both are better than nothing; where two of them contradict each
other the picture is left out. Knows no tables.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath

from mien.data.datasets.archive import Archive, is_picture
from mien.data.datasets.classes import class_of, is_other, order_in
from mien.data.datasets.layouts import split_by_folder, split_of
from mien.data.datasets.listing import Item, Listing
from mien.data.datasets.numbering import number_of
from mien.labels import LabelSet

__all__ = ["Code", "code_in", "from_folders"]

# AF01ANS: session, sex, person, expression, angle. Lundqvist, Flykt and Oehman 1998.
_KDEF = re.compile(r"[AB]([FM]\d\d)(AF|AN|DI|HA|NE|SA|SU)(?:FL|HL|S|HR|FR)", re.IGNORECASE)
# Rafd090_01_Caucasian_female_angry_frontal: angle, person, group, sex, expression, gaze.
# Langner et al. 2010, doi:10.1080/02699930903485076.
_RAFD = re.compile(
    r"Rafd\d{3}_(\d+)_[a-z]+_(?:fe)?male_([a-z]+)_(?:frontal|left|right)", re.IGNORECASE
)
_KDEF_WORDS = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}


@dataclass(frozen=True, slots=True)
class Code:
    """What the names of KDEF and RaFD tell.

    Attributes:
        word: the expression.
        person: who is shown.
        written: the code, for the table of what was taken for what.
    """

    word: str
    person: str
    written: str


def code_in(name: str) -> Code | None:
    """Read the code of KDEF or RaFD in a picture's name, or in that of a folder about it.

    Args:
        name: path inside an archive.

    Returns:
        The nearest code; None where no part of the path is one from its beginning to its end.

    Example:
        >>> code_in("KDEF/AF01/AF01ANS.JPG").word, code_in("x/AN/1.jpg")
        ('anger', None)
    """
    path = PurePosixPath(name)
    for part in (path.stem, *reversed(path.parent.parts)):
        if match := _KDEF.fullmatch(part):
            code = match[2].upper()
            return Code(_KDEF_WORDS[code], match[1].upper(), f"{code} (KDEF)")
        if match := _RAFD.fullmatch(part):
            return Code(match[2].lower(), match[1], f"{match[2].lower()} (RaFD)")
    return None


def from_folders(archive: Archive, labels: LabelSet | None, whose: str) -> Listing:
    """List the pictures by the folders they are in.

    Args:
        archive: the pictures.
        labels: the classes; None for the folders' own names.
        whose: numbers there are, see `numbering.order_of`; "" if nobody says.

    Returns:
        One item for each picture that has a class, in the order of their names.

    Raises:
        BadDataError: if all folders are numbers, and nobody says whose.
        BadSettingError: if `whose` cannot be read.
    """
    names = [name for name in archive.names if is_picture(name)]
    if labels is None:
        return _by_own_names(names, whose)
    listing = Listing()
    words = {name: _word_of(name, labels) for name in names}
    codes = {name: code for name in names if (code := code_in(name))}
    numbers = {
        name: number
        for name in names
        if not words[name] and name not in codes and (number := _number_about(name))
    }
    named = len(codes) > 0 or any(words.values())
    order = (
        order_in(labels, whose, set(numbers.values()), "folders number")
        if numbers and (whose or not named)
        else {}
    )
    for name in names:
        code, number = codes.get(name), numbers.get(name, "")
        label = _add(listing, name, words[name] or order.get(number, ""), code, labels)
        nearest = PurePosixPath(name).parent.name
        written = words[name] or (code.written if code else number or nearest)
        listing.taken[written, label] += 1
    return listing


def _add(listing: Listing, name: str, word: str, code: Code | None, labels: LabelSet) -> str:
    """Note a picture, or why it is left out, and return its label, "" if it has none."""
    by_folder = class_of(word, labels)
    by_code = class_of(code.word, labels) if code and (by_folder or not word) else None
    label = by_folder or by_code or ""
    if code and by_code and by_code != label:
        detail = f"{label} by the folder, {by_code} by {code.written}"
        listing.leave_out(name, "contradictory labels", detail)
        return ""
    if label:
        person = code.person if code else ""
        listing.items.append(Item(name, label, split_by_folder(name), person))
    else:
        written = code.written if code else PurePosixPath(name).parent.name
        listing.leave_out(name, "unknown label", word or written)
    return label


def _word_of(name: str, labels: LabelSet) -> str:
    """The nearest folder that names a class, or something that is none."""
    folders = reversed(PurePosixPath(name).parent.parts)
    return next((part for part in folders if class_of(part, labels) or is_other(part)), "")


def _number_about(name: str) -> str | None:
    """The nearest folder that is a number."""
    folders = reversed(PurePosixPath(name).parent.parts)
    return next(filter(None, map(number_of, folders)), None)


def _by_own_names(names: Iterable[str], whose: str) -> Listing:
    """The class is the first folder that differs, splits left aside."""
    listing = Listing()
    folders = {
        name: [part for part in PurePosixPath(name).parent.parts if not split_of(part)]
        for name in names
    }
    shared = _shared([parts for parts in folders.values() if parts])
    own = {name: parts[shared] if parts[shared:] else "" for name, parts in folders.items()}
    if not any(own.values()):  # one folder for all, which `sort_into` refuses by its name
        own = {name: parts[-1] if parts else "" for name, parts in folders.items()}
    order: Mapping[str, str] = {}
    if whose:
        numbers = {number for word in own.values() if (number := number_of(word))}
        order = order_in(None, whose, numbers, "folders number")
    for name, word in own.items():
        label = order.get(number_of(word) or "", word)
        if label:
            listing.items.append(Item(name, label, split_by_folder(name)))
        else:
            listing.leave_out(name, "unknown label", "in no folder of a class")
        listing.taken[word, label] += 1
    return listing


def _shared(paths: list[list[str]]) -> int:
    """How many folders all pictures lie in."""
    first, last = (min(paths), max(paths)) if paths else ([], [])
    alike = takewhile(lambda parts: parts[0] == parts[1], zip(first, last, strict=False))
    return sum(1 for _ in alike)
