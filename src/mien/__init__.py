"""mien reads the expression on every face in a picture, and shows what it looked at.

Importing it does no work: `Recognizer` is fetched on first use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.recognize.recognizer import Recognizer as Recognizer

__all__ = ["Recognizer", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import `Recognizer` when it is first asked for."""
    if name == "Recognizer":
        from mien.recognize.recognizer import Recognizer

        return Recognizer
    raise AttributeError(f"module 'mien' has no attribute {name!r}")
