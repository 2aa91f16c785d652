"""mien reads the expression on every face in a picture, and shows what it looked at.

Importing it does no work: `Recognizer` and `read_video` are fetched on first use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.recognize.recognizer import Recognizer
    from mien.video import read_video

__all__ = ["Recognizer", "__version__", "read_video"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for."""
    if name == "Recognizer":
        from mien.recognize.recognizer import Recognizer

        return Recognizer
    if name == "read_video":
        from mien.video import read_video

        return read_video
    raise AttributeError(f"module 'mien' has no attribute {name!r}")
