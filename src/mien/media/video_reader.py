"""The frames of a video, one at a time, upright, each with the time at which it is shown.

`VideoSource` is anything that shows frames; `VideoFile` is the one read with PyAV, the others are
in sources.py. Only the frames being decoded are in memory, however long the video is. A damaged
stretch is counted and skipped; wrong time stamps are counted and mended, so that time only goes
forward. Knows nothing of faces.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from mien.errors import BadImageError
from mien.media.decoder import FIX, Pipe, open_container, pyav
from mien.pixels import U8

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = [
    "USUAL_RATE",
    "Frame",
    "TimeStamps",
    "VideoFile",
    "VideoSource",
    "every_nth",
    "per_second",
]

USUAL_RATE = 25.0  # frames a second, where nobody says


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        number: how many frames were shown before it.
        time_s: when it is shown, in seconds from the start of the video.
    """

    number: int
    time_s: float
    _shown: "VideoFrame | U8"

    def rgb(self) -> U8:
        """Return its pixels, upright: shape (H, W, 3), uint8, RGB; over white where it is clear."""
        if isinstance(self._shown, np.ndarray):
            return self._shown
        if any(part.is_alpha for part in self._shown.format.components):
            pixels = _over_white(np.asarray(self._shown.to_ndarray(format="rgba"), dtype=np.uint8))
        else:
            pixels = np.asarray(self._shown.to_ndarray(format="rgb24"), dtype=np.uint8)
        turns = round(self._shown.rotation / 90)  # counterclockwise, as the camera noted
        return np.ascontiguousarray(np.rot90(pixels, turns))


def _over_white(rgba: U8) -> U8:
    alpha = rgba[..., 3:].astype(np.uint16)  # (H, W, 1)
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


class VideoSource(ABC):
    """What shows frames one after another: iterate over it once, in a ``with`` block.

    Attributes:
        name: what to call it in an error.
        length: how many frames it says it has; 0 if it does not say.
        rate: frames a second, on average, as it says; 0 if it does not say.
        time_base: seconds that one unit of its time stamps takes; 0 if it has no such unit.
        audio: PyAV's stream of its sound; None if it has none, or none is wanted.
        start_s: the time stamp of the first frame, once it was shown; sound counts from the same 0.
        damaged: so far, how many packets or pictures could not be decoded.
        mended: so far, how many time stamps were missing or ran backwards.
        missing_s: at the end, how many seconds of what it says it has were not there.
    """

    length = 0
    rate = 0.0
    time_base = 0.0
    audio: Any = None
    start_s = 0.0
    damaged = 0
    mended = 0
    missing_s = 0.0

    def __init__(self, name: str) -> None:
        """Start before the first frame.

        Args:
            name: what to call it in an error.
        """
        self.name = name
        self._stopped = False

    @property
    def colour_is_named(self) -> bool:
        """Whether it says how its colours are to be understood."""
        return False

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield its frames, in the order in which they are shown."""

    def heard(self) -> Iterator[Any]:
        """Yield the packets of the sound that came by since the last call, oldest first."""
        return iter(())

    def stop(self) -> None:
        """Let a thread that waits for the next frame go on, and see the end."""
        self._stopped = True

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.stop()


class VideoFile(VideoSource):
    """A video file, or a stream that holds one."""

    def __init__(
        self, source: str | Path | IO[bytes] | Pipe, name: str = "", sound: bool = False
    ) -> None:
        """Open a video.

        Args:
            source: a file, or a stream.
            name: what to call a stream in an error.
            sound: also keep its sound, to be fetched with `heard`.

        Raises:
            BadImageError: if there is no such file, or it is no video.
            MissingExtraError: if PyAV is not installed.
        """
        super().__init__(name or str(source))
        self._av: Any = pyav()
        self._pipe = source if isinstance(source, Pipe) else None
        self._container = open_container(source, self.name)
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._heard: deque[Any] = deque()
        self.audio = _first_audio(self._container) if sound else None
        self.length = self._stream.frames
        self.rate = float(self._stream.average_rate or 0)
        self.time_base = float(self._stream.time_base or 0)
        self._step_s = 1 / (self.rate or USUAL_RATE)
        self._stamps = TimeStamps(self._step_s)

    @property
    def colour_is_named(self) -> bool:
        """Whether it says how its colours are to be understood."""
        return int(self._stream.codec_context.colorspace) != 2  # 2 is "unspecified"

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame that can be decoded; the pixels are converted when asked for.

        Raises:
            BadImageError: if not one can be.
        """
        number, time_s = 0, 0.0
        for shown in self._decoded():
            time_s = self._stamps.read(None if shown.time is None else float(shown.time))
            self.start_s, self.mended = self._stamps.start_s, self._stamps.mended
            yield Frame(number, time_s, shown)
            number += 1
        if number == 0:
            raise BadImageError(f"damaged video: {self.name} has no frame to show", FIX)
        self.missing_s = max(0.0, self._duration_s() - time_s - self._step_s)

    def _decoded(self) -> Iterator["VideoFrame"]:
        wanted = [self._stream] if self.audio is None else [self._stream, self.audio]
        packets = self._container.demux(wanted)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                if packet.stream is not self._stream:
                    self._heard.append(packet)
                    continue
                shown = packet.decode()
            except self._av.FFmpegError:
                self.damaged += 1
                if packet is None:
                    return
                continue
            yield from shown

    def _duration_s(self) -> float:
        """How long the pictures last, as the file says; 0 if it does not."""
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration and not self._container.streams.audio:
            return float(self._container.duration) / 1e6  # FFmpeg counts it in microseconds
        return 0.0

    def heard(self) -> Iterator[Any]:
        """Yield the packets of the sound that came by since the last call, oldest first."""
        while self._heard:
            yield self._heard.popleft()

    def stop(self) -> None:
        """Let a thread that waits for a stream's next bytes go on, and see its end."""
        if self._pipe:
            self._pipe.stop()

    def __exit__(self, *_: object) -> None:
        """Close the file, once the decoder's threads are at rest."""
        self._stream.codec_context.flush_buffers()
        self._container.close()


