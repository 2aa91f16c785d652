"""JSON and TOML that a stranger may have written: small and shallow, or refused.

The gate for a model's card, a checkpoint's header, a run's records and settings. What does not pass
is a `ValueError` or `OSError` with its reason, which the caller turns into its own `MienError`.
Knows nothing of what the documents mean.
"""

import json
import math
import tomllib
from pathlib import Path
from typing import Any

__all__ = ["is_number", "parse_json", "parse_toml", "read_text"]

_MOST_BYTES = 16 * 2**20  # the history of 100,000 epochs
_MOST_LEVELS = 16  # lists and objects inside each other; ours have 4
_BIGGEST = 2**64  # whole numbers of both formats


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8, unless it is larger than any document of ours.

    Args:
        path: of the file.

    Returns:
        Its text.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is too large, no text, or its name holds a NUL character.
    """
    with Path(path).open("rb") as file:
        data = file.read(_MOST_BYTES + 1)  # bounded: a device never ends
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    return data.decode("utf-8-sig")  # editors of Windows put a mark in front


def parse_json(text: str, finite: bool = True) -> Any:
    """Parse JSON.

    Args:
        text: the whole document.
        finite: refuse numbers that are not finite, as the loss of a run that diverged.

    Returns:
        Its value.

    Raises:
        ValueError: if it is no JSON, is nested deeply, or holds a number that is refused.

    Example:
        >>> parse_json('{"a": NaN}')
        Traceback (most recent call last):
        ValueError: it holds NaN, which is no finite number
    """
    try:
        number = _finite if finite else float
        value = json.loads(text, parse_constant=number, parse_float=number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check(value)
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML.

    Args:
        text: the whole document.

    Returns:
        Its values by name.

    Raises:
        ValueError: if it is no TOML, is nested deeply, or holds a whole number of more than 64
            bits. Numbers that are not finite are left to whoever knows what they are for.
    """
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check(value)
    return value


def is_number(value: object, low: float, high: float) -> bool:
    """Tell whether a value is a number in a range; no word, no truth value and no NaN is.

    Args:
        value: of any type.
        low: the smallest allowed.
        high: the largest allowed.

    Returns:
        True if it is.

    Example:
        >>> is_number(0.5, 0, 1), is_number(True, 0, 1), is_number(float("nan"), 0, 1)
        (True, False, False)
    """
    return isinstance(value, int | float) and type(value) is not bool and low <= value <= high


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"it holds {word}, which is no finite number")
    return value


def _check(document: object) -> None:
    """Refuse deep nesting and whole numbers beyond 64 bits, level by level and not by recursion."""
    level = [document]
    for _ in range(_MOST_LEVELS):
        for value in level:
            if isinstance(value, int) and abs(value) > _BIGGEST:
                raise ValueError("it holds a whole number of more than 64 bits")
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise ValueError(f"it is nested more than {_MOST_LEVELS} levels deep")


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []
