"""What numbers mean: each dataset numbers the expressions in an order of its own.

The orders of two datasets overlap: 0 is anger in FER2013, neutral in AffectNet and happiness here.
So a table of numbers says nothing until somebody says whose they are. Reads nothing.
"""

from mien.labels import LABELS, NEUTRAL

__all__ = ["NUMBERINGS", "numberings_with"]


def _from(first: int, *labels: str) -> dict[str, str]:
    return {str(number): label for number, label in enumerate(labels, start=first)}


# Whose -> number -> one of the six, neutral, or what is none of ours.
NUMBERINGS: dict[str, dict[str, str]] = {
    "affectnet": _from(
        0, "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger",
        "contempt", "none of these", "uncertain", "no face",
    ),
    "ckplus": _from(
        0, "neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"
    ),
    "fer2013": _from(
        0, "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"
    ),
    "mien": _from(0, *LABELS, NEUTRAL),
    "rafdb": _from(
        1, "surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"
    ),
}  # fmt: skip


def numberings_with(numbers: set[str]) -> list[str]:
    """Name the datasets that use all of some numbers.

    Args:
        numbers: as they are written.

    Returns:
        Keys of `NUMBERINGS`.

    Example:
        >>> numberings_with({"0", "6"}), numberings_with({"1", "10"})
        (['affectnet', 'ckplus', 'fer2013', 'mien'], ['affectnet'])
    """
    return [whose for whose, labels in NUMBERINGS.items() if numbers <= labels.keys()]
