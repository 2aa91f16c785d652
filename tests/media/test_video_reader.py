import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mien.errors import BadImageError, MissingExtraError
from mien.media.video_reader import VideoFile
from mien.media.video_source import every_nth, per_second
from tests.support.pictures import encode, texture, zip_of
from tests.support.video_files import clip, film, shades


def frames_at(*times):
    return [SimpleNamespace(number=number, time_s=time) for number, time in enumerate(times)]


def numbers(frames):
    return [frame.number for frame in frames]


def test_every_frame_comes_with_its_number_its_time_and_its_pixels(tmp_path):
    pictures = [texture(seed) for seed in range(5)]
    with VideoFile(film(tmp_path / "a.mov", pictures)) as opened:
        frames = list(opened)
        assert (opened.length, opened.rate) == (5, 10)
        assert opened.damaged == 0
    assert numbers(frames) == [0, 1, 2, 3, 4]
    assert [round(frame.time_s, 6) for frame in frames] == [0, 0.1, 0.2, 0.3, 0.4]
    for frame, picture in zip(frames, pictures, strict=True):
        np.testing.assert_array_equal(frame.rgb(), picture)


def test_times_are_those_of_showing_even_where_frames_were_dropped(tmp_path):
    path = film(tmp_path / "a.mov", shades(4), times=[0, 1, 7, 30])
    with VideoFile(path) as opened:
        assert [round(frame.time_s, 6) for frame in opened] == [0, 0.1, 0.7, 3.0]


def test_times_count_from_the_first_frame(tmp_path):
    with VideoFile(film(tmp_path / "a.mov", shades(3), times=[5, 6, 9])) as opened:
        assert [round(frame.time_s, 3) for frame in opened] == [0, 0.1, 0.4]


def test_a_second_is_a_second_whatever_the_first_time_stamp(tmp_path):
    with VideoFile(film(tmp_path / "a.mov", shades(2), rate=1000, times=[7, 1007])) as opened:
        assert [frame.time_s for frame in opened] == [0, 1]  # 1.007 - 0.007 is 0.9999999999999999


def test_a_rate_that_no_camera_has_is_none(tmp_path):
    with VideoFile(film(tmp_path / "a.mov", shades(3), rate=20_000)) as opened:
        assert (opened.length, opened.rate) == (3, 0)


def test_a_video_in_memory_can_be_read(tmp_path):
    path = film(tmp_path / "a.avi", shades(3))
    with path.open("rb") as file, VideoFile(file, "a.avi") as opened:
        assert [int(frame.rgb()[0, 0, 0]) for frame in opened] == [10, 11, 12]


def test_a_film_taken_with_the_camera_turned_is_shown_upright(tmp_path):
    picture = texture(1)[:48]
    path = film(tmp_path / "a.mov", [picture])
    data = path.read_bytes()
    plain = b"".join(v.to_bytes(4, "big", signed=True) for v in (1 << 16, 0, 0, 0, 1 << 16))
    turned = b"".join(v.to_bytes(4, "big", signed=True) for v in (0, 1 << 16, 0, -1 << 16, 0))
    track = data.index(plain, data.index(b"tkhd"))
    path.write_bytes(data[:track] + turned + data[track + len(plain) :])
    with VideoFile(path) as opened:
        [frame] = opened
    np.testing.assert_array_equal(frame.rgb(), np.rot90(picture, -1))  # clockwise


def test_every_nth_frame_starts_with_the_first():
    frames = frames_at(*range(7))
    assert numbers(every_nth(frames, 3)) == [0, 3, 6]
    assert numbers(every_nth(frames, 1)) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("times", "rate", "chosen"),
    [
        ([0, 0.25, 0.5, 0.75, 1.0, 1.25], 2, [0, 2, 4]),
        ([0, 0.1, 0.9, 1.2, 5.0, 5.1], 1, [0, 3, 4]),  # a gap is not made up for
        ([0, 1, 2], 30, [0, 1, 2]),  # more than there are
        ([i / 30 for i in range(30)], 10, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]),
        ([i / 10 for i in range(30)], 0.5, [0, 20]),
        ([i / 100 for i in range(60)], 100, list(range(60))),  # 0.29 * 100 is a little under 29
        ([i / 1000 for i in range(60)], 1000, list(range(60))),
        ([round(i / 30, 3) for i in range(90)], 30, list(range(90))),  # as a .mkv has them
        ([i * 33 / 1000 for i in range(3)], 30, [0, 1, 2]),
        ([round(i / 30, 3) for i in range(12)], 15, [0, 2, 4, 6, 8, 10]),  # and evenly
    ],
)
def test_so_many_frames_a_second_are_chosen_by_time(times, rate, chosen):
    assert numbers(per_second(frames_at(*times), rate)) == chosen


def test_frames_are_decoded_as_they_are_asked_for(tmp_path):
    with VideoFile(film(tmp_path / "a.mov", shades(50))) as opened:
        assert next(iter(opened)).number == 0  # and closing does not wait for the rest


def test_a_damaged_stretch_is_skipped_and_counted(tmp_path):
    path = film(tmp_path / "a.avi", [texture(seed) for seed in range(6)])
    data = bytearray(path.read_bytes())
    starts = [i for i in range(len(data)) if data[i : i + 8] == b"\x89PNG\r\n\x1a\n"]
    data[starts[2] : starts[2] + 8] = b"--------"
    path.write_bytes(data)
    with VideoFile(path) as opened:
        shown = [frame.rgb() for frame in opened]
        assert opened.damaged == 1
    # the container's reader glues the frame after a broken one to it
    for rgb, seed in zip(shown, (0, 1, 4, 5), strict=True):
        np.testing.assert_array_equal(rgb, texture(seed))


def test_a_truncated_film_gives_the_frames_it_has(tmp_path):
    path = film(tmp_path / "a.avi", [texture(seed) for seed in range(6)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoFile(path) as opened:
        count = len(list(opened))
    assert 1 <= count < 6


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.mp4", b"no film at all, just some words " * 50),
        ("empty.mp4", b""),
        ("a.jpg", encode(texture(1))),
        ("a.png", encode(texture(1), "PNG")),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadImageError, match=rf"not a video: .*{name}.*\n  try: give a video"):
        VideoFile(tmp_path / name)


def test_a_zip_of_pictures_is_no_video(tmp_path):
    path = zip_of(tmp_path / "a.zip", {f"{i}.jpg": encode(texture(i)) for i in range(20)})
    with pytest.raises(BadImageError, match=r"not a video: .*a\.zip"):
        VideoFile(path)


def test_a_missing_video_is_named(tmp_path):
    with pytest.raises(BadImageError, match=r"no such file: .*gone\.mp4"):
        VideoFile(tmp_path / "gone.mp4")


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mien\[video\]"'):
        VideoFile(tmp_path / "a.mp4")


def test_a_damaged_film_that_is_broken_off_does_not_hang(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 240, 320, 3), dtype=np.uint8)
    path = clip(tmp_path / "a.mp4", noise, sound=None)
    data = bytearray(path.read_bytes())
    for place in range(data.index(b"mdat") + 4000, len(data) - 4000, 997):
        data[place : place + 40] = bytes(40)  # the decoder's threads complain all the time
    path.write_bytes(data)
    code = (
        "import gc, itertools, sys\n"
        "from mien.media.video_reader import VideoFile\n"
        "for _ in range(20):\n"
        "    with VideoFile(sys.argv[1]) as film:\n"
        "        list(itertools.islice(film, 4))\n"
        "    del film\n"
        "    gc.collect()\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
