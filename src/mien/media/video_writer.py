"""Write a video as H.264 that browsers play, with the time stamps and the sound of its source.

Pipeline: a frame -> even sides -> YUV 4:2:0 -> libx264 -> .mp4, its index in front. Sound is copied
packet by packet where an .mp4 can hold it, else encoded anew as AAC. The file is whole or absent.
Knows nothing of faces.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from math import ceil, floor, inf
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.errors import OutputError
from mien.media.decoder import pyav
from mien.media.video_source import USUAL_RATE, VideoSource
from mien.media.writers import as_output_error, atomic
from mien.pixels import U8

__all__ = ["COPIED", "SUFFIXES", "Sound", "VideoWriter", "atomic_video"]

SUFFIXES = (".mp4", ".m4v", ".mov")
_OPTIONS = {"preset": "ultrafast", "crf": "22"}  # a quarter of veryfast's time, twice its bytes
_FINEST = 1_000_000  # units of time a second; the container counts to 2^31
_USUAL_BASE = Fraction(1, 90_000)
_LEAD_S = 0.1  # sound that starts so much before the pictures is kept, and the pictures wait
_BT601 = 5  # H.264's number for the colours that cv2 makes
# What players expect in an .mp4; sound in any other code (PCM, Vorbis, ...) becomes AAC.
COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_BITS = 96_000  # a second and channel
_MOST_CHANNELS = 2  # of what is encoded anew


@contextmanager
def atomic_video(path: Path, source: VideoSource, threads: int = 0) -> Iterator["VideoWriter"]:
    """Lend the writer of a video that appears when the block ends well.

    Args:
        path: ends in .mp4, .m4v or .mov.
        source: the video that is read: its times, its rate and its sound are kept.
        threads: to encode with; 0 lets libx264 choose.

    Yields:
        The writer.

    Raises:
        OutputError: if the name ends otherwise, or the video cannot be written.
        MissingExtraError: if PyAV is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(
            f"no film format ends in {path.suffix!r}: {path}",
            fix=f"end the name in {', '.join(SUFFIXES)}",
        )
    with atomic(path) as part, ExitStack() as stack:
        with as_output_error(path):
            part.touch()  # a place that cannot be written to is known at once
        writer = VideoWriter(part, path, source, threads)
        stack.callback(writer.drop)
        yield writer
        writer.finish()


class VideoWriter:
    """Writes a video frame by frame; see `atomic_video`.

    What was refused once is refused again by every later call: FFmpeg ends the whole process where
    a file whose head it could not write is written to again.
    """

    def __init__(self, part: Path, path: Path, source: VideoSource, threads: int) -> None:
        """Open the file.

        Args:
            part: to write to.
            path: what to call it in an error.
            source: the video that is read.
            threads: to encode with.
        """
        self._av: Any = pyav()
        self._part = part
        self._path = path
        self._source = source
        self._threads = threads
        self._stream: Any = None
        self._sounds: dict[int, Sound] = {}  # by the number of the stream that is read
        self._base = _base(source)
        self._step = max(1, round(1 / (source.rate or USUAL_RATE) / self._base))
        self._origin_s = 0.0
        self._last: int | None = None
        self._refused: OutputError | None = None
        with self._refusals():
            options = {"movflags": "faststart"}
            self._container = self._av.open(f"file:{part}", "w", format="mp4", options=options)

    def write(self, rgb: U8, time_s: float) -> None:
        """Add a frame, and the sound that came by with it.

        Args:
            rgb: shape (H, W, 3), uint8, RGB; one of another size than the first is scaled to it.
            time_s: when it is shown, from the first frame on.

        Raises:
            OutputError: if the disk refuses it, or refused an earlier one.
        """
        with self._refusals():
            if self._stream is None:
                self._begin(rgb.shape[1], rgb.shape[0])
            self._write_sound()
            self._container.mux(self._stream.encode(self._frame(rgb, time_s)))

    def _begin(self, width: int, height: int) -> None:
        """Add the streams, now that the size and the time stamp of the first frame are known."""
        rate = Fraction(self._source.rate or USUAL_RATE).limit_denominator(100_000)
        stream = self._container.add_stream("libx264", rate=rate, options=_OPTIONS)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = self._base
        stream.codec_context.thread_count = self._threads
        if self._source.colour_is_named:  # else it is left to the player, as in the source
            stream.codec_context.colorspace = _BT601
        self._stream = stream
        self._origin_s = self._source.start_s
        for audio in self._source.sounds:
            self._sounds[audio.index] = Sound(self._container, audio)
            if audio.start_time is not None:
                sound_s = float(audio.start_time * audio.time_base)
                if sound_s < self._source.start_s - _LEAD_S:
                    self._origin_s = min(self._origin_s, sound_s)

    def _frame(self, rgb: U8, time_s: float) -> Any:
        size = (self._stream.width, self._stream.height)
        wanted = (rgb.shape[1] + rgb.shape[1] % 2, rgb.shape[0] + rgb.shape[0] % 2)
        if wanted != size:
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        padding = (0, size[1] - rgb.shape[0], 0, size[0] - rgb.shape[1])
        even = cv2.copyMakeBorder(rgb, *padding, cv2.BORDER_REPLICATE) if any(padding) else rgb
        planes = cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420)
        frame = self._av.VideoFrame.from_ndarray(planes, format="yuv420p")
        due = round((time_s + self._source.start_s - self._origin_s) / self._base)
        step = self._step if self._last is None else max(1, due - self._last)
        frame.pts = due if self._last is None else self._last + step
        frame.time_base = self._base
        frame.duration = self._step
        self._last = frame.pts
        return frame

    def _write_sound(self) -> None:
        for packet in self._source.heard():
            stamp_s = float((packet.pts or 0) * packet.time_base)
            origin_s = self._origin_s + self._source.clock_change_s(stamp_s)
            if not self._sounds[packet.stream.index].write(packet, origin_s):
                self._source.damaged += 1

    def finish(self) -> None:
        """Write what the encoders still hold, and the index.

        Raises:
            OutputError: if the disk refuses it, or refused a frame.
        """
        with self._refusals():
            if self._stream is not None:
                self._write_sound()
                self._container.mux(self._stream.encode(None))
                for sound in self._sounds.values():
                    sound.finish()
            self._container.close()
        self._container = None

    def drop(self) -> None:
        """Let go of the file, unless it is finished."""
        if self._container is not None:
            self._part.unlink(missing_ok=True)  # so that its index is not moved to its front
            with suppress(self._av.FFmpegError, OSError):
                self._container.close()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Turn the first refusal of FFmpeg or the system into an error, and stay with it."""
        if self._refused:
            raise self._refused
        try:
            with as_output_error(self._path, self._av.FFmpegError):
                yield
        except OutputError as error:
            self._refused = error
            raise


def _base(source: VideoSource) -> Fraction:
    """The unit of time: the source's, where it is fine enough for frames and not too fine."""
    base = Fraction(source.time_base).limit_denominator(_FINEST)
    frame_s = 1 / (source.rate or USUAL_RATE)
    return base if 0 < base <= frame_s else _USUAL_BASE


