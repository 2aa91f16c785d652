import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from benchmarks.votes import judge


def test_answers_are_judged_by_labels_and_by_votes_worked_out_by_hand():
    none = [np.nan] * 7
    cases = [  # label, the best of the six, neutral's logit, shares of the votes
        (0, 0, -3, [1, 0, 0, 0, 0, 0, 0]),  # all agree
        (0, 1, -2, [0.2, 0.8, 0, 0, 0, 0, 0]),  # the model sees what most see
        (2, 2, -1, [0, 0, 0.4, 0.3, 0, 0, 0.3]),  # most, but not more than half
        (2, 3, 2, [0, 0, 0.1, 0, 0, 0, 0.9]),  # neutral to most, and called so
        (3, 3, -4, none),  # without votes
        (6, 0, 1, none),  # neutral, by its label
        (6, 0, -2.5, none),
    ]
    labels, best, calm, shares = (np.array(column) for column in zip(*cases, strict=True))
    found = judge(best, calm, labels, shares)
    assert found["labelled"]["pictures"] == 5
    assert found["labelled"]["accuracy"]["rate"] == pytest.approx(3 / 5)
    voted, clear = found["voted"], found["clear"]
    assert (voted["pictures"], clear["pictures"]) == (3, 2)
    assert voted["by_label"]["rate"] == pytest.approx(2 / 3, abs=1e-4)
    assert voted["by_votes"]["rate"] == 1
    assert voted["label_agrees"]["rate"] == pytest.approx(2 / 3, abs=1e-4)
    assert clear["label_agrees"]["rate"] == 0.5
    neutral = found["neutral"]
    assert neutral["labelled_one_of_the_six"] == 1
    assert neutral["called_neutral"]["rate"] == 1
    # by label: 1 beats -3, -2, -1, -4 and loses to 2; -2.5 beats -3 and -4
    assert neutral["by_label"] == {"auroc": 0.6, "neutral": 2, "others": 5}
    # by votes: neutral are 2, 1 and -2.5; the others -3, -2, -1; the last of these is not clear
    assert neutral["by_votes"] == {"auroc": round(7 / 9, 4), "neutral": 3, "others": 3}
    assert neutral["by_clear_votes"] == {"auroc": round(5 / 6, 4), "neutral": 3, "others": 2}
