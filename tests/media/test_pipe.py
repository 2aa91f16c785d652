"""Standard input is shown as it comes, unless its end must be read first."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImageError
from mien.media.pipe import Pipe, index_is_last, keep
from tests.support.pictures import encode, texture
from tests.support.video_files import clip, film, shades

CODE = """
from mien.media.sources import open_video
with open_video('-', {rate}, sound=True) as video:
    times = [round(frame.time_s, 3) for frame, _ in video.pictures(video)]
    print(times, video.damaged, sum(1 for _ in video.heard()) > 0, sep='|')
"""


@contextmanager
def fed(data):
    """A pipe into which something is written, and then closed."""
    there, other = os.pipe()

    def write():
        with os.fdopen(other, "wb") as feed:
            feed.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(there, "rb") as file:
        yield Pipe(file)
        while file.read(1 << 16):
            pass
    thread.join()


def read_from_pipe(data, rate=0):
    """What open_video('-') shows of what comes from another program."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(rate=rate)], input=data, capture_output=True, check=True
    )
    times, damaged, heard = done.stdout.decode().strip().split("|")
    return [float(time) for time in times.strip("[]").split(",")], int(damaged), heard == "True"


def test_a_pipe_nobody_writes_to_can_be_left():
    there, other = os.pipe()
    with os.fdopen(there, "rb") as file, os.fdopen(other, "wb"):
        pipe = Pipe(file)
        threading.Timer(0.2, pipe.stop).start()
        start = time.perf_counter()
        assert pipe.read(10) == b""
        assert time.perf_counter() - start < 5


def test_a_pipe_gives_what_there_is_without_waiting_for_more():
    there, other = os.pipe()
    with os.fdopen(there, "rb") as file, os.fdopen(other, "wb", buffering=0) as feed:
        feed.write(b"abc")
        assert Pipe(file).read(10) == b"abc"


def test_what_was_looked_at_is_still_read():
    with fed(b"abcdef") as pipe:
        assert pipe.look(4) == b"abcd"
        assert pipe.look(2) == b"ab"
        assert pipe.read(3) == b"abc"
        assert pipe.look(9) == b"def"
        assert [pipe.read(9), pipe.read(9)] == [b"def", b""]


def box(kind, size, wide=False):
    head = (
        (1 if wide else size).to_bytes(4, "big") + kind + (size.to_bytes(8, "big") if wide else b"")
    )
    return head + bytes(max(0, size - len(head)))


@pytest.mark.parametrize(
    ("data", "is_last"),
    [
        (b"", False),
        (b"RIFF", False),
        (box(b"ftyp", 32) + box(b"moov", 99) + box(b"mdat", 99), False),
        (box(b"ftyp", 32) + box(b"mdat", 99) + box(b"moov", 99), True),
        (box(b"wide", 8) + box(b"mdat", 99), True),
        (box(b"ftyp", 24, wide=True) + box(b"free", 8) + box(b"mdat", 99), True),
        (box(b"ftyp", 32) + box(b"free", 2 << 20), True),  # too far to look: kept, to be sure
        (box(b"ftyp", 3), False),
        (box(b"free", 0) + box(b"mdat", 99), False),  # 0: to the end of the file
        (box(b"ftyp", 32), False),
    ],
)
def test_an_index_at_the_end_is_seen_at_the_start(data, is_last):
    with fed(data) as pipe:
        assert index_is_last(pipe) == is_last
        assert pipe.look(len(data[:40])) == data[:40]


def test_a_phones_video_comes_through_a_pipe(tmp_path):
    # more than FFmpeg holds of a stream, so that it cannot go back
    noise = np.random.default_rng(0).integers(0, 256, (30, 240, 320, 3), dtype=np.uint8)
    data = clip(tmp_path / "a.mp4", noise).read_bytes()
    assert data.index(b"mdat") < data.index(b"moov") - 1_000_000
    times, damaged, heard = read_from_pipe(data)
    assert times == [round(n / 25, 3) for n in range(30)]
    assert (damaged, heard) == (0, True)


def test_a_video_with_its_index_in_front_is_shown_as_it_comes(tmp_path):
    data = clip(tmp_path / "a.mp4", shades(30), movflags="faststart").read_bytes()
    assert data.index(b"mdat") > data.index(b"moov")
    with fed(data) as pipe:
        assert not index_is_last(pipe)
    assert read_from_pipe(data) == ([round(n / 25, 3) for n in range(30)], 0, True)


def test_an_animation_and_a_raw_stream_come_through_a_pipe(tmp_path):
    frames = [texture(n) for n in range(3)]
    more = [Image.fromarray(frame) for frame in frames[1:]]
    webp = encode(frames[0], "WEBP", save_all=True, append_images=more, duration=200)
    assert read_from_pipe(webp) == ([0, 0.2, 0.4], 0, False)
    raw = clip(tmp_path / "a.h264", shades(3), sound=None).read_bytes()
    assert read_from_pipe(raw, rate=10) == ([0, 0.1, 0.2], 0, False)


def test_a_file_that_takes_the_place_of_standard_input_is_read_as_a_file(tmp_path):
    path = clip(tmp_path / "a.mp4", shades(30))
    with path.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", CODE.format(rate=0)], stdin=file, capture_output=True, check=True
        )
    assert done.stdout.decode().count(",") == 29


def test_what_is_kept_has_an_end():
    with fed(b"x" * 100_000) as pipe, keep(pipe, "standard input", most=100_000) as file:
        assert file.read() == b"x" * 100_000
    message = (
        "has its index at its end, and more than 99,999 bytes before it\n  try: give the video"
    )
    with fed(b"x" * 100_000) as pipe, pytest.raises(BadImageError, match=message):
        keep(pipe, "standard input", most=99_999)


def test_no_room_for_what_is_kept_is_explained(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with fed(b"x" * 10) as pipe, pytest.raises(BadImageError, match=r"cannot keep a.*\n.*TMPDIR"):
        keep(pipe, "a")


def test_ctrl_c_ends_what_is_being_kept():
    with fed(b"x" * 10) as pipe:
        pipe.interrupted = True
        with pytest.raises(KeyboardInterrupt):
            keep(pipe, "a")


def test_a_short_video_without_an_index_is_an_error(tmp_path):
    path = film(tmp_path / "a.mov", shades(3))
    data = path.read_bytes()
    data = data[: data.index(b"moov") - 4]
    code = "from mien.media.sources import open_video\nopen_video('-')"
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True)
    assert b"BadImageError: not a video: standard input" in done.stderr
