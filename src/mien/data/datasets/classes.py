"""The classes that are wanted of a dataset, and the one that a word means. Reads no pictures."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from mien.data.datasets.listing import Listing
from mien.data.datasets.numbering import NUMBERINGS, order_of
from mien.documents import parse_toml, read_text
from mien.errors import BadDataError, BadSettingError
from mien.labels import AFFECTNET, FER2013, NEUTRAL, PAPER, RAFDB, LabelSet
from mien.words import meaning, plain

__all__ = ["OWN", "SETS", "class_of", "is_other", "order_in", "sort_into", "wanted_classes"]

OWN = "own"
SETS = {"affectnet": AFFECTNET, "fer2013": FER2013, "mien": PAPER, "rafdb": RAFDB}
# What says that a face shows something, and nothing that is a class of anybody.
_OTHERS = frozenset({"none", "other", "others", "uncertain", "unknown"})


def wanted_classes(written: str) -> LabelSet | None:
    """Read a value of ``--classes``.

    Args:
        written: a key of `SETS`; two or more names with commas; a TOML file with ``names`` and, if
            you like, ``calm`` and ``colours``; `OWN`; "" for the paper's six and neutral.

    Returns:
        The classes; None for all that are there, by their own names.

    Raises:
        BadSettingError: if it is none of these, one class alone, or has a name twice.
    """
    if written == OWN:
        return None
    if not written or written in SETS:
        return SETS.get(written, PAPER)
    if written.endswith(".toml"):
        labels = _from_file(written)
    else:
        labels = _named([name.strip() for name in written.split(",")])
    if len(labels.targets) < 2:
        raise BadSettingError(
            f"--classes {written}: one class alone, and nothing to tell it from",
            fix=f"name two or more with commas, or one of {', '.join(SETS)}, or {OWN}",
        )
    return labels


def _from_file(path: str) -> LabelSet:
    try:
        return LabelSet.from_record(parse_toml(read_text(path)))
    except (OSError, ValueError) as error:
        raise BadSettingError(f"cannot read {path} ({error})", fix="check the file") from error


def _named(names: Sequence[str]) -> LabelSet:
    """A set of names; one that means neutral is its calm class."""
    calm = [name for name in names if meaning(name) == NEUTRAL]
    return LabelSet(tuple(names), calm[0] if len(calm) == 1 else "")


@lru_cache(maxsize=4096)
def class_of(word: str, labels: LabelSet) -> str | None:
    """Find the class that a word means.

    Args:
        word: a folder's name, or a cell of a table.
        labels: the classes.

    Returns:
        The one class of this name; else the one of this name without numbers and signs; else the
        one with this meaning. None if there is none, or are several.

    Example:
        >>> own = LabelSet(("Joy", "grade 1", "grade 2"))
        >>> class_of("02-happy", own), class_of("Grade 2", own), class_of("grade", own)
        ('Joy', 'grade 2', None)
    """
    keys: tuple[Callable[[str], str | None], ...] = (_folded, plain, meaning)
    for key in keys:
        wanted = key(word)
        fits = [name for name in labels.targets if wanted and key(name) == wanted]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _folded(word: str) -> str:
    return word.strip().casefold()


def is_other(word: str) -> bool:
    """Tell whether a word says what a face shows, whatever the classes are.

    Args:
        word: a folder's name.

    Returns:
        True for every expression that is known, and for ``unknown`` and the like.
    """
    return meaning(word) is not None or plain(word) in _OTHERS


def order_in(labels: LabelSet | None, whose: str, numbers: set[str], where: str) -> dict[str, str]:
    """Say what each number means, as `order_of` does, and check that it is a class.

    Args:
        labels: the classes; None for any.
        whose: see `order_of`.
        numbers: that are there.
        where: they are, for the message.

    Returns:
        Names by number, for all of `numbers`.

    Raises:
        BadDataError: if nobody says whose they are, or `whose` has not all of them.
        BadSettingError: if `whose` is a list that cannot be read, or one of other classes.
    """
    order = order_of(whose, numbers, where)
    if labels is None or whose in NUMBERINGS:
        return order
    names = list(order.values())
    strange = [name for name in names if not is_other(name) and class_of(name, labels) is None]
    if strange:
        raise BadSettingError(
            f"--labels names {', '.join(strange[:6])}: not among the classes {labels}",
            fix=f"name the classes too: --classes {','.join(names)}",
        )
    return order


def sort_into(listing: Listing, written: str, order: Sequence[str] = ()) -> Listing:
    """Keep the pictures of the wanted classes; what is left out is named.

    Args:
        listing: of a reader, with its own labels.
        written: a value of ``--classes``.
        order: of the dataset's own labels; others follow by name.

    Returns:
        The listing with its `labels`; every item has one of them.

    Raises:
        BadDataError: if a class that was asked for has no picture, or only one class is there.
        BadSettingError: if `written` cannot be read.
    """
    labels = wanted_classes(written) or _own(listing, order)
    kept, others = [], []
    for item in listing.items:
        label = class_of(item.label, labels)
        if label is None:
            others.append(item)
        else:
            kept.append(item if label == item.label else replace(item, label=label))
    gone = {item.original for item in others}  # whatever else was noted of them does not matter now
    listing.problems = [problem for problem in listing.problems if problem.original not in gone]
    for item in others:
        listing.leave_out(item.original, item.label)
    there = {item.label for item in kept}
    empty = [label for label in labels.names if label not in there]
    if not kept or (written and empty):
        none = f"no picture of {', '.join(empty[:6])}{', ...' if len(empty) > 6 else ''}"
        counts = Counter(item.label for item in listing.items)
        found = ", ".join(f"{label} {count:,}" for label, count in sorted(counts.items())[:12])
        raise BadDataError(
            f"{none}, of the classes {labels}; found {found}",
            fix=f"name with --classes what is there, or write --classes {OWN}",
        )
    listing.items, listing.labels = kept, labels
    return listing


def _own(listing: Listing, order: Sequence[str]) -> LabelSet:
    """The labels that are there, each in its first spelling."""
    spellings: dict[str, str] = {}
    for item in listing.items:
        spellings.setdefault(item.label.casefold(), item.label)
    if len(spellings) < 2:
        raise BadDataError(
            f"one class alone: {', '.join(spellings.values())}",
            fix="give a folder with a folder for each class in it, or name the classes",
        )
    return _named(sorted(spellings.values(), key=lambda label: (_place(label, order), label)))


def _place(label: str, order: Sequence[str]) -> tuple[int, list[tuple[bool, int, str]]]:
    """Where a label comes: by the dataset's order, then by name, 2 before 10."""
    parts = re.findall(r"\d{1,9}|\D+", label.casefold())
    digits = [part[0].isdecimal() for part in parts]
    key = [
        (not digit, int(part) if digit else 0, part)
        for part, digit in zip(parts, digits, strict=True)
    ]
    return (order.index(label) if label in order else len(order)), key
