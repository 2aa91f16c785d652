"""What a prediction rests on.

Importing it does no work: `explain` and its kin are fetched on first use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.explain.methods import METHODS, explain, explain_each
    from mien.explain.targets import versus

__all__ = ["METHODS", "explain", "explain_each", "versus"]


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    if name in {"METHODS", "explain", "explain_each"}:
        from mien.explain import methods

        return getattr(methods, name)
    if name == "versus":
        from mien.explain.targets import versus

        return versus
    raise AttributeError(f"module 'mien.explain' has no attribute {name!r}")
