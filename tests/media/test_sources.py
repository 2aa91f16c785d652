"""Whatever a user names as a film shows the same frames, or says what is wrong with it."""

import io
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from mien.data.video_crops import CropOptions
from mien.errors import BadImageError, BadSettingError
from mien.media.sources import (
    Camera,
    NumberedPictures,
    PictureFolder,
    open_file,
    open_stream,
    open_video,
)
from mien.media.video_reader import VideoFile
from tests.support.made_camera import Lens
from tests.support.pictures import encode, folder_of, texture
from tests.support.video_files import clip, film, shades


def numbers_and_times(video):
    return [(frame.number, round(frame.time_s, 6)) for frame in video]


def numbered(folder, numbers, name="{:05}.png"):
    files = {name.format(n): encode(texture(n), "PNG") for n in numbers}
    return folder_of(folder, files)


def test_numbered_pictures_are_shown_in_their_order_at_a_rate(tmp_path):
    numbered(tmp_path, [9, 10, 11, 100])
    with open_video(tmp_path / "%05d.png", rate=10) as video:
        frames = list(video)
        assert (video.length, video.rate, video.damaged, video.mended) == (4, 10, 0, 0)
    assert [(f.number, f.time_s) for f in frames] == [(0, 0), (1, 0.1), (2, 0.2), (3, 0.3)]
    for frame, seed in zip(frames, (9, 10, 11, 100), strict=True):
        np.testing.assert_array_equal(frame.rgb(), texture(seed))


@pytest.mark.parametrize("rate", [-5, float("nan"), float("inf"), -0.001])
def test_a_rate_that_cannot_be_is_refused_by_every_source(tmp_path, rate):
    numbered(tmp_path, [1, 2])
    path = film(tmp_path / "a.mov", shades(2))
    for opens in (
        lambda: open_video(tmp_path, rate),
        lambda: open_video(tmp_path / "%05d.png", rate),
        lambda: open_video(path, rate),
        lambda: open_video(0, rate),
        lambda: open_file(path, rate),
        lambda: NumberedPictures(tmp_path / "%05d.png", rate),
        lambda: PictureFolder(tmp_path, rate),
        lambda: VideoFile(path, rate=rate),
        lambda: CropOptions(rate=rate),
    ):
        with pytest.raises(BadSettingError, match="a rate is above 0 frames a second, got"):
            opens()


def test_without_a_rate_pictures_have_the_usual_one(tmp_path):
    numbered(tmp_path, [1, 2])
    assert [video.rate for video in (open_video(tmp_path), PictureFolder(tmp_path, 0))] == [25, 25]


def test_a_numbered_picture_that_is_a_broken_link_is_counted_and_keeps_its_time(tmp_path):
    numbered(tmp_path, [1, 2, 4])
    (tmp_path / "00003.png").symlink_to("nowhere.png")
    with open_video(tmp_path / "%05d.png", rate=10) as video:
        assert numbers_and_times(video) == [(0, 0), (1, 0.1), (2, 0.3)]
        assert video.damaged == 1


@pytest.mark.parametrize("damage_at", [4, 2000])
def test_a_film_in_a_damaged_archive_is_no_video(tmp_path, damage_at):
    data = film(tmp_path / "a.mov", [texture(n) for n in range(9)]).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.mov", data)
    content = bytearray(packed.getvalue())
    content[content.find(data) + damage_at] ^= 255
    with (
        zipfile.ZipFile(io.BytesIO(bytes(content))) as archive,
        archive.open("a.mov") as member,
        pytest.raises(BadImageError, match=r"not a video: a\.mov .*Bad CRC-32"),
        open_stream(member, "a.mov") as video,
    ):
        list(video)


def test_a_camera_of_a_number_below_0_is_none():
    with pytest.raises(BadImageError, match="no such file or camera: -1"):
        open_video(-1)


def test_one_frame_in_none_is_refused():
    with pytest.raises(BadSettingError, match="every is 1 frame or more, got 0"):
        CropOptions(every=0)


@pytest.mark.parametrize(
    ("pattern", "name"), [("%d.png", "{}.png"), ("a%3d b.png", "a{:03} b.png")]
)
def test_numbers_need_not_be_padded_and_the_usual_rate_is_25(tmp_path, pattern, name):
    numbered(tmp_path, [1, 2, 10], name)
    folder_of(tmp_path, {"x.png": b"", "a1 b.jpg": b""})
    with open_video(tmp_path / pattern) as video:
        assert numbers_and_times(video) == [(0, 0), (1, 0.04), (2, 0.08)]


