"""What numbers mean: each dataset numbers the expressions in an order of its own.

The orders of two datasets overlap: 0 is anger in FER2013, neutral in AffectNet and happiness here.
So a table or folders of numbers say nothing until somebody says whose they are. Reads nothing.
"""

import re

from mien.errors import BadDataError, BadSettingError
from mien.labels import AFFECTNET, FER2013, PAPER, RAFDB

__all__ = ["NUMBERINGS", "is_order", "number_of", "numberings_with", "order_of"]


def _from(first: int, *labels: str) -> dict[str, str]:
    return {str(number): label for number, label in enumerate(labels, start=first)}


# Whose -> number -> one of the six, neutral, or what is none of ours.
NUMBERINGS: dict[str, dict[str, str]] = {
    "affectnet": _from(0, *AFFECTNET.names, "none of these", "uncertain", "no face"),
    "ckplus": _from(
        0, "neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"
    ),
    "fer2013": _from(0, *FER2013.names),
    "mien": _from(0, *PAPER.targets),
    "rafdb": _from(1, *RAFDB.names),
}  # fmt: skip
_NUMBER = re.compile(r"[\s(\[{<]*(\d{1,9})(?:\.0+)?[\s)\]}>]*")  # 3.0: as pandas writes it


def number_of(word: str) -> str | None:
    """Return the number that a word is.

    Args:
        word: name of a folder, or a cell of a table.

    Returns:
        The number without leading zeros, brackets and ``.0``; None if the word is no number.

    Example:
        >>> number_of("[03]"), number_of("3.0"), number_of("3_anger"), number_of("-3")
        ('3', '3', None, None)
    """
    match = _NUMBER.fullmatch(word)
    return str(int(match[1])) if match else None


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


def is_order(written: str) -> bool:
    """Tell whether a value of ``--labels`` says whose numbers there are, or names a file.

    Args:
        written: as it was given.

    Returns:
        True for a key of `NUMBERINGS`, and for names with commas or equals signs that end like no
        table.
    """
    if written in NUMBERINGS:
        return True
    is_list = "," in written or "=" in written
    return is_list and not written.lower().endswith((".csv", ".tsv", ".txt"))


def order_of(whose: str, numbers: set[str], where: str) -> dict[str, str]:
    """Say what each number means, or refuse to guess.

    Args:
        whose: a key of `NUMBERINGS`; or names with commas, the first for 0, or for 1 if the last
            number that is there is their count; or ``NUMBER=NAME`` with commas; "" if nobody says.
        numbers: that are there, see `number_of`.
        where: they are, for the message.

    Returns:
        Names by number, for all of `numbers`.

    Raises:
        BadDataError: if nobody says whose they are, or `whose` has not all of them.
        BadSettingError: if `whose` is a list that cannot be read.
    """
    order = NUMBERINGS.get(whose) or (_listed(whose, numbers) if whose else {})
    if numbers <= order.keys():
        return order
    fitting = numberings_with(numbers)
    known = " or ".join(f"{name} ({_first_of(name)}, ...)" for name in fitting)
    beside = f"--labels {known} (--numbering beside a file of labels)"
    options = [*([beside] if known else []), "--labels NAME,NAME,... of your own"]
    shown = sorted(numbers, key=int)
    raise BadDataError(
        f"{where} expressions {', '.join(shown[:12])}{', ...' if len(shown) > 12 else ''}: "
        + (f"not the order of {whose}" if whose else "an order of its own?"),
        fix=f"write names, or say whose numbers they are: {', or '.join(options)}",
    )


def _first_of(whose: str) -> str:
    number, name = next(iter(NUMBERINGS[whose].items()))
    return f"{number} {name}"


def _listed(written: str, numbers: set[str]) -> dict[str, str]:
    """Read ``NAME,NAME,...`` or ``NUMBER=NAME,...``."""
    parts = [part.strip() for part in written.split(",")]
    pairs = [[side.strip() for side in part.split("=", 1)] for part in parts]
    if all(len(pair) == 2 and number_of(pair[0]) is not None for pair in pairs):
        order = {number_of(number) or "": name for number, name in pairs}
    else:
        from_one = "0" not in numbers and str(len(parts)) in numbers
        if not from_one and numbers and "0" not in numbers:
            raise BadSettingError(
                f"--labels {written}: the numbers {', '.join(sorted(numbers, key=int))} may count "
                "from 0 or from 1",
                fix=f"say it for each: --labels 1={parts[0]},2=...",
            )
        order = _from(int(from_one), *parts)
    if len(order) < len(parts) or len(set(order.values())) < len(parts) or not all(order.values()):
        raise BadSettingError(
            f"--labels {written}: a number or a name is there twice, or is empty",
            fix="give each number a name of its own",
        )
    return order
