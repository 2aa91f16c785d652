"""Rows of words and numbers as text: for a terminal, or as Markdown.

Knows nothing of what the numbers count.
"""

from collections.abc import Sequence
from statistics import mean, stdev

__all__ = ["as_markdown", "as_text", "mean_and_spread"]

Cell = str | int


def as_text(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Align columns with spaces; numbers to the right.

    Args:
        header: names of the columns.
        rows: one value a column; "" where there is none.

    Returns:
        A line for the header and one a row, without a newline at the end.

    Example:
        >>> print(as_text(["folder", "six"], [["rafdb", 12345], ["a", ""]]))
        folder     six
        rafdb   12,345
        a            -
    """
    cells = [list(header), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = _numeric(rows, len(header))
    lines = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        )
        for line in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    r"""Write a Markdown table.

    Args:
        header: names of the columns.
        rows: one value a column.

    Returns:
        The table, ending with a newline.

    Example:
        >>> as_markdown(["folder", "six"], [["a|b", 12]])
        '| folder | six |\n| --- | ---: |\n| a\\|b | 12 |\n'
    """
    rule = ["---:" if number else "---" for number in _numeric(rows, len(header))]
    shown = [[_shown(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in [list(header), rule, *shown])


def _shown(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else cell or "-"


def mean_and_spread(values: Sequence[float]) -> str:
    """Sum up what several runs gave.

    Args:
        values: one a run; from 1.

    Returns:
        The mean, and the standard deviation of one run where there are several.

    Example:
        >>> mean_and_spread([83.0, 84.0, 85.0]), mean_and_spread([83.04])
        ('84.0 ± 1.0', '83.0')
    """
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{mean(values):.1f} ± {stdev(values):.1f}"


def _numeric(rows: Sequence[Sequence[Cell]], count: int) -> list[bool]:
    """Which columns hold numbers, or nothing."""
    columns = zip(*rows, strict=True) if rows else [()] * count
    return [any(isinstance(cell, int) for cell in column) for column in columns]
