"""A command as a process: signals, a reader that goes away, a disk that is full."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.support.pictures import encode, folder_of

BLANK = encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG")
FULL = "/dev/full"  # refuses every byte: Linux has it


def start(folder, *words, **streams):
    """Start ``mien WORDS`` in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "mien", *words],
        cwd=folder,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams,
    )


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def many(tmp_path):
    """A folder of 400 pictures; to read them takes many seconds."""
    return folder_of(tmp_path, {f"in/{number:04}.png": BLANK for number in range(400)})


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 1)]
)
def test_a_signal_ends_a_command_without_a_half_written_file(many, number, code):
    running = start(many, "predict", "in", "--csv", "t.csv", "--out", "out", "--threads", "1")
    first = running.stdout.readline()
    running.send_signal(number)
    rest, said = running.communicate(timeout=30)
    assert first.startswith("in/0000.png")
    assert len(rest.splitlines()) < 399
    assert running.returncode == code
    assert "Traceback" not in said
    assert said == ("\nAborted!\n" if code == 1 else f"mien: ended by {number.name}\n")
    assert not [name for name in names(many) if name.endswith((".part", ".csv"))]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("SIGTERM", 143, "mien: ended by SIGTERM\n"),
        ("SIGINT", 1, "\nAborted!\n"),
        (None, 1, "ImportError: initialization failed\n"),
    ],
)
def test_a_signal_that_meets_the_import_of_compiled_code_ends_a_command_all_the_same(
    name, code, said
):
    """Such code raises an ImportError of its own in place of what the signal raised."""
    raised = f"signal.raise_signal(signal.{name})" if name else "pass"
    lines = [
        "import contextlib, signal",
        "from mien.cli._process import command_process",
        "with command_process():",
        "    with contextlib.suppress(BaseException):",
        f"        {raised}",
        "    raise ImportError('initialization failed')",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr.endswith(said)
    assert ("Traceback" in done.stderr) == (name is None)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_second_signal_waits_for_the_cleaning_up_and_ends_one_that_takes_long(name):
    """A wait for a thread that is interrupted makes some versions of Python wait for ever."""
    raised = f"signal.raise_signal(signal.{name})"
    lines = [
        "import signal, sys",
        "from mien.cli import _process",
        "_process._GRACE_S = float(sys.argv[1])",
        "with _process.command_process():",
        "    try:",
        f"        {raised}",
        "    finally:",
        f"        {raised}",
        "        print('cleaned', flush=True)",
    ]
    patient, long = (
        subprocess.run([sys.executable, "-c", "\n".join(lines), seconds], capture_output=True)
        for seconds in ("60", "0")
    )
    assert patient.stdout == b"cleaned\n"
    assert patient.returncode != 0
    assert (long.stdout, long.stderr) == (b"", b"")
    assert long.returncode == (143 if name == "SIGTERM" else 1)


def test_a_command_whose_standard_error_is_closed_does_its_work(tmp_path):
    folder_of(tmp_path, {f"in/{number}.png": BLANK for number in range(3)})
    words = [sys.executable, "-m", "mien", "predict", "in", "--json"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3)


def test_a_signal_that_was_ignored_stays_ignored(many):
    ignore = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"  # as nohup does
    code = f"{ignore}\nimport sys; sys.argv = ['mien', 'predict', 'in']\n"
    code += "from mien.cli import main; main()"
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=many, stdout=subprocess.PIPE, text=True
    )
    running.stdout.readline()
    assert running.poll() is None
    running.send_signal(signal.SIGHUP)
    running.communicate(timeout=60)
    assert running.returncode == 0


def test_what_sigkill_leaves_the_next_run_into_the_same_folder_removes(many):
    running = start(many, "predict", "in", "--csv", "t.csv", "--out", "out", "--threads", "1")
    running.stdout.readline()
    for line in running.stdout:
        if line.startswith("in/0005"):
            break
    running.kill()
    running.communicate()
    (many / "out" / ".gone.png.mien-0.part").touch()  # of a picture that is not read again
    left = [name for name in names(many) if name.endswith(".part")]
    assert {".t.csv.mien-0.part", "out/.gone.png.mien-0.part"} <= set(left)
    again = start(many, "predict", "in/0000.png", "--csv", "t.csv", "--out", "out")
    again.communicate(timeout=30)
    assert again.returncode == 0
    assert not [name for name in names(many) if name.endswith(".part")]


def test_a_reader_that_goes_away_ends_a_command_quietly(many):
    for words in (["scores", "in", "--out", "-"], ["predict", "in", "--json"], ["predict", "in"]):
        running = start(many, *words, "--threads", "1")
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(timeout=60) == 1
        running.stderr.close()


@pytest.mark.skipif(not os.path.exists(FULL), reason="no /dev/full")  # noqa: PTH110
@pytest.mark.parametrize(
    "words",
    [["predict", "in/0000.png"], ["predict", "in/0000.png", "--csv", "-"], ["--help"], ["models"]],
    ids=" ".join,
)
def test_standard_output_on_a_full_disk_is_one_error(many, words):
    with open(FULL, "w") as full:  # noqa: PTH123
        running = start(many, *words, stdout=full)
        _, said = running.communicate(timeout=60)
    assert said == (
        "mien: cannot write standard output: No space left on device\n"
        "  try: send it to a file on a disk with free space\n"
    )
    assert running.returncode == 1


def test_a_closed_standard_output_is_an_error_where_results_would_go(many):
    shell = ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "mien", "predict", "in/0000.png"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for words, code in ((["--csv", "-"], 1), (["--json"], 1), (["--csv", "t.csv"], 0)):
        result = subprocess.run(
            [*shell, *words], cwd=many, capture_output=True, text=True, env=environment
        )
        assert result.returncode == code, result.stderr
        assert ("standard output is closed\n  try: " in result.stderr) == bool(code)


def test_a_second_signal_does_not_interrupt_the_cleaning_up(many):
    running = start(many, "predict", "in", "--csv", "t.csv", "--out", "out", "--threads", "1")
    running.stdout.readline()
    for _ in range(3):
        running.send_signal(signal.SIGTERM)
        time.sleep(0.002)
    running.communicate(timeout=30)
    assert running.returncode in {143, -signal.SIGTERM}  # the last one after the end of it all
    assert not [name for name in names(many) if name.endswith(".part")]


def test_a_command_that_is_stopped_between_a_claim_and_its_block_leaves_nothing(tmp_path):
    code = (
        "import sys; from pathlib import Path; from mien.cli._process import command_process\n"
        "from mien.media.parts import Part\n"
        "with command_process():\n"
        "    part = Part(Path(sys.argv[1])); part.claim(); raise KeyboardInterrupt\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "t.csv"], capture_output=True)
    assert done.returncode != 0
    assert list(tmp_path.iterdir()) == []
