"""How far a confidence can be trusted: calibration error, temperature, accuracy by coverage.

Formulas on arrays; rates are in [0, 1]. Knows nothing of models and files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mien.pixels import F32, F64, I64

__all__ = [
    "Bin",
    "accuracy_at",
    "aurc",
    "bound_of",
    "calibration_error",
    "certain_from",
    "chance_error",
    "coverage_curve",
    "fit_temperature",
    "reliability",
]

_COLDEST, _HOTTEST = 0.05, 20.0  # temperatures


def calibration_error(scores: F32, targets: I64, bins: int = 15) -> float:
    """Return the expected calibration error: how far confidence is from accuracy.

    Args:
        scores: shape (N, C), probabilities.
        targets: shape (N,), the true classes.
        bins: of equal width over the confidence.

    Returns:
        The mean of ``|accuracy - confidence|`` over the bins, weighted by their pictures; in
        [0, 1].

    Source:
        Guo et al. 2017, arXiv:1706.04599, equation 3.

    Example:
        >>> calibration_error(np.array([[0.9, 0.1]] * 2), np.array([0, 1])).__round__(3)
        0.4
    """
    return float(
        sum(abs(b.accuracy - b.confidence) * b.share for b in reliability(scores, targets, bins))
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """Pictures of about the same confidence.

    Attributes:
        share: of all pictures.
        confidence: their mean.
        accuracy: share of them that is right.
    """

    share: float
    confidence: float
    accuracy: float


def reliability(scores: F32, targets: I64, bins: int = 15) -> list[Bin]:
    """Group pictures by confidence.

    Args:
        scores: shape (N, C), probabilities.
        targets: shape (N,), the true classes.
        bins: of equal width over the confidence.

    Returns:
        The bins that hold pictures, from the least confident.
    """
    confidence = scores.max(axis=1)
    right = scores.argmax(axis=1) == targets
    numbers = _bin_of(confidence, bins)
    masks = (numbers == number for number in range(bins))
    return [
        Bin(
            float(own.mean()),
            float(confidence[own].mean(dtype=np.float64)),
            float(right[own].mean()),
        )
        for own in masks
        if own.any()
    ]


def _bin_of(confidence: F32, bins: int) -> I64:
    """The bin of each confidence; an edge belongs to the bin below it."""
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def chance_error(scores: F32, bins: int = 15, draws: int = 1000) -> tuple[float, float]:
    """Return the range of calibration errors that chance alone gives to as many pictures.

    The error is never 0 on a limited number of pictures. A measured error speaks against a model's
    confidence only where it lies above this range.

    Args:
        scores: shape (N, C), probabilities; N from 1.
        bins: as for `calibration_error`.
        draws: how often the truth is drawn at random.

    Returns:
        The 95 % range of the error of a model that has the same confidences and is right exactly
        as often as they say.

    Source:
        Bröcker and Smith 2007, doi:10.1175/WAF993.1, for consistency resampling; here only the
        truth is drawn, and the pictures stay the same.

    Example:
        >>> [round(bound, 2) for bound in chance_error(np.array([[0.9, 0.1]]))]
        [0.1, 0.9]
    """
    confidence = scores.max(axis=1)
    numbers = _bin_of(confidence, bins)
    random = np.random.default_rng(0)
    errors = []
    for _ in range(draws):
        gaps = (random.random(len(scores)) < confidence) - confidence
        errors.append(np.abs(np.bincount(numbers, weights=gaps)).sum() / len(scores))
    low, high = np.quantile(errors, (0.025, 0.975))
    return float(low), float(high)


def fit_temperature(logits: F32, targets: I64) -> float:
    """Find the temperature with which confidence fits accuracy best.

    Args:
        logits: shape (N, C), of held-out pictures.
        targets: shape (N,), the true classes.

    Returns:
        T in [0.05, 20] with the lowest cross-entropy of softmax(logits / T).

    Source:
        Guo et al. 2017, arXiv:1706.04599, section 4.2; golden-section search, as the loss has
        one minimum in 1 / T.
    """
    low, high = np.log(_COLDEST), np.log(_HOTTEST)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        a, b = high - golden * (high - low), low + golden * (high - low)
        if _loss(logits / np.exp(a), targets) < _loss(logits / np.exp(b), targets):
            high = b
        else:
            low = a
    return float(np.exp((low + high) / 2))


def bound_of(temperature: float) -> str:
    """Say what it means if a fitted temperature lies at the end of its range.

    Args:
        temperature: from `fit_temperature`, rounded to four digits or not.

    Returns:
        A sentence; "" inside the range.

    Example:
        >>> bound_of(1.5)
        ''
    """
    if temperature > 0.999 * _HOTTEST:
        return (
            f"the temperature is at its upper bound, {_HOTTEST:.0f}: on held-out pictures the "
            "network is no more often right where it is sure"
        )
    if temperature < 1.001 * _COLDEST:
        return (
            f"the temperature is at its lower bound, {_COLDEST}: on held-out pictures the network "
            "is right far more often than it is sure"
        )
    return ""


def _loss(logits: npt.NDArray[np.floating], targets: I64) -> float:
    """Mean cross-entropy of softmax(logits)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=1))
    return float((total - shifted[np.arange(len(targets)), targets]).mean())


