"""Time stamps that are missing, run backwards or leap ahead become times that go forward.

Knows nothing of frames and files.
"""

from math import inf

__all__ = ["TimeStamps"]


_LITTLE_S = 0.001  # from the frame before to one whose stamp is not after it
_NEAR_S = 1.0  # a stamp so little too early is first taken for a wrong one
_FEW = 4  # so many of these in a row; more are a clock that was set back by a little


class TimeStamps:
    """Turns time stamps into seconds from the first frame on.

    A stamp that is right gives its own time, whatever came before. One that is missing, or too far
    off, is replaced by one frame's time after the one before; one that is repeated, or a little too
    early, by a moment after it, so that the stamps that follow are not overtaken. Where the next
    stamp is as far off, or some more are as little too early, the video's own clock was set anew
    (two videos joined), and time goes on from there.

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
        self._gap_s = step_s  # from the last frame to one without a stamp
        self._little_s = min(step_s, _LITTLE_S)
        self._near_s = max(step_s, _NEAR_S)
        self._last_s: float | None = None
        self._right_s = 0.0  # the last time that was not made up
        self._stamp_s = 0.0  # the last stamp
        self._set_back_s = 0.0  # what is taken off every stamp
        self._maybe_s = 0.0  # what should be, if the clock was set anew
        self._before_s = 0.0  # what was, until the clock was set anew
        self._early = 0  # stamps in a row that were too early

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
            self._set_back_s = self._before_s = self._stamp_s = self.start_s
            self._last_s = 0.0
        elif stamp_s is None:
            self.mended += 1
            self._last_s += self._gap_s
            self._gap_s = self._step_s
        else:
            self._last_s = self._after(self._last_s, stamp_s)
            self._stamp_s = stamp_s
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

    def _after(self, last_s: float, stamp_s: float) -> float:
        time_s = stamp_s - self._set_back_s
        if max(self._right_s, last_s - self._near_s) < time_s < last_s + self._leap_s:
            return self._trusted(last_s, time_s)
        if self._was_set_anew(last_s, stamp_s):
            self._before_s, self._set_back_s = self._set_back_s, self._maybe_s
            return self._trusted(last_s, stamp_s - self._set_back_s)
        self.mended += 1
        due_s = last_s + self._step_s
        if last_s - self._near_s < time_s <= last_s and self._early < _FEW:
            if not self._early:
                self._maybe_s = stamp_s - due_s
            self._early += 1
            return last_s + self._little_s
        self._early, self._maybe_s = _FEW, stamp_s - due_s
        return due_s

    def _trusted(self, last_s: float, time_s: float) -> float:
        """Keep a time that is right; it is too early only where the one before was made up."""
        self._early, self._right_s = 0, time_s
        if time_s <= last_s:
            self.mended += 1
            return last_s + self._little_s
        self._gap_s = min(self._step_s, time_s - last_s)
        return time_s

    def _was_set_anew(self, last_s: float, stamp_s: float) -> bool:
        """Whether a stamp goes on from one before it that was as much too early, or too late."""
        goes_on = last_s < stamp_s - self._maybe_s < last_s + self._leap_s
        return self._early >= _FEW and stamp_s > self._stamp_s and goes_on
