"""Which action units theory expects in each expression, and where on the face they act.

One table for two uses: `mien.data.sources.emfacs` labels pictures by it, and the evidence of a
network is laid beside it (`mien.evidence`).
Sources: Friesen and Ekman 1983, "EMFACS-7: Emotional Facial Action Coding System" (unpublished
manual, University of California), as its prototypes are commonly printed; Ekman and Friesen 1978,
"Facial Action Coding System", table 11-1, for fear with 25 in the place of 26 and disgust 9+17;
Ekman, Friesen and Hager 2002, "Facial Action Coding System: the manual", for what each unit moves.
The regions of a unit are our reading of that: where its main change is seen, lesser ones left out.
"""

from mien.explain.regions import REGIONS

__all__ = ["PROTOTYPES", "UNITS", "expected", "units_of"]

PROTOTYPES: dict[str, tuple[frozenset[int], ...]] = {
    "happiness": (frozenset({6, 12}),),
    "surprise": (frozenset({1, 2, 5, 26}),),
    "sadness": (frozenset({1, 4, 15}),),
    "anger": (frozenset({4, 5, 7, 23}),),
    "disgust": (frozenset({9, 15, 16}), frozenset({9, 17})),
    "fear": (frozenset({1, 2, 4, 5, 20, 25}), frozenset({1, 2, 4, 5, 20, 26})),
}

# Number: what it does, and the regions where that is seen.
UNITS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("inner brow raiser", ("brows", "forehead")),
    2: ("outer brow raiser", ("brows", "forehead")),
    4: ("brow lowerer", ("brows",)),
    5: ("upper lid raiser", ("eyes",)),
    6: ("cheek raiser", ("cheeks", "eyes")),
    7: ("lid tightener", ("eyes",)),
    9: ("nose wrinkler", ("nose",)),
    12: ("lip corner puller", ("mouth", "cheeks")),
    15: ("lip corner depressor", ("mouth",)),
    16: ("lower lip depressor", ("mouth",)),
    17: ("chin raiser", ("chin", "mouth")),
    20: ("lip stretcher", ("mouth",)),
    23: ("lip tightener", ("mouth",)),
    25: ("lips part", ("mouth",)),
    26: ("jaw drop", ("mouth", "chin")),
}


def units_of(label: str) -> list[int]:
    """Return every action unit of an expression's prototypes, in order.

    Args:
        label: one of the six.

    Returns:
        Their numbers.

    Example:
        >>> units_of("disgust")
        [9, 15, 16, 17]
    """
    return sorted(frozenset.union(*PROTOTYPES[label]))


def expected(label: str) -> tuple[str, ...]:
    """Return the regions where theory expects an expression to be seen.

    Args:
        label: one of the six.

    Returns:
        Names, in the order of `REGIONS`.

    Example:
        >>> expected("happiness")
        ('eyes', 'mouth', 'cheeks')
    """
    found = {region for unit in units_of(label) for region in UNITS[unit][1]}
    return tuple(region for region in REGIONS if region in found)
