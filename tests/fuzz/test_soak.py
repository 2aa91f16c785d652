"""A short run of the long one; and a leak that is planted is seen."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fuzz import soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_frames_pictures_abandoned_videos_and_recognizers_leave_nothing_behind(tmp_path):
    amounts = {"frames": 300, "pictures": 200, "videos": 12, "recognizers": 10}
    words = [word for name, count in amounts.items() for word in (f"--{name}", str(count))]
    out = tmp_path / "soak.json"
    command = [sys.executable, "-m", "fuzz.soak", *words, "--out", str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    parts = json.loads(out.read_text())["parts"]
    assert {name: row["count"] for name, row in parts.items()} == amounts
    for row in parts.values():
        assert row["threads_end"] <= row["threads_start"]
        assert row["descriptors_end"] <= row["descriptors_start"]
        assert row["memory_ratio"] < 1.15


def _leak_memory(_, count):
    _KEPT.append(bytearray(b"x") * (soak.state()["memory"] * 1024 * count // 20))


def _leak_descriptors(folder, count):
    _KEPT.extend((folder / f"{number}").open("w") for number in range(count))


def _leak_threads(_, count):
    for _number in range(count):
        threading.Thread(target=_END.wait, daemon=True).start()


_KEPT: list[object] = []
_END = threading.Event()
LEAKS = {"memory": _leak_memory, "descriptors": _leak_descriptors, "threads": _leak_threads}


@pytest.mark.parametrize("name", LEAKS)
def test_what_grows_is_named_and_the_run_fails(name, tmp_path):
    """In a process of its own: in that of the tests free memory lies about, and is taken again."""
    out = tmp_path / "soak.json"
    code = f"from tests.fuzz.test_soak import leak; leak({name!r}, {str(out)!r})"
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"frames: {name} is" in done.stderr
    assert json.loads(out.read_text())["parts"]["frames"]["count"] == 5


def leak(name, out):
    """The soak, with a part that leaks."""
    soak.PARTS = {"frames": (LEAKS[name], 1)}
    sys.argv = ["soak", "--frames", "5", "--out", out]
    soak.main()


def test_a_part_that_leaves_nothing_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "PARTS", {"frames": (lambda *_: None, 1)})
    monkeypatch.setattr(sys, "argv", ["soak", "--out", str(tmp_path / "soak.json")])
    with pytest.raises(SystemExit) as end:
        soak.main()
    assert end.value.code == 0
