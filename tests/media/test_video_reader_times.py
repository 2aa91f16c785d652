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
        ([0, 0, 0, 1], [0, 0.001, 0.002, 1], 2),  # frames that stand still
        ([0, 2, 4, 4, 6], [0, 2, 4, 4.001, 6], 1),
        ([0, 1, 2, -5, 4, 5], [0, 1, 2, 3, 4, 5], 1),  # one stamp is wrong
        ([0, 1, 2, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6], 1),  # two films glued together
        ([5, 6, 0, 1.5, 2, 0, 1], [0, 1, 2, 3.5, 4, 5, 6], 2),  # three
        ([0, 10, 10.2, 10.1, 11], [0, 10, 10.2, 10.201, 11], 1),  # exchanged, at an uneven rate
        # One is far off, and the frames after it are closer together than the rate says.
        ([0, 1, 2, -5, 2.5, 2.6, 4], [0, 1, 2, 3, 3.001, 3.002, 4], 3),
    ],
)
def test_times_go_forward(stamps, times, mended):
    clock = TimeStamps(step_s=1)
    read = [clock.read(stamp) for stamp in stamps]
    assert read == pytest.approx(times)
    assert clock.mended == mended
    assert all(a < b for a, b in pairwise(read))


def burst(second):
    """Milliseconds of frames: seven close together, two of them with one stamp, then a pause."""
    return [1000 * second + ms for ms in (0, 16, 32, 32, 48, 64, 80, 500)]


def test_a_repeated_stamp_shifts_none_of_the_others():
    stamps = [ms / 1000 for second in range(20) for ms in burst(second)]
    clock = TimeStamps(step_s=1 / 30)
    times = [clock.read(stamp) for stamp in stamps]
    assert times[-1] == 19.5
    assert times == pytest.approx(stamps, abs=0.001001)  # the second of two: 1 ms after the first
    assert clock.mended == 20
    assert all(a < b for a, b in pairwise(times))


@pytest.mark.parametrize("wrong", [0.3, 0.32, 0.2, None, 99])
def test_a_wrong_stamp_among_frames_closer_than_the_rate_says_shifts_none_for_good(wrong):
    right = [0.1 * n for n in range(4)] + [0.3 + n / 30 for n in range(1, 16)]
    stamps = [*right[:6], wrong, *right[7:]]  # the rate is 10 a second, there it is 30
    clock = TimeStamps(step_s=0.1, leap_s=10)
    times = [clock.read(stamp) for stamp in stamps]
    assert times[:6] == right[:6]
    assert times[10:] == pytest.approx(right[10:])
    assert all(a < b for a, b in pairwise(times))


def test_a_frame_without_a_stamp_does_not_overtake_the_next_ones():
    stamps = [0, 0.1, 0.2, 0.233, None, 0.3, 0.333, 0.4]  # at a rate of 10 a second
    clock = TimeStamps(step_s=0.1)
    # the last two were 0.033 s apart, and so it comes 0.033 s after them
    expected = [0, 0.1, 0.2, 0.233, 0.266, 0.3, 0.333, 0.4]
    assert [clock.read(stamp) for stamp in stamps] == pytest.approx(expected)
    assert clock.mended == 1


def test_a_second_film_is_told_from_a_wrong_stamp_however_short_the_first():
    film = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    clock = TimeStamps(step_s=0.1)
    read = [clock.read(stamp) for stamp in film + film]
    # four stamps may be wrong; the fifth shows a new clock that began at 0.7
    assert read == pytest.approx([*film, 0.601, 0.602, 0.603, 0.604, 1.1, 1.2, 1.3])
    assert clock.mended == 4


def test_two_films_are_joined_a_frame_apart():
    clock = TimeStamps(step_s=1 / 30)
    read = [clock.read(stamp) for stamp in (0, 1, 2, 0, 1)]
    assert read == pytest.approx([0, 1, 2, 2 + 1 / 30, 3 + 1 / 30])


def test_time_goes_on_where_the_stamps_stand_still():
    clock = TimeStamps(step_s=0.1)
    read = [clock.read(second) for second in (0,) * 10 + (1,) * 10 + (2,)]  # whole seconds
    moments = [0, 0.001, 0.002, 0.003, 0.004, 0.104, 0.204, 0.304, 0.404, 0.504]
    assert read == pytest.approx([*moments, *(1 + moment for moment in moments), 2])


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