def test_a_damaged_picture_is_counted_and_the_others_keep_their_times(tmp_path):
    numbered(tmp_path, [0, 1, 3])
    (tmp_path / "00002.png").write_bytes(b"nothing")
    with open_video(tmp_path / "%05d.png", rate=1) as video:
        assert numbers_and_times(video) == [(0, 0), (1, 1), (2, 3)]
        assert video.damaged == 1


def test_pictures_that_are_not_there_or_all_damaged_are_an_error(tmp_path):
    with pytest.raises(BadImageError, match=r"no such pictures: .*%05d\.png\n  try: check"):
        open_video(tmp_path / "%05d.png")
    with pytest.raises(BadImageError, match="no such pictures"):
        open_video(tmp_path / "gone" / "%d.png")
    (tmp_path / "00001.png").write_bytes(b"nothing")
    with (
        open_video(tmp_path / "%05d.png") as video,
        pytest.raises(BadImageError, match="not a pict"),
    ):
        list(video)


def test_a_film_whose_name_holds_a_pattern_is_a_film(tmp_path):
    film(tmp_path / "100%d.mov", shades(2))
    with open_video(tmp_path / "100%d.mov") as video:
        assert numbers_and_times(video) == [(0, 0), (1, 0.1)]


def test_a_rate_for_what_has_its_own_is_refused(tmp_path):
    with pytest.raises(BadSettingError, match="own rate"):
        open_video(film(tmp_path / "a.mov", shades(2)), rate=10)
    with pytest.raises(BadSettingError, match="own rate"):
        open_video(0, rate=10)


def test_a_folder_of_frames_is_shown_in_the_order_people_expect(tmp_path):
    names = ["f1.png", "f2.png", "f10.PNG"]
    folder_of(tmp_path, {name: encode(texture(n), "PNG") for n, name in enumerate(names)})
    folder_of(tmp_path, {"notes.txt": b"", ".f3.png": b"", "sub/f4.png": b""})
    with open_video(tmp_path, rate=10) as video:
        assert (video.length, video.rate) == (3, 10)
        for frame, seed in zip(video, range(3), strict=True):
            np.testing.assert_array_equal(frame.rgb(), texture(seed))
            assert frame.time_s == seed / 10
    with open_video(str(tmp_path)) as video:
        assert numbers_and_times(video) == [(0, 0), (1, 0.04), (2, 0.08)]
        assert [line.partition(": 1: ")[0] for line in video.left_out] == [
            "left out, hidden",
            "left out, in a folder below",
            "left out, no picture by its suffix",
        ]


@pytest.mark.parametrize("name", ["7", "2024", "50%discount", "run%d", "a%03d"])
def test_a_folder_is_a_folder_whatever_its_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    numbered(tmp_path / name, [1, 2])
    with open_video(name, rate=10) as video:
        assert numbers_and_times(video) == [(0, 0), (1, 0.1)]


def test_a_pattern_of_more_digits_than_a_name_can_have_is_one_error(tmp_path):
    for digits in ("999", "99999999999"):
        with pytest.raises(BadImageError, match="no such"):
            open_video(tmp_path / f"x%{digits}d.jpg")


@pytest.mark.parametrize(
    "given",
    [None, b"a.mp4", io.BytesIO(b""), np.zeros((2, 9, 9, 3), np.uint8), ["a.mp4"]],
    ids=["None", "bytes", "file", "array", "list"],
)
def test_what_is_no_name_of_a_film_is_not_taken_for_one(given):
    with pytest.raises(BadImageError) as refused:
        open_video(given)
    assert refused.value.message.endswith(f"the number of a camera, got {type(given).__name__}")


def test_a_folder_of_films_says_how_they_are_read(tmp_path):
    folder_of(tmp_path, {"day 1/a.VOB": b"", "notes.txt": b""})
    with pytest.raises(BadImageError, match=r"but films\n  try: name one .* --films"):
        open_video(tmp_path)


