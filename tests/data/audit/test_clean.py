import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mien.data import manifest
from mien.data.audit.clean import clean, to_drop
from mien.data.audit.findings import audit
from mien.data.dedup import duplicates
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import OutputError
from tests.support.commands import mien
from tests.support.faulty_folder import add, changed, pairs_of
from tests.support.pictures import encode, texture, zip_of


def test_a_missing_and_a_damaged_picture_are_named(clean_folder):
    rows = manifest.read(clean_folder)
    (clean_folder / rows[0].path).unlink()
    (clean_folder / rows[1].path).write_bytes(b"no picture")
    found = audit([clean_folder])
    assert [(f.kind, f.this) for f in found.findings] == [("unreadable", 0), ("unreadable", 1)]
    assert rows[0].path in found.findings[0].detail
    assert len(clean(found, to_drop(found))) == 1
    assert manifest.read(clean_folder) == rows[2:]


def test_fix_takes_out_leaks_contradictions_and_blanks_and_keeps_the_old_manifest(dirty):
    before = (dirty / "manifest.csv").read_bytes()
    pictures = set(dirty.rglob("*.png"))
    result = mien("audit", dirty, "--fix")
    assert result.exit_code == 0
    names = {row.original for row in manifest.read(dirty)}
    gone = {"leak.png", "near-leak.png", "sad.png", "angry.png", "blank.png", "blank-too.png"}
    assert not names & gone
    assert {"t1.png", "a.png", "b.png", "c.png", "d.png"} <= names
    assert len(names) == 56 + 5
    assert (dirty / "manifest-before-audit.csv").read_bytes() == before
    assert set(dirty.rglob("*.png")) == pictures
    assert "kept 61 rows, dropped 6" in result.stdout
    assert re.search(r"2  train  copy of a test picture", result.stdout)
    assert re.search(r"2  train  same picture with another label", result.stdout)
    assert re.search(r"1  test   blank", result.stdout)
    with (dirty / "dropped-by-audit.csv").open(newline="") as file:
        assert {(row["label"], row["split"], row["reason"]) for row in csv.DictReader(file)} == {
            ("fear", "train", "copy of a test picture"),
            ("anger", "train", "copy of a test picture"),
            ("sadness", "train", "same picture with another label"),
            ("anger", "train", "same picture with another label"),
            ("fear", "train", "blank"),
            ("anger", "test", "blank"),
        }


def test_after_a_fix_nothing_is_left_to_drop_and_nothing_is_written(dirty):
    mien("audit", dirty, "--fix")
    files = {path: path.stat().st_mtime_ns for path in dirty.rglob("*")}
    found = audit([dirty])
    assert not any(found.is_leak(f) for f in found.findings)
    assert pairs_of(found) == {("exact copy", "c.png", "d.png"), ("near-copy", "a.png", "b.png")}
    result = mien("audit", dirty, "--fix")
    assert "dropped 0" in result.stdout
    assert {path: path.stat().st_mtime_ns for path in dirty.rglob("*")} == files


def test_no_fix_writes_over_what_an_earlier_one_has_kept(dirty):
    mien("audit", dirty, "--fix")
    first = (dirty / "manifest-before-audit.csv").read_bytes()
    second = (dirty / "manifest.csv").read_bytes()
    add(dirty, (np.zeros((64, 64, 3), np.uint8), "fear", "train", "new.png"))
    grown = (dirty / "manifest.csv").read_bytes()
    mien("audit", dirty, "--fix")
    assert (dirty / "manifest-before-audit.csv").read_bytes() == first
    assert (dirty / "manifest-before-audit-2.csv").read_bytes() == grown
    assert (dirty / "manifest.csv").read_bytes() == second
    add(dirty, (np.full((64, 64, 3), 9, np.uint8), "fear", "train", "newer.png"))
    mien("audit", dirty, "--fix")
    assert (dirty / "manifest-before-audit-2.csv").read_bytes() == grown
    assert len(listed_in(dirty)) == 6 + 1 + 1
    assert len(list(dirty.glob("*-3.csv"))) == 2


