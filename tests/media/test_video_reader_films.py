"""Films as they come: cut short, in odd codes and layouts, with clocks that jump, with sound."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from mien.errors import BadImageError
from mien.media.video_reader import VideoFile
from tests.support.pictures import texture
from tests.support.video_files import clip, film, shades, tone


def test_a_film_that_ends_early_says_how_much_is_missing(tmp_path):
    path = clip(tmp_path / "a.mkv", [texture(n) for n in range(100)], sound=None)
    with VideoFile(path) as whole:
        assert len(list(whole)) == 100
        assert whole.missing_s < 0.05
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoFile(path) as cut:
        frames = list(cut)
        assert 20 < len(frames) < 80
        assert cut.missing_s == pytest.approx(4 - len(frames) / 25, abs=0.1)


@pytest.mark.parametrize("name", ["a.mkv", "a.flv"])
def test_a_film_with_sound_that_ends_early_says_how_much_is_missing(tmp_path, name):
    path = clip(tmp_path / name, [texture(n) for n in range(100)])
    assert missing_s(path) < 0.1
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoFile(path) as cut:
        frames = list(cut)
    assert 20 < len(frames) < 80
    assert cut.missing_s == pytest.approx(4 - len(frames) / 25, abs=0.15)


def test_nothing_is_missing_where_something_else_is_longer_or_the_clock_began_before(tmp_path):
    late = clip(tmp_path / "late.mkv", shades(50), sound=None, late_s=5)
    with VideoFile(late) as opened:
        assert [opened.missing_s for _ in opened][-1] == 0
        assert (round(opened.start_s, 3), opened.missing_s) == (5, 0)
    assert missing_s(two_films(tmp_path / "longer.mkv", 10, 50)) == 0
    with av.open(str(tmp_path / "heard.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        audio = container.add_stream("aac", rate=48_000, layout="mono")
        stream.width = stream.height = 64
        for start in range(0, 3 * 48_000, 1024):
            container.mux(audio.encode(tone(start)))
        for number, picture in enumerate(shades(25)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux([*stream.encode(None), *audio.encode(None)])
    assert missing_s(tmp_path / "heard.mkv") < 0.1


def test_a_recording_that_broke_off_before_its_index_says_so(tmp_path):
    path = clip(tmp_path / "a.MP4", [texture(n) for n in range(50)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadImageError, match=r"not a video: .*\n.*broke off has no index"):
        VideoFile(path)


def missing_s(path):
    with VideoFile(path) as opened:
        assert len(list(opened)) > 0
        return opened.missing_s


def two_films(path, *lengths):
    """Films of so many frames in one file, each a little brighter than the one before."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in lengths]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 64, "bgr0"
        for place, (stream, count) in enumerate(zip(streams, lengths, strict=True)):
            for number in range(count):
                picture = np.full((64, 64, 3), 100 * (place + 1), dtype=np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def test_a_second_film_in_a_file_is_said_to_be_left_out(tmp_path):
    with VideoFile(two_films(tmp_path / "a.mkv", 5, 9)) as opened:
        assert [frame.rgb().mean() for frame in opened] == [100] * 5
        assert opened.left_out == [
            "left out, other streams of pictures: 1 (each is read once it is a file of its own)"
        ]
    with VideoFile(two_films(tmp_path / "b.mkv", 5)) as opened:
        assert list(opened.left_out) == []


@pytest.mark.parametrize(
    ("name", "codec", "sound", "kind"),
    [("a.vob", "mpeg2video", "mp2", "vob"), ("a.asf", "wmv2", "ac3", "asf")],
)
def test_films_of_a_dvd_and_of_windows_keep_their_times_and_their_sound(
    tmp_path, name, codec, sound, kind
):
    pictures = [texture(n, 256) for n in range(50)]
    path = clip(tmp_path / name, pictures, codec=codec, sound=sound, format=kind)
    with VideoFile(path, sound=True) as opened:
        times = [frame.time_s for frame in opened]
        heard = [float(packet.pts * packet.time_base) for packet in opened.heard() if packet.size]
        assert (opened.mended, opened.damaged) == (0, 0)
        assert opened.missing_s < 0.1
    assert times == pytest.approx([n / 25 for n in range(50)], abs=1e-4)
    assert heard[0] - opened.start_s == pytest.approx(0, abs=0.1)
    assert heard[-1] - opened.start_s == pytest.approx(2, abs=0.1)


def test_a_dvd_in_two_parts_is_one_film(tmp_path):
    pictures = [texture(n, 256) for n in range(50)]  # smaller ones share a stamp
    part = clip(tmp_path / "1.vob", pictures, codec="mpeg2video", sound=None, format="vob")
    (tmp_path / "all.vob").write_bytes(2 * part.read_bytes())
    with VideoFile(tmp_path / "all.vob") as opened:
        times = [frame.time_s for frame in opened]
        assert (opened.mended, opened.missing_s) == (1, 0)
    assert times == pytest.approx([n / 25 for n in range(100)], abs=1e-4)


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        audio = container.add_stream("aac", rate=48_000, layout="mono")
        container.mux(audio.encode(tone(0)))
        container.mux(audio.encode(None))
    with pytest.raises(BadImageError, match="has sound, but no pictures"):
        VideoFile(tmp_path / "a.m4a")


def test_pictures_in_an_unknown_code_are_named(tmp_path):
    path = film(tmp_path / "a.avi", shades(3))
    path.write_bytes(path.read_bytes().replace(b"MPNG", b"QQQQ"))
    with pytest.raises(BadImageError, match="in a code that is not known"):
        VideoFile(path)


def test_a_film_without_frames_is_an_error(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    with (
        pytest.raises(BadImageError, match=r"not a video|has no frame"),
        VideoFile(tmp_path / "a.mkv") as empty,
    ):
        list(empty)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264", "yuv420p10le"),
        ("a.mkv", "ffv1", "yuv444p16le"),
        ("a.mov", "png", "gray"),
    ],
)
def test_more_bits_than_eight_and_other_layouts_are_shown_alike(tmp_path, name, codec, pix_fmt):
    pictures = [np.full((48, 64, 3), value, dtype=np.uint8) for value in (40, 128, 220)]
    path = clip(tmp_path / name, pictures, sound=None, codec=codec, pix_fmt=pix_fmt)
    with VideoFile(path) as opened:
        shown = [frame.rgb() for frame in opened]
    for rgb, value in zip(shown, (40, 128, 220), strict=True):
        assert (rgb.shape, rgb.dtype) == ((48, 64, 3), np.uint8)
        assert abs(rgb.astype(int) - value).max() <= 3


