"""What shows frames one after another: `VideoSource`, and which of its frames are used.

A video file, standard input, pictures, a camera: to the rest of mien they are alike. Knows nothing
of files and faces.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Any, Self

from mien.errors import BadImageError, BadSettingError
from mien.media.frame import Frame
from mien.pixels import U8

__all__ = ["USUAL_RATE", "VideoSource", "check_rate", "every_nth", "per_second"]

USUAL_RATE = 25.0  # frames a second, where nobody says
_ROUNDED_S = 0.001  # by which a time may be too early: in many films it is in whole milliseconds


class VideoSource(ABC):
    """What shows frames one after another: iterate over it once, in a ``with`` block.

    Attributes:
        name: what to call it in an error.
        length: how many frames it says it has; 0 if it does not say.
        rate: frames a second, on average, as it says; 0 if it does not say.
        time_base: seconds that one unit of its time stamps takes; 0 if it has no such unit.
        sounds: PyAV's streams of its sound; empty if it has none, or none is wanted.
        start_s: the time stamp of the first frame, once it was shown; sound counts from the same 0.
        damaged: so far, how many packets or pictures could not be decoded.
        mended: so far, how many time stamps were missing, ran backwards or leapt ahead.
        left_out: what of it is not shown, each reason in a line with names.
        files: the pictures that it shows, where these are files.
        missing_s: at the end, how many seconds of what it says it has were not there.
        is_live: whether it goes on until it is stopped, as a camera does.
    """

    length = 0
    rate = 0.0
    time_base = 0.0
    sounds: tuple[Any, ...] = ()
    start_s = 0.0
    damaged = 0
    mended = 0
    left_out: Sequence[str] = ()
    files: Sequence[Path] = ()
    missing_s = 0.0
    is_live = False

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

    def pictures(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, U8]]:
        """Convert frames of this source; one that cannot be is left out and counted as damaged.

        Args:
            frames: all of them, or some.

        Yields:
            Each frame with its pixels: shape (H, W, 3), uint8, RGB.

        Raises:
            BadImageError: if there are frames, and not one of them can be converted.
        """
        any_shown, last_error = False, None
        for frame in frames:
            try:
                rgb = frame.rgb()
            except BadImageError as error:
                self.damaged += 1
                last_error = error
                continue
            any_shown = True
            yield frame, rgb
        if last_error and not any_shown:
            raise BadImageError(
                f"{self.name}: {last_error.message}", last_error.fix
            ) from last_error

    @property
    def audio(self) -> Any:
        """PyAV's first stream of its sound; None if it has none, or none is wanted."""
        return self.sounds[0] if self.sounds else None

    def heard(self) -> Iterator[Any]:
        """Yield the packets of the sound that came by since the last call, oldest first."""
        return iter(())

    def clock_change_s(self, stamp_s: float) -> float:
        """Return by how much its clock had been set forward when a packet of sound was made.

        Args:
            stamp_s: the packet's time.

        Returns:
            Seconds, below 0 if it was set back.
        """
        return 0.0

    def stop(self) -> None:
        """Let a thread that waits for the next frame go on, and see the end."""
        self._stopped = True

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.stop()


def check_rate(rate: float) -> None:
    """Refuse a number of frames a second that cannot be.

    Args:
        rate: 0 where none is given.

    Raises:
        BadSettingError: if it is below 0, endless or no number.

    Example:
        >>> check_rate(-5)
        Traceback (most recent call last):
        mien.errors.BadSettingError: a rate is above 0 frames a second, got -5
          try: give a number such as 25, or leave it out
    """
    if not 0 <= rate < inf:
        raise BadSettingError(
            f"a rate is above 0 frames a second, got {rate}",
            fix="give a number such as 25, or leave it out",
        )


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
        slot = int((frame.time_s + _ROUNDED_S) * rate + 1e-6)  # 1e-6: 0.29 * 100 is under 29
        if slot >= due:
            due = slot + 1
            yield frame