def test_without_fix_the_folder_stays_as_it_is(dirty):
    files = {path: path.stat().st_mtime_ns for path in dirty.rglob("*")}
    assert mien("audit", dirty).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in dirty.rglob("*")} == files


def test_every_framing_of_a_picture_leaves_with_it(tmp_path):
    one = texture(1)
    plain = add(tmp_path / "x", (one, "fear", "train", "1"), (one, "fear", "test", "2"))
    framed = add(
        tmp_path / "x-framed",
        (texture(5), "fear", "train", "1", "made", "", "framed"),
        (texture(6), "fear", "test", "2", "made", "", "framed"),
    )
    found = audit([framed, plain])
    reports = clean(found, to_drop(found))
    assert [(r.folder, r.kept, r.dropped.total()) for r in reports] == [
        (plain, 1, 1),
        (framed, 1, 1),
    ]
    for folder in (plain, framed):
        assert [row.original for row in manifest.read(folder)] == ["2"]


def test_a_validation_picture_that_is_in_test_leaves_and_train_yields_to_both(tmp_path):
    one = texture(1)
    folder = add(
        tmp_path / "x", *((one, "fear", split, split) for split in ("train", "valid", "test"))
    )
    found = audit([folder])
    assert to_drop(found) == {0: "copy of a test picture", 1: "copy of a test picture"}


def test_a_contradiction_in_test_stays_for_a_test_set_is_as_it_is(tmp_path):
    one = texture(1)
    rows = [(one, "fear", "test", "1.png"), (one, "anger", "test", "2.png")]
    found = audit([add(tmp_path / "data", *rows)])
    assert [found.is_contradiction(f) for f in found.findings] == [True]
    assert to_drop(found) == {}


def test_of_pictures_that_hide_each_other_every_leak_is_found_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "_NEIGHBOURS", 2)  # itself and one more
    monkeypatch.setattr(duplicates, "_CROWD", 2)
    one = texture(1)
    folder = add(
        tmp_path / "data",
        (one, "fear", "train", "near.png"),
        ((one * 0.9 + 10).astype(np.uint8), "fear", "train", "nearer.png"),
        (changed(one), "fear", "test", "t.png"),
    )
    found = audit([folder])
    assert sum(found.is_leak(f) for f in found.findings) == 2
    assert to_drop(found) == dict.fromkeys((0, 1), "copy of a test picture")


