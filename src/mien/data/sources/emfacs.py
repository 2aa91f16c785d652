"""Which expression a face shows by its action units: a table of rules, and nothing of files.

The prototypes and their sources: `mien.faces.regions`. DISFA codes the units 1, 2, 4, 5, 6, 9, 12,
15, 17, 20, 25 and 26, so 7, 16 and 23 are left out of the rules. That leaves 4+5 of anger: the
weakest of them.
"""

from collections.abc import Mapping

from mien.faces.regions import PROTOTYPES
from mien.labels import NEUTRAL

__all__ = ["RULES", "UNITS", "expression"]

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
RULES: dict[str, tuple[frozenset[int], ...]] = {
    label: tuple(prototype & frozenset(UNITS) for prototype in prototypes)
    for label, prototypes in PROTOTYPES.items()
}


def expression(intensities: Mapping[int, int], least: int = 2) -> str | None:
    """Name the expression that action units make.

    Of the rules whose units are all there, the one with the most units wins, as fear contains
    surprise's and anger's.

    Args:
        intensities: of each unit in `UNITS`, 0 (absent) to 5.
        least: the intensity from which a unit counts as there, 1 to 5.

    Returns:
        One of the six; ``neutral`` if no unit is there at all; None if no rule fits, or two fit
        equally well.

    Example:
        >>> still = dict.fromkeys(UNITS, 0)
        >>> expression(still | {6: 3, 12: 4}), expression(still), expression(still | {12: 4})
        ('happiness', 'neutral', None)
    """
    if not any(intensities.values()):
        return NEUTRAL
    there = {unit for unit, intensity in intensities.items() if intensity >= least}
    fits = {
        label: max(len(rule) for rule in rules if rule <= there)
        for label, rules in RULES.items()
        if any(rule <= there for rule in rules)
    }
    best = [label for label, size in fits.items() if size == max(fits.values())]
    return best[0] if len(best) == 1 else None
