"""mien reads the expression on every face in a picture, and shows what it looked at.

Importing it does no work: the public names are fetched on first use.
"""

import os
from typing import TYPE_CHECKING

from mien._lazy import on_first_use

# From 1.29 on ONNX Runtime reports each use to its makers, and keeps a number of the machine in a
# file, unless this is set before it is imported. mien sends and writes only what is asked for.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from mien import errors as errors
    from mien import explain as explain
    from mien import faces as faces
    from mien import labels as labels
    from mien import media as media
    from mien import pixels as pixels
    from mien import recognize as recognize
    from mien import show as show
    from mien import train as train
    from mien.errors import MienError as MienError
    from mien.explain.figure import explain_picture as explain_picture
    from mien.faces.boxes import Box as Box
    from mien.labels import LABELS as LABELS
    from mien.recognize.recognizer import Recognizer as Recognizer
    from mien.recognize.results import Face as Face
    from mien.recognize.results import Picture as Picture
    from mien.recognize.results import VideoFrame as VideoFrame
    from mien.recognize.video import read_video as read_video
    from mien.table_kinds import read_table as read_table
    from mien.train.dataset import ExpressionDataset as ExpressionDataset

__all__ = [  # what `from mien import *` fetches: without ExpressionDataset, which needs torch
    "LABELS",
    "Box",
    "Face",
    "MienError",
    "Picture",
    "Recognizer",
    "VideoFrame",
    "__version__",
    "explain",
    "explain_picture",
    "read_table",
    "read_video",
]

__version__ = "0.1.0"

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "Box": "mien.faces.boxes",
        "ExpressionDataset": "mien.train.dataset",
        "Face": "mien.recognize.results",
        "LABELS": "mien.labels",
        "MienError": "mien.errors",
        "Picture": "mien.recognize.results",
        "Recognizer": "mien.recognize.recognizer",
        "VideoFrame": "mien.recognize.results",
        "errors": "mien.errors",
        "explain": "mien.explain",
        "explain_picture": "mien.explain.figure",
        "faces": "mien.faces",
        "labels": "mien.labels",
        "media": "mien.media",
        "pixels": "mien.pixels",
        "read_table": "mien.table_kinds",
        "read_video": "mien.recognize.video",
        "recognize": "mien.recognize",
        "show": "mien.show",
        "train": "mien.train",
    },
)
