"""Standard input as a video: shown as it comes, or kept in a file where its end must be read first.

A phone writes the index of a video at its end, and an animated WebP is read as a whole; both are
copied to a temporary file, which the system removes even if the run is killed. Knows nothing of
frames.
"""

import select
import sys
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

from mien.errors import BadImageError

__all__ = ["MAX_KEPT", "Pipe", "index_is_last", "keep"]

MAX_KEPT = 8 << 30  # bytes of standard input that are copied to a temporary file
_CHUNK = 1 << 20
_FAR = 1 << 20  # how far into the input the index is looked for
_HEADS = frozenset({b"ftyp", b"styp", b"wide", b"free", b"skip", b"pnot", b"mdat", b"uuid"})


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
        self._ahead = b""  # looked at, and not read yet
        self._stopped = False
        self.interrupted = False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end.

        Args:
            size: most bytes wanted.

        Returns:
            What there is.
        """
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._arrived(size)

    def look(self, size: int) -> bytes:
        """Return the next bytes without reading them.

        Args:
            size: how many are wanted.

        Returns:
            So many, or all there are.

        Raises:
            KeyboardInterrupt: if Ctrl-C was pressed.
        """
        while len(self._ahead) < size and (data := self._arrived(size - len(self._ahead))):
            self._ahead += data
        self.pass_on_interrupt()
        return self._ahead[:size]

    def _arrived(self, size: int) -> bytes:
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

    def pass_on_interrupt(self) -> None:
        """Raise the Ctrl-C that was kept from FFmpeg.

        Raises:
            KeyboardInterrupt: if it was pressed.
        """
        if self.interrupted:
            raise KeyboardInterrupt


def _available(stream: IO[bytes], size: int) -> bytes:
    """What is there now; a buffered reader's `read` would wait until all of `size` is."""
    data: bytes = getattr(stream, "read1", stream.read)(size)
    return data


def index_is_last(pipe: Pipe) -> bool:
    """Whether an .mp4 or .mov comes with its pictures before their index.

    Args:
        pipe: at its start; nothing is read from it.

    Returns:
        False for any other kind of video.
    """
    start = 0
    while start < _FAR:
        box = pipe.look(start + 16)[start:]  # size in 4 bytes, kind in 4, larger sizes in 8
        size, kind = int.from_bytes(box[:4], "big"), box[4:8]
        if kind == b"mdat" or kind not in _HEADS:
            return kind == b"mdat"
        size = int.from_bytes(box[8:], "big") if size == 1 else size
        if size < 8:
            return False
        start += size
    return True


def keep(pipe: Pipe, name: str, most: int = MAX_KEPT) -> IO[bytes]:
    """Copy what comes to a temporary file that can be read in any order.

    Args:
        pipe: read to its end.
        name: what to call it in an error.
        most: bytes that may be copied.

    Returns:
        The file, at its start; it is gone when it is closed.

    Raises:
        BadImageError: if it is too long, or there is no room for it.
    """
    try:
        with ExitStack() as stack:
            file = stack.enter_context(TemporaryFile(prefix="mien-"))
            while data := pipe.read(_CHUNK):
                if file.tell() + len(data) > most:
                    raise BadImageError(
                        f"{name} has its index at its end, and more than {most:,} bytes before it",
                        fix="give the video by its name",
                    )
                file.write(data)
            pipe.pass_on_interrupt()
            file.seek(0)
            stack.pop_all()
    except OSError as error:
        raise BadImageError(
            f"cannot keep {name} until its index comes: {error.strerror or error}",
            fix="give the video by its name, or name a folder with more room in TMPDIR",
        ) from error
    return file
