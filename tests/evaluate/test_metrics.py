import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle

from mien.evaluate import metrics


def drawn(count=400, classes=6, seed=0):
    """Probabilities that name the true class more often than not, and the true classes."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, classes, count)
    logits = random.normal(size=(count, classes)) + 1.5 * np.eye(classes)[targets]
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), targets


def test_the_confusion_table_is_scikit_learns():
    scores, targets = drawn()
    predicted = scores.argmax(axis=1)
    found = metrics.confusion(predicted, targets, 6)
    expected = oracle.confusion_matrix(targets, predicted, labels=range(6))
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, found.T)  # else rows and columns could be swapped unseen


def test_a_class_that_never_occurs_keeps_its_row_and_column():
    found = metrics.confusion(np.array([0, 0]), np.array([0, 2]), 4)
    assert found.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_accuracy_and_recalls_are_scikit_learns():
    scores, targets = drawn(seed=1)
    predicted = scores.argmax(axis=1)
    found = metrics.summarise(scores, targets)
    assert found.pictures == 400
    assert found.accuracy == pytest.approx(oracle.accuracy_score(targets, predicted))
    assert found.mean_recall == pytest.approx(oracle.balanced_accuracy_score(targets, predicted))
    expected = oracle.recall_score(targets, predicted, average=None)
    np.testing.assert_allclose(found.recalls, expected)


def test_a_class_that_does_not_occur_has_no_recall_and_no_part_in_the_mean():
    scores = np.array([[0.6, 0.4, 0], [0.2, 0.8, 0], [0.1, 0.9, 0]], dtype=np.float32)
    found = metrics.summarise(scores, np.array([0, 1, 0]))
    assert found.recalls[:2] == (0.5, 1.0)
    assert np.isnan(found.recalls[2])
    assert found.mean_recall == 0.75


def test_nothing_to_measure_is_refused():
    with pytest.raises(ValueError, match="no pictures"):
        metrics.summarise(np.empty((0, 6), dtype=np.float32), np.empty(0, dtype=np.int64))


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0000),  # the mirror image of 0 of 20
    ],
)
def test_the_interval_is_that_of_the_textbook(right, total, low, high):
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3
    assert [round(bound, 4) for bound in metrics.wilson(right, total)] == [low, high]


def test_an_interval_never_leaves_zero_to_one():
    for total in range(1, 60):
        for right in range(total + 1):
            low, high = metrics.wilson(right, total)
            assert 0 <= low < right / total + 1e-9
            assert right / total - 1e-9 < high <= 1


def test_a_wider_interval_is_asked_for_by_its_quantile():
    # n = 1, all right: the lower bound is 1 / (1 + z^2)
    assert metrics.wilson(1, 1, z=3.0)[0] == pytest.approx(0.1)


def test_auroc_is_scikit_learns_also_with_ties():
    rng = np.random.default_rng(3)
    for _ in range(20):
        scores = rng.integers(0, 12, 60) / 4  # many ties
        positive = rng.random(60) < 0.3
        assert metrics.auroc(scores, positive) == pytest.approx(
            oracle.roc_auc_score(positive, scores)
        )


@pytest.mark.parametrize("seed", range(4))
def test_macro_f1_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    targets, called = rng.integers(0, 6 - seed, 200), rng.integers(0, 5, 200)
    counts = metrics.confusion(called, targets, 6)
    expected = oracle.f1_score(targets, called, average="macro")
    assert metrics.macro_f1(counts) == pytest.approx(expected)


@pytest.mark.parametrize("split", [(0, 0), (1, 0), (7, 2), (40, 41), (300, 250), (900, 1400)])
def test_mcnemar_is_the_binomial_test_of_the_pictures_that_differ(split):
    ours, theirs = split
    right = np.array([True] * ours + [False] * theirs + [True, False] * 5)
    other = np.array([False] * ours + [True] * theirs + [True, False] * 5)
    found = metrics.mcnemar(right, other)
    expected = stats.binomtest(ours, ours + theirs).pvalue if ours + theirs else 1.0
    assert found == (ours, theirs, pytest.approx(expected, rel=1e-6))


def test_mcnemar_is_exact_where_tens_of_thousands_differ():
    right = np.arange(40_000) < 20_500
    found = metrics.mcnemar(right, ~right)  # each number by itself would take several minutes
    assert found == (20_500, 19_500, pytest.approx(stats.binomtest(20_500, 40_000).pvalue))
