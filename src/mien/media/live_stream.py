"""A live stream of the network: opened again when it breaks off, until it is stopped.

A network camera has no end of its own, so where it ends something has happened on the way. Its
frames' times go on by this machine's clock while it is away. Knows nothing of faces.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from mien.errors import BadImageError
from mien.media.frame import Frame
from mien.media.video_reader import VideoFile
from mien.media.video_source import USUAL_RATE, VideoSource

__all__ = ["LiveStream"]

_PATIENCE_S = 60.0  # without one frame; then the stream has ended
_WAIT_S = 0.5  # before it is opened again; twice as long each time, up to:
_LONGEST_WAIT_S = 8.0


class LiveStream(VideoSource):
    """The frames of an address that does not say where it ends. Its sound is left out."""

    is_live = True

    def __init__(self, first: VideoFile, patience_s: float = _PATIENCE_S) -> None:
        """Go on from an open stream.

        Args:
            first: the stream, opened from an address and not read yet; it is closed here.
            patience_s: how long to try again without a frame before that is the end.
        """
        super().__init__(first.name)
        self._stream: VideoFile | None = first
        self._patience_s = patience_s
        self.rate, self.time_base = first.rate, first.time_base
        self._sound = ["the sound of a live stream"] if first.has_sound else []
        self.left_out = self._sound
        self._breaks: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        """Yield its frames, from every connection.

        Raises:
            BadImageError: if the first connection shows none.
        """
        number, last_s, offset_s = 0, 0.0, 0.0
        stream = self._stream
        while stream is not None:
            try:
                for frame in takewhile(self._goes_on, stream):
                    last_s = offset_s + frame.time_s
                    yield replace(frame, number=number, time_s=last_s)
                    number += 1
            except BadImageError:
                if number == 0:
                    raise
            broken = time.monotonic()
            stream = self._opened_again(stream)
            away_s = time.monotonic() - broken
            offset_s = last_s + max(away_s, 1 / (self.rate or USUAL_RATE))
            if stream is not None:
                self._breaks.append(f"{away_s:.1f} s after {last_s:.1f} s, until it answered again")
                self.left_out = [*self._sound, *self._breaks]

    def _goes_on(self, _frame: Frame) -> bool:
        return not self._stopped

    def _opened_again(self, before: VideoFile) -> VideoFile | None:
        """The stream, once it answers; None if it does not in time, or is not wanted any more."""
        self._close(before)
        end, wait_s = time.monotonic() + self._patience_s, _WAIT_S
        while not self._stopped and time.monotonic() < end:
            try:
                self._stream = VideoFile(self.name, allow_network=True)
            except BadImageError:
                time.sleep(max(0.0, min(wait_s, end - time.monotonic())))
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                return self._stream
        return None

    def _close(self, stream: VideoFile) -> None:
        self.damaged, self.mended = self.damaged + stream.damaged, self.mended + stream.mended
        stream.__exit__()
        self._stream = None

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.stop()
        if self._stream is not None:
            self._close(self._stream)
