"""A video becomes JSON lines, frame by frame, as ``mien video --json`` or its CSV has them.

The last line is ``{"end": {...}}``: how many frames were read, what was damaged or is missing, and
why the answer was cut off, if it was. Without it the answer is not whole. Knows nothing of HTTP.
"""

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from mien.errors import BadImageError, BadSettingError, MienError
from mien.media.sources import open_stream
from mien.media.video_source import VideoSource
from mien.recognize.recognizer import Recognizer
from mien.recognize.results import VideoFrame, video_header
from mien.recognize.video import Choice, VideoRecognizer, recognize_frames
from mien.serve.bodies import Given

__all__ = ["Form", "VideoRequest", "video_lines"]

Form = Literal["records", "rows"]


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """How a video is to be read.

    Attributes:
        every: faces are read in one frame of so many, as for ``mien video``.
        smooth_s: time constant of the smoothing in seconds; 0 for none.
        seconds: of the video, after which the answer ends; None for all.
        form: a line a frame, or a line a face and frame with the columns of the CSV.
    """

    every: int = 1
    smooth_s: float = 0.3
    seconds: float | None = None
    form: Form = "records"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.every < 1 or not 0 <= self.smooth_s < float("inf"):
            raise BadSettingError(
                f"every = {self.every}, smooth = {self.smooth_s}: 1 or more, and 0 or more",
                fix="leave them out for the usual ones",
            )


def video_lines(
    recognizer: Recognizer, given: Given, wanted: VideoRequest, max_work_s: float
) -> Iterator[str]:
    """Read a video.

    Args:
        recognizer: reads the faces; may be shared.
        given: the video.
        wanted: how.
        max_work_s: seconds after which the answer is cut off.

    Yields:
        Lines of JSON, each with its newline. What goes wrong behind the first is in the last.

    Raises:
        BadImageError: if it is no video.
        MienError: as it is, if the first frame cannot be read.
    """
    if isinstance(given.data, BadImageError):
        raise given.data
    lines, count, cut = _FORMS[wanted.form], 0, None
    choice = Choice(wanted.every, wanted.smooth_s, heatmap=wanted.form == "records")
    with open_stream(io.BytesIO(given.data), given.name) as source:
        start = time.monotonic()
        try:
            with closing(recognize_frames(source, VideoRecognizer(recognizer, choice))) as frames:
                for frame in frames:
                    if wanted.seconds is not None and frame.time_s >= wanted.seconds:
                        break
                    if time.monotonic() - start > max_work_s:
                        cut = f"{max_work_s:g} s of work are over"
                        break
                    count += 1
                    yield from map(_line, lines(frame))
        except MienError as error:
            if not count:
                raise
            cut = error.message
        yield _line({"end": _end(source, count, cut)})


def _line(value: object) -> str:
    return json.dumps(value) + "\n"


def _end(source: VideoSource, count: int, cut: str | None) -> dict[str, Any]:
    return {
        "frames": count,
        "damaged": source.damaged,
        "mended": source.mended,
        "missing_s": round(source.missing_s, 3),
        "left_out": list(source.left_out),
        "cut": cut,
    }


def _records(frame: VideoFrame) -> list[dict[str, Any]]:
    return [frame.record()]


def _rows(frame: VideoFrame) -> list[dict[str, Any]]:
    time_s = round(frame.time_s, 3)  # a number, which a row has as text
    return [
        dict(zip(video_header(face.labels), row, strict=True)) | {"time_s": time_s}
        for face, row in zip(frame.faces, frame.rows(), strict=True)
    ]


_FORMS: dict[str, Callable[[VideoFrame], list[dict[str, Any]]]] = {
    "records": _records,
    "rows": _rows,
}
