from collections import Counter
from dataclasses import replace

import pytest

from mien.data.datasets import Item
from mien.data.manifest import Row
from mien.data.splits import draw_held_out, draw_part, hold_out
from mien.errors import BadSettingError
from mien.labels import LABELS
from tests.support.prepared_folder import row_of


def pictures(counts, split="train", people=0):
    """So many pictures of each of the six, shared out among so many people."""
    items = []
    for label, count in zip(LABELS, counts, strict=True):
        for number in range(count):
            subject = f"P{(number * 7 + len(label)) % people}" if people else ""
            items.append(Item(f"{label}/{number}.jpg", label, split, subject))
    return items


def counts_of(items, split):
    found = Counter(item.label for item in items if item.split == split)
    return [found[label] for label in LABELS]


def test_a_name_that_is_no_utf_8_can_be_drawn():
    rows = [row_of("fear", "train", name) for name in ("caf\udce9.png", "caf\udce8.png")]
    draws = [draw_held_out(rows, 0.5, seed).tolist() for seed in range(20)]
    assert any(one != other for one, other in draws)  # each by itself


def test_of_a_person_all_pictures_are_held_out_or_none():
    row = Row("a.jpg", "fear", "ckplus", "train", "S005", "", "", "as-is")
    rows = [replace(row, original=f"{number}.jpg") for number in range(50)]
    drawn = {tuple(draw_held_out(rows, 0.5, seed)) for seed in range(20)}
    assert drawn == {(True,) * 50, (False,) * 50}


def test_a_picture_is_on_one_side_whatever_two_databases_folders_call_what_it_shows():
    rows = [row_of("fear", "train", f"{number}.png") for number in range(50)]
    other = [replace(row, label="anger", framing="framed", path=f"x/{row.path}") for row in rows]
    drawn = draw_held_out(rows, 0.5, 0)
    assert 10 < drawn.sum() < 40
    assert (draw_held_out(other, 0.5, 0) == drawn).all()


def test_every_expression_loses_its_share():
    items = hold_out(pictures([100, 50, 30, 20, 10, 500]), "valid", 0.1, seed=0)
    assert counts_of(items, "valid") == [10, 5, 3, 2, 1, 50]
    assert counts_of(items, "train") == [90, 45, 27, 18, 9, 450]


def test_all_pictures_of_a_person_move_together_and_the_share_is_about_kept():
    items = hold_out(pictures([120, 100, 80, 60, 60, 60], people=40), "test", 0.2, seed=0)
    moved = {item.subject for item in items if item.split == "test"}
    stayed = {item.subject for item in items if item.split == "train"}
    assert moved
    assert not moved & stayed
    for held, all_of_it in zip(counts_of(items, "test"), [120, 100, 80, 60, 60, 60], strict=True):
        assert abs(held / all_of_it - 0.2) < 0.03


@pytest.mark.parametrize("seed", range(3))
def test_a_class_of_few_pictures_counts_as_much_as_one_of_many(seed):
    sizes = [61, 59, 40, 37, 33, 28, 90, 75, 55, 20]  # happy pictures of each person
    items = [
        Item(f"{person}-{n}.jpg", "happiness", "train", f"P{person}")
        for person, size in enumerate(sizes)
        for n in range(size)
    ]
    items += [Item(f"{person}-fear.jpg", "fear", "train", f"P{person}") for person in range(4)]
    moved = counts_of(hold_out(items, "test", 0.25, seed), "test")
    assert moved[LABELS.index("fear")] == 1
    assert abs(moved[LABELS.index("happiness")] / sum(sizes) - 0.25) < 0.015


def test_the_draw_depends_on_the_seed_and_not_on_the_order():
    items = pictures([40] * 6)
    once = {i.original for i in hold_out(items, "valid", 0.25, seed=3) if i.split == "valid"}
    again = {i.original for i in hold_out(items[::-1], "valid", 0.25, seed=3) if i.split == "valid"}
    other = {i.original for i in hold_out(items, "valid", 0.25, seed=4) if i.split == "valid"}
    assert once == again
    assert len(once) == len(other) == 60
    assert once != other


def test_validation_is_carved_from_train_alone_and_the_order_stays():
    items = pictures([20] * 6) + pictures([10] * 6, split="test")
    held = hold_out(items, "valid", 0.5, seed=0)
    assert [(i.original, i.label) for i in held] == [(i.original, i.label) for i in items]
    assert counts_of(held, "test") == [10] * 6
    assert counts_of(held, "valid") == [10] * 6


def test_no_share_changes_nothing():
    items = pictures([3] * 6) + pictures([3] * 6, split="test")
    assert hold_out(items, "test", 0, seed=0) == items


def test_a_split_that_the_database_has_is_not_drawn_again():
    items = pictures([3] * 6) + pictures([3] * 6, split="test")
    with pytest.raises(BadSettingError, match=r"18 test pictures of its own\n  try: leave --test"):
        hold_out(items, "test", 0.2, seed=0)


def test_a_database_without_training_pictures_has_nothing_to_hold_out():
    with pytest.raises(BadSettingError, match="leaves one side empty"):
        hold_out(pictures([3] * 6, split="valid"), "test", 0.5, seed=0)


@pytest.mark.parametrize(("count", "share"), [(1, 0.1), (1, 0.9), (2, 0.1)])
def test_too_few_to_divide_is_said(count, share):
    with pytest.raises(BadSettingError, match="leaves one side empty"):
        hold_out(pictures([count, 0, 0, 0, 0, 0]), "valid", share, seed=0)


def rows_of(counts, source="made"):
    """So many training rows of each of the six, the first label's first."""
    labels = [label for label, count in zip(LABELS, counts, strict=True) for _ in range(count)]
    return [row_of(label, "train", f"{n}.png", source) for n, label in enumerate(labels)]


def test_a_part_has_every_class_of_every_database_in_proportion():
    rows = rows_of([100, 60, 40, 20, 10, 2]) + rows_of([0, 0, 0, 0, 0, 116], "other")
    chosen = draw_part(rows, 87, seed=0)  # a quarter of 348
    found = Counter((r.source, r.label) for r, is_in in zip(rows, chosen, strict=True) if is_in)
    own = [found["made", label] for label in LABELS]
    for count, expected in zip(own, (25, 15, 10, 5, 2.5, 0.5), strict=True):
        assert abs(count - expected) <= 1
    assert abs(found["other", "fear"] - 29) <= 1
    assert found.total() == 87


def test_a_part_does_not_depend_on_the_order_and_another_seed_is_another_part():
    rows = rows_of([30] * 6)
    chosen = {r.original for r, is_in in zip(rows, draw_part(rows, 50, 0), strict=True) if is_in}
    turned = rows[::-1]
    again = draw_part(turned, 50, 0)
    assert {r.original for r, is_in in zip(turned, again, strict=True) if is_in} == chosen
    other = draw_part(rows, 50, 1)
    assert {r.original for r, is_in in zip(rows, other, strict=True) if is_in} != chosen
    part = draw_part(rows, 20, 0)  # a smaller part lies in a larger one
    assert {r.original for r, is_in in zip(rows, part, strict=True) if is_in} < chosen


def test_of_a_part_no_more_is_held_out_than_of_the_whole():
    rows = rows_of([8000, 0, 0, 0, 0, 0])
    part = [row for row, is_in in zip(rows, draw_part(rows, 1000, 0), strict=True) if is_in]
    assert 0.16 < draw_held_out(part, 0.2, 0).mean() < 0.24  # three deviations of 0.0126