def _first_audio(container: Any) -> Any:
    """The first stream of sound that can be decoded, or None."""
    for audio in container.streams.audio:
        if audio.codec_context is not None and audio.codec_context.sample_rate:
            return audio
    return None


class TimeStamps:
    """Turns time stamps into seconds from the first frame on.

    A stamp that is missing, or not after the one before, is replaced by one frame's time after
    the one before. Where a second one in a row runs backwards, the video's own clock was set back
    (two videos joined), and time goes on from there.

    Attributes:
        start_s: the first time stamp.
        mended: how many stamps were replaced.
    """

    def __init__(self, step_s: float) -> None:
        """Start before the first frame.

        Args:
            step_s: how long a frame is shown, above 0.
        """
        self.start_s = 0.0
        self.mended = 0
        self._step_s = step_s
        self._last_s: float | None = None
        self._set_back_s = 0.0  # what is taken off every stamp
        self._maybe_s = 0.0  # what should be, if the next stamp runs backwards too

    def read(self, stamp_s: float | None) -> float:
        """Return when a frame is shown.

        Args:
            stamp_s: as the video has it, or None.

        Returns:
            Seconds from the first frame on, more than at the call before.

        Example:
            >>> stamps = TimeStamps(step_s=0.5)
            >>> [stamps.read(stamp) for stamp in (7.0, 7.5, None, 8.75, 3.0, 9.75)]
            [0.0, 0.5, 1.0, 1.75, 2.25, 2.75]
        """
        if self._last_s is None:
            self.mended += stamp_s is None
            self.start_s = stamp_s or 0.0
            self._set_back_s, self._last_s = self.start_s, 0.0
            return 0.0
        self._last_s = self._after(self._last_s, stamp_s)
        return self._last_s

    def _after(self, last_s: float, stamp_s: float | None) -> float:
        due_s = last_s + self._step_s
        if stamp_s is None:
            self.mended += 1
            return due_s
        if stamp_s - self._set_back_s > last_s:
            self._maybe_s = self._set_back_s
            return stamp_s - self._set_back_s
        if self._maybe_s != self._set_back_s and stamp_s - self._maybe_s > last_s:
            self._set_back_s = self._maybe_s
            return stamp_s - self._set_back_s
        self.mended += 1
        self._maybe_s = stamp_s - due_s
        return due_s


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
