"""When each frame is shown: time stamps of a film, mended so that they only go forward.

Imports nothing. Knows nothing of frames and files.
"""

__all__ = ["Clock"]


class Clock:
    """Turns time stamps into seconds from the first frame on.

    A stamp that is missing, or not after the one before, is replaced by one frame's time after
    the one before. Where a second one in a row runs backwards, the film's own clock was set back
    (two films glued together), and time goes on from there.

    Attributes:
        start_s: the first time stamp.
        mended: how many stamps were replaced.
    """

    def __init__(self, step_s: float) -> None:
        """Start before the first frame.

        Args:
            step_s: how long a frame is shown, above 0.
        """
        self.start_s = 0.0
        self.mended = 0
        self._step_s = step_s
        self._last_s: float | None = None
        self._set_back_s = 0.0  # what is taken off every stamp
        self._maybe_s = 0.0  # what should be, if the next stamp runs backwards too

    def read(self, stamp_s: float | None) -> float:
        """Return when a frame is shown.

        Args:
            stamp_s: as the film has it, or None.

        Returns:
            Seconds from the first frame on, more than at the call before.

        Example:
            >>> clock = Clock(step_s=0.5)
            >>> [clock.read(stamp) for stamp in (7.0, 7.5, None, 8.75, 3.0, 9.75)]
            [0.0, 0.5, 1.0, 1.75, 2.25, 2.75]
        """
        if self._last_s is None:
            self.mended += stamp_s is None
            self.start_s = stamp_s or 0.0
            self._set_back_s, self._last_s = self.start_s, 0.0
            return 0.0
        self._last_s = self._after(self._last_s, stamp_s)
        return self._last_s

    def _after(self, last_s: float, stamp_s: float | None) -> float:
        due_s = last_s + self._step_s
        if stamp_s is None:
            self.mended += 1
            return due_s
        if stamp_s - self._set_back_s > last_s:
            self._maybe_s = self._set_back_s
            return stamp_s - self._set_back_s
        if self._maybe_s != self._set_back_s and stamp_s - self._maybe_s > last_s:
            self._set_back_s = self._maybe_s
            return stamp_s - self._set_back_s
        self.mended += 1
        self._maybe_s = stamp_s - due_s
        return due_s