def coverage_curve(scores: F32, targets: I64) -> F64:
    """Return how often the most confident answers are right, for each share that is answered.

    Args:
        scores: shape (N, C), probabilities; N from 1.
        targets: shape (N,), the true classes.

    Returns:
        shape (N,): at index k - 1 the accuracy on the k pictures with the highest confidence.
        Pictures of equal confidence share their mean, so that their order does not matter.

    Source:
        Geifman and El-Yaniv 2017, arXiv:1705.08500, section 2; one minus their selective risk.

    Example:
        >>> coverage_curve(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([1, 0])).tolist()
        [1.0, 0.5]
    """
    right = (scores.argmax(axis=1) == targets).astype(np.float64)
    _, inverse, counts = np.unique(-scores.max(axis=1), return_inverse=True, return_counts=True)
    shared = np.bincount(inverse, weights=right) / counts  # of equal confidence
    return np.cumsum(np.repeat(shared, counts)) / np.arange(1, len(targets) + 1)


def accuracy_at(coverage: float, scores: F32, targets: I64) -> float:
    """Return the accuracy when only the most confident answers are given.

    Args:
        coverage: share of the pictures to answer, in (0, 1]; rounded up to whole pictures.
        scores: shape (N, C), probabilities; N from 1.
        targets: shape (N,), the true classes.

    Returns:
        The accuracy on them, in [0, 1].

    Raises:
        ValueError: if the coverage is out of range.

    Example:
        >>> accuracy_at(0.5, np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([1, 0]))
        1.0
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must be in (0, 1], got {coverage}")
    answered = int(np.ceil(coverage * len(targets) - 1e-9))  # 0.07 * 100 is above 7
    return float(coverage_curve(scores, targets)[answered - 1])


def aurc(scores: F32, targets: I64) -> float:
    """Return the area under the risk-coverage curve.

    Args:
        scores: shape (N, C), probabilities; N from 1.
        targets: shape (N,), the true classes.

    Returns:
        The error rate on the k most confident pictures, averaged over k from 1 to N; in [0, 1],
        lower is better. It falls with fewer errors, and when errors have a low confidence.

    Source:
        Geifman, Uziel and El-Yaniv 2019, arXiv:1805.08206, section 3.

    Example:
        >>> aurc(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([1, 0]))
        0.25
    """
    return float(1 - coverage_curve(scores, targets).mean())


def certain_from(scores: F32, targets: I64, groups: Sequence[str], error_rate: float) -> float:
    """Find the lowest confidence from which answers are right often enough.

    Args:
        scores: shape (N, C), probabilities of held-out pictures.
        targets: shape (N,), the true classes.
        groups: shape (N,), the database of each; the error rate is the mean over them, so that
            all weigh the same.
        error_rate: of the answers, at most, in [0, 1].

    Returns:
        The confidence, in [0, 1]; above 1 if even the most confident answers are wrong too often.

    Example:
        >>> scores = np.array([[0.6, 0.4], [0.7, 0.3], [0.9, 0.1]])
        >>> certain_from(scores, np.array([1, 0, 0]), ["a", "a", "a"], 0.1)
        0.7
    """
    confidence = scores.max(axis=1).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    wrong = (scores.argmax(axis=1) != targets)[order]
    member = np.array([np.asarray(groups)[order] == name for name in sorted(set(groups))])  # (G, N)
    answered = member.cumsum(axis=1)
    rates = (member & wrong).cumsum(axis=1) / np.maximum(answered, 1)
    mean = rates.sum(axis=0) / (answered > 0).sum(axis=0)  # of the groups that have answers
    ends = np.append(confidence[order][1:] < confidence[order][:-1], True)  # equal ones together
    fitting = np.flatnonzero(ends & (mean <= error_rate))
    return float(confidence[order][fitting[-1]]) if len(fitting) else float(np.nextafter(1, 2))
