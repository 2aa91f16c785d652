"""The frames of a video file, one at a time, each with the time at which it is shown.

Only the frames being decoded are in memory, however long the video is. A damaged stretch is counted
and skipped; wrong time stamps are counted and mended, so that time only goes forward. Knows nothing
of faces.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mien.errors import BadImageError, BadSettingError
from mien.media.decoder import (
    FIX,
    MAX_PIXELS,
    as_bad_video,
    damages,
    open_container,
    picture_streams,
)
from mien.media.frame import Frame, Geometry
from mien.media.pipe import Pipe, index_is_last, keep
from mien.media.timestamps import TimeStamps
from mien.media.video_source import USUAL_RATE, VideoSource, check_rate

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["VideoFile"]

_MOST_RATE = 10_000.0  # where a file says more, it means units of its clock
# FFmpeg's names for pictures one after another, without times.
_RAW = frozenset({"cavsvideo", "h261", "h263", "h264", "hevc", "m4v", "mpegvideo", "vvc"})
_CLOCK_LEAPS = 0x200  # FFmpeg's flag of formats whose clocks may be set anew, as in a broadcast
_LEAP_S = 10.0  # how far, as in FFmpeg's own programs
_MOST_HEARD = 256 << 20  # bytes of sound that wait for a picture


class VideoFile(VideoSource):
    """A video file, a stream that holds one, or an address."""

    def __init__(
        self,
        source: str | Path | IO[bytes] | Pipe,
        name: str = "",
        sound: bool = False,
        rate: float = 0,
        allow_network: bool = False,
    ) -> None:
        """Open a video.

        Args:
            source: a file, a stream or, if that is allowed, an address.
            name: what to call a stream in an error.
            sound: also keep its sound, to be fetched with `heard`.
            rate: frames a second of a raw stream, such as an .h264; 0 for what it says, or 25.
            allow_network: let addresses be opened, and lists of other files and addresses.

        Raises:
            BadImageError: if there is no such file, or it is no video.
            BadSettingError: if a rate is given to a video that has its own, or is not above 0.
            MissingExtraError: if PyAV is not installed.
        """
        super().__init__(name or str(source))
        check_rate(rate)
        with ExitStack() as stack:
            self._pipe = source if isinstance(source, Pipe) else None
            if self._pipe and index_is_last(self._pipe):
                source = stack.enter_context(keep(self._pipe, self.name))
            try:
                self._container = open_container(source, self.name, rate, allow_network)
            finally:
                if self._pipe:
                    self._pipe.pass_on_interrupt()
            stack.callback(self._container.close)
            with as_bad_video(self.name):
                self._read_head(rate, sound)
            self._open = stack.pop_all()

    def _read_head(self, rate: float, sound: bool) -> None:
        stream, *others = picture_streams(self._container)
        self._stream = stream
        if others:
            its_own = "each is read once it is a file of its own"
            self.left_out = [f"left out, other streams of pictures: {len(others)} ({its_own})"]
        stream.thread_type = "AUTO"
        stream.codec_context.options |= {"max_pixels": str(MAX_PIXELS)}
        kind = self._container.format
        if rate and kind.name not in _RAW:
            raise BadSettingError(f"{self.name} has its own rate", fix="leave out the rate")
        self.length = max(stream.frames, 0)
        self.rate = rate or _sane_rate(stream)
        self._is_even = rate > 0  # the times are counted, not read
        self._unit_s = stream.time_base or Fraction(0)
        self.time_base = float(self._unit_s)
        leap_s = _LEAP_S if kind.flags & _CLOCK_LEAPS else inf
        self._step_s = 1 / (self.rate or USUAL_RATE)
        self._stamps = TimeStamps(self._step_s, leap_s)
        self._geometry = Geometry(Fraction(stream.sample_aspect_ratio or 1))
        self._heard: deque[Any] = deque()
        self._held_s = 0.0  # the last time at which a frame was shown on
        self._others_end_s = 0.0  # of sound, words and other pictures, by the clock of the file
        self._ended = False
        self._came = self._fetched = 0  # bytes of sound; each is counted by one thread
        self.sounds = tuple(filter(_can_be_heard, self._container.streams.audio)) if sound else ()

    @property
    def is_endless(self) -> bool:
        """Whether nothing says where it ends: no length, and no size on a disk or a server."""
        says = self.length or self._stream.duration or self._container.duration
        return not says and (self._container.size or 0) <= 0

    @property
    def has_sound(self) -> bool:
        """Whether there is sound beside its pictures."""
        return bool(self._container.streams.audio)

    @property
    def colour_is_named(self) -> bool:
        """Whether it says how its colours are to be understood."""
        return int(self._stream.codec_context.colorspace) != 2  # 2 is "unspecified"

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame that can be decoded; the pixels are converted when asked for.

        Raises:
            BadImageError: if not one can be.
        """
        number, time_s = 0, 0.0  # of the frame
        for shown in self._decoded():
            time_s = number * self._step_s if self._is_even else self._time_s(shown)
            yield Frame(number, time_s, shown, self._geometry)
            number += 1
        self._ended = True
        if number == 0:
            larger = f"or larger ones than {MAX_PIXELS:,} pixels"
            raise BadImageError(f"damaged video: {self.name} has no frame to show, {larger}", FIX)
        self.missing_s = max(0.0, self._missing_s(self._end_s(time_s)))

    def _time_s(self, shown: "VideoFrame") -> float:
        unit = self._unit_s
        stamp = None if shown.pts is None else shown.pts * unit.numerator / unit.denominator
        time_s = self._stamps.read(stamp)
        self.start_s, self.mended = self._stamps.start_s, self._stamps.mended
        return round(time_s, 9)  # 1.007 - 0.007 is a little under 1

    def _decoded(self) -> Iterator["VideoFrame"]:
        streams = self._container.streams
        packets = self._container.demux([*streams.video, *streams.audio, *streams.subtitles])
        while (packet := self._tried(next, packets, None)) is not None:
            if packet.stream is not self._stream:
                self._pass(packet)
            elif packet.size:
                yield from self._tried(packet.decode) or ()
            elif packet.pts is not None:  # an empty one: the frame before is shown on
                self._held_s = float(packet.pts * self._unit_s)
        yield from self._tried(self._stream.decode, None) or ()

    def _tried(self, call: Callable[..., Any], *arguments: object) -> Any:
        """What a call of PyAV returns; None, counted, where it finds damage."""
        try:
            return call(*arguments)
        except damages():
            self.damaged += 1
            return None

    def _pass(self, packet: Any) -> None:
        """Note when a packet of another stream ends, and keep it if its sound is wanted."""
        if packet.pts is not None:
            end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self._others_end_s = max(self._others_end_s, end_s)
        if packet.stream in self.sounds:
            self._hear(packet)

    def _hear(self, packet: Any) -> None:
        """Keep a packet of sound until it is fetched; where pictures are absent, not endlessly."""
        if self._came + packet.size - self._fetched > _MOST_HEARD:
            self.damaged += 1
            return
        self._came += packet.size
        self._heard.append(packet)

    def _end_s(self, time_s: float) -> float:
        """When the last frame ends by the clock of the start, as the length of a file counts."""
        if self._is_even:
            return inf
        leapt_s = max(0.0, self._stamps.change_s)
        return max(time_s + leapt_s, self._held_s - self.start_s) + self._step_s

    def _missing_s(self, end_s: float) -> float:
        """How much later than `end_s` the pictures end, or the whole film, as the file says."""
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base) - end_s
        # .mkv and .flv only tell when their longest stream ends, by its own clock
        whole_s = float(self._container.duration or 0) / 1e6  # FFmpeg counts it in microseconds
        return whole_s - max(self.start_s + end_s, self._others_end_s)

    def heard(self) -> Iterator[Any]:
        """Yield the packets of the sound that came by since the last call, oldest first.

        Those that leap ahead wait until the pictures show whether the clock was set anew.
        """
        while self._heard:
            packet = self._heard[0]
            stamp_s = None if packet.pts is None else float(packet.pts * packet.time_base)
            if stamp_s is not None and not self._ended and self._stamps.is_far(stamp_s):
                return
            self._heard.popleft()
            self._fetched += packet.size
            yield packet

    def clock_change_s(self, stamp_s: float) -> float:
        """Return by how much its clock had been set forward when a packet of sound was made."""
        return self._stamps.clock_change_s(stamp_s)

    def stop(self) -> None:
        """Let a thread that waits for a stream's next bytes go on, and see its end."""
        if self._pipe:
            self._pipe.stop()

    def __exit__(self, *_: object) -> None:
        """Close the file, once the decoder's threads are at rest."""
        self._stream.codec_context.flush_buffers()
        self._open.close()


def _sane_rate(stream: Any) -> float:
    """Frames a second, as the file says; 0 if it does not, or says what cannot be."""
    rate = float(stream.average_rate or 0)
    return rate if 0 < rate <= _MOST_RATE else 0.0


def _can_be_heard(audio: Any) -> bool:
    return audio.codec_context is not None and audio.codec_context.sample_rate > 0
