"""Find shortcuts: signs other than the face that give the label away, as a file's name or colour.

A network learns such a shortcut before it learns a smile. Names are taken as they were in the
dataset, without the folder, which names the class by design. Reads no files.
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

_LEAST = 20  # pictures that have the same value of a sign; rarer values are taken together
_INFORMATION = 0.05  # least share of the label's entropy that a shortcut takes away
_GAIN = 0.05  # least accuracy that guessing gains by a shortcut
_OTHER = "(other)"
_LABEL = "(the label)"  # a file named after its label: no trace of where it came from


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A sign from which the label can be guessed without seeing the face.

    Attributes:
        source: the dataset, or "all" when the sign is the dataset itself.
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
    """Find the signs by which the label can be guessed better than by chance.

    Args:
        rows: the row of each picture, and whether it is grey.

    Returns:
        By dataset, then by sign; "all" last.
    """
    by_source = defaultdict(list)
    for row, gray in rows:
        by_source[row.source].append((row, gray))
    shortcuts = []
    for source in sorted(by_source):
        for sign, read in _SIGNS.items():
            pairs = [(read(row, gray), row.label) for row, gray in by_source[source]]
            shortcuts.append(_measure(source, sign, pairs))
    pairs = [(source, row.label) for source, rows in by_source.items() for row, _ in rows]
    shortcuts.append(_measure("all", "database", pairs))
    return [shortcut for shortcut in shortcuts if shortcut]


def _measure(source: str, sign: str, pairs: list[tuple[str, str]]) -> Shortcut | None:
    """Measure how much a sign says about the label; None if that is next to nothing."""
    frequency = Counter(value for value, _ in pairs)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for value, label in pairs:
        counts[value if frequency[value] >= _LEAST else _OTHER][label] += 1
    labels = Counter(label for _, label in pairs)
    if len(counts) < 2 or len(labels) < 2:
        return None
    table = np.array([[count[label] for label in labels] for count in counts.values()])
    total = table.sum()
    bias = (len(counts) - 1) * (len(labels) - 1) / (2 * np.log(2) * total)  # Miller and Madow 1955
    shared = _entropy(table.sum(axis=0)) + _entropy(table.sum(axis=1)) - _entropy(table.ravel())
    information = float((shared - bias) / _entropy(table.sum(axis=0)))
    guess, blind = float(table.max(axis=1).sum() / total), float(table.sum(axis=0).max() / total)
    if information < _INFORMATION or guess - blind < _GAIN:
        return None
    ordered = sorted(counts, key=lambda value: (-counts[value].total(), value))
    by_value = {value: dict(counts[value].most_common()) for value in ordered}
    return Shortcut(source, sign, information, guess, blind, by_value)


def _entropy(counts: np.ndarray) -> float:
    """Entropy in bits of the distribution that counts describe."""
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
