"""What is said of a film that is not as it should be."""

import pytest

from mien.cli._films import report_film
from mien.data.video_crops import VideoCrops


def test_what_was_wrong_with_a_film_is_said_a_line_each(capsys):
    faults = {"damaged": 1200, "mended": 3, "missing_s": 2.04, "left_out": ["another picture"]}
    report_film(VideoCrops(rate=25, **faults), 4800)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "another picture",
        "skipped: 1,200 damaged parts of the film",
        "mended: 3 time stamps, missing, running backwards or leaping ahead",
        "cut short: its last 2.0 s are missing, the first 4,800 frames were read",
    ]


@pytest.mark.parametrize(
    ("rate", "missing_s", "is_said"),
    [(25, 0.5, False), (25, 0.6, True), (2, 1.0, False), (2, 1.1, True), (0, 0.5, False)],
)
def test_a_film_is_cut_short_if_more_than_half_a_second_and_two_frames_are_missing(
    capsys, rate, missing_s, is_said
):
    report_film(VideoCrops(rate=rate, missing_s=missing_s), 48)
    assert capsys.readouterr().err.startswith("cut short: ") is is_said
