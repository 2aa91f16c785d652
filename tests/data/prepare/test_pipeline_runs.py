"""prepare as a process and as a command: killed, out of disk, with its options."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np

from mien.data import manifest
from mien.data.datasets import Item
from mien.data.prepare import pipeline as prepare_module
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.labels import LABELS
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, own_files, texture, zip_of


def run_in_child(before, archive, out):
    lines = ["import resource, signal, sys, time", before, "from pathlib import Path",
             "from mien.data.prepare.pipeline import Settings, prepare",
             "prepare(Settings('folder', sys.argv[1]), Path(sys.argv[2]))"]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "\n".join(lines), str(archive), str(out)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def test_a_killed_run_leaves_no_manifest_and_the_next_completes(tmp_path):
    archive = folder_of(tmp_path / "photos", own_files(4))
    slow = (
        "import mien.media.images as m; old = m.load_stored\n"
        "def slow(*a): time.sleep(0.2); return old(*a)\nm.load_stored = slow"
    )
    child = run_in_child(slow, archive, tmp_path / "out")
    part = tmp_path / ".out.mien-0.part"
    deadline = time.monotonic() + 60
    while not list(part.rglob("*.jpg")) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert list(part.rglob("*.jpg"))
    assert not (tmp_path / "out").exists()
    assert not list(part.rglob("manifest.csv"))
    assert prepare(Settings("folder", str(archive)), tmp_path / "out").kept.total() == 24
    assert not part.exists()


def test_a_disk_that_fills_up_is_one_error_and_leaves_nothing(tmp_path):
    # pictures of noise are larger than the largest file that may be written
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    archive = zip_of(tmp_path / "photos.zip", {"sad/a.png": encode(noise, "PNG")})
    limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({4000}, {4000}))"
    child = run_in_child(limit, archive, tmp_path / "out")
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "OutputError: cannot write" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["photos.zip"]


def test_the_command_takes_the_options_and_says_what_was_left_out(tmp_path):
    files = own_files(4, labels=["happy", "sad", "neutral"]) | {"bored/a.png": b""}
    archive = folder_of(tmp_path / "photos", files)
    words = ["prepare", "folder", archive, "--out", tmp_path / "out", "--no-neutral", "--gray"]
    result = mien(*words, "--valid", 0.25, "--seed", 5, "--quality", 80, "--size", 32)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "happy    -> happiness         4",
        "neutral  -> neutral           4",
        "sad      -> sadness           4",
        "bored    left out             1",
        f"wrote {tmp_path / 'out'}/manifest.csv",
    ]
    assert result.stdout.splitlines() == [
        "train  happiness       3",
        "train  sadness         3",
        "valid  happiness       1",
        "valid  sadness         1",
        "left out, unknown label: 1: bored/a.png",
    ]
    record = json.loads((tmp_path / "out" / "prepare.json").read_text())
    names = ("gray", "neutral", "valid", "seed", "quality", "side")
    assert [record[name] for name in names] == [True, False, 0.25, 5, 80, 32]


def test_the_options_of_a_reader_reach_it(tmp_path):
    files = {f"train/happy/{name}.jpg": encode(texture(n)) for n, name in enumerate("ab")}
    archive = folder_of(tmp_path / "fer", files)
    header = "image,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    votes = "a.jpg,0,0,0,0,0,0,8,0,2,0\nb.jpg,0,0,5,0,5,0,0,0,0,0\n"
    (tmp_path / "v.csv").write_text(header + votes)
    words = ["prepare", "ferplus", archive, "--out", tmp_path / "out"]
    words += ["--labels", tmp_path / "v.csv", "--agreement", 0.6, "--outliers", 2, "--soft"]
    assert mien(*words).exit_code == 0
    options = json.loads((tmp_path / "out" / "prepare.json").read_text())["options"]
    own = {"labels": "v.csv", "agreement": 0.6, "outliers": 2, "soft": True}
    assert {name: options[name] for name in own} == own
    assert [row.label for row in manifest.read(tmp_path / "out")] == ["fear", "surprise"]
    assert mien(*words, "--every", 7).exit_code == 2  # which is for disfa


def test_the_600_can_be_evaluated_as_their_own_split(tmp_path):
    names = [f"img{number}_{label}.jpg" for number, label in enumerate(LABELS)]
    files = {f"valid/{name}": encode(texture(seed)) for seed, name in enumerate(names)}
    files["valid_labels.csv"] = "\n".join(f"{n},{i}" for i, n in enumerate(names)).encode()
    archive = zip_of(tmp_path / "gimefive.zip", files)
    assert mien("prepare", "gimefive", archive, "--out", tmp_path / "out").exit_code == 0
    result = mien("evaluate", "shipped", tmp_path / "out", "--split", "valid")
    assert result.exit_code == 0
    assert result.stdout.startswith("gimefive valid (as-is): 6 pictures")


def test_processes_that_share_the_work_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare_module, "_MANY", 40)
    monkeypatch.setattr(prepare_module, "_MANY_SEARCHED", 40)
    files = own_files(30) | {"sad/damaged.jpg": b"no picture"}
    copied = next(data for name, data in files.items() if name.startswith("fear"))
    archive = zip_of(tmp_path / "photos.zip", files | {"fear/copy.png": copied})
    settings = Settings("folder", str(archive), test=0.3, seed=1)
    one = prepare(settings, tmp_path / "one")
    two = prepare(settings, tmp_path / "two", workers=2)
    assert one.unreadable == two.unreadable != {}
    files = {path.relative_to(one.folder) for path in one.folder.rglob("*") if path.is_file()}
    assert len(files) > 180
    for path in files:
        assert (one.folder / path).read_bytes() == (two.folder / path).read_bytes(), path


def test_the_lists_of_pictures_are_gone_before_copies_are_searched(tmp_path, monkeypatch):
    """The search takes memory of its own, so the two are not to be there at once."""
    archive = zip_of(tmp_path / "photos.zip", own_files(4))
    listed, kept = [], []

    def alive():
        return sum(type(thing) in {Item, zipfile.ZipInfo} for thing in gc.get_objects())

    before = alive()
    monkeypatch.setattr(
        prepare_module, "find_leaks", lambda *_: kept.append(alive() - before) or {}
    )
    tell = lambda _: listed.append(alive() - before)  # noqa: E731
    made = prepare(Settings("folder", str(archive)), tmp_path / "out", tell=tell)
    assert made.kept.total() == 24
    assert listed[0] >= 48  # an entry of the archive and an item for each picture
    assert kept[0] <= 1  # the last
