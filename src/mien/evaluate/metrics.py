"""Accuracy, recall, confusion, comparison of models: formulas on arrays.

Knows nothing of models and files.
"""

from dataclasses import dataclass

import numpy as np

from mien.evaluate.calibration import calibration_error
from mien.pixels import BOOL, F32, I64

__all__ = ["Summary", "auroc", "confusion", "macro_f1", "mcnemar", "summarise", "wilson"]


@dataclass(frozen=True, slots=True)
class Summary:
    """How well scores agree with the truth.

    Attributes:
        pictures: how many.
        accuracy: share that is right.
        interval: of the accuracy, 95 % (Wilson).
        mean_recall: recall averaged over the classes that occur.
        macro_f1: F1 averaged over the classes that occur or were predicted.
        recalls: by class; nan where the class does not occur.
        calibration_error: see `calibration_error`.
    """

    pictures: int
    accuracy: float
    interval: tuple[float, float]
    mean_recall: float
    macro_f1: float
    recalls: tuple[float, ...]
    calibration_error: float


def summarise(scores: F32, targets: I64) -> Summary:
    """Measure scores against the truth.

    Args:
        scores: shape (N, C), probabilities; N from 1.
        targets: shape (N,), the true classes.

    Returns:
        The measures.

    Raises:
        ValueError: if there are no pictures.
    """
    if len(targets) == 0:
        raise ValueError("there are no pictures to measure")
    counts = confusion(scores.argmax(axis=1), targets, scores.shape[1])
    right = int(np.trace(counts))
    totals = counts.sum(axis=1)
    recalls = np.divide(np.diag(counts), totals, out=np.full(len(totals), np.nan), where=totals > 0)
    return Summary(
        len(targets),
        right / len(targets),
        wilson(right, len(targets)),
        float(np.nanmean(recalls)),
        macro_f1(counts),
        tuple(float(recall) for recall in recalls),
        calibration_error(scores, targets),
    )


def confusion(predicted: I64, targets: I64, classes: int) -> I64:
    """Count predictions by true class.

    Args:
        predicted: shape (N,), classes.
        targets: shape (N,), the true classes.
        classes: how many there are.

    Returns:
        shape (classes, classes): row = true class, column = predicted class.

    Example:
        >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (targets, predicted), 1)
    return counts


def macro_f1(counts: I64) -> float:
    """Return the mean F1 of the classes, each weighing the same.

    Args:
        counts: shape (C, C), from `confusion`.

    Returns:
        The mean over the classes that occur or were predicted, in [0, 1].

    Example:
        >>> macro_f1(np.array([[3, 1], [0, 4]])).__round__(4)
        0.873
    """
    both = counts.sum(axis=0) + counts.sum(axis=1)
    seen = both > 0
    return float((2 * np.diag(counts)[seen] / both[seen]).mean())


def mcnemar(right: BOOL, other: BOOL) -> tuple[int, int, float]:
    """Test whether two models differ on the same pictures, by McNemar's exact test.

    Args:
        right: shape (N,), where the first model is right.
        other: shape (N,), where the second is right.

    Returns:
        Pictures that only the first has right, those that only the second has right, and the
        two-sided probability of so unequal a split if both were equally good.

    Source:
        McNemar 1947, doi:10.1007/BF02295996; exact, by the binomial distribution.

    Example:
        >>> first, second = np.array([1, 1, 1, 0, 1]) > 0, np.array([0, 0, 0, 0, 1]) > 0
        >>> mcnemar(first, second)
        (3, 0, 0.25)
    """
    ours, theirs = int((right & ~other).sum()), int((other & ~right).sum())
    total, fewer = ours + theirs, min(ours, theirs)
    ways = chosen = 1  # whole numbers: no float overflows
    for count in range(fewer):  # each from the one before: for itself, one of thousands takes long
        chosen = chosen * (total - count) // (count + 1)
        ways += chosen
    return ours, theirs, min(1.0, 2 * ways / 2**total)


def wilson(right: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson interval of a rate.

    Args:
        right: successes.
        total: trials, from 1.
        z: quantile of the normal distribution; 1.96 for 95 %.

    Returns:
        Lower and upper bound, in [0, 1].

    Source:
        Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Example:
        >>> [round(bound, 4) for bound in wilson(8, 10)]
        [0.4902, 0.9433]
    """
    rate, spread = right / total, z * z / total
    middle = (rate + spread / 2) / (1 + spread)
    half = z * np.sqrt(rate * (1 - rate) / total + spread / (4 * total)) / (1 + spread)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def auroc(scores: F32, positive: BOOL) -> float:
    """Return the area under the ROC curve.

    Args:
        scores: shape (N,), higher for what should be positive.
        positive: shape (N,), the truth; both kinds must occur.

    Returns:
        Probability that a positive scores above a negative, ties counted half; in [0, 1].

    Source:
        Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747: the Mann-Whitney statistic.

    Example:
        >>> auroc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
        0.875
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # equal scores share their mean rank
    positives = int(positive.sum())
    above = ranks[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(scores) - positives)))
