"""What looks after the worker processes: replaces those that ended, and ends those that hang.

uvicorn's own asks one worker after the other for a sign of life, and waits for the answer: one that
is slow to start is ended like one that hangs, and meanwhile none that died is replaced and no
signal is heard. This one waits for none. Knows nothing of HTTP.
"""

import logging
import os
import signal
import time
from math import inf
from multiprocessing import parent_process
from threading import Thread
from typing import Any

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from mien.media.parallel import without_ctrl_c

__all__ = ["HANGS_S", "Workers", "end_with_supervisor"]

_LOG = logging.getLogger("mien.serve")
HANGS_S = 30  # without a sign of life a worker is ended; a busy machine is slow to give one


class Workers(Multiprocess):
    """The worker processes of a service."""

    def __init__(self, config: Config, sockets: list[Any]) -> None:
        """Start without workers.

        Args:
            config: of each.
            sockets: that they listen on.
        """
        super().__init__(config, sockets)
        self._heard: dict[Process, float] = {}  # when it answered last; `inf` while it starts

    def init_processes(self) -> None:
        """Start the workers."""
        with without_ctrl_c():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """End the workers that hang, and replace those that ended."""
        self._heard = {worker: self._heard_of(worker) for worker in self.processes}
        running = [worker for worker in self.processes if worker.process.is_alive()]
        self.processes = [worker for worker in self.processes if worker not in running]
        if not self.should_exit.is_set():
            _say_how_they_ended(self.processes)
        with without_ctrl_c():
            super().keep_subprocess_alive()
        self.processes += running

    def _heard_of(self, worker: Process) -> float:
        """When a worker answered last; it is asked again as soon as it did."""
        now = time.monotonic()
        if worker not in self._heard:
            worker.parent_conn.send(b"ping")
            return inf
        if worker.parent_conn.poll():
            worker.parent_conn.recv()
            worker.parent_conn.send(b"ping")
            return now
        if now - self._heard[worker] > HANGS_S:
            worker.process.kill()
        return self._heard[worker]


def _say_how_they_ended(workers: list[Process]) -> None:
    """Log the end of workers; one that cannot start has said why itself."""
    for code in [worker.exitcode for worker in workers]:
        if code is not None and code < 0:
            _LOG.warning("a worker was ended by signal %d (%s)", -code, signal.strsignal(-code))
        elif code != STARTUP_FAILURE:
            _LOG.warning("a worker ended with exit code %s", code)


def end_with_supervisor() -> None:
    """End this worker when what is in work is done, should the supervisor be killed."""
    supervisor = parent_process()
    if supervisor is None:
        return

    def wait() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, daemon=True).start()
