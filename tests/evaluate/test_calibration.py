import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from mien.evaluate import calibration, metrics


def cross_entropy(logits, targets, temperature):
    powers = np.exp(logits.astype(np.float64) / temperature)
    shares = powers / powers.sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(len(targets)), targets]).mean()


def drawn(count=400, classes=6, seed=0):
    """Probabilities that name the true class more often than not, and the true classes."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, classes, count)
    logits = random.normal(size=(count, classes)) + 1.5 * np.eye(classes)[targets]
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), targets


def test_the_summary_carries_the_interval_and_the_calibration_error_of_the_same_scores():
    scores, targets = drawn(seed=2)
    found = metrics.summarise(scores, targets)
    right = int((scores.argmax(axis=1) == targets).sum())
    assert found.interval == metrics.wilson(right, 400)
    assert found.calibration_error == calibration.calibration_error(scores, targets)


def test_the_calibration_error_is_the_sum_worked_by_hand():
    sureness = np.array([0.95, 0.92, 0.55, 0.58])  # with 10 bins: two in one bin, two in another
    scores = np.stack([sureness, 1 - sureness], axis=1)
    targets = np.array([0, 1, 0, 0])
    # bin (0.9, 1]: |1 - (0.95 + 0.92)| = 0.87; bin (0.5, 0.6]: |2 - (0.55 + 0.58)| = 0.87
    assert calibration.calibration_error(scores, targets, bins=10) == pytest.approx(1.74 / 4)


def test_gaps_of_one_bin_cancel_and_those_of_two_bins_do_not():
    scores = np.array([[0.8, 0.2], [0.6, 0.4]])
    targets = np.array([0, 1])  # gaps +0.2 and -0.6
    assert calibration.calibration_error(scores, targets, bins=1) == pytest.approx(0.4 / 2)
    assert calibration.calibration_error(scores, targets, bins=10) == pytest.approx(0.8 / 2)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    # bins of a half, (0, 0.5] and (0.5, 1]: 0.5 alone, 0.75 alone; above, they would cancel
    scores = np.array([[0.5, 0.3, 0.2], [0.75, 0.25, 0.0]])
    targets = np.array([0, 1])  # gaps +0.5 and -0.75
    assert calibration.calibration_error(scores, targets, bins=2) == pytest.approx(1.25 / 2)


def test_full_and_no_confidence_lie_in_the_outermost_bins():
    scores = np.array([[1.0, 0.0], [0.0, 0.0]])
    targets = np.array([1, 0])  # gaps -1 and +1
    assert calibration.calibration_error(scores, targets) == pytest.approx(1.0)


def test_scores_that_are_as_right_as_they_say_have_no_calibration_error():
    scores = np.tile(np.array([[0.75, 0.25]], dtype=np.float32), (8, 1))
    targets = np.array([0, 0, 0, 1] * 2)
    assert calibration.calibration_error(scores, targets) == pytest.approx(0, abs=1e-7)


def test_chance_alone_gives_the_errors_of_the_normal_law():
    """One bin: |share of right ones - 0.8| of 10,000 is a folded normal."""
    scores = np.tile(np.array([[0.8, 0.2]], dtype=np.float32), (10_000, 1))
    spread = np.sqrt(0.8 * 0.2 / 10_000)
    low, high = calibration.chance_error(scores, draws=4000)
    assert low == pytest.approx(0.0313 * spread, abs=0.03 * spread)
    assert high == pytest.approx(2.2414 * spread, rel=0.05)


def test_chance_alone_gives_the_error_that_drawn_truths_have():
    scores, _ = drawn()
    draw = np.random.default_rng(7)
    errors = []
    for _ in range(2000):  # the truth is a class drawn by its own score
        targets = (scores.cumsum(axis=1) < draw.random((len(scores), 1))).sum(axis=1)
        errors.append(calibration.calibration_error(scores, targets))
    low, high = calibration.chance_error(scores, draws=2000)
    assert (low, high) == pytest.approx(tuple(np.quantile(errors, (0.025, 0.975))), abs=2e-3)


def test_those_who_are_certain_cannot_err_by_chance():
    scores = np.eye(6, dtype=np.float32)
    assert calibration.chance_error(scores) == (0, 0)


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_logits_that_were_scaled_are_scaled_back(factor):
    # classes drawn from softmax(logits) make those logits honest: the factor must come back
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 6)) * 2
    targets = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    found = calibration.fit_temperature((logits * factor).astype(np.float32), targets)
    assert found == pytest.approx(factor, rel=0.03)


def test_no_other_temperature_has_less_cross_entropy():
    scores, targets = drawn(seed=3)
    logits = 3 * np.log(scores)
    found = calibration.fit_temperature(logits, targets)
    best = cross_entropy(logits, targets, found)
    others = [cross_entropy(logits, targets, t) for t in np.geomspace(0.05, 20, 500)]
    assert best <= min(others) + 1e-9
    assert cross_entropy(logits, targets, 1.01 * found) > best
    assert cross_entropy(logits, targets, found / 1.01) > best


def test_logits_of_any_size_have_a_temperature():
    targets = np.array([0, 1])
    huge = np.array([[1e4, -1e4], [1e4, -1e4]], dtype=np.float32)  # half of them wrong
    hot = calibration.fit_temperature(huge, targets)
    assert hot == pytest.approx(20, rel=1e-3)
    assert "upper bound, 20:" in calibration.bound_of(round(hot, 4))
    small = np.array([[1e-3, 0], [0, 1e-3]], dtype=np.float32)  # all right, and shy of saying so
    cold = calibration.fit_temperature(small, targets)
    assert cold == pytest.approx(0.05, rel=1e-3)
    assert "lower bound, 0.05:" in calibration.bound_of(round(cold, 4))
    assert not any(map(calibration.bound_of, (0.06, 0.9475, 1, 19.9)))


def test_reliability_groups_as_scikit_learn_does():
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 1, 500).astype(np.float32)
    scores = np.stack([sure, 1 - sure], axis=1)
    targets = (rng.uniform(size=500) > sure).astype(np.int64)
    bins = calibration.reliability(scores, targets, 10)
    accuracy, sureness = calibration_curve(targets == 0, sure, n_bins=10)
    assert [one.accuracy for one in bins] == pytest.approx(accuracy.tolist())
    assert [one.confidence for one in bins] == pytest.approx(sureness.tolist())
    assert sum(one.share for one in bins) == pytest.approx(1)
    error = sum(one.share * abs(one.accuracy - one.confidence) for one in bins)
    assert calibration.calibration_error(scores, targets, 10) == pytest.approx(error)


def sure(confidences, right):
    """Scores of two classes with these confidences for class 0, and targets: 0 where right."""
    scores = np.stack([np.array(confidences), 1 - np.array(confidences)], axis=1)
    return scores, np.where(right, 0, 1)


def test_the_coverage_curve_is_the_one_worked_by_hand():
    scores, targets = sure([0.6, 0.9, 0.7, 0.8], [False, True, True, False])
    # by confidence: 0.9 right, 0.8 wrong, 0.7 right, 0.6 wrong
    found = calibration.coverage_curve(scores, targets)
    np.testing.assert_allclose(found, [1, 1 / 2, 2 / 3, 2 / 4])


def test_the_area_is_the_mean_of_the_errors_of_the_curve():
    scores, targets = sure([0.6, 0.9, 0.7, 0.8], [False, True, True, False])
    assert calibration.aurc(scores, targets) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_pictures_of_equal_confidence_count_as_in_every_order():
    scores, targets = sure([0.9, 0.7, 0.7, 0.7], [True, False, True, False])
    # 1 right, then a third of a right answer each
    expected = [1, (4 / 3) / 2, (5 / 3) / 3, 2 / 4]
    np.testing.assert_allclose(calibration.coverage_curve(scores, targets), expected)
    for order in ([3, 2, 1, 0], [1, 0, 3, 2]):
        again = calibration.coverage_curve(scores[order], targets[order])
        np.testing.assert_allclose(again, expected)


def test_the_curve_is_the_mean_over_every_order_of_equals():
    rng = np.random.default_rng(4)
    sureness = rng.integers(6, 10, 60) / 10  # many ties
    right = rng.random(60) < sureness
    scores, targets = sure(sureness, right)
    curves = []
    for _ in range(4000):
        order = np.lexsort([rng.random(60), -sureness])
        curves.append(np.cumsum(right[order]) / np.arange(1, 61))
    found = calibration.coverage_curve(scores, targets)
    np.testing.assert_allclose(found, np.mean(curves, axis=0), atol=0.03)


@pytest.mark.parametrize(
    ("coverage", "expected"), [(1, 2 / 5), (0.8, 2 / 4), (0.61, 2 / 4), (0.6, 2 / 3), (0.01, 1)]
)
def test_the_accuracy_at_a_coverage_is_that_of_so_many_pictures(coverage, expected):
    scores, targets = sure([0.95, 0.9, 0.85, 0.8, 0.7], [True, True, False, False, False])
    assert calibration.accuracy_at(coverage, scores, targets) == pytest.approx(expected)


@pytest.mark.parametrize("coverage", [0, -0.1, 1.01])
def test_a_coverage_out_of_range_is_refused(coverage):
    scores, targets = sure([0.9], [True])
    with pytest.raises(ValueError, match="coverage must be in"):
        calibration.accuracy_at(coverage, scores, targets)


def test_full_coverage_is_the_accuracy():
    scores, targets = drawn(seed=5)
    whole = metrics.summarise(scores, targets).accuracy
    assert calibration.accuracy_at(1, scores, targets) == pytest.approx(whole)
    assert calibration.accuracy_at(0.5, scores, targets) > whole


def test_the_least_certain_confidence_is_the_one_worked_by_hand():
    # sureness   0.9   0.8   0.7   0.6   0.5    rate so far: 0, 0, 1/3, 1/4, 2/5
    # right      yes   yes   no    yes   no
    sureness = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    scores, targets = np.stack([sureness, 1 - sureness], axis=1), np.array([0, 0, 1, 0, 1])
    one = ["a"] * 5
    assert calibration.certain_from(scores, targets, one, 0.3) == 0.6
    assert calibration.certain_from(scores, targets, one, 0.4) == 0.5
    assert calibration.certain_from(scores, targets, one, 0.1) == 0.8
    # two databases: a's rates 0, 0, 0, 0, 1/4 and b's 1 (from 0.7 on): means 0, 0, 1/2, 1/2, 5/8
    assert calibration.certain_from(scores, targets, ["a", "a", "b", "a", "a"], 0.5) == 0.6


def test_answers_of_equal_confidence_are_all_given_or_none():
    scores, targets = np.full((4, 2), 0.5), np.array([0, 0, 0, 1])
    assert calibration.certain_from(scores, targets, ["a"] * 4, 0.25) == 0.5
    assert calibration.certain_from(scores, targets, ["a"] * 4, 0.2) > 1  # none is sure enough


def test_the_error_rate_of_the_answers_is_the_one_that_was_asked_for():
    scores, targets = drawn(2000, seed=3)
    start = calibration.certain_from(scores, targets, ["a"] * 2000, 0.15)
    answered = scores.max(axis=1) >= start
    wrong = scores[answered].argmax(axis=1) != targets[answered]
    assert 0.14 < wrong.mean() <= 0.15
    assert 0.1 < answered.mean() < 0.9


def test_seven_of_a_hundred_pictures_are_seven_though_the_product_is_a_little_more():
    scores, targets = sure(np.linspace(1, 0.6, 100), [True] * 7 + [False] * 93)
    assert calibration.accuracy_at(0.07, scores, targets) == 1