def test_what_is_clear_is_shown_over_white(tmp_path):
    picture = np.zeros((8, 8, 4), dtype=np.uint8)
    picture[:, :, 0] = 200
    picture[:4, :, 3] = 255  # the upper half is red, the lower clear
    picture[4:, :4, 3] = 51  # its left a fifth red: 200 / 5 + 255 * 4 / 5 = 244, 255 * 4 / 5 = 204
    path = clip(tmp_path / "a.mov", [picture], sound=None, codec="png", pix_fmt="rgba")
    with VideoFile(path) as opened:
        [rgb] = [frame.rgb() for frame in opened]
    assert rgb[0, 0].tolist() == [200, 0, 0]
    assert rgb[7, 7].tolist() == [255, 255, 255]
    assert rgb[7, 0].tolist() == [244, 204, 204]


def test_an_odd_size_is_kept(tmp_path):
    picture = texture(1, 99)[:35]
    path = film(tmp_path / "a.mov", [picture])
    with VideoFile(path) as opened:
        [rgb] = [frame.rgb() for frame in opened]
    np.testing.assert_array_equal(rgb, picture)


def test_times_that_run_backwards_are_mended_and_counted(tmp_path):
    # raw MPEG-4 in AVI has no time stamps of its own; two films glued as transport streams jump
    parts = [clip(tmp_path / f"{i}.ts", shades(10), sound=None).read_bytes() for i in range(2)]
    (tmp_path / "glued.ts").write_bytes(b"".join(parts))
    with VideoFile(tmp_path / "glued.ts") as glued:
        times = [frame.time_s for frame in glued]
        assert glued.mended >= 1
    assert len(times) >= 18
    steps = np.diff(times)
    assert steps.min() > 0
    assert steps.max() < 0.5


@pytest.mark.parametrize("order", [(0, 50), (50, 0)])
def test_a_clock_that_leaps_makes_the_film_no_longer(tmp_path, order):
    pictures = [texture(n) for n in range(50)]
    parts = [
        clip(tmp_path / f"{late}.ts", pictures, sound=None, late_s=late).read_bytes()
        for late in order
    ]
    (tmp_path / "glued.ts").write_bytes(b"".join(parts))
    with VideoFile(tmp_path / "glued.ts") as glued:
        times = [frame.time_s for frame in glued]
        assert (glued.mended, glued.missing_s) == (1, pytest.approx(0, abs=0.05))
    assert times == pytest.approx([n / 25 for n in range(100)], abs=1e-4)


def test_a_pause_of_a_film_is_kept(tmp_path):
    path = film(tmp_path / "a.mov", shades(4), times=[0, 1, 600, 601])
    with VideoFile(path) as opened:
        assert [round(frame.time_s, 3) for frame in opened] == [0, 0.1, 60, 60.1]


def test_sound_comes_with_the_frames_and_only_if_it_is_wanted(tmp_path):
    path = clip(tmp_path / "a.mp4", shades(50))
    with VideoFile(path, sound=True) as opened:
        assert opened.audio.codec_context.name == "aac"
        frames = list(opened)
        heard = list(opened.heard())
        assert list(opened.heard()) == []
    assert len(frames) == 50
    with av.open(str(path)) as container:
        direct = [bytes(p) for p in container.demux(audio=0) if p.size]
    assert [bytes(packet) for packet in heard if packet.size] == direct
    with VideoFile(path) as opened:
        assert opened.audio is None
        list(opened)
        assert list(opened.heard()) == []
    with VideoFile(io.BytesIO(path.read_bytes()), "memory", sound=True) as opened:
        assert len(list(opened)) == 50