def test_a_folder_without_frames_says_what_is_wanted(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(BadImageError, match=r"no pictures in .*\n.*a\.txt"):
        open_video(tmp_path)


@pytest.mark.parametrize("name", ["a.h264", "a.m4v"])
def test_a_raw_stream_takes_a_rate(tmp_path, name):
    codec = "libx264" if name == "a.h264" else "mpeg4"
    pictures = [texture(n) for n in range(10)]
    path = clip(tmp_path / name, pictures, sound=None, codec=codec, format=name[2:])
    with open_video(path, rate=10) as video:
        assert numbers_and_times(video) == [(n, n / 10) for n in range(10)]
        assert (video.rate, video.mended, video.damaged, video.missing_s) == (10, 0, 0, 0)
    with open_video(path) as video:
        assert numbers_and_times(video) == [(n, n / 25) for n in range(10)]


@pytest.mark.parametrize("source", ["2", 2])
def test_a_camera_gives_what_it_sees_as_it_sees_it(monkeypatch, source):
    lens = Lens(3)
    monkeypatch.setattr(cv2, "VideoCapture", lambda index: lens if index == 2 else None)
    ticks = iter([1.0, 7.0, 7.25, 8.0])
    clock = SimpleNamespace(monotonic=lambda: next(ticks))  # other threads keep the real one
    monkeypatch.setattr("mien.media.sources.time", clock)
    with open_video(source) as video:
        assert isinstance(video, Camera)
        assert (video.name, video.length, video.rate) == ("camera 2", 0, 30)
        frames = list(video)
    assert [(f.number, f.time_s) for f in frames] == [(0, 0), (1, 0.25), (2, 1)]
    assert frames[0].rgb()[0, 0].tolist() == [10, 20, 198]
    assert lens.released


def test_a_camera_ends_when_it_is_stopped(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: Lens(1000))
    with open_video("0") as video:
        for frame in video:
            if frame.number == 4:
                video.stop()
    assert frame.number == 4


@pytest.mark.parametrize(("frames", "message"), [(None, "can be opened"), (0, "gives no picture")])
def test_a_camera_that_is_not_there_is_an_error(monkeypatch, frames, message):
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: Lens(frames))
    with pytest.raises(BadImageError, match=f"camera 0.*{message}"):
        list(open_video("0"))


def test_a_number_that_no_camera_has_is_an_error():
    with pytest.raises(BadImageError, match="no such file or camera: 99999999999"):
        open_video("99999999999")


def test_standard_input_is_read_as_it_comes(tmp_path):
    path = clip(tmp_path / "a.mkv", shades(30))
    code = (
        "from mien.media.sources import open_video\n"
        "with open_video('-', sound=True) as video:\n"
        "    print(video.name, sum(1 for _ in video), sum(1 for _ in video.heard()))"
    )
    with path.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=file, capture_output=True, text=True, check=True
        )
    name, _, frames, packets = done.stdout.split()
    assert (name, frames) == ("standard", "30")
    assert int(packets) >= 56  # 1.2 s of 1024 samples each


def test_pictures_have_no_sound(tmp_path):
    numbered(tmp_path, [1])
    with NumberedPictures(tmp_path / "%05d.png", 25) as video:
        assert (video.audio, list(video.heard()), video.start_s, video.time_base) == (
            None,
            [],
            0,
            0,
        )


def test_a_video_in_memory_is_read_as_its_file_is(tmp_path):
    path = film(tmp_path / "a.mp4", shades(5))
    animation = tmp_path / "a.webp"
    first, *rest = map(Image.fromarray, shades(3))
    first.save(animation, save_all=True, append_images=rest, duration=40, lossless=True)
    for file, count in ((path, 5), (animation, 3)):
        held = io.BytesIO(file.read_bytes())
        held.seek(7)  # wherever it stands
        with open_file(file) as from_file, open_stream(held, "held") as from_memory:
            expected = [(frame.time_s, rgb) for frame, rgb in from_file.pictures(from_file)]
            shown = [(frame.time_s, rgb) for frame, rgb in from_memory.pictures(from_memory)]
        assert len(shown) == count
        assert [time_s for time_s, _ in shown] == [time_s for time_s, _ in expected]
        np.testing.assert_array_equal([rgb for _, rgb in shown], [rgb for _, rgb in expected])


def test_what_is_no_video_in_memory_is_refused_by_its_name():
    with pytest.raises(BadImageError, match="held"):
        open_stream(io.BytesIO(b"#EXTM3U\nhttp://127.0.0.1:1/a.ts\n"), "held")
