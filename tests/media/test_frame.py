"""A frame is seen as FFmpeg's own player shows it: turned, mirrored, its pixels square."""

import gc
from fractions import Fraction

import av
import numpy as np
import pytest

from mien.errors import BadImageError
from mien.media import frame as frame_module
from mien.media.frame import shown_size
from mien.media.video_reader import VideoFile
from tests.support.pictures import texture
from tests.support.video_files import film, noted, shades, stretched

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


def test_frames_are_freed_as_they_are_read(tmp_path):
    path = noted(film(tmp_path / "a.mov", [PICTURE] * 60), (-1, 0, 0, 1))
    gc.collect()
    gc.disable()
    try:
        with VideoFile(path) as opened:
            assert len([frame.rgb().shape for frame in opened]) == 60
        left = sum(issubclass(type(thing), av.VideoFrame) for thing in gc.get_objects())
        assert left < 10  # frames that refer to themselves would be 60
    finally:
        gc.enable()


def test_frames_only_grow():
    assert shown_size(720, 576, Fraction(16, 11)) == (1047, 576)
    assert shown_size(720, 480, Fraction(8, 9)) == (720, 540)
    assert shown_size(7, 5, Fraction(1)) == (7, 5)


def test_a_frame_that_would_be_shown_too_large_is_damaged(tmp_path):
    path = stretched(tmp_path / "a.mp4", [texture(1, 1056)[:48]], Fraction(16))
    with VideoFile(path) as opened, pytest.raises(BadImageError, match="frames of 16896x48"):
        list(opened.pictures(opened))


@pytest.fixture
def film_of_five(tmp_path, monkeypatch):
    """Make a film of five frames, of which some cannot be converted."""

    def make(damaged):
        seen = frame_module._seen

        def fails(shown, geometry):
            if shown.pts // step in damaged:
                raise av.error.OSError(95, "Operation not supported")  # colours nobody knows
            return seen(shown, geometry)

        monkeypatch.setattr(frame_module, "_seen", fails)
        path = film(tmp_path / "a.mov", shades(5), rate=25)
        with av.open(str(path)) as container:
            step = container.streams.video[0].time_base.denominator // 25
        return path

    return make


def test_a_frame_that_cannot_be_converted_is_counted_and_the_others_keep_their_times(film_of_five):
    with VideoFile(film_of_five([0, 3])) as opened:
        shown = [
            (f.number, round(f.time_s, 6), round(rgb.mean())) for f, rgb in opened.pictures(opened)
        ]
        assert opened.damaged == 2
    assert shown == [(1, 0.04, 11), (2, 0.08, 12), (4, 0.16, 14)]


def test_a_frame_that_cannot_be_converted_says_which(film_of_five):
    with VideoFile(film_of_five([1])) as opened:
        frames = list(opened)
        with pytest.raises(BadImageError, match=r"damaged frame 1 at 0\.040 s \(.*\n  try: give a"):
            frames[1].rgb()


def test_a_film_of_which_no_frame_can_be_converted_is_an_error(film_of_five):
    with (
        VideoFile(film_of_five(range(5))) as opened,
        pytest.raises(BadImageError, match=r"a\.mov: damaged frame 4"),
    ):
        list(opened.pictures(opened))
