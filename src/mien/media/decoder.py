"""Open a video with PyAV, from a file or a stream, and say in one message what is wrong with it.

Knows nothing of frames.
"""

import select
import sys
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from mien.errors import BadImageError, MissingExtraError

__all__ = ["FIX", "Pipe", "open_container", "pyav"]

FIX = "give a video file such as .mp4, .mov, .avi or .webm"
# FFmpeg plays anything that holds a JPEG, a .zip of them too; these are its names for such files.
_STILL = ("_pipe", "image2", "mjpeg")


def pyav() -> ModuleType:
    """Return PyAV with its log off: our errors and counts say what is wrong.

    The log must stay off: handed to Python by the decoder's threads, it deadlocks with the thread
    that waits for them (PyAV's issue 751).

    Returns:
        The module ``av``.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import av
    except ImportError:
        raise MissingExtraError("reading a video", "video") from None
    av.logging.set_level(None)
    return av


def open_container(source: "str | Path | IO[bytes] | Pipe", name: str) -> Any:
    """Open a video.

    Args:
        source: a file, or a stream.
        name: what to call it in an error.

    Returns:
        PyAV's container, which has pictures that move.

    Raises:
        BadImageError: if there is no such file, or it is no video.
        MissingExtraError: if PyAV is not installed.
    """
    av = pyav()
    if isinstance(source, str | Path) and not Path(source).is_file():
        raise BadImageError(f"no such file: {source}", fix="check the path")
    try:
        container = av.open(str(source) if isinstance(source, str | Path) else source)
    except (av.FFmpegError, OSError) as error:
        _pass_on_interrupt(source)
        reason = getattr(error, "strerror", None) or error
        raise BadImageError(f"not a video: {name} ({reason})", FIX) from error
    _pass_on_interrupt(source)
    problem = _problem(container)
    if problem:
        container.close()
        raise BadImageError(f"not a video: {name} {problem}", FIX)
    return container


def _pass_on_interrupt(source: object) -> None:
    """Raise the Ctrl-C that FFmpeg swallowed while a pipe was read."""
    if isinstance(source, Pipe) and source.interrupted:
        raise KeyboardInterrupt


def _problem(container: Any) -> str:
    """What makes an opened file no video, or ""."""
    if container.format.name.endswith(_STILL):
        return "is a picture, or a file of pictures"
    if not container.streams.video:
        return "has sound, but no pictures" if container.streams.audio else "has no pictures"
    if container.streams.video[0].codec_context is None:
        return "has pictures in a code that is not known"
    return ""


class Pipe:
    """Standard input that stops waiting for data when it is told to.

    A thread that reads a pipe to which nobody writes would wait for ever, and Ctrl-C with it.

    Attributes:
        interrupted: whether Ctrl-C was pressed while it waited.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        """Keep the stream.

        Args:
            stream: binary, such as ``sys.stdin.buffer``.
        """
        self._stream = stream
        self._stopped = False
        self.interrupted = False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end.

        Args:
            size: most bytes wanted.

        Returns:
            What there is.
        """
        try:
            while not self._stopped:
                if sys.platform == "win32" or select.select([self._stream], [], [], 0.1)[0]:
                    return _available(self._stream, size)
        except KeyboardInterrupt:
            self._stopped = self.interrupted = True  # FFmpeg would swallow it here
        return b""

    def stop(self) -> None:
        """Let a waiting read end, with nothing."""
        self._stopped = True


def _available(stream: IO[bytes], size: int) -> bytes:
    """What is there now; a buffered reader's `read` would wait until all of `size` is."""
    data: bytes = getattr(stream, "read1", stream.read)(size)
    return data
