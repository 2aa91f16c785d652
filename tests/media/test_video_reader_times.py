"""Time stamps that are wrong become times that go forward; those that are right stay."""

from itertools import pairwise

import pytest

from mien.media.timestamps import TimeStamps


@pytest.mark.parametrize(
    ("stamps", "times", "mended"),
    [
        ([0, 0.1, 0.7, 30], [0, 0.1, 0.7, 30], 0),  # a variable rate is no fault
        ([-3, -2.5, 0], [0, 0.5, 3], 0),  # nor is a start below 0
        ([7, 8, 9], [0, 1, 2], 0),
        ([None, None, None], [0, 1, 2], 3),
        ([0, None, 2.5, None], [0, 1, 2.5, 3.5], 2),
        ([0, 0, 0, 1], [0, 1, 2, 3], 2),  # frames that stand still
        ([0, 1, 2, -5, 4, 5], [0, 1, 2, 3, 4, 5], 1),  # one stamp is wrong
        ([0, 1, 2, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6], 1),  # two films glued together
        ([5, 6, 0, 1.5, 2, 0, 1], [0, 1, 2, 3.5, 4, 5, 6], 2),  # three
        ([0, 10, 10.2, 10.1, 11], [0, 10, 10.2, 11.2, 12.1], 1),  # exchanged, at an uneven rate
    ],
)
def test_times_go_forward(stamps, times, mended):
    clock = TimeStamps(step_s=1)
    read = [clock.read(stamp) for stamp in stamps]
    assert read == pytest.approx(times)
    assert clock.mended == mended
    assert all(a < b for a, b in pairwise(read))


def test_the_first_stamp_is_kept_so_that_sound_can_be_set_beside():
    clock = TimeStamps(step_s=1)
    assert clock.start_s == 0
    clock.read(2.5)
    clock.read(4)
    assert clock.start_s == 2.5


@pytest.mark.parametrize(
    ("stamps", "times", "mended"),
    [
        ([0, 1, 2, 50, 51, 52], [0, 1, 2, 3, 4, 5], 1),  # the clock was set forward
        ([0, 1, 2, 500, 4, 5], [0, 1, 2, 3, 4, 5], 1),  # one stamp is wrong
        ([0, 50, 51, 52], [0, 1, 2, 3], 1),
        ([50, 51, 0, 1, 90, 91], [0, 1, 2, 3, 4, 5], 2),  # back, and forward
        ([0, 1, 10.9, 12], [0, 1, 10.9, 12], 0),  # a pause is no leap
        ([7, 3, 9], [0, 1, 2], 1),  # at the very start
    ],
)
def test_times_do_not_leap_ahead_where_a_clock_may_be_set(stamps, times, mended):
    clock = TimeStamps(step_s=1, leap_s=10)
    assert [clock.read(stamp) for stamp in stamps] == pytest.approx(times)
    assert clock.mended == mended


def test_sound_follows_the_clock_that_was_set():
    clock = TimeStamps(step_s=1, leap_s=10)
    for stamp in (5, 6, 7, 50, 51, 52):
        clock.read(stamp)
    assert clock.change_s == clock.clock_change_s(51.5) == 42
    assert clock.clock_change_s(7.2) == 0
