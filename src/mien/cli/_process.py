"""The process of a command: what its standard streams refuse, and the signals that end it.

SIGTERM and SIGHUP end a command as Ctrl-C does: part files are removed, and the exit code says
which signal it was: 143 and 129. After SIGKILL the next run removes them. A reader that goes away
(``| head``) ends a command without a word, with exit code 1.
"""

import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO

from mien.cli._shared import echo, echo_error
from mien.errors import MienError, OutputError
from mien.media.parts import drop_claimed

__all__ = ["command_process"]

_SIGNALS = ("SIGTERM", "SIGHUP")
_GRACE_S = 5.0  # a second signal may not interrupt the cleaning up; if it takes longer, it ends all


@contextmanager
def command_process() -> Iterator[None]:
    """Let a command run in this process, and end it with the right message and exit code.

    Yields:
        Nothing.
    """
    sys.stdout = _guarded(sys.stdout, "standard output")
    sys.stderr = _guarded(sys.stderr, "standard error")
    came = _end_on_signals()
    try:
        try:
            yield
        except ImportError:  # what compiled code makes of a signal that meets its import
            if not came:
                raise
            raise _Ended(came[0]) from None
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # else the interpreter does so, too late for an error of ours
    except _Ended as ended:
        _end_children()
        with suppress(MienError, BrokenPipeError):  # its terminal may be gone
            echo(ended.said, err=True)
        raise
    except MienError as error:
        echo_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    finally:
        drop_claimed()


class _Ended(SystemExit):
    """A signal ended the command."""

    def __init__(self, number: int) -> None:
        """Keep the exit code that shells use for it, and what is said; Ctrl-C as click has it."""
        interrupted = number == signal.SIGINT
        self.number = 1 if interrupted else 128 + number
        super().__init__(self.number)
        self.said = "\nAborted!" if interrupted else f"mien: ended by {signal.Signals(number).name}"


def _end_on_signals() -> list[int]:
    """Raise in the main thread; a signal that is ignored, as after nohup, stays so.

    Returns:
        The signals that came, once they do.
    """
    came: list[int] = []
    began: list[float] = []

    def heard(number: int, error: BaseException) -> None:
        if not began:
            began.append(time.monotonic())
            came.append(number)
            raise error
        if time.monotonic() - began[0] >= _GRACE_S:
            drop_claimed()
            os._exit(_Ended(number).number)  # processes that help end with this one

    def end(number: int, _frame: FrameType | None) -> None:
        heard(number, _Ended(number))

    def interrupt(number: int, _frame: FrameType | None) -> None:
        heard(number, KeyboardInterrupt())

    for name in _SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    return came


def _end_children() -> None:
    """End the processes that help; the interpreter would wait for them."""
    if "multiprocessing" in sys.modules:
        from multiprocessing import active_children

        for child in active_children():
            child.terminate()


class _Raw(io.FileIO):
    """The file of a stream: what it refuses is an error with the next step, and said once."""

    def __init__(self, handle: int, name: str) -> None:
        super().__init__(handle, "w", closefd=False)
        self._called = name

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())  # for what is still in the buffer
            os.close(nowhere)
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputError(
                f"cannot write {self._called}: {error.strerror or error}",
                fix="send it to a file on a disk with free space",
            ) from error


def _guarded(stream: TextIO, name: str) -> TextIO:
    """Let a stream take names that are no valid text, and say what it refuses."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED it is the buffer itself
    if not isinstance(raw, io.FileIO) or not isinstance(stream, io.TextIOWrapper):
        return stream  # closed, or a console of Windows
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Raw(raw.fileno(), name)),
        encoding=stream.encoding,
        errors="backslashreplace",  # a file name need not be valid text
        line_buffering=stream.line_buffering or raw is buffer,
    )
