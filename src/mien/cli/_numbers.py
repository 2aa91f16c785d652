"""The type of options that take a number."""

from math import isnan
from typing import Any

import click

__all__ = ["Number"]


class Number(click.FloatRange):
    """A number in a range; nan, which is neither below a bound nor above it, is refused."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Refuse what is no number."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number
