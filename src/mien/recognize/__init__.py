"""A picture or a video becomes faces with scores. Knows nothing of drawing and training.

columns      the columns of every table of faces
face         Face: what was read in one; scores, probabilities, label, heat maps
results      Picture, VideoFrame: frozen, checked, each knows its rows and records
notebook     faces as a table of HTML, for notebooks
card         the card inside a model file, and the gate that every model file passes
model        an .onnx file, ready to run: crops in, probabilities and maps out
photographs  are pictures given as crops whole photographs?
rejection    does a crop show a face at all?
recognizer   a picture -> results; the main path of the library
many         many pictures -> results or named failures, side by side
video        a video -> results, smoothed over each track
weights/     the shipped model
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.recognize.many import Failure as Failure
    from mien.recognize.model import Model as Model
    from mien.recognize.recognizer import Recognizer as Recognizer
    from mien.recognize.results import Face as Face
    from mien.recognize.results import Picture as Picture
    from mien.recognize.results import VideoFrame as VideoFrame
    from mien.recognize.video import Choice as Choice
    from mien.recognize.video import Smoother as Smoother
    from mien.recognize.video import VideoRecognizer as VideoRecognizer
    from mien.recognize.video import read_video as read_video

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "Choice": "mien.recognize.video",
        "Face": "mien.recognize.results",
        "Failure": "mien.recognize.many",
        "Model": "mien.recognize.model",
        "Picture": "mien.recognize.results",
        "Recognizer": "mien.recognize.recognizer",
        "Smoother": "mien.recognize.video",
        "VideoFrame": "mien.recognize.results",
        "VideoRecognizer": "mien.recognize.video",
        "read_video": "mien.recognize.video",
    },
)
