"""Time stamps that are missing, run backwards or leap ahead become times that go forward.

Knows nothing of frames and files.
"""

from math import inf

__all__ = ["TimeStamps"]


class TimeStamps:
    """Turns time stamps into seconds from the first frame on.

    A stamp that is missing, or not after the one before, or too far after it, is replaced by one
    frame's time after the one before. Where a second one in a row is as far off, the video's own
    clock was set anew (two videos joined), and time goes on from there.

    Attributes:
        start_s: the first time stamp.
        mended: how many stamps were replaced.
    """

    def __init__(self, step_s: float, leap_s: float = inf) -> None:
        """Start before the first frame.

        Args:
            step_s: how long a frame is shown, above 0.
            leap_s: a stamp this far after the time of the one before is wrong.
        """
        self.start_s = 0.0
        self.mended = 0
        self._step_s = step_s
        self._leap_s = leap_s
        self._last_s: float | None = None
        self._set_back_s = 0.0  # what is taken off every stamp
        self._maybe_s = 0.0  # what should be, if the next stamp is as far off
        self._before_s = 0.0  # what was, until the clock was set anew

    def read(self, stamp_s: float | None) -> float:
        """Return when a frame is shown.

        Args:
            stamp_s: as the video has it, or None.

        Returns:
            Seconds from the first frame on, more than at the call before.

        Example:
            >>> stamps = TimeStamps(step_s=0.5)
            >>> [stamps.read(stamp) for stamp in (7.0, 7.5, None, 8.75, 3.0, 9.75)]
            [0.0, 0.5, 1.0, 1.75, 2.25, 2.75]
        """
        if self._last_s is None:
            self.mended += stamp_s is None
            self.start_s = stamp_s or 0.0
            self._set_back_s = self._maybe_s = self._before_s = self.start_s
            self._last_s = 0.0
        else:
            self._last_s = self._after(self._last_s, stamp_s)
        return self._last_s

    @property
    def change_s(self) -> float:
        """By how much the clock was set forward since the first stamp, in seconds."""
        return self._set_back_s - self.start_s

    def clock_change_s(self, stamp_s: float) -> float:
        """Return by how much the clock had been set forward when a stamp of the sound was made.

        Args:
            stamp_s: not far from the stamps read last; of the clock as it is, or as it was before.

        Returns:
            Seconds, below 0 if it was set back.
        """
        return self._nearest(stamp_s)[1] - self.start_s

    def is_far(self, stamp_s: float) -> bool:
        """Tell a stamp of the sound that is of a clock of which no stamp was read so far.

        Args:
            stamp_s: of the sound.

        Returns:
            Whether it is too far off.
        """
        return self._nearest(stamp_s)[0] > self._leap_s

    def _nearest(self, stamp_s: float) -> tuple[float, float]:
        """How far a stamp is from the last time by the clock, or the one before, and that clock."""
        last_s = self._last_s or 0.0
        return min(
            (abs(stamp_s - clock - last_s), clock) for clock in (self._set_back_s, self._before_s)
        )

    def _after(self, last_s: float, stamp_s: float | None) -> float:
        due_s = last_s + self._step_s
        if stamp_s is None:
            self.mended += 1
            return due_s
        if last_s < stamp_s - self._set_back_s < last_s + self._leap_s:
            self._maybe_s = self._set_back_s
            return stamp_s - self._set_back_s
        known = self._maybe_s != self._set_back_s
        if known and last_s < stamp_s - self._maybe_s < last_s + self._leap_s:
            self._before_s, self._set_back_s = self._set_back_s, self._maybe_s
            return stamp_s - self._set_back_s
        self.mended += 1
        self._maybe_s = stamp_s - due_s
        return due_s
