"""The sound of a film, carried over to another file: packet by packet as it is, where it can be.

Imports: mien.film.containers. Knows nothing of pictures.
"""

from math import ceil, inf
from typing import Any

from mien.film.containers import pyav

__all__ = ["COPIED", "Sound"]

# What players expect in an .mp4; sound in any other code (PCM, Vorbis, ...) becomes AAC.
COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_BITS = 96_000  # a second and channel
_MOST_CHANNELS = 2  # of what is encoded anew


class Sound:
    """Writes one stream of sound."""

    def __init__(self, container: Any, audio: Any) -> None:
        """Add the stream to a file that has not been begun.

        Args:
            container: PyAV's, to write to.
            audio: PyAV's stream of the film that is read.
        """
        self._av: Any = pyav()
        self._container = container
        self._step = ceil(1 / (audio.codec_context.sample_rate * audio.time_base))  # least apart
        self._least = self._due = -inf  # of the next packet's time
        self._anew = audio.codec_context.codec.canonical_name not in COPIED
        if not self._anew:
            self._stream = container.add_stream_from_template(audio)
            return
        rate = min(_AAC_RATES, key=lambda known: abs(known - audio.codec_context.sample_rate))
        layout = "mono" if audio.codec_context.channels == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=rate, layout=layout)
        channels = min(audio.codec_context.channels, _MOST_CHANNELS)
        self._stream.codec_context.bit_rate = _AAC_BITS * channels

    def write(self, packet: Any, origin_s: float) -> bool:
        """Write the next packet.

        Args:
            packet: PyAV's, of the film that is read; one without a time is left out.
            origin_s: the time stamp that becomes 0.

        Returns:
            False if it is damaged and had to be decoded; it is left out.
        """
        if self._anew:
            return self._encode(packet, origin_s)
        if packet.pts is not None and packet.dts is not None:
            shift = round(origin_s / float(packet.time_base))
            packet.dts -= shift
            if packet.dts < self._least:  # a file's times must not run backwards
                packet.dts = self._due
            packet.pts = max(packet.pts - shift, packet.dts)
            self._due = packet.dts + max(self._step, packet.duration or 0)
            self._least = packet.dts + self._step
            packet.stream = self._stream
            self._container.mux(packet)
        return True

    def _encode(self, packet: Any, origin_s: float) -> bool:
        try:
            frames = packet.decode()
        except self._av.FFmpegError:
            return False
        for heard in frames:
            if heard.pts is not None:
                heard.pts -= round(origin_s / float(heard.time_base))
            self._container.mux(self._stream.encode(heard))
        return True

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._anew:
            self._container.mux(self._stream.encode(None))
