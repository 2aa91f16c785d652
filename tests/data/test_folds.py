from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mien.data.folds import draw_folds
from mien.errors import BadSettingError
from tests.support.prepared_folder import row_of


def rows_of(persons, each, labels=("anger", "fear"), source="made"):
    """So many pictures of each person, of each class."""
    return [
        replace(row_of(label, "train", f"{person}-{number}.png", source), subject=person)
        for person in persons
        for label in labels
        for number in range(each)
    ]


def counts_of(rows, folds):
    return Counter((row.label, fold) for row, fold in zip(rows, folds.tolist(), strict=True))


def test_all_pictures_of_a_person_are_in_one_fold_and_the_classes_are_spread():
    rows = rows_of([f"p{n}" for n in range(9)], each=2)
    found = draw_folds(rows, 3, seed=0)
    by_person = {(row.subject, fold) for row, fold in zip(rows, found.tolist(), strict=True)}
    assert len(by_person) == 9
    assert set(counts_of(rows, found).values()) == {6}  # 9 persons of 2 pictures, by 3


def test_single_pictures_are_spread_by_class_whatever_their_order():
    labels = ("anger", "fear", "disgust")
    rows = [row_of(label, "train", f"{label}{n}.png") for label in labels for n in range(12)]
    found = draw_folds(rows, 4, seed=1)
    assert set(counts_of(rows, found).values()) == {3}
    order = np.random.default_rng(0).permutation(len(rows))
    again = draw_folds([rows[n] for n in order], 4, seed=1)
    np.testing.assert_array_equal(again, found[order])
    assert draw_folds(rows, 4, seed=2).tolist() != found.tolist()


def test_one_fold_a_person_leaves_one_person_out():
    rows = rows_of(["ann", "bob", "cem"], each=2)
    found = draw_folds(rows, 3, seed=0)
    for fold in range(3):
        assert len({row.subject for row, n in zip(rows, found, strict=True) if n == fold}) == 1
    with pytest.raises(BadSettingError, match=r"folds is 4, .* 3 persons.*\n.*at most 3"):
        draw_folds(rows, 4, seed=0)


@pytest.mark.parametrize("seed", range(5))
def test_who_has_many_pictures_is_placed_before_those_who_can_make_up_for_it(seed):
    rows = rows_of(["ann"], each=6, labels=["fear"]) + rows_of("bcdefg", each=1, labels=["fear"])
    assert counts_of(rows, draw_folds(rows, 2, seed)) == {("fear", 0): 6, ("fear", 1): 6}


def test_no_fold_is_empty_though_each_class_has_one_picture():
    rows = [row_of(label, "train", "1.png") for label in ("anger", "fear", "disgust")]
    rows = [replace(row, original=row.label) for row in rows]
    assert sorted(draw_folds(rows, 3, seed=0).tolist()) == [0, 1, 2]


def test_persons_of_one_name_in_two_databases_are_two():
    rows = [row for source in "ab" for row in rows_of(["S1"], 2, source=source)]
    assert sorted(draw_folds(rows, 2, seed=0).tolist()) == [0] * 4 + [1] * 4
