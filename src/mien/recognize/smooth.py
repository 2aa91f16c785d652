"""Scores that do not flicker: each track's logits, averaged over the last moments.

Exponential smoothing, weighted by time and not by frames, and of the past only: what is shown at
a moment never depends on a later one. Imports: numpy. Knows nothing of films and faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Smoother"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_LEAST = 1e-6  # probability; the logarithm of 0 would never be forgotten
_FORGOTTEN = 10  # time constants after which the past weighs less than 1 in 20,000


@dataclass(slots=True, eq=False)
class _State:
    time_s: float
    logits: F64  # (7,): of the six scores, then neutral's


class Smoother:
    """Remembers each track's logits."""

    def __init__(self, time_constant_s: float) -> None:
        """Start without tracks.

        Args:
            time_constant_s: after this time a change has come through by 63 %; 0 smooths nothing.

        Raises:
            ValueError: if it is negative.
        """
        if not time_constant_s >= 0:
            raise ValueError(f"the time constant must be 0 or more, got {time_constant_s}")
        self.time_constant_s = time_constant_s
        self._states: dict[int, _State] = {}

    def smooth(
        self, tracks: Sequence[int], scores: F32, neutral: F32, time_s: float
    ) -> tuple[F32, F32]:
        """Smooth the scores of the faces in one frame.

        Args:
            tracks: their numbers, no two alike.
            scores: shape (N, 6), probabilities, each row summing to 1.
            neutral: shape (N,), probabilities.
            time_s: when the frame is shown; not earlier than the last.

        Returns:
            The same, smoothed: the first frame of a track as it is.
        """
        if self.time_constant_s == 0 or not tracks:
            return scores, neutral
        self._forget(time_s)
        smoothed = np.stack([
            self._step(track, _logits(values, calm), time_s)
            for track, values, calm in zip(tracks, scores, neutral, strict=True)
        ])
        powers = np.exp(smoothed[:, :-1] - smoothed[:, :-1].max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        calm = (1 + np.tanh(smoothed[:, -1] / 2)) / 2  # the logistic function
        return shares.astype(np.float32), calm.astype(np.float32)

    def _step(self, track: int, logits: F64, time_s: float) -> F64:
        state = self._states.get(track)
        if state is not None:
            gone = max(0.0, time_s - state.time_s)
            logits = logits + np.exp(-gone / self.time_constant_s) * (state.logits - logits)
        self._states[track] = _State(time_s, logits)
        return logits

    def _forget(self, time_s: float) -> None:
        """Drop tracks whose past no longer matters."""
        oldest = time_s - _FORGOTTEN * self.time_constant_s
        self._states = {n: s for n, s in self._states.items() if s.time_s >= oldest}


def _logits(scores: F32, neutral: np.float32) -> F64:
    six = np.log(np.clip(scores.astype(np.float64), _LEAST, None))
    calm = float(np.clip(neutral, _LEAST, 1 - _LEAST))
    return np.append(six, np.log(calm / (1 - calm)))
