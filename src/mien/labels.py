"""The six expressions, their order, and the rule that turns scores into one word.

Every file that names an expression gets the name here, so the order is written once. The word is
one of the six, `neutral` where a face shows none of them, or `uncertain` where it shows none
clearly. Knows nothing of pictures and models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "LABELS",
    "NEUTRAL",
    "NEUTRAL_INDEX",
    "NO_FACE",
    "SIX",
    "UNCERTAIN",
    "USUAL",
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
_SPELLINGS = {
    "happy": "happiness",
    "happiness": "happiness",
    "joy": "happiness",
    "surprise": "surprise",
    "surprised": "surprise",
    "sad": "sadness",
    "sadness": "sadness",
    "angry": "anger",
    "anger": "anger",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "afraid": "fear",
    "neutral": NEUTRAL,
    "calm": NEUTRAL,
}


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
    word = name.strip().lower()
    head, _, tail = word.partition("_")
    return _SPELLINGS.get(tail if head.isdigit() else word)


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


@dataclass(frozen=True, slots=True)
class Rule:
    """When a face is called neutral, and when none of the six is named.

    Attributes:
        neutral_above: a face is ``neutral`` if that is more probable than this; 1 calls none so.
        certain_from: a face is ``uncertain`` if its best score is below this; 0 calls none so.
    """

    neutral_above: float = 0.5
    certain_from: float = 0.0

    def label(self, values: Sequence[float], neutral: float) -> str:
        """Name what a face shows.

        Args:
            values: the six scores in the order of `LABELS`.
            neutral: probability of showing none of them.

        Returns:
            One of `LABELS`, `NEUTRAL` or `UNCERTAIN`.

        Example:
            >>> Rule(certain_from=0.4).label([0.3, 0.3, 0.1, 0.1, 0.1, 0.1], neutral=0.2)
            'uncertain'
        """
        if neutral > self.neutral_above:
            return NEUTRAL
        best = max(values)
        if best < self.certain_from:
            return UNCERTAIN
        return LABELS[list(values).index(best)]


USUAL = Rule()
SIX = Rule(neutral_above=1.0)  # always the best of the six
