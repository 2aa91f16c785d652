"""What a killed run left is removed by the next one; what a running one writes is never touched."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.media import parts
from mien.media.atomic import atomic, atomic_folder
from mien.media.parts import is_part_name, remove_leftovers
from mien.media.writers import write_text

FILE = "with atomic(Path(sys.argv[1])) as part:\n    part.write_text('half')"
FOLDER = "with atomic_folder(Path(sys.argv[1])) as part:\n    (part / 'half').write_text('x')"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run_until_written(block, target):
    """Start a process that writes half of a target and then waits."""
    lines = ["import sys, time", "from pathlib import Path",
             "from mien.media.atomic import atomic, atomic_folder", block,
             "    print('written', flush=True); time.sleep(60)"]  # fmt: skip
    code = [sys.executable, "-c", "\n".join(lines), str(target)]
    child = subprocess.Popen(code, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "written\n"
    return child


def kill(child):
    child.send_signal(signal.SIGKILL)
    child.communicate()


def write(target):
    with atomic(target) as part:
        assert part.read_bytes() == b""  # nothing of a dead run
        part.write_text("whole")


@pytest.mark.parametrize("block", [FILE, FOLDER])
def test_what_a_killed_run_left_is_gone_after_the_next_into_the_same_place(tmp_path, block):
    kill(run_until_written(block, tmp_path / "a"))
    assert names(tmp_path) == [".a.mien-0.part"]
    if block == FILE:
        write(tmp_path / "a")
        assert (tmp_path / "a").read_text() == "whole"
    else:
        with atomic_folder(tmp_path / "a") as part:
            assert names(part) == []
        assert names(tmp_path / "a") == []
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("block", [FILE, FOLDER])
def test_the_part_of_a_run_that_lives_is_not_touched(tmp_path, block):
    child = run_until_written(block, tmp_path / "a")
    try:
        write(tmp_path / "a")
        assert remove_leftovers(tmp_path) == []
        assert names(tmp_path) == [".a.mien-0.part", "a"]
        half = tmp_path / ".a.mien-0.part"
        assert (half if block == FILE else half / "half").read_text() in {"half", "x"}
    finally:
        kill(child)


def test_leftovers_of_two_that_were_killed_at_once_are_both_removed(tmp_path):
    first, second = (run_until_written(FILE, tmp_path / "a") for _ in range(2))
    assert names(tmp_path) == [".a.mien-0.part", ".a.mien-1.part"]
    kill(first)
    kill(second)
    write(tmp_path / "a")
    assert names(tmp_path) == ["a"]


def test_a_sweep_takes_leftovers_alone(tmp_path):
    kill(run_until_written(FILE, tmp_path / "b.csv"))
    kill(run_until_written(FOLDER, tmp_path / "c"))
    others = [".a.part", ".a.12345678.part", "a.mien-0.part", ".a.mien-x.part"]
    for name in others:
        (tmp_path / name).write_text("somebody's")
    (tmp_path / ".d.mien-0.part").symlink_to(tmp_path / ".a.part")
    removed = remove_leftovers(tmp_path)
    assert sorted(path.name for path in removed) == [".b.csv.mien-0.part", ".c.mien-0.part"]
    assert names(tmp_path) == sorted([*others, ".d.mien-0.part"])
    assert remove_leftovers(tmp_path / "missing") == []


def test_a_link_in_the_place_of_a_part_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".a.mien-0.part").symlink_to(tmp_path / "precious")
    write(tmp_path / "a")
    assert (tmp_path / "precious").read_text() == "precious"
    assert names(tmp_path) == [".a.mien-0.part", "a", "precious"]


@pytest.mark.parametrize("has", [True, False], ids=["a disk without locks", "no locks at all"])
def test_without_locks_a_part_has_a_name_of_its_own_and_nothing_is_removed(
    tmp_path, monkeypatch, has
):
    monkeypatch.setattr(parts, "_HAS_LOCKS", has)
    monkeypatch.setattr(parts, "_lock", lambda _handle: "unknown")
    (tmp_path / ".b.mien-0.part").write_text("perhaps of a run that lives")
    with atomic(tmp_path / "a") as one, atomic(tmp_path / "a") as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "c"):
        (tmp_path / "missing").read_text()
    with atomic_folder(tmp_path / "d") as part:
        (part / "x").write_text("x")
    assert remove_leftovers(tmp_path) == []
    assert names(tmp_path) == [".b.mien-0.part", "a", "d"]
    assert names(tmp_path / "d") == ["x"]


def test_a_file_whose_block_ends_well_has_the_usual_rights(tmp_path):
    (tmp_path / "usual").write_text("x")
    write(tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_part_whose_writer_was_stopped_while_it_was_made_is_removed(tmp_path, monkeypatch):
    def stopped(_handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "_lock", stopped)
    with pytest.raises(KeyboardInterrupt), atomic(tmp_path / "a"):
        pass
    assert names(tmp_path) == []


def test_a_folder_of_the_user_is_never_taken_for_a_part(tmp_path):
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "precious").write_text("precious")
    with atomic_folder(tmp_path / "out"):
        pass
    assert names(tmp_path / "out.part") == ["precious"]


def test_a_disk_that_is_mounted_at_the_folder_is_told_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "disk")
    (tmp_path / "disk").mkdir()
    with (
        pytest.raises(OutputError, match=r"disk is a mounted disk\n  try: name a new folder in it"),
        atomic_folder(tmp_path / "disk"),
    ):
        pytest.fail("the work was begun")
    with atomic_folder(tmp_path / "disk" / "new"):
        pass
    assert names(tmp_path / "disk") == ["new"]


def test_links_in_a_circle_are_one_error(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutputError, match=r"cannot write .*\n  try: choose another"):
        write(tmp_path / "a" / "x.csv")
    with (
        pytest.raises(OutputError, match=r"cannot write .*\n  try: choose another"),
        atomic_folder(tmp_path / "a" / "x"),
    ):
        pass


def test_many_writers_of_one_target_cost_no_search_of_the_folder(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        for name in ("listdir", "scandir"):
            patched.setattr(os, name, lambda *_: pytest.fail("the folder was searched"))
        for _ in range(3):
            write(tmp_path / "a")
    assert is_part_name(f".{'x' * 40}.mien-1f.part")
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208


def test_what_was_claimed_and_not_dropped_is_removed_at_the_end(tmp_path):
    one, other = parts.Part(tmp_path / "a.csv"), parts.Part(tmp_path / "b", is_folder=True)
    one.claim().write_text("half")
    (other.claim() / "half").write_text("half")
    with atomic(tmp_path / "c.csv") as part:
        part.write_text("whole")
    parts.drop_claimed()
    assert names(tmp_path) == ["c.csv"]
    parts.drop_claimed()  # nothing is left to do


def test_a_copy_of_a_process_leaves_its_parts_alone(tmp_path):
    part = parts.Part(tmp_path / "a.csv")
    path = part.claim()
    child = os.fork()
    if child == 0:
        parts.drop_claimed()
        os._exit(0)
    os.waitpid(child, 0)
    assert path.exists()
    parts.drop_claimed()
    assert names(tmp_path) == []


def interrupted(target, write):
    """Write into a part by a function, and be stopped there."""
    with atomic(target) as part:
        write(part)
        assert names(target.parent) == [part.name]  # no part of a part
        raise KeyboardInterrupt


def put_there(part):
    own = part.with_name("own")
    own.write_text("half")
    own.replace(part)


@pytest.mark.parametrize("write", [lambda part: write_text("half", part), put_there])
def test_what_is_written_into_a_part_or_put_in_its_place_goes_with_it(tmp_path, write):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "a.csv", write)
    assert names(tmp_path) == []


def test_a_part_takes_a_file_as_it_is(tmp_path):
    with atomic(tmp_path / "a.csv") as part:
        write_text("whole", part)
    assert (tmp_path / "a.csv").read_text() == "whole"
