"""A progress bar on a terminal's stderr; nothing when piped."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

__all__ = ["bar"]

T = TypeVar("T")


def bar(items: Iterable[T], length: int, label: str = "") -> Iterator[T]:
    """Hand items on while showing how far they are.

    Args:
        items: what is worked through.
        length: how many there are; one alone needs no bar.
        label: put before the bar.

    Yields:
        The items.
    """
    if length < 2 or not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=length, label=label, file=sys.stderr) as shown:
        yield from shown
