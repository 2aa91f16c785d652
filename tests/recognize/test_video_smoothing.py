"""Smoothing over time; the numbers are worked by hand."""

import numpy as np
import pytest

from mien.recognize.video import Smoother

LOG2 = float(np.log(2))
HAPPY = np.array([[0.9, 0.02, 0.02, 0.02, 0.02, 0.02]], dtype=np.float32)
SAD = np.array([[0.02, 0.02, 0.9, 0.02, 0.02, 0.02]], dtype=np.float32)
LIVELY = np.array([0.0], dtype=np.float32)


def softmax(logits):
    powers = np.exp(logits)
    return powers / powers.sum()


def test_the_first_frame_of_a_track_is_as_it_is():
    scores, neutral = Smoother(0.3).smooth([4], HAPPY, np.array([0.25], np.float32), 7.0)
    np.testing.assert_allclose(scores, HAPPY, atol=1e-6)
    np.testing.assert_allclose(neutral, [0.25], atol=1e-6)


def test_after_log_two_time_constants_old_and_new_logits_weigh_the_same():
    smoother = Smoother(0.5)
    smoother.smooth([0], HAPPY, LIVELY, 1.0)
    [scores], _ = smoother.smooth([0], SAD, LIVELY, 1.0 + 0.5 * LOG2)
    # exp(-ln 2) = 1/2: the mean of both logits, so the two classes are equal
    np.testing.assert_allclose(scores, softmax((np.log(HAPPY[0]) + np.log(SAD[0])) / 2), atol=1e-6)
    assert scores[0] == pytest.approx(scores[2])


def test_two_short_steps_are_one_long_step_so_the_frame_rate_does_not_matter():
    slow, fast = Smoother(0.4), Smoother(0.4)
    for smoother in (slow, fast):
        smoother.smooth([0], HAPPY, np.array([0.1], np.float32), 0.0)
    calm = np.array([0.6], dtype=np.float32)
    fast.smooth([0], SAD, calm, 0.05)
    fast.smooth([0], SAD, calm, 0.15)
    for a, b in zip(
        slow.smooth([0], SAD, calm, 0.3), fast.smooth([0], SAD, calm, 0.3), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_neutral_is_averaged_as_a_logit():
    smoother = Smoother(1.0)
    smoother.smooth([0], HAPPY, np.array([0.2], np.float32), 0.0)
    _, [neutral] = smoother.smooth([0], HAPPY, np.array([0.5], np.float32), LOG2)
    # logits ln(0.2 / 0.8) = -1.386 and 0: their mean is -0.693, the logistic of which is 1/3
    assert neutral == pytest.approx(1 / 3, abs=1e-6)


def test_a_calm_frame_says_little_about_the_six():
    smoother = Smoother(1.0)
    smoother.smooth([0], SAD, np.array([0.9], np.float32), 0.0)
    [scores], _ = smoother.smooth([0], HAPPY, np.array([0.1], np.float32), LOG2)
    # weights 0.1 / 2 and 0.9 / 2: the lively frame counts nine times
    expected = softmax(0.1 * np.log(SAD[0]) + 0.9 * np.log(HAPPY[0]))
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_a_time_constant_of_zero_changes_nothing():
    smoother = Smoother(0)
    smoother.smooth([0], HAPPY, LIVELY, 0.0)
    scores, neutral = smoother.smooth([0], SAD, LIVELY, 0.04)
    assert scores is SAD
    assert neutral is LIVELY


def test_tracks_do_not_mix():
    smoother = Smoother(1.0)
    both, calm = np.concatenate([HAPPY, SAD]), np.array([0.1, 0.8], dtype=np.float32)
    smoother.smooth([3, 7], both, calm, 0.0)
    scores, neutral = smoother.smooth([7, 3], both[::-1], calm[::-1], 0.04)
    np.testing.assert_allclose(scores, both[::-1], atol=1e-6)
    np.testing.assert_allclose(neutral, calm[::-1], atol=1e-6)


def test_a_change_is_seen_after_log_two_time_constants():
    smoother, rate = Smoother(0.3), 100
    smoother.smooth([0], HAPPY, LIVELY, 0.0)
    labels = [
        int(smoother.smooth([0], SAD, LIVELY, (i + 1) / rate)[0].argmax()) for i in range(rate)
    ]
    assert labels.index(2) + 1 == pytest.approx(0.3 * LOG2 * rate, abs=1)  # 0.21 s


def test_alternating_labels_come_to_rest():
    smoother = Smoother(0.3)
    seen = [
        int(smoother.smooth([0], SAD if i % 3 == 0 else HAPPY, LIVELY, i / 25)[0].argmax())
        for i in range(100)
    ]
    assert set(seen[25:]) == {0}  # two thirds of the frames say so


def test_no_face_and_certain_scores_are_no_trouble():
    smoother = Smoother(0.3)
    nothing = np.empty((0, 6), dtype=np.float32)
    assert smoother.smooth([], nothing, nothing[:, 0], 0.0)[0].shape == (0, 6)
    certain = np.eye(6, dtype=np.float32)[:1]
    for time_s, calm in ((0.0, 1.0), (0.0, 0.0), (0.1, 1.0)):
        scores, neutral = smoother.smooth([0], certain, np.array([calm], np.float32), time_s)
        assert np.isfinite(scores).all()
        assert scores.sum() == pytest.approx(1)
        assert 0 <= neutral[0] <= 1


def test_the_ended_are_forgotten_and_the_others_not():
    smoother = Smoother(0.1)
    for i in range(1000):
        smoother.smooth([i], HAPPY, LIVELY, i / 25)
    assert len(smoother._states) <= 26  # ten time constants are 1 s
    [scores], _ = smoother.smooth([999], SAD, LIVELY, 999 / 25 + 0.1 * LOG2)
    assert scores[0] == pytest.approx(scores[2])


def test_a_negative_time_constant_is_a_fault():
    for wrong in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="0 or more"):
            Smoother(wrong)
