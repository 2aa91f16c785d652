"""mien reads the expression on every face in a picture, and shows what it looked at.

Importing it does no work: the public names are fetched on first use.
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.recognize.recognizer import Recognizer as Recognizer
    from mien.recognize.video import read_video as read_video

__version__ = "0.1.0"

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "Recognizer": "mien.recognize.recognizer",
        "read_video": "mien.recognize.video",
    },
)
