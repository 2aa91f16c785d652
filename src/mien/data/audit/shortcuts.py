"""Labels that something other than the face gives away: the file's name or type, or its colour.

A network finds such a short cut before it finds a smile. Names are looked at as they were in the
database, without their folder, which holds the class by design. Reads no files.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from mien.data.manifest import Row
from mien.labels import parse

__all__ = ["Shortcut", "find_shortcuts"]

_LEAST = 20  # pictures that share a sign; rarer signs are taken together
_INFORMATION = 0.05  # of what there is to know about the label
_GAIN = 0.05  # by which the sign makes a guess better
_OTHER = "(other)"
_LABEL = "(the label)"  # a name that spells the label is naming, not a trace of where it came from


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A sign from which the label can be guessed without seeing a face.

    Attributes:
        source: the database, or "all" when the sign is the database itself.
        sign: ``name``, ``file type``, ``colour`` or ``database``.
        information: share of the label's entropy that the sign takes away, in [0, 1].
        guess: accuracy of guessing each sign's most frequent label, in [0, 1].
        blind: accuracy of guessing the most frequent label always, in [0, 1].
        counts: pictures of each label, by the sign's value.
    """

    source: str
    sign: str
    information: float
    guess: float
    blind: float
    counts: dict[str, dict[str, int]]


def find_shortcuts(rows: Iterable[tuple[Row, bool]]) -> list[Shortcut]:
    """Find the signs that tell more of the label than chance does.

    Args:
        rows: one of each picture, and whether it is grey.

    Returns:
        By database, then by sign; "all" last.
    """
    by_source = defaultdict(list)
    for row, gray in rows:
        by_source[row.source].append((row, gray))
    found = []
    for source in sorted(by_source):
        for sign, read in _SIGNS.items():
            pairs = [(read(row, gray), row.label) for row, gray in by_source[source]]
            found.append(_judged(source, sign, pairs))
    pairs = [(source, row.label) for source, rows in by_source.items() for row, _ in rows]
    found.append(_judged("all", "database", pairs))
    return [giveaway for giveaway in found if giveaway]


def _judged(source: str, sign: str, pairs: list[tuple[str, str]]) -> Shortcut | None:
    """Measure what a sign tells; None if that is next to nothing."""
    often = Counter(value for value, _ in pairs)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for value, label in pairs:
        counts[value if often[value] >= _LEAST else _OTHER][label] += 1
    labels = Counter(label for _, label in pairs)
    if len(counts) < 2 or len(labels) < 2:
        return None
    table = np.array([[count[label] for label in labels] for count in counts.values()])
    total = table.sum()
    bias = (len(counts) - 1) * (len(labels) - 1) / (2 * np.log(2) * total)  # Miller and Madow 1955
    known = _entropy(table.sum(axis=0)) + _entropy(table.sum(axis=1)) - _entropy(table.ravel())
    information = float((known - bias) / _entropy(table.sum(axis=0)))
    guess, blind = float(table.max(axis=1).sum() / total), float(table.sum(axis=0).max() / total)
    if information < _INFORMATION or guess - blind < _GAIN:
        return None
    ordered = sorted(counts, key=lambda value: (-counts[value].total(), value))
    by_value = {value: dict(counts[value].most_common()) for value in ordered}
    return Shortcut(source, sign, information, guess, blind, by_value)


def _entropy(counts: np.ndarray) -> float:
    """Bits of a distribution given by counts."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _name(row: Row, _: bool) -> str:
    """The beginning of the name, up to the first digit."""
    stem = PurePosixPath(row.original).stem.lower()
    words = re.findall(r"[^\W\d_]+", stem)
    if any(parse(word) for word in words):
        return _LABEL
    return re.split(r"\d", stem, maxsplit=1)[0]


def _file_type(row: Row, _: bool) -> str:
    return PurePosixPath(row.original).suffix.lower()


def _colour(_: Row, gray: bool) -> str:
    return "grey" if gray else "colour"


_SIGNS: dict[str, Callable[[Row, bool], str]] = {
    "name": _name,
    "file type": _file_type,
    "colour": _colour,
}
