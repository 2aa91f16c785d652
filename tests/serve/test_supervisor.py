"""What looks after the workers: which are ended, which replaced, and that none is waited for."""

import signal
import time
from multiprocessing import Pipe
from types import SimpleNamespace

import pytest
from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from mien.serve import supervisor
from mien.serve.supervisor import Workers


class Worker(multiprocess.Process):
    """A stand-in for a process, which answers when it is told to."""

    def __init__(self, config, sockets):
        self.parent_conn, self.child_conn = Pipe()
        self.process = SimpleNamespace(
            pid=1, exitcode=None, start=self.begin, join=lambda: None, kill=self.end
        )
        self.process.is_alive = lambda: self.process.exitcode is None

    def begin(self):
        self.deaf_to = signal.pthread_sigmask(signal.SIG_BLOCK, [])

    def end(self, code=-9):
        self.process.exitcode = self.process.exitcode or code  # who died stays as it is

    def answer(self):
        self.child_conn.recv()
        self.child_conn.send(True)


@pytest.fixture
def workers(monkeypatch):
    """Two that have not answered yet."""
    monkeypatch.setattr(multiprocess, "SIGNALS", {})
    monkeypatch.setattr(multiprocess, "Process", Worker)
    monkeypatch.setattr(supervisor, "HANGS_S", 0.2)
    made = Workers(Config(lambda: None, workers=2, timeout_worker_healthcheck=1), [])
    made.init_processes()
    return made


def look(workers, answering=()):
    """A round, without a worker that is waited for; then these answer."""
    start = time.monotonic()
    workers.keep_subprocess_alive()
    assert time.monotonic() - start < 0.5
    for worker in answering:
        worker.answer()


def test_a_worker_that_is_slow_to_start_is_not_ended(workers):
    both = list(workers.processes)
    for _ in range(4):
        look(workers)
        time.sleep(0.1)
    assert workers.processes == both
    assert [worker.exitcode for worker in both] == [None, None]


def test_a_worker_that_answered_and_hangs_is_replaced(workers):
    good, hangs = workers.processes
    look(workers, [good, hangs])
    for _ in range(5):
        look(workers, [good])
        time.sleep(0.1)
    assert (good.exitcode, hangs.exitcode) == (None, -9)
    look(workers)
    assert good in workers.processes
    assert hangs not in workers.processes
    assert len(workers.processes) == 2


def test_a_worker_that_died_is_replaced_at_once_while_another_starts(workers):
    starts, dies = workers.processes
    look(workers)
    dies.end()  # it was asked, and will not answer
    look(workers)
    assert starts in workers.processes
    assert dies not in workers.processes
    assert len(workers.processes) == 2


def test_the_log_says_how_a_worker_ended(workers, caplog):
    killed, left = workers.processes
    killed.end(-signal.SIGKILL)
    left.end(1)
    look(workers)
    told = [record.getMessage() for record in caplog.records if record.name == "mien.serve"]
    assert told == ["a worker was ended by signal 9 (Killed)", "a worker ended with exit code 1"]


def test_workers_do_not_hear_the_ctrl_c_of_a_terminal_and_this_process_does(workers):
    look(workers)
    workers.processes[0].end()
    look(workers)  # and starts another one
    assert [worker.deaf_to for worker in workers.processes] == [{signal.SIGINT}] * 2
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_worker_that_cannot_start_ends_all_at_once(workers, caplog):
    _, fails = workers.processes
    look(workers)
    fails.end(STARTUP_FAILURE)
    look(workers)
    assert workers.should_exit.is_set()
    assert fails in workers.processes  # the reason is looked for there
    assert "a worker ended" not in caplog.text
