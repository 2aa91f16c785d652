"""What a prediction rests on.

Importing it does no work: `explain` and its kin are fetched on first use.
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.explain.methods import METHODS as METHODS
    from mien.explain.methods import explain as explain
    from mien.explain.methods import explain_each as explain_each
    from mien.explain.targets import versus as versus

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "METHODS": "mien.explain.methods",
        "explain": "mien.explain.methods",
        "explain_each": "mien.explain.methods",
        "versus": "mien.explain.targets",
    },
)