def test_a_manifest_that_cannot_be_replaced_stays_as_it_was(dirty, monkeypatch):
    def full(rows, folder):
        raise OSError(28, "No space left on device")

    found = audit([dirty])
    before = (dirty / "manifest.csv").read_bytes()
    monkeypatch.setattr(manifest, "write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        clean(found, to_drop(found))
    assert (dirty / "manifest.csv").read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(dirty):
    dirty.chmod(0o555)
    try:
        result = mien("audit", dirty, "--fix")
    finally:
        dirty.chmod(0o755)
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_what_prepare_drops_as_a_leak_is_what_an_audit_of_all_pictures_finds(tmp_path):
    files = {f"DATASET/train/{n}/a{n}.jpg": encode(texture(n)) for n in range(1, 8)}
    files["DATASET/test/4/t.jpg"] = encode(texture(3), quality=50)
    archive = zip_of(tmp_path / "rafdb.zip", files)
    kept = prepare(Settings("rafdb", str(archive), keep_leaks=True), tmp_path / "all").folder
    clean_one = prepare(Settings("rafdb", str(archive)), tmp_path / "clean").folder
    found = audit([kept])
    [leak] = [f for f in found.findings if found.is_leak(f)]
    assert found.entries[leak.this].row.original == "DATASET/train/3/a3.jpg"
    assert audit([clean_one]).findings == []
    mien("audit", kept, "--fix")
    assert manifest.read(kept) == manifest.read(clean_one)


KILLED_AT = """
import os, shutil, signal, sys
from pathlib import Path
from mien.data.audit.clean import clean, to_drop
from mien.data.audit.findings import audit

source, work = map(Path, sys.argv[1:])

def kill_at(moment, folder):
    left = moment
    def hook(event, given):
        nonlocal left
        changes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile")
        changes |= event == "open" and isinstance(given[1], str) and given[1][0] in "wx"
        if changes and str(folder) in str(given[0]):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
    sys.addaudithook(hook)

for moment in range(100):
    folder = work / str(moment)
    shutil.copytree(source, folder)
    child = os.fork()
    if child == 0:
        found = audit([folder])
        reasons = to_drop(found)
        kill_at(moment, folder)
        clean(found, reasons)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def listed_in(folder):
    """The rows that the lists of dropped rows name."""
    return [
        row["path"]
        for path in folder.glob("dropped-by-audit*.csv")
        for row in csv.DictReader(path.read_text().splitlines())
    ]


@pytest.mark.slow
def test_a_fix_killed_at_any_moment_has_done_nothing_or_all_and_the_next_completes_it(
    dirty, tmp_path
):
    work = tmp_path / "work"
    command = [sys.executable, "-c", KILLED_AT, str(dirty), str(work)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, env=environment, check=True, timeout=120, stderr=subprocess.DEVNULL)
    before = (dirty / "manifest.csv").read_bytes()
    paths = {row.path for row in manifest.read(dirty)}
    *killed, whole = sorted(work.iterdir(), key=lambda folder: int(folder.name))
    after = (whole / "manifest.csv").read_bytes()
    gone = paths - {row.path for row in manifest.read(whole)}
    assert len(gone) == 6 < len(killed)
    states = set()
    for folder in killed:
        now = (folder / "manifest.csv").read_bytes()
        assert now in {before, after}
        if now == after:
            assert (folder / "manifest-before-audit.csv").read_bytes() == before
        if listed_in(folder):
            assert (now, set(listed_in(folder))) == (after, gone)
        states.add((now == after, bool(listed_in(folder))))
        found = audit([folder])
        clean(found, to_drop(found))
        names = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        assert names == {path.name: path.read_bytes() for path in whole.iterdir() if path.is_file()}
        assert {path.name for path in folder.iterdir()} == {path.name for path in whole.iterdir()}
    assert states == {(False, False), (True, False), (True, True)}
    assert sorted(listed_in(whole)) == sorted(gone)


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_fix_that_is_interrupted_leaves_nothing(dirty, monkeypatch, step):
    def interrupted(*_):
        raise KeyboardInterrupt

    found = audit([dirty])
    files = {path: path.read_bytes() for path in dirty.rglob("*") if path.is_file()}
    if step == "write":
        monkeypatch.setattr("mien.data.audit.clean.CsvWriter.write", interrupted)
    else:
        replace = Path.replace
        monkeypatch.setattr(
            Path,
            "replace",
            lambda a, b: (
                interrupted()
                if b.name == "manifest.csv" and a.parent != b.parent
                else replace(a, b)
            ),
        )
    with pytest.raises(KeyboardInterrupt):
        clean(found, to_drop(found))
    assert {path: path.read_bytes() for path in dirty.rglob("*") if path.is_file()} == files
    assert not (dirty / ".audit-fix").exists()


def test_the_table_of_findings_tells_of_no_row_that_was_not_dropped(dirty, tmp_path, monkeypatch):
    def full(rows, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest, "write", full)
    result = mien("audit", dirty, "--fix", "--out", tmp_path / "findings.csv")
    assert (result.exit_code, "No space left" in result.stderr) == (1, True)
    assert not (tmp_path / "findings.csv").exists()


def test_a_fix_whose_lists_are_refused_says_that_the_rows_are_dropped_and_how_to_go_on(
    dirty, monkeypatch
):
    def refused(own, target):
        if target.name == "dropped-by-audit.csv" and own.parent != target.parent:
            raise OSError(28, "No space left on device")
        return replace(own, target)

    found, replace = audit([dirty]), Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refused)
        with pytest.raises(OutputError, match=r"No space left .*\n.*run it again to complete"):
            clean(found, to_drop(found))
    assert len(manifest.read(dirty)) == 61
    assert not listed_in(dirty)
    clean(audit([dirty]), {})
    assert len(listed_in(dirty)) == 6