class Sound:
    """Writes the sound of a video into another: copied, or encoded anew."""

    def __init__(self, container: Any, audio: Any) -> None:
        """Add the stream to a file that has not been begun.

        Args:
            container: PyAV's, to write to.
            audio: PyAV's stream of the video that is read.
        """
        self._av: Any = pyav()
        self._container = container
        self._least_step = ceil(1 / (audio.codec_context.sample_rate * audio.time_base))
        self._earliest = self._due = -inf  # of the next packet's time
        self._encodes = audio.codec_context.codec.canonical_name not in COPIED
        if not self._encodes:
            self._stream = container.add_stream_from_template(audio)
            self._keep_names(audio)
            return
        rate = min(_AAC_RATES, key=lambda known: abs(known - audio.codec_context.sample_rate))
        layout = "mono" if audio.codec_context.channels == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=rate, layout=layout)
        channels = min(audio.codec_context.channels, _MOST_CHANNELS)
        self._stream.codec_context.bit_rate = _AAC_BITS * channels
        self._keep_names(audio)

    def _keep_names(self, audio: Any) -> None:
        """Keep what tells several tracks apart: the language, and which one players begin with."""
        self._stream.disposition = audio.disposition.value
        if audio.language:
            self._stream.metadata["language"] = audio.language

    def write(self, packet: Any, origin_s: float) -> bool:
        """Write the next packet.

        Args:
            packet: PyAV's, of the video that is read; one without a time is left out.
            origin_s: the time stamp that becomes 0.

        Returns:
            False if it is damaged and had to be decoded; it is left out.
        """
        if self._encodes:
            return self._encode(packet, origin_s)
        if packet.pts is not None and packet.dts is not None:
            shift = round(origin_s / float(packet.time_base))
            packet.dts -= shift
            if packet.dts < self._earliest:  # a file's times must not run backwards
                packet.dts = self._due
            packet.pts = max(packet.pts - shift, packet.dts)
            self._due = packet.dts + max(self._least_step, packet.duration or 0)
            self._earliest = packet.dts + self._least_step
            packet.stream = self._stream
            self._container.mux(packet)
        return True

    def _encode(self, packet: Any, origin_s: float) -> bool:
        try:
            frames = packet.decode()
        except self._av.FFmpegError:
            return False
        for sound in frames:
            if sound.pts is not None:
                shift = round(origin_s / float(sound.time_base))
                sound.pts = max(sound.pts - shift, self._earliest)
                lasts_s = sound.samples / sound.sample_rate
                self._earliest = sound.pts + floor(lasts_s / sound.time_base)  # none runs backwards
            self._container.mux(self._stream.encode(sound))
        return True

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._encodes:
            self._container.mux(self._stream.encode(None))
