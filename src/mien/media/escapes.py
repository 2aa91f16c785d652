"""Names that would do something where they are only to be shown, made harmless.

A terminal obeys control characters: they are shown as ``\\x1b``. A spreadsheet computes a cell that
begins like a formula: it gets an apostrophe in front, which `unguarded` takes away again. Imports
nothing.
"""

from typing import TypeVar

__all__ = ["escaped", "guarded", "unguarded"]

Cell = TypeVar("Cell")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones too
# Control characters, line separators, and what turns the direction of writing around.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x200E, 0x200F, 0x061C]
_CONTROLS += [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_ESCAPES = {number: repr(chr(number))[1:-1] for number in _CONTROLS}


def escaped(text: object, but: str = "") -> str:
    r"""Show control characters as Python writes them, so that a terminal does not obey them.

    Args:
        text: a name, a path, an error.
        but: characters to leave as they are, such as the newlines between the lines of a table.

    Returns:
        The text, on one line unless `but` has the newline.

    Example:
        >>> escaped("a\x1b[2Jb\n.jpg")
        'a\\x1b[2Jb\\n.jpg'
    """
    return str(text).translate({k: v for k, v in _ESCAPES.items() if chr(k) not in but})


def guarded(cell: Cell) -> Cell | str:
    """Put an apostrophe before text that a spreadsheet would take for a formula.

    Args:
        cell: of a table; only text is changed, and no text that is a number.

    Returns:
        The cell to write. Text with apostrophes and then a formula gets one more, so that
        `unguarded` always gives back what was written.

    Source:
        OWASP, "CSV Injection".

    Example:
        >>> [guarded(cell) for cell in ("=1+1.jpg", "-0.25", -3, "photo.jpg")]
        ["'=1+1.jpg", '-0.25', -3, 'photo.jpg']
    """
    if isinstance(cell, str) and _is_formula(cell):
        return f"'{cell}"
    return cell


def unguarded(cell: str) -> str:
    """Take away the apostrophe of `guarded`.

    Args:
        cell: as read from a table that mien wrote.

    Returns:
        The text.

    Example:
        >>> unguarded("'=1+1.jpg"), unguarded("'tis.jpg")
        ('=1+1.jpg', "'tis.jpg")
    """
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    if not text.lstrip("'").startswith(_FORMULA):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
