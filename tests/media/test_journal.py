"""A journal is whole after a kill, knows files by size and time, and refuses other settings."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.media.journal import Journal, journal_of, stamp_of
from tests.support.full_disk import full_disk

SETTINGS = {"six": False}


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"first")
    return path


def test_what_was_added_is_known_to_the_next_run(tmp_path, picture):
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.known(picture) is None
        journal.add(picture, stamp_of(picture), {"faces": [0.25]})
        assert journal.known(picture) == {"faces": [0.25]}
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.known(picture) == {"faces": [0.25]}
        assert journal.known(tmp_path / "b.png") is None


@pytest.mark.parametrize("change", ["size", "time", "a millisecond"])
def test_a_file_that_was_changed_is_not_known(tmp_path, picture, change):
    second_ns = 1_700_000_000 * 10**9
    os.utime(picture, ns=(second_ns, second_ns))
    with Journal(tmp_path / "j", SETTINGS) as journal:
        journal.add(picture, stamp_of(picture), "old")
        if change == "size":
            picture.write_bytes(b"longer")
        after_ns = {"size": 0, "time": 10**9, "a millisecond": 10**6}[change]
        os.utime(picture, ns=(second_ns + after_ns,) * 2)
        assert journal.known(picture) is None
        journal.add(picture, stamp_of(picture), "new")
        assert journal.known(picture) == "new"


def test_what_was_added_before_an_error_is_kept(tmp_path, picture):
    def interrupted():
        with Journal(tmp_path / "j", SETTINGS) as journal:
            journal.add(picture, stamp_of(picture), "read")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.known(picture) == "read"


def test_a_file_of_which_something_is_gone_is_not_known(tmp_path, picture):
    written = tmp_path / "written.png"
    written.touch()

    def holds(result):
        return Path(result).exists()

    with Journal(tmp_path / "j", SETTINGS, holds) as journal:
        journal.add(picture, stamp_of(picture), str(written))
        assert journal.known(picture) == str(written)
        written.unlink()
        assert journal.known(picture) is None


def test_a_name_that_is_no_text_is_known_again(tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    odd.write_bytes(b"x")
    with Journal(tmp_path / "j", SETTINGS) as journal:
        journal.add(odd, stamp_of(odd), {"path": str(odd)})
        assert journal.known(odd) == {"path": str(odd)}


def test_other_settings_are_refused_and_named(tmp_path):
    with Journal(tmp_path / "j", SETTINGS):
        pass
    with (
        pytest.raises(OutputError, match=r"six false, now true\n  try: give the same options"),
        Journal(tmp_path / "j", {"six": True}),
    ):
        pass


def test_two_runs_cannot_use_one_journal_at_once(tmp_path, picture):
    with Journal(tmp_path / "j", SETTINGS) as first:
        first.add(picture, stamp_of(picture), 1)
        with (
            pytest.raises(OutputError, match=r"database is locked\n  try: .*end the other run"),
            Journal(tmp_path / "j", SETTINGS),
        ):
            pass
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.known(picture) == 1


def test_another_file_of_that_name_is_left_as_it_is(tmp_path):
    (tmp_path / "j").write_bytes(b"a diary, and no database at all" * 40)
    with pytest.raises(OutputError, match="no journal of mien"), Journal(tmp_path / "j", SETTINGS):
        pass
    assert (tmp_path / "j").read_bytes().startswith(b"a diary")


def test_a_full_disk_is_one_error_and_the_journal_stays_whole(tmp_path, picture):
    with Journal(tmp_path / "j", SETTINGS) as journal:
        journal.add(picture, stamp_of(picture), "kept")

    def fill():
        with Journal(tmp_path / "j", SETTINGS) as journal:
            for number in range(100):
                journal.add(tmp_path / str(number), (1, 1), "x" * 10_000)

    with full_disk(), pytest.raises(OutputError, match="cannot write"):
        fill()
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.known(picture) == "kept"


def test_what_the_disk_refuses_at_the_very_end_is_an_error_too(tmp_path, picture):
    journal = Journal(tmp_path / "j", SETTINGS).__enter__()
    journal.add(picture, stamp_of(picture), "x" * 100_000)
    with full_disk(), pytest.raises(OutputError, match="cannot write"):
        journal.__exit__(None, None, None)


def test_a_run_that_was_killed_leaves_what_it_had_committed(tmp_path, picture):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from mien.media import journal\n"
        "journal._COMMIT_S = 0\n"
        "path = Path(sys.argv[1])\n"
        "with journal.Journal(path.with_name('j'), {'six': False}) as opened:\n"
        "    opened.add(path, journal.stamp_of(path), 'read')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(picture)])
    assert killed.returncode == -signal.SIGKILL
    with Journal(tmp_path / "j", SETTINGS) as journal:
        assert journal.known(picture) == "read"


def test_standard_output_has_no_journal():
    assert journal_of(Path("a/faces.csv")) == Path("a/faces.csv.journal")
    with pytest.raises(OutputError, match="omit --resume"):
        journal_of(Path("-"))
