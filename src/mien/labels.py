"""Sets of classes, the paper's six among them, and the rule that turns scores into one word.

Every file that names an expression gets the name here, so the order is written once. The word is
one of the six, `neutral` where a face shows none of them, or `uncertain` where it shows none
clearly. Knows nothing of pictures and models.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mien.errors import BadSettingError
from mien.words import meaning

__all__ = [
    "AFFECTNET",
    "FER2013",
    "LABELS",
    "NEUTRAL",
    "NEUTRAL_INDEX",
    "NO_FACE",
    "PAPER",
    "RAFDB",
    "SIX",
    "UNCERTAIN",
    "USUAL",
    "LabelSet",
    "Rule",
    "folder",
    "index",
    "parse",
]

LABELS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
NEUTRAL = "neutral"
UNCERTAIN = "uncertain"  # said of a face whose expression is not clear; never a target
NO_FACE = "no face"  # said of a crop on which none is seen, where asked for; never a target
NEUTRAL_INDEX = len(LABELS)  # only inside training: neutral is the seventh target


def parse(name: str) -> str | None:
    """Return the label that a dataset's own word means.

    Args:
        name: a folder or class name, in any case, with or without our number prefix.

    Returns:
        One of `LABELS`, `NEUTRAL`, or None if the word is not an expression we know.

    Example:
        >>> parse("Sad"), parse("3_anger"), parse("contempt")
        ('sadness', 'anger', None)
    """
    meant = meaning(name)
    return meant if meant in {*LABELS, NEUTRAL} else None


def index(label: str) -> int:
    """Return the class number of a label: 0 to 5, or 6 for neutral.

    Args:
        label: one of `LABELS` or `NEUTRAL`.

    Returns:
        The class number.

    Raises:
        ValueError: if `label` is neither.

    Example:
        >>> index("fear"), index("neutral")
        (5, 6)
    """
    return (*LABELS, NEUTRAL).index(label)


def folder(label: str) -> str:
    """Return the name of the folder that holds a label's crops.

    Args:
        label: one of `LABELS` or `NEUTRAL`.

    Returns:
        ``"0_happiness"`` to ``"5_fear"``, or ``"neutral"``.

    Example:
        >>> folder("surprise"), folder("neutral")
        ('1_surprise', 'neutral')
    """
    return NEUTRAL if label == NEUTRAL else f"{index(label)}_{label}"


_MOST_CLASSES, _MOST_LETTERS = 1_000, 60
_NEVER = (UNCERTAIN, NO_FACE)
_RENAME = "give each class a name of its own"


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The classes that a folder, a run or a model speaks of, in their order.

    Attributes:
        names: what is scored, in the order of the scores; the scores of a face sum to 1.
        calm: the class of a face that shows nothing, or "" if there is none. If it is one of
            `names` it is scored beside the others; else it has a probability of its own, as the
            paper's six and neutral have.
        colours: of `names` in drawings, as ``"#rrggbb"``; () takes those of `mien.show`.

    Raises:
        BadSettingError: if a name is empty, too long, not printable, or there twice in any case of
            letters, or is what mien says of any face (``uncertain``, ``no face``); if there is no
            name or more than 1,000; if colours do not fit. A name may become a folder's, so it
            holds no slash, and no space at its ends.

    Example:
        >>> LabelSet(("yes", "no")).index("no"), PAPER.targets[-1], RAFDB.names[0]
        (1, 'neutral', 'surprise')
    """

    names: tuple[str, ...]
    calm: str = ""
    colours: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse classes that cannot be told apart."""
        object.__setattr__(self, "names", _as_tuple(self.names))
        object.__setattr__(self, "colours", _as_tuple(self.colours))
        for name in self.targets:
            if not _is_name(name):
                expected = f"one to {_MOST_LETTERS} printable letters, no slash, no space at an end"
                raise BadSettingError(f"a class named {name[:80]!a}: expected {expected}", _RENAME)
            if name.casefold() in _NEVER:
                raise BadSettingError(f"a class named {name!r}: mien says so of any face", _RENAME)
        folded = [name.casefold() for name in self.targets]
        twice = sorted({name for name in folded if folded.count(name) > 1})
        if twice:
            raise BadSettingError(f"a class is there twice: {', '.join(twice)}", _RENAME)
        if not 1 <= len(self.names) <= _MOST_CLASSES:
            count = f"{len(self.names)} classes: expected 1 to {_MOST_CLASSES:,}"
            raise BadSettingError(count, fix="name the classes, in the order of their scores")
        if self.colours and len(self.colours) != len(self.names):
            count = f"{len(self.colours)} colours for {len(self.names)} classes"
            raise BadSettingError(count, fix="give one for each class, or none")
        for colour in self.colours:
            if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
                got = f"the colour {colour[:20]!a}: expected #rrggbb"
                raise BadSettingError(got, fix="write it as #e69f00")

    @property
    def targets(self) -> tuple[str, ...]:
        """All that a picture may be labelled as: `names`, then `calm` if it is not among them."""
        return self.names if not self.calm or self.calm in self.names else (*self.names, self.calm)

    def index(self, label: str) -> int:
        """Return the number of a label among `targets`.

        Args:
            label: one of `targets`.

        Returns:
            From 0; that of a calm class beside the scored ones is the last.

        Raises:
            ValueError: if it is none of them.
        """
        return self.targets.index(label)

    def folder(self, label: str) -> str:
        """Return the name of the folder that holds a label's crops.

        Args:
            label: one of `targets`.

        Returns:
            Number and name, as ``"3_anger"``; the name alone for a calm class beside the scored.
        """
        return f"{self.index(label)}_{label}" if label in self.names else self.calm

    @property
    def calm_beside(self) -> bool:
        """Whether the calm class has a probability of its own, beside the scores."""
        return self.targets != self.names

    def outputs(self, neutral: bool) -> int:
        """Return how many outputs a network has that learns the set.

        Args:
            neutral: whether it learns a calm class beside the names.

        Returns:
            One for each name, and one more for such a class.
        """
        return len(self.names) + (neutral and self.calm_beside)

    @property
    def together(self) -> str:
        """All scored classes in words: ``the six``, or with their number."""
        return "the six" if self.names == LABELS else f"the {len(self.names)} classes"

    def probabilities(self, values: Sequence[float], neutral: float) -> dict[str, float]:
        """Put the scores and a calm class beside them on one scale.

        Args:
            values: the scores in the order of `names`, summing to 1.
            neutral: probability in [0, 1] of the calm class.

        Returns:
            By name, in the order of `targets`, summing to 1. Where the calm class lies beside the
            names, each score is of a face that is not calm, so it counts as much as the face is
            not; else the scores stay as they are.

        Example:
            >>> LabelSet(("yes", "no"), "calm").probabilities([0.75, 0.25], neutral=0.5)
            {'yes': 0.375, 'no': 0.125, 'calm': 0.5}
        """
        if not self.calm_beside:
            return dict(zip(self.names, map(float, values), strict=True))
        shares = [float(value) * (1 - float(neutral)) for value in values]
        return dict(zip(self.targets, [*shares, float(neutral)], strict=True))

    def as_record(self) -> dict[str, object]:
        """Return what JSON holds of the set; `from_record` reads it back."""
        return {"names": list(self.names), "calm": self.calm, "colours": list(self.colours)}

    @staticmethod
    def from_record(record: object) -> "LabelSet":
        """Make a set of what a JSON or TOML document says.

        Args:
            record: ``names``, and where there are any ``calm`` and ``colours``; ``calm`` may be
                None. Whoever wrote it.

        Returns:
            The set, checked.

        Raises:
            BadSettingError: if it is no such record.

        Example:
            >>> str(LabelSet.from_record({"names": ["yes", "no"], "calm": None}))
            'yes, no'
        """
        fix = 'write {"names": [...], "calm": "" or a name, "colours": []}'
        if not isinstance(record, Mapping) or not record.keys() <= _KEYS or "names" not in record:
            raise BadSettingError("this is no set of classes", fix)
        calm = record.get("calm") or ""
        names, colours = record["names"], record.get("colours") or []
        if not isinstance(calm, str) or not _are_texts(names) or not _are_texts(colours):
            raise BadSettingError("names and colours of classes are no lists of texts", fix)
        return LabelSet(tuple(names), calm, tuple(colours))

    def __str__(self) -> str:
        """Name the classes, as messages do."""
        beside = f", and {self.calm}" if self.calm_beside else ""
        return ", ".join(self.names) + beside


_KEYS = {"names", "calm", "colours"}


def _is_name(name: str) -> bool:
    fits = 0 < len(name) <= _MOST_LETTERS and name.isprintable() and name == name.strip()
    return fits and not {"/", "\\"} & set(name) and name not in {".", ".."}


def _as_tuple(texts: object) -> tuple[str, ...]:
    """Names or colours as a tuple, which has a hash; a text alone is no list of its letters."""
    if not isinstance(texts, list | tuple) or not _are_texts(texts):
        got = f"names or colours of classes are {str(texts)[:80]!a}: expected a tuple of texts"
        raise BadSettingError(got, fix='write them as ("yes", "no")')
    return tuple(texts)


def _are_texts(values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, str) for value in values)


PAPER = LabelSet(LABELS, NEUTRAL)
AFFECTNET = LabelSet(
    ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"), NEUTRAL
)
FER2013 = LabelSet(
    ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"), NEUTRAL
)
RAFDB = LabelSet(
    ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"), NEUTRAL
)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a face is called neutral, and when none of the classes is named.

    Attributes:
        neutral_above: a face is ``neutral`` if that is more probable than this; 1 calls none so.
        certain_from: a face is ``uncertain`` if its best score is below this; 0 calls none so.
    """

    neutral_above: float = 0.5
    certain_from: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not (0 <= self.neutral_above <= 1 and 0 <= self.certain_from <= 1):
            raise ValueError(f"probabilities are from 0 to 1, got {self}")

    def label(self, values: Sequence[float], neutral: float, labels: LabelSet = PAPER) -> str:
        """Name what a face shows.

        Args:
            values: the scores in the order of the names of `labels`.
            neutral: probability of showing none of them; it counts where the calm class lies
                beside the names.
            labels: the classes; by default the six and neutral.

        Returns:
            One of the names, the calm class or `UNCERTAIN`.

        Example:
            >>> Rule(certain_from=0.4).label([0.3, 0.3, 0.1, 0.1, 0.1, 0.1], neutral=0.2)
            'uncertain'
        """
        if labels.calm_beside and neutral > self.neutral_above:
            return labels.calm
        best = max(values)
        if best < self.certain_from:
            return UNCERTAIN
        return labels.names[list(values).index(best)]


USUAL = Rule()
SIX = Rule(neutral_above=1.0)  # always the best of the scored classes
