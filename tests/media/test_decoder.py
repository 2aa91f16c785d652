"""The one way into FFmpeg: a file is a file, nothing else is opened, a fault is one message."""

import socket
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from mien.errors import BadImageError, MissingExtraError
from mien.media import decoder, video_reader
from mien.media.sources import open_video
from mien.media.video_reader import VideoFile
from tests.support.local_server import listening
from tests.support.pictures import encode, texture
from tests.support.video_files import SHOWS_EMPTY_PACKETS, clip, film, shades

CORPUS = Path(__file__).parents[1] / "corpus"


def count(source, **options):
    with open_video(source, **options) as video:
        return sum(1 for _ in video.pictures(video))


@pytest.mark.parametrize("name", ["12:30.mov", "Talk: part 1.mov", "http:a.mov", "file:a.mov"])
def test_a_file_is_a_file_whatever_its_name(tmp_path, monkeypatch, name):
    film(tmp_path / "a.mov", shades(3)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert count(tmp_path / name) == count(name) == 3


def test_titles_in_any_code_are_no_fault(tmp_path):
    path = clip(tmp_path / "a.avi", shades(3), sound=None, title="Cafe au lait")
    data = path.read_bytes()
    assert data.count(b"Cafe au lait") == 1
    path.write_bytes(data.replace(b"Cafe", b"Caf\xe9"))
    assert count(path) == 3


def test_a_frame_that_is_shown_on_is_no_damage():
    with VideoFile(CORPUS / "repeated-frames.ogv") as opened:
        times = [round(frame.time_s, 3) for frame in opened]
        assert (opened.damaged, opened.mended) == (0, 0)
        if SHOWS_EMPTY_PACKETS:
            assert opened.missing_s < 0.1
    assert times == [0, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]


LISTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "a.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "a.ffconcat": "ffconcat version 1.0\nfile '{}'\n",
}
REFUSED = r"a list of other files.*\n.*--allow-network|(a\.mp4|standard input) \(Invalid data"
SDP = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 50047 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
)


@contextmanager
def served(folder):
    """Serve a folder at an address of this machine; yield the address and what was asked for."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    with listening(partial(Handler, directory=str(folder))) as address:
        yield address, asked


@pytest.mark.parametrize("name", LISTS)
def test_a_list_opens_no_other_file_and_no_connection(tmp_path, name):
    clip(tmp_path / "real.ts", shades(5), sound=None)
    with served(tmp_path) as (address, asked):
        for other in ("real.ts", tmp_path / "real.ts", f"{address}/real.ts"):
            (tmp_path / name).write_text(LISTS[name].format(other))
            with pytest.raises(BadImageError, match=REFUSED):
                open_video(tmp_path / name)
            with (
                (tmp_path / name).open("rb") as file,
                pytest.raises(BadImageError, match=REFUSED),
            ):
                VideoFile(file, "standard input")
        assert asked == []


@pytest.mark.parametrize("name", ["a.sdp", "a.mp4"])
def test_a_description_of_a_broadcast_is_not_listened_to(tmp_path, name):
    (tmp_path / name).write_text(SDP)
    with pytest.raises(BadImageError, match="a list of other files or addresses"):
        open_video(tmp_path / name)
    with (
        (tmp_path / name).open("rb") as file,
        pytest.raises(BadImageError, match="a list of other files or addresses"),
    ):
        VideoFile(file, "standard input")


def test_a_list_is_read_if_the_network_is_allowed(tmp_path):
    clip(tmp_path / "real.ts", shades(5), sound=None)
    (tmp_path / "a.ffconcat").write_text(LISTS["a.ffconcat"].format("real.ts"))
    assert count(tmp_path / "a.ffconcat", allow_network=True) == 5


def test_an_address_is_read_only_if_the_network_is_allowed(tmp_path):
    film(tmp_path / "a.mov", [texture(n) for n in range(3)])
    with served(tmp_path) as (address, asked):
        with pytest.raises(BadImageError, match=r"is on the network\n  try: add --allow-network"):
            open_video(f"{address}/a.mov")
        assert asked == []
        with open_video(f"{address}/a.mov", allow_network=True) as video:
            for frame, seed in zip(video, range(3), strict=True):
                np.testing.assert_array_equal(frame.rgb(), texture(seed))
        assert set(asked) == {"/a.mov"}
        with pytest.raises(BadImageError, match=r"gone\.mov \(Server returned 404"):
            open_video(f"{address}/gone.mov", allow_network=True)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(decoder, "_PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/a.mp4"
        with pytest.raises(BadImageError, match="no answer"):
            open_video(address, allow_network=True)


def test_what_is_no_ordinary_file_says_so(tmp_path, monkeypatch):
    with pytest.raises(BadImageError, match="it is a directory"):
        VideoFile(tmp_path)
    for source, message in (
        ("/dev/zero", "/dev/zero: it is a device"),
        ("x" * 300, "cannot read xxx"),
        ("", "the name is empty"),
        ("a\0b.mp4", "cannot read a.b.mp4: .*embedded null"),
        ("loop/a.mp4", "cannot read loop|no such file"),
    ):
        (tmp_path / "loop").unlink(missing_ok=True)
        (tmp_path / "loop").symlink_to("loop")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(BadImageError, match=message):
            open_video(source)


def test_frames_too_large_to_hold_are_refused(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mov", [texture(1)])
    for module in (decoder, video_reader):
        monkeypatch.setattr(module, "MAX_PIXELS", 64 * 64)
    assert count(path) == 1
    for module in (decoder, video_reader):
        monkeypatch.setattr(module, "MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(BadImageError, match=r"no frame to show, or larger ones than 4,095 pixels"):
        count(path)


def test_more_pixels_than_can_be_held_are_named():
    assert decoder.too_large(8192, 4320) == decoder.too_large(16_384, 1) == ""
    assert decoder.too_large(6001, 6000).startswith("has frames of 6001x6000, the most are 36,000,")
    assert decoder.too_large(16_385, 1) != ""


def test_a_frame_that_says_it_is_huge_is_refused(tmp_path):
    path = tmp_path / "a.gif"
    data = encode(texture(1), "GIF", save_all=True)
    path.write_bytes(data[:6] + b"\x00\x40\x00\x40" + data[10:])  # 16384x16384
    with pytest.raises(BadImageError, match=r"no frame to show|has frames of"):
        count(path)


def test_the_film_is_read_and_not_the_cover_of_its_album(tmp_path):
    assert decoder.picture_streams(streams("film", "cover")) == ["film"]
    assert decoder.picture_streams(streams("cover", "film")) == ["film"]
    assert decoder.picture_streams(streams("cover")) == ["cover"]


def test_of_several_films_the_one_that_players_show_comes_first():
    assert decoder.picture_streams(streams("film", "default", "cover")) == ["default", "film"]
    assert decoder.picture_streams(streams("film", "other")) == ["film", "other"]


def streams(*names):
    """A stand-in for PyAV's container of a cover, films and the default one, in this order."""
    marks = decoder.pyav().stream.Disposition

    class Stream(str):
        disposition = marks(0)

    made = [Stream(name) for name in names]
    for stream in made:
        stream.disposition = {"cover": marks.attached_pic, "default": marks.default}.get(
            stream, marks(0)
        )

    class Container:
        class streams:  # noqa: N801  # PyAV's name
            video = made

    return Container


def test_without_pyav_nothing_is_opened(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtraError):
        decoder.damages()
