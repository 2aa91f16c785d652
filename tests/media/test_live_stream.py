"""A camera in the network, played by a server on this machine that breaks off."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

pytest.importorskip("av")

from mien.media import live_stream
from mien.media.live_stream import LiveStream
from mien.media.sources import open_video
from mien.media.video_reader import VideoFile
from tests.support.local_server import listening
from tests.support.video_files import clip, shades


@contextmanager
def camera(*answers):
    """Serve a stream: each connection gets the next answer, then none is answered any more."""
    left, asked = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("Range"))
            self.send_response(200 if left else 503)
            self.send_header("Content-Type", "video/mp2t")  # and no length
            self.end_headers()
            if left:
                self.wfile.write(left.pop(0))

        def log_message(self, *_):
            pass

    with listening(Handler) as address:
        yield f"{address}/live.ts", asked


@pytest.fixture
def part(tmp_path):
    """A stream of six frames, with sound."""
    clip(tmp_path / "part.ts", shades(6))
    return (tmp_path / "part.ts").read_bytes()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(live_stream, "_WAIT_S", 0.01)


def test_a_stream_that_breaks_off_is_opened_again_and_its_times_go_on(part):
    with camera(part, part) as (address, asked):
        stream = LiveStream(VideoFile(address, allow_network=True), patience_s=0.5)
        with stream:
            frames = list(stream)
        assert len(asked) > 2  # it was tried in vain, too
    assert [frame.number for frame in frames] == list(range(12))
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))
    gap = times[6] - times[5]
    assert gap >= times[1] - times[0] - 1e-6
    again = [t - times[6] for t in times[6:]]
    assert again == pytest.approx(times[:6])
    sound, broken = stream.left_out
    assert sound == "the sound of a live stream"
    assert f"after {times[5]:.1f} s" in broken


def test_an_address_without_an_end_is_live_and_one_with_a_length_is_not(part, tmp_path):
    with camera(part) as (address, _), open_video(address, allow_network=True) as video:
        assert video.is_live
        assert len(video.sounds) == 0
    (tmp_path / "part.ts").write_bytes(part)
    with open_video(tmp_path / "part.ts") as video:
        assert not video.is_live


def test_a_stop_ends_it_between_two_frames_and_while_it_waits(part):
    with camera(part, part, part) as (address, asked):
        with open_video(address, allow_network=True) as video:
            for frame in video:
                if frame.number == 7:
                    video.stop()
        assert (frame.number, len(asked)) == (7, 2)
    with camera(part) as (address, _), open_video(address, allow_network=True) as video:
        threading.Timer(0.3, video.stop).start()
        start = time.monotonic()
        assert len(list(video)) == 6
        assert time.monotonic() - start < 30  # and not for the minute that it would wait
