"""A frame is seen as FFmpeg's own player shows it: turned, mirrored, its pixels square."""

from fractions import Fraction

import numpy as np
import pytest

from mien.errors import BadImageError
from mien.media.frame import shown_size
from mien.media.video_reader import VideoFile
from tests.support.pictures import texture
from tests.support.video_files import clip, film, noted, stretched

PICTURE = texture(1)[:48]
TURNS = [  # a, b, c, d: a stored point (x, y) is shown at (a x + c y, b x + d y)
    ((1, 0, 0, 1), PICTURE),
    ((-1, 0, 0, 1), PICTURE[:, ::-1]),  # a mirror, as front cameras have it
    ((1, 0, 0, -1), PICTURE[::-1]),
    ((-1, 0, 0, -1), PICTURE[::-1, ::-1]),
    ((0, 1, -1, 0), np.rot90(PICTURE, -1)),  # clockwise
    ((0, -1, 1, 0), np.rot90(PICTURE)),
    ((0, 1, 1, 0), PICTURE.swapaxes(0, 1)),
    ((0, -1, -1, 0), PICTURE[::-1, ::-1].swapaxes(0, 1)),
]


@pytest.mark.parametrize(("matrix", "expected"), TURNS)
def test_all_eight_ways_to_hold_a_camera_are_shown_upright(tmp_path, matrix, expected):
    path = noted(film(tmp_path / "a.mov", [PICTURE]), matrix)
    with VideoFile(path) as opened:
        [frame] = opened
    np.testing.assert_array_equal(frame.rgb(), expected)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [(Fraction(2), (48, 128)), (Fraction(1, 2), (96, 64)), (Fraction(1), (48, 64))],
)
def test_pixels_that_are_not_square_become_so(tmp_path, aspect, size):
    with VideoFile(stretched(tmp_path / "a.mp4", [PICTURE] * 2, aspect)) as opened:
        shown = [rgb for _, rgb in opened.pictures(opened)]
    assert [rgb.shape for rgb in shown] == [(*size, 3)] * 2


def test_a_stretched_frame_is_stretched_before_it_is_turned(tmp_path):
    path = noted(stretched(tmp_path / "a.mov", [PICTURE], Fraction(2)), (0, 1, -1, 0))
    with VideoFile(path) as opened:
        [frame] = opened
    assert frame.rgb().shape == (128, 48, 3)


def test_frames_only_grow():
    assert shown_size(720, 576, Fraction(16, 11)) == (1047, 576)
    assert shown_size(720, 480, Fraction(8, 9)) == (720, 540)
    assert shown_size(7, 5, Fraction(1)) == (7, 5)


def test_a_frame_that_would_be_shown_too_large_is_damaged(tmp_path):
    path = stretched(tmp_path / "a.mp4", [texture(1, 1056)[:48]], Fraction(16))
    with VideoFile(path) as opened, pytest.raises(BadImageError, match="frames of 16896x48"):
        list(opened.pictures(opened))


def damaged_colours(path, frames):
    """A film of five frames, of which some have colours in a code that nobody knows."""
    pictures = [np.full((64, 64, 3), 40 * n + 40, dtype=np.uint8) for n in range(5)]
    clip(path, pictures, sound=None, codec="prores_ks", pix_fmt="yuv422p10le")
    data = bytearray(path.read_bytes())
    starts = [place for place in range(len(data)) if data[place : place + 4] == b"icpf"]
    for number in frames:
        data[starts[number] + 20] = 15  # the matrix of its colours
    path.write_bytes(data)
    return path


def test_a_frame_that_cannot_be_converted_is_counted_and_the_others_keep_their_times(tmp_path):
    with VideoFile(damaged_colours(tmp_path / "a.mov", [0, 3])) as opened:
        shown = [
            (f.number, round(f.time_s, 6), round(rgb.mean())) for f, rgb in opened.pictures(opened)
        ]
        assert opened.damaged == 2
    expected = [(1, 0.04, 80), (2, 0.08, 120), (4, 0.16, 200)]
    assert [place[:2] for place in shown] == [place[:2] for place in expected]
    assert [place[2] for place in shown] == pytest.approx([80, 120, 200], abs=3)


def test_a_frame_that_cannot_be_converted_says_which(tmp_path):
    with VideoFile(damaged_colours(tmp_path / "a.mov", [1])) as opened:
        frames = list(opened)
        with pytest.raises(BadImageError, match=r"damaged frame 1 at 0\.040 s \(.*\n  try: give a"):
            frames[1].rgb()


def test_a_film_of_which_no_frame_can_be_converted_is_an_error(tmp_path):
    with (
        VideoFile(damaged_colours(tmp_path / "a.mov", range(5))) as opened,
        pytest.raises(BadImageError, match=r"a\.mov: damaged frame 4"),
    ):
        list(opened.pictures(opened))
