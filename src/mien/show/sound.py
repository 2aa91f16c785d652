"""The sound of a film, carried over to another file: packet by packet as it is, where it can be.

Imports: PyAV's objects, handed in. Knows nothing of pictures.
"""

from typing import Any

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
        self._container = container
        self._last: int | None = None
        self._encoder: Any = None
        if audio.codec_context.codec.canonical_name in COPIED:
            self._stream = container.add_stream_from_template(audio)
            return
        rate = min(_AAC_RATES, key=lambda known: abs(known - audio.codec_context.sample_rate))
        layout = "mono" if audio.codec_context.channels == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=rate, layout=layout)
        self._encoder = self._stream.codec_context
        self._encoder.bit_rate = _AAC_BITS * min(audio.codec_context.channels, _MOST_CHANNELS)

    def write(self, packet: Any, origin_s: float) -> None:
        """Write the next packet.

        Args:
            packet: PyAV's, of the film that is read; one without a time is left out.
            origin_s: the time stamp that becomes 0.
        """
        if self._encoder is not None:
            self._encode(packet, origin_s)
        elif packet.pts is not None and packet.dts is not None:
            shift = round(origin_s / float(packet.time_base))
            late = 0 if self._last is None else max(0, self._last + 1 - (packet.dts - shift))
            packet.dts += late - shift  # a file's times must not run backwards
            packet.pts = max(packet.pts - shift, packet.dts)
            self._last = packet.dts
            packet.stream = self._stream
            self._container.mux(packet)

    def _encode(self, packet: Any, origin_s: float) -> None:
        for heard in packet.decode():
            if heard.pts is not None:
                heard.pts -= round(origin_s / float(heard.time_base))
            self._container.mux(self._encoder.encode(heard))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._encoder is not None:
            self._container.mux(self._encoder.encode(None))
