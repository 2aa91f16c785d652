"""Scores that do not flicker: each track's logits, averaged over the last moments.

Exponential smoothing, weighted by time and not by frames, and of the past only: what is shown at a
moment never depends on a later one. A calm face says little about the six, so a moment counts for
them as much as it is not calm; else a smile would begin with what the calm face resembled. Knows
nothing of films and faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.pixels import F32, F64

__all__ = ["USUAL_S", "Smoother"]


# In the clip of a calm face that smiles it leaves 2 changes of label of 14, and a change is seen
# 0.2 s later (benchmarks/bench_tracks.py); shorter ones leave flicker, longer ones only come later.
USUAL_S = 0.3
_LEAST = 1e-6  # probability; the logarithm of 0 would never be forgotten
_FORGOTTEN = 10  # time constants after which the past weighs less than 1 in 20,000


@dataclass(slots=True, eq=False)
class _State:
    time_s: float
    sums: F64  # (6,): of the six scores' logits, each moment by its weight
    weight: float
    calm: float  # neutral's logit


class Smoother:
    """Remembers each track's logits."""

    def __init__(self, time_constant_s: float = USUAL_S) -> None:
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
        states = [
            self._step(track, values.astype(np.float64), float(calm), time_s)
            for track, values, calm in zip(tracks, scores, neutral, strict=True)
        ]
        powers = np.exp(np.stack([state.sums / state.weight for state in states]))
        shares = powers / powers.sum(axis=1, keepdims=True)
        calms = (1 + np.tanh(np.array([state.calm for state in states]) / 2)) / 2  # logistic
        return shares.astype(np.float32), calms.astype(np.float32)

    def _step(self, track: int, scores: F64, neutral: float, time_s: float) -> _State:
        weight = max(1 - neutral, _LEAST)
        calm = float(np.log(max(neutral, _LEAST) / weight))
        new = _State(time_s, weight * np.log(np.clip(scores, _LEAST, None)), weight, calm)
        old = self._states.get(track)
        if old is not None:
            kept = float(np.exp(-max(0.0, time_s - old.time_s) / self.time_constant_s))
            new.sums += kept * (old.sums - new.sums)
            new.weight += kept * (old.weight - new.weight)
            new.calm += kept * (old.calm - new.calm)
        self._states[track] = new
        return new

    def _forget(self, time_s: float) -> None:
        """Drop tracks whose past no longer matters."""
        oldest = time_s - _FORGOTTEN * self.time_constant_s
        self._states = {n: s for n, s in self._states.items() if s.time_s >= oldest}
