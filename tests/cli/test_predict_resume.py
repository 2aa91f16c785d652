"""A run that was stopped goes on: each picture once, and the table of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from mien.scale import readers, stream
from mien.show.annotate import AnnotatedFolder
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of

BLANK = encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG")


@pytest.fixture
def photos(tmp_path, portrait, monkeypatch):
    """Here: a folder of faces, blanks and a file that is no picture."""
    monkeypatch.chdir(tmp_path)
    face = encode(portrait[:256, 100:356], "PNG")
    names = {f"in/{n:02}.png": BLANK if n % 3 else face for n in range(9)}
    return folder_of(tmp_path, names | {"in/05.png": b"text"})


def stop_at(monkeypatch, name):
    """Let Ctrl-C be pressed when a picture of that name is read."""
    real = readers.read_many

    def read_many(recognizer, files, *rest):
        if files[0].name == name:
            raise KeyboardInterrupt
        return real(recognizer, files, *rest)

    monkeypatch.setattr(readers, "read_many", read_many)
    return lambda: monkeypatch.setattr(readers, "read_many", real)


@pytest.mark.parametrize(
    "words",
    [["--csv", "t.csv", "--regions"], ["--json", "--out-file", "t.json"], ["--csv", "t.csv"]],
    ids=" ".join,
)
def test_predict_goes_on_where_it_was_stopped(photos, monkeypatch, words):
    table = photos / words[-1 if "--json" in words else 1]
    whole = mien("predict", "in", *words)
    expected = table.read_bytes()
    table.unlink()
    go_on = stop_at(monkeypatch, "06.png")
    assert mien("predict", "in", *words, "--resume").exit_code == 1
    assert not table.exists()
    go_on()
    result = mien("predict", "in", *words, "--resume")
    assert (result.exit_code, table.read_bytes()) == (1, expected)
    assert result.stderr.endswith(
        "mien: 5 pictures had been read before\nmien: 1 of 9 pictures could not be read\n"
    )
    if "--json" not in words:  # what was read before is not printed again
        assert result.stdout.count("in/0") == whole.stdout.count("in/0") - 5 == 4


def contents(folder):
    """What is in the files below a folder, by their names in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("many_s", [20, 0], ids=["threads", "processes"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_picture_whose_file_could_not_be_written_is_read_again(
    photos, monkeypatch, many_s, workers
):
    monkeypatch.setattr("mien.cli._shared.cores", lambda: 2)
    monkeypatch.setattr(stream, "_MANY_S", many_s)
    (photos / "in/05.png").unlink()
    for name in ("01.png", "03-face0.png"):  # a picture and a crop that cannot be written
        (photos / "out" / name).mkdir(parents=True)
    words = ("predict", "in", "--csv", "t.csv", "--out", "out", "--crops", "--resume")
    for _ in range(2):
        result = mien(*words, "--workers", workers)
        assert result.exit_code == 1
        assert "2 of the files could not be written" in result.stderr
    for name in ("01.png", "03-face0.png"):
        (photos / "out" / name).rmdir()
    result = mien(*words, "--workers", workers)
    assert (result.exit_code, result.stderr) == (0, "mien: 6 pictures had been read before\n")
    assert {"01.png", "03.png", "03-face0.png"} <= contents(photos / "out").keys()


def test_a_run_that_goes_on_writes_the_files_of_an_undisturbed_one(photos, portrait, monkeypatch):
    crops = [portrait[:256, 100:356], portrait[:256, 110:366]]
    faces = [encode(crops[0], "JPEG"), encode(crops[1], "PNG")]
    folder_of(photos, dict(zip(("in/00.jpg", "in/06.jpg"), faces, strict=True)))
    words = ("predict", "in", "--csv", "t.csv", "--crops", "--out")
    mien(*words, "whole")
    go_on = stop_at(monkeypatch, "00.png")  # after 00.jpg
    mien(*words, "out", "--resume")
    assert contents(photos / "out").keys() == {"00.jpg", "00.jpg-face0.png"}
    go_on()
    mien(*words, "out", "--resume")
    assert contents(photos / "out") == contents(photos / "whole")


def test_a_picture_of_which_a_written_file_is_gone_is_read_again(photos, portrait):
    (photos / "in/05.png").unlink()
    folder_of(photos, {"in/00.jpg": encode(portrait[:256, 110:366], "JPEG")})  # its crop too: 00
    words = ("predict", "in", "--csv", "t.csv", "--out", "out", "--crops", "--resume")
    mien(*words)
    whole, table = contents(photos / "out"), (photos / "t.csv").read_bytes()
    for gone, known in ((["03-face0.png"], 8), (["00.png", "07.png"], 7), (list(whole), 0)):
        for name in gone:
            (photos / "out" / name).unlink()
        result = mien(*words)
        assert result.exit_code == 0
        said = f"mien: {known} pictures had been read before\n" if known else ""
        assert result.stderr == said
        assert contents(photos / "out") == whole
        assert (photos / "t.csv").read_bytes() == table


def test_a_new_picture_gets_no_name_of_one_that_was_read_before(photos, portrait):
    other = encode(portrait[:256, 110:366], "PNG")
    folder_of(photos, {"b/00.png": other})
    words = ("--json", "--out-file", "t.json", "--out", "out", "--crops", "--resume")
    mien("predict", "b", *words)
    before = contents(photos / "out")
    assert before.keys() == {"00.png", "00-face0.png"}
    mien("predict", "in/00.png", "b", *words)  # comes before it
    after = contents(photos / "out")
    assert after.keys() == before.keys() | {"00-2.png", "00-2-face0.png"}
    assert before.items() <= after.items()
    (photos / "b/00.png").write_bytes(encode(portrait[:256, 120:376], "PNG"))
    mien("predict", "in/00.png", "b", *words)
    changed = contents(photos / "out")
    assert changed.keys() == after.keys()
    assert {name for name in after if changed[name] != after[name]} == before.keys()
    assert "written" not in (photos / "t.json").read_text()


def test_a_changed_picture_is_read_again_and_a_new_one_is_read(photos, portrait):
    mien("predict", "in", "--csv", "t.csv", "--resume")
    folder_of(photos, {"in/01.png": encode(portrait, "PNG"), "in/5a.png": BLANK})
    (photos / "in/08.png").unlink()
    again = mien("predict", "in", "--csv", "t.csv", "--resume")
    assert "mien: 6 pictures had been read before" in again.stderr
    resumed = (photos / "t.csv").read_bytes()
    mien("predict", "in", "--csv", "t.csv")
    assert (photos / "t.csv").read_bytes() == resumed
    assert b"in/01.png" in resumed


def test_scores_go_on_too(photos):
    first = mien("scores", "in", "--out", "s.csv", "--full", "--resume")
    expected = (photos / "s.csv").read_bytes()
    again = mien("scores", "in", "--out", "s.csv", "--full", "--resume")
    assert "wrote s.csv: 8 pictures" in first.stderr
    assert "8 pictures had been read before" in again.stderr
    assert (photos / "s.csv").read_bytes() == expected


def test_a_journal_of_other_settings_is_refused_before_anything_is_written(photos):
    mien("predict", "in", "--csv", "t.csv", "--resume")
    before = (photos / "t.csv").read_bytes()
    result = mien("predict", "in", "--csv", "t.csv", "--resume", "--six")
    assert result.exit_code == 1
    assert "t.csv.journal is of a run with other settings: six false, now true" in result.stderr
    assert (photos / "t.csv").read_bytes() == before


@pytest.mark.parametrize("words", [["--resume"], ["--resume", "--csv", "-"]])
def test_resume_without_a_file_is_wrong_usage(photos, words):
    result = mien("predict", "in", *words)
    assert result.exit_code == 2
    assert "--resume needs a file" in result.stderr


def test_every_number_of_workers_writes_the_same(photos, monkeypatch):
    monkeypatch.setattr("mien.cli._shared.cores", lambda: 3)
    tables = {}
    for workers in (0, 1, 2, 3, 99_999):
        words = ("--csv", f"{workers}.csv", "--out", f"out{workers}", "--crops")
        result = mien("predict", "in", *words, "--workers", workers)
        written = sorted((photos / f"out{workers}").rglob("*.png"))
        tables[workers] = (
            (photos / f"{workers}.csv").read_bytes(),
            result.stdout,
            [(path.name, path.read_bytes()) for path in written],
        )
    assert "--workers 99999: taking 3, one a core" in result.stderr
    assert all(table == tables[1] for table in tables.values())
    assert len(tables[1][2]) == 8 + 3


@pytest.mark.parametrize("words", [(), ("--out", "out")], ids=["table", "pictures"])
def test_a_folder_that_changes_meanwhile_ends_no_run(photos, monkeypatch, words):
    real = AnnotatedFolder.__init__ if words else stream.plan

    def change(*given):
        made = real(*given)
        (photos / "in/99.png").write_bytes(BLANK)  # after the pictures were counted and named
        (photos / "in/03.png").unlink()
        return made

    if words:
        monkeypatch.setattr(AnnotatedFolder, "__init__", change)
    else:
        monkeypatch.setattr(stream, "plan", change)
    result = mien("predict", "in", "--csv", "t.csv", *words)
    assert result.exit_code == 1
    assert ("no such file: in/03.png" in result.stderr) == bool(words)  # else it is not walked to
    assert ("in/99.png" in result.stdout) == (not words)
    assert "not a picture: in/05.png" in result.stderr
    assert (photos / "t.csv").read_text().count("in/") == 2


def test_a_folder_that_closes_after_it_was_counted_is_named(photos, monkeypatch):
    real = os.scandir
    folder_of(photos, {"in/far/a.png": BLANK})

    def scandir(folder):
        if str(folder) == "in/far" and closed:
            raise PermissionError(13, "Permission denied")
        return real(folder)

    closed = []
    plan = stream.plan
    monkeypatch.setattr(stream, "plan", lambda *given: closed.append(1) or plan(*given))
    monkeypatch.setattr("os.scandir", scandir)
    (photos / "in/05.png").write_bytes(BLANK)
    result = mien("predict", "in", "--csv", "t.csv")
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "mien: left out, cannot be opened (Permission denied): 1: in/far\n"
    )


def test_a_picture_that_grows_while_it_is_read_is_read_again_by_the_next_run(photos, monkeypatch):
    """As a copy into the folder that is under way: what was read is not taken for the whole."""
    real, whole = readers.read_many, (photos / "in/00.png").read_bytes()
    (photos / "in/00.png").write_bytes(BLANK)

    def read_many(recognizer, files, *rest):
        yield from real(recognizer, files, *rest)
        if files[0].name == "00.png":
            files[0].write_bytes(whole)

    monkeypatch.setattr(readers, "read_many", read_many)
    mien("predict", "in", "--csv", "t.csv", "--resume")
    monkeypatch.setattr(readers, "read_many", real)
    assert "in/00.png" not in (photos / "t.csv").read_text()
    result = mien("predict", "in", "--csv", "t.csv", "--resume")
    assert "mien: 7 pictures had been read before" in result.stderr
    assert "in/00.png,0," in (photos / "t.csv").read_text()


def test_processes_write_what_this_process_writes(photos, monkeypatch):
    monkeypatch.setattr("mien.cli._shared.cores", lambda: 2)
    words = ("predict", "in", "--csv", "t.csv", "--out", "out", "--crops")
    written = []
    for many_s in (20, 0):  # seconds of work from which processes are started
        monkeypatch.setattr(stream, "_MANY_S", many_s)
        result = mien(*words, "--workers", 2)
        files = [p for p in photos.rglob("*") if p.is_file() and p.parent.name != "in"]
        contents = {path.relative_to(photos): path.read_bytes() for path in files}
        written.append((result.stdout, result.stderr, contents))
    assert written[0] == written[1]
    assert len(written[0][2]) == 1 + 8 + 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_table(tmp_path, portrait):
    face = encode(portrait[:256, 100:356], "PNG")
    folder_of(tmp_path, {f"in/{n:03}.png": face if n % 4 == 0 else BLANK for n in range(300)})
    command = [sys.executable, "-m", "mien", "predict", "in", "--csv"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "whole.csv"], cwd=tmp_path, env=environment, check=True, **quiet)
    chance = random.Random(0)
    for kill in range(8):
        running = subprocess.Popen(
            [*command, "t.csv", "--resume"], cwd=tmp_path, env=environment, **quiet
        )
        journal = tmp_path / "t.csv.journal"
        before = journal.stat().st_size if journal.exists() else 0
        while running.poll() is None and (not journal.exists() or journal.stat().st_size <= before):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        running.send_signal([signal.SIGKILL, signal.SIGTERM, signal.SIGINT][kill % 3])
        running.communicate(timeout=60)
    last = subprocess.run(
        [*command, "t.csv", "--resume"], cwd=tmp_path, env=environment, check=True, **quiet
    )
    assert "pictures had been read before" in last.stderr
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "in", "t.csv", "t.csv.journal", "whole.csv"
    ]  # fmt: skip
