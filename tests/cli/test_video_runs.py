"""`mien video` in a process of its own: Ctrl-C, and how much memory it takes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.video_files import clip, swaying


def start(*words, stdin=None):
    code = "from mien.cli import main; main()"
    typed = [sys.executable, "-c", code, "video", *map(str, words)]
    return subprocess.Popen(
        typed, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def long_film(portrait, tmp_path_factory):
    """A film that takes far longer to read than a test waits for it."""
    return clip(tmp_path_factory.mktemp("films") / "a.mp4", swaying(portrait, 40) * 15)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_at_once_and_leaves_no_file(long_film, tmp_path, number, code):
    out = tmp_path / "out"
    running = start(long_film, "--out", out / "a.mp4", "--csv", out / "a.csv")
    wait_for(lambda: out.is_dir() and any(p.stat().st_size > 20_000 for p in out.iterdir()))
    running.send_signal(number)
    _, said = running.communicate(timeout=20)
    assert running.returncode == code
    assert "Traceback" not in said
    assert list(out.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_that_waits_for_its_input(tmp_path, number, code):
    there, other = os.pipe()
    with os.fdopen(other, "wb"), os.fdopen(there, "rb") as stdin:
        running = start("-", "--csv", tmp_path / "a.csv", stdin=stdin)
        time.sleep(3)
        assert running.poll() is None
        running.send_signal(number)
        _, said = running.communicate(timeout=20)
    assert running.returncode == code
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def peak_mb(path, out):
    words = ["-c", "from mien.cli import main; main()", "video", path, "--out", out / "a.mp4"]
    words += ["--csv", out / "a.csv"]
    code = (
        "import os, sys\nwords = [sys.executable, *sys.argv[1:]]\n"
        "pid = os.posix_spawn(words[0], words, os.environ)\n"
        "_, status, usage = os.wait4(pid, 0)\nprint(status, usage.ru_maxrss / 1024)"
    )
    # the peak of a new process starts at that of the one it was forked from
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
    )
    status, peak = done.stdout.split()[-2:]
    assert status == "0", done.stderr
    return float(peak)


@pytest.mark.long
def test_memory_does_not_grow_with_the_length_of_the_film(portrait, tmp_path):
    once = swaying(portrait, 40)
    short = clip(tmp_path / "short.mp4", once * 3)
    long = clip(tmp_path / "long.mp4", once * 25)
    least = peak_mb(short, tmp_path / "a")
    assert least < 600
    assert peak_mb(long, tmp_path / "b") < 1.1 * least  # 880 more frames are 200 MB as RGB
