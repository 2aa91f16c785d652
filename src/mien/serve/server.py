"""The socket, the worker processes, the signals and the log: `run_server`.

The port is taken before the networks are loaded, and the address is told once it answers. SIGTERM
and Ctrl-C end it when what is in work is done. The application is imported where it runs: a process
that looks after others does without.
"""

import asyncio
import logging
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from types import FrameType
from typing import Any

import h11
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.h11_impl import H11Protocol

from mien.errors import BadSettingError, MienError
from mien.recognize.model import SHIPPED, find, read_card
from mien.serve.counter_folder import counters_of_others_left_alone, shared_counters
from mien.serve.settings import Settings, refuse_open_door
from mien.serve.supervisor import HANGS_S, Workers, end_with_supervisor

__all__ = ["QuietFormatter", "make_config", "run_server"]

_LOG = logging.getLogger("mien.serve")
_HEAD_S = 10.0  # for the head of a request to arrive
_MOST_HEAD = 32 * 2**10  # bytes of it
_FRAME = 8 * 2**20  # bytes of a live frame
_BACKLOG = 128
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHARES = sys.platform == "linux"  # the system shares connections out between sockets of a port


def run_server(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    on_address: Callable[[str], object] = print,
) -> None:
    """Serve until a signal comes.

    Args:
        settings: of each worker.
        host: address to listen on.
        port: 0 for any that is free.
        workers: processes.
        on_address: is called with the address once it answers.

    Raises:
        BadModelError: if a network is missing or damaged.
        BadSettingError: if the address cannot be listened on, or needs a token.
    """
    refuse_open_door(host, settings.token)
    with _bound(host, port) as listener, counters_of_others_left_alone():
        on_ready = partial(on_address, _address(host, listener))
        if workers == 1:
            _run_alone(settings, listener, on_ready)
        else:
            read_card(find(settings.model or SHIPPED))  # before processes start for nothing
            _run_workers(settings, listener, workers, on_ready)


def _run_alone(settings: Settings, listener: socket.socket, on_ready: Callable[[], object]) -> None:
    """Serve in this process, until a signal comes."""
    from mien.serve.application import create_app

    app = create_app(settings)
    server = Server(make_config(lambda: app, settings))

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True  # and uvicorn sends its signals on when it has ended: too late

    with _signals_given_back():
        for number in _SIGNALS:
            signal.signal(number, end)
        listener.listen(_BACKLOG)
        on_ready()
        server.run([listener])


def _run_workers(
    settings: Settings, listener: socket.socket, workers: int, on_ready: Callable[[], object]
) -> None:
    """Serve in processes, until a signal comes or one of them cannot start."""
    where = listener.getsockname()
    if _SHARES:
        listener.close()  # what holds the port from here on is bound like those of the workers
        listener = _bind(listener.family, where, shared=True)
    with listener, shared_counters(), _signals_given_back():
        config = make_config(partial(_worker_app, settings), settings, workers)
        own: Any = _OwnListener(listener.family, where) if _SHARES else listener
        if not _SHARES:
            listener.listen(_BACKLOG)
        processes = Workers(config, [own])
        Thread(target=_say_when_ready, args=(where, processes, on_ready), daemon=True).start()
        processes.run()
    if any(process.exitcode == STARTUP_FAILURE for process in processes.processes):
        raise BadSettingError(
            "a worker process could not start", fix="see the message above, or try --workers 1"
        )


def _say_when_ready(where: Any, processes: Workers, on_ready: Callable[[], object]) -> None:
    while not processes.should_exit.wait(0.05):
        try:
            socket.create_connection(where[:2], 5).close()
        except OSError:
            continue  # no worker listens yet
        on_ready()
        return


class _OwnListener:
    """Becomes a listening socket in each worker that it is sent to.

    On one shared socket the first worker that wakes takes all the connections that wait, and keeps
    them; here the system shares them out.
    """

    def __init__(self, family: int, where: Any) -> None:
        self._where = family, where

    def __reduce__(self) -> tuple[object, ...]:
        return _bind, (*self._where, True)


def _bind(family: int, where: Any, shared: bool = False) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(where)
    except OSError:
        listener.close()
        raise
    return listener


def make_config(app: Callable[[], Any], settings: Settings, workers: int = 1) -> Config:
    """Set uvicorn up: limits on heads and live frames, a log that names nothing that was sent.

    Args:
        app: makes the application, in each worker.
        settings: how long to wait when it ends.
        workers: processes.

    Returns:
        uvicorn's configuration.
    """
    patience_s = 3 * settings.timeout_s  # a body, a turn, an answer
    return Config(
        app,
        factory=True,
        workers=workers,
        http=_Protocol,
        h11_max_incomplete_event_size=_MOST_HEAD,
        ws="websockets-sansio",
        ws_max_size=_FRAME,
        ws_per_message_deflate=False,  # frames are packed already, and bombs would be unpacked
        log_config=_LOGGING,
        access_log=False,  # it has what was asked for word by word; ours is in `counters`
        server_header=False,
        timeout_graceful_shutdown=round(max(patience_s, settings.max_video_s)),
        timeout_worker_healthcheck=HANGS_S,
        backlog=_BACKLOG,
    )


def _worker_app(settings: Settings) -> Any:
    """The application of a worker process; what cannot start must not be started again."""
    from mien.serve.application import create_app

    end_with_supervisor()
    try:
        return create_app(settings)
    except MienError as error:
        _LOG.error("mien: %s\n  try: %s", error.message, error.fix)
        sys.exit(STARTUP_FAILURE)


class _Protocol(H11Protocol):
    """uvicorn's protocol, which waits for the body of a request; this gives up on its head too."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(_HEAD_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._timer is None:
            self._timer = self.loop.call_later(_HEAD_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """Bind a socket; IPv4 first where a name has both."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, where = min(found, key=lambda one: one[0] != socket.AF_INET)
        listener = _bind(family, where)
    except OSError as error:  # of names too
        raise BadSettingError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            fix="choose another --port, 0 for any that is free, or another --host",
        ) from error
    with listener:
        yield listener


def _address(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


@contextmanager
def _signals_given_back() -> Iterator[None]:
    """Give SIGTERM and Ctrl-C back to who listened to them before."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class QuietFormatter(logging.Formatter):
    """Formats an error by where it happened; its text is left out, as it may name what was sent."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name of logging
        """Return the places and the kind of an error.

        Args:
            ei: kind, error and traceback.

        Returns:
            Lines.
        """
        kind, _, trace = ei
        return "".join(traceback.format_tb(trace)) + getattr(kind, "__name__", "")


_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "quiet": {
            "()": "mien.serve.server.QuietFormatter",
            "format": "%(asctime)s %(levelname)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "quiet"}},
    "loggers": {
        "mien.serve": {"level": "INFO"},
        "uvicorn": {"level": "WARNING"},
        "python_multipart": {"level": "ERROR"},  # it warns with what was sent, which is answered
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
}
