"""A file of an archive as a stream, and one error for all that can be wrong with it.

Knows neither names nor datasets.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from mien.errors import BadDataError, BadImageError
from mien.media.files import read_errors

__all__ = ["AGAIN", "LOCKED", "Kind", "as_error", "damages", "part_of", "stream_of"]

# What is raised on a file with a password, or a compression that this Python does not know.
LOCKED: tuple[type[Exception], ...] = (RuntimeError, ImportError)
Kind = type[BadDataError] | type[BadImageError]
AGAIN = "download the archive again"


def damages() -> tuple[type[Exception], ...]:
    """Return what is raised on damaged archives, for an ``except``."""
    return read_errors(OverflowError, struct.error)


def part_of(file: IO[bytes], start: int, size: int) -> io.RawIOBase:
    """Open a part of a file; several of one file may be read in turns.

    Args:
        file: open for reading.
        start: the first byte.
        size: how many there are.

    Returns:
        A stream of them.
    """
    return _Span(file, start, size)


class _Span(io.RawIOBase):
    """A part of a file; several of one file may be read in turns."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._place = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._place)
        data = self._file.read(max(min(len(buffer), self._size - self._place), 0))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = max(offset + (0, self._place, self._size)[whence], 0)
        return self._place

    def tell(self) -> int:
        return self._place


def stream_of(stream: io.BufferedIOBase, name: str, step: int = 0) -> IO[bytes]:
    """Return a stream whose every error is `as_error`'s.

    Args:
        stream: of a file.
        name: of the file.
        step: the most bytes to ask for at once; 0 for any number.

    Returns:
        A binary stream; closing it closes the other.
    """
    return io.BufferedReader(_Stream(stream, name, step))


class _Stream(io.RawIOBase):
    """A file of an archive whose every error is ours."""

    def __init__(self, stream: io.BufferedIOBase, name: str, step: int) -> None:
        self._stream, self._name, self._step = stream, name, step

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self._step or len(buffer))
        with as_error(BadDataError, self._name):
            data = self._stream.read(count)
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        with as_error(BadDataError, self._name):
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def as_error(kind: Kind, name: str) -> Iterator[None]:
    """Turn what goes wrong with one file into one error with its name.

    Args:
        kind: of the error.
        name: of the file.

    Yields:
        Nothing.

    Raises:
        BadDataError: if that is the kind and the file is damaged, locked or unreadable.
        BadImageError: the same.
    """
    try:
        yield
    except LOCKED as error:
        raise kind(
            f"locked in the archive: {name} ({error})", fix="unpack it and give the folder"
        ) from error
    except damages() as error:
        raise kind(f"damaged in the archive: {name} ({error})", fix=AGAIN) from error
