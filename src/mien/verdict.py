"""From scores to one word: an expression, neutral, or uncertain.
Knows nothing of pictures and models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mien.labels import LABELS, NEUTRAL, UNCERTAIN

__all__ = ["SIX", "USUAL", "Rule"]


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
