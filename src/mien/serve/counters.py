"""What /metrics tells, and one line of log a request: numbers and addresses of ours, no names.

With several worker processes the numbers of all are added up: each writes its own to a folder that
the server made and removes, see the documentation of prometheus_client.
"""

import logging
import os
import time
from http import HTTPStatus
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from mien.recognize.recognizer import Failure
from mien.recognize.results import Picture
from mien.serve.counter_folder import FOLDER
from mien.serve.gate import route_of

__all__ = ["SAFE", "Counters", "Observed"]

SAFE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}  # headers
_LOG = logging.getLogger("mien.serve")
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LEAVING = (ClientDisconnect, WebSocketDisconnect)  # no faults of ours
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # to be logged
_OTHER = "other"  # an address that is none of ours: what was asked for is not logged


class Counters:
    """The numbers of one process."""

    def __init__(self) -> None:
        """Start at 0."""
        own = self._registry = CollectorRegistry()
        self._requests = Counter("mien_requests", "Answers.", ("route", "status"), registry=own)
        self._seconds = Histogram(
            "mien_request_seconds",
            "From a request to the end of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=own,
        )
        self._pictures = Counter(
            "mien_pictures", "Pictures, by whether they could be read.", ("outcome",), registry=own
        )
        self._faces = Counter("mien_faces", "Faces that were read.", registry=own)
        self._frames = Counter(
            "mien_live_frames", "Frames of live connections.", ("outcome",), registry=own
        )
        self._inside = Gauge(
            "mien_requests_inside",
            "Requests that are in work or wait for their turn.",
            registry=own,
            multiprocess_mode="livesum",
        )
        if FOLDER not in os.environ:  # it cannot be added up
            ProcessCollector(registry=own)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            route: one of our addresses.
            status: of the answer.
            seconds: that it took.
        """
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def picture(self, result: Picture | Failure) -> None:
        """Count a picture and its faces.

        Args:
            result: of it.
        """
        was_read = isinstance(result, Picture)
        self._pictures.labels("read" if was_read else "failed").inc()
        if isinstance(result, Picture):
            self._faces.inc(len(result.faces))

    def crops(self, read: int, failed: int) -> None:
        """Count face crops, as pictures.

        Args:
            read: how many were.
            failed: how many could not be.
        """
        self._pictures.labels("read").inc(read)
        self._pictures.labels("failed").inc(failed)

    def frames(self, read: int, dropped: int) -> None:
        """Count frames of live connections.

        Args:
            read: how many were.
            dropped: how many newer ones replaced.
        """
        self._frames.labels("read").inc(read)
        self._frames.labels("dropped").inc(dropped)

    def inside(self, count: int) -> None:
        """Note how many requests are in the house.

        Args:
            count: at this moment.
        """
        self._inside.set(count)

    def text(self) -> bytes:
        """Return the numbers, of all processes, in Prometheus' text format."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        for file in Path(os.environ[FOLDER]).glob("gauge_livesum_*.db"):
            pid = int(file.stem.rpartition("_")[2])
            if not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
                mark_process_dead(pid)  # type: ignore[no-untyped-call]  # it was killed, and a new one is in its place
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        return generate_latest(every)


class Observed:
    """Middleware: counts and logs each request, and adds headers for safety."""

    def __init__(self, app: ASGIApp, counters: Counters, routes: frozenset[str]) -> None:
        """Stand before an application.

        Args:
            app: what is behind.
            counters: to count with.
            routes: our addresses; all others are one.
        """
        self._app, self._counters, self._routes = app, counters, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note its answer.

        Args:
            scope: of the request.
            receive: gives its body.
            send: takes the answer.
        """
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        start, status = time.monotonic(), 0  # 0 stays where the client left before its answer

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                status = message["status"]
                safe = [(name.encode(), value.encode()) for name, value in SAFE.items()]
                message["headers"] = [*message.get("headers", []), *safe]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as fault:
            if not isinstance(fault, _LEAVING):
                status = status or HTTPStatus.INTERNAL_SERVER_ERROR  # which is sent further out
            raise
        finally:
            asked = route_of(scope)
            route = asked if asked in self._routes else _OTHER
            seconds = time.monotonic() - start
            self._counters.answered(route, status, seconds)
            method = scope.get("method") if route != _OTHER else None
            method = method if method in _METHODS else "-"  # a client may call it anything
            _LOG.info("%s %s %d %.0f ms", method, route, status, 1e3 * seconds)
