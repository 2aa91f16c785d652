"""The frames of a video, one at a time, upright, each with the moment it is shown.

Only the frames being decoded are in memory, however long the video is; a damaged stretch is
counted and skipped. Imports: numpy, PyAV (the ``video`` extra, when it is needed), mien.errors.
Knows nothing of faces.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from mien.errors import BadImageError, MissingExtraError

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["Film", "Frame", "every_nth", "per_second"]

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        number: how many frames were shown before it.
        time_s: when it is shown, in seconds from the start of the video.
    """

    number: int
    time_s: float
    _shown: "VideoFrame"

    def rgb(self) -> U8:
        """Return its pixels, upright: shape (H, W, 3), uint8, RGB."""
        pixels = np.asarray(self._shown.to_ndarray(format="rgb24"), dtype=np.uint8)
        turns = round(self._shown.rotation / 90)  # counterclockwise, as the camera noted
        return np.ascontiguousarray(np.rot90(pixels, turns))


class Film:
    """A video file; iterate over it for its frames, in the order in which they are shown.

    Attributes:
        name: what to call it in an error.
        length: how many frames it says it has; 0 if it does not say.
        rate: frames a second, on average, as it says; 0 if it does not say.
        damaged: so far, how many packets could not be decoded.
    """

    def __init__(self, source: str | Path | IO[bytes], name: str = "") -> None:
        """Open a video.

        Args:
            source: a file, or a stream that can be sought in.
            name: what to call a stream in an error.

        Raises:
            BadImageError: if there is no such file, or it is no video.
            MissingExtraError: if PyAV is not installed.
        """
        self._av: Any = _pyav()
        self.name = name or str(source)
        self.damaged = 0
        if isinstance(source, str | Path) and not Path(source).is_file():
            raise BadImageError(f"no such file: {source}", fix="check the path")
        try:
            opened = str(source) if isinstance(source, str | Path) else source
            self._container = self._av.open(opened)
        except (self._av.FFmpegError, OSError) as error:
            raise BadImageError(f"not a video: {self.name} ({_reason(error)})", _FIX) from error
        still = self._container.format.name.endswith(_STILL)
        if still or not self._container.streams.video:
            self._container.close()
            found = "is a picture, or a file of pictures" if still else "has no pictures"
            raise BadImageError(f"not a video: {self.name} {found}", _FIX)
        self._stream = self._container.streams.video[0]
        self.length: int = self._stream.frames
        self.rate = float(self._stream.average_rate or 0)

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame that can be decoded; the pixels are converted when asked for.

        Raises:
            BadImageError: if not one can be.
        """
        start, number = 0.0, 0
        for shown in self._decoded():
            time_s = float(number if shown.time is None else shown.time)
            start = time_s if number == 0 else start
            yield Frame(number, time_s - start, shown)
            number += 1
        if number == 0:
            raise BadImageError(f"damaged video: {self.name} has no frame to show", _FIX)

    def _decoded(self) -> Iterator["VideoFrame"]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                shown = packet.decode()
            except self._av.FFmpegError:
                self.damaged += 1
                if packet is None:
                    return
                continue
            yield from shown

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._container.close()


# FFmpeg plays anything that holds a JPEG, a .zip of them too; these are its names for such files.
_STILL = ("_pipe", "image2", "mjpeg")
_FIX = "give a video file such as .mp4, .mov, .avi or .webm"


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError:
        raise MissingExtraError("reading a video", "video") from None
    av.logging.set_level(av.logging.PANIC)  # what is wrong is said by our errors and counts
    return av


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def every_nth(frames: Iterable[Frame], n: int) -> Iterator[Frame]:
    """Choose the first frame and every n-th after it.

    Args:
        frames: in order.
        n: 1 chooses all.

    Yields:
        The chosen frames.
    """
    for frame in frames:
        if frame.number % n == 0:
            yield frame


def per_second(frames: Iterable[Frame], rate: float) -> Iterator[Frame]:
    """Choose a number of frames a second, at whatever rate the video was taken.

    Args:
        frames: in order.
        rate: frames a second; the frames there are, if the video has fewer.

    Yields:
        The first frame in each 1/rate of a second.
    """
    due = 0
    for frame in frames:
        slot = int(frame.time_s * rate + 1e-6)  # 1e-6: times are rounded, slots must not be
        if slot >= due:
            due = slot + 1
            yield frame
