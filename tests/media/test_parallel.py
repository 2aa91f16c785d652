import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from mien.errors import BadImageError, OutputError
from mien.media.atomic import atomic
from mien.media.parallel import cores, share


def adder(term):
    """What does the work: adds a term, and says in which process."""
    return lambda number: (number + term, os.getpid())


def late(_):
    """Later tasks are done sooner."""

    def work(number):
        time.sleep(0.2 / (1 + number))
        return number

    return work


def failing(error):
    def work(number):
        if number == 3:
            raise error("three", fix="count on")
        return number

    return work


def dying(_):
    return lambda _: os.kill(os.getpid(), signal.SIGKILL)


def writing(folder):
    """Begins a file and tells so, then takes very long."""

    def work(number):
        with atomic(folder / f"{number}.txt") as part:
            part.write_text("half")
            (folder / f"{os.getpid()}.pid").touch()
            time.sleep(60)

    return work


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_their_tasks(workers):
    found = list(share(partial(adder, 10), range(30), workers))
    assert [number for number, _ in found] == list(range(10, 40))
    processes = {process for _, process in found}
    assert (processes == {os.getpid()}) == (workers == 1)


def test_a_task_that_takes_long_does_not_lose_its_place():
    assert list(share(partial(late, None), range(8), 2)) == list(range(8))


def test_only_a_few_tasks_are_asked_for_ahead():
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield number

    stream = share(partial(adder, 0), tasks(), 2)
    next(stream)
    assert len(taken) < 10
    stream.close()


def test_our_errors_come_back_as_they_are():
    stream = share(partial(failing, BadImageError), range(9), 2)
    with pytest.raises(BadImageError, match="three\n  try: count on"):
        list(stream)


def test_a_process_that_is_killed_is_an_error_and_no_silence():
    with pytest.raises(OutputError, match=r"was ended\n  try: .*--workers 1"):
        list(share(partial(dying, None), range(4), 2))


def test_threads_share_one_worker_and_keep_the_order():
    made = []

    def make():
        made.append(1)
        return late(None)

    assert list(share(make, range(8), 2, threads=True)) == list(range(8))
    assert made == [1]


def test_an_error_in_a_thread_is_raised_in_its_place():
    stream = share(partial(failing, BadImageError), range(9), 2, threads=True)
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(BadImageError, match="three"):
        next(stream)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM")
def test_a_process_that_is_asked_to_end_leaves_no_part_of_a_file(tmp_path):
    def end_them():
        while len(found := list(tmp_path.glob("*.pid"))) < 2:
            time.sleep(0.05)
        for path in found:
            os.kill(int(path.stem), signal.SIGTERM)

    Thread(target=end_them, daemon=True).start()
    with pytest.raises(OutputError, match="was ended"):
        list(share(partial(writing, tmp_path), range(9), 2))
    assert {path.suffix for path in tmp_path.iterdir()} == {".pid"}


def test_the_cores_are_those_this_process_may_use():
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_processes_do_not_outlive_a_first_one_that_is_killed(tmp_path):
    code = (
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from functools import partial\n"
        "from tests.media.test_parallel import adder\n"
        "from mien.media.parallel import share\n"
        "if __name__ == '__main__':\n"
        "    stream = share(partial(adder, 0), range(100), 2)\n"
        "    print(*{next(stream)[1] for _ in range(20)}, flush=True)\n"
        "    time.sleep(60)\n"
    )
    script = tmp_path / "first.py"
    script.write_text(code)
    first = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    workers = [int(word) for word in first.stdout.readline().split()]
    assert workers
    first.kill()
    first.wait()
    first.stdout.close()
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


@pytest.mark.skipif(sys.platform == "win32", reason="no signal mask")
def test_processes_that_are_still_starting_say_nothing_of_ctrl_c(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import os, time\n"
        "from pathlib import Path\n"
        "if os.environ.setdefault('FIRST', str(os.getpid())) != str(os.getpid()):\n"
        "    (Path(__file__).parent / f'{os.getpid()}.starting').touch()\n"
        "    time.sleep(2)\n"
        "def make():\n"
        "    return abs\n"
    )
    (tmp_path / "first.py").write_text(
        "import slow\n"
        "from mien.media.parallel import share\n"
        "if __name__ == '__main__':\n"
        "    try:\n"
        "        list(share(slow.make, range(9), 2))\n"
        "    except KeyboardInterrupt:\n"
        "        print('stopped')\n"
    )
    first = subprocess.Popen(
        [sys.executable, "first.py"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    while len(list(tmp_path.glob("*.starting"))) < 2:
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGINT)
    assert first.communicate(timeout=60) == ("stopped\n", "")


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
