"""A WebSocket: frames in, one record out for each that is read. Stale frames are dropped.

While one frame is read, the newest that arrives replaces the one before it, and is read next: a
camera that is faster than the machine sees what it shows now, not what it showed then. How many
were dropped is in every record.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from mien.serve.bodies import Given
from mien.serve.counters import Counters
from mien.serve.engine import Engine
from mien.serve.gate import client_of, refuse
from mien.serve.problems import RequestError, busy
from mien.serve.settings import Settings
from mien.serve.turns import Turns, Visit

__all__ = ["LIVE", "SUBPROTOCOL", "Live"]

LIVE = "/v1/live"
SUBPROTOCOL = "mien.live"
_NORMAL, _UNSUPPORTED = 1000, 1003  # RFC 6455


@dataclass(frozen=True, slots=True)
class _End:
    code: int
    reason: str


class _Newest:
    """Holds one frame: the newest; and what ends the stream."""

    def __init__(self) -> None:
        self.dropped = 0
        self.end: _End | None = None
        self._count = 0
        self._frame: tuple[int, bytes] | None = None
        self._there = asyncio.Event()

    def put(self, frame: bytes) -> None:
        self.dropped += self._frame is not None
        self._frame = (self._count, frame)
        self._count += 1
        self._there.set()

    def close(self, code: int, reason: str) -> None:
        self.end = _End(code, reason)
        self._there.set()

    async def wait(self, silent_s: float) -> _End | None:
        """Wait for a frame, or what ends the stream, which is returned."""
        try:
            async with asyncio.timeout(silent_s):
                await self._there.wait()
        except TimeoutError:
            self.close(_NORMAL, f"no frame for {silent_s:g} s")
        return self.end

    def take(self) -> tuple[int, bytes]:
        frame, self._frame = self._frame, None
        self._there.clear()
        assert frame is not None  # it was waited for
        return frame


class Live:
    """The live connections of one process.

    Attributes:
        count: that are open.
    """

    def __init__(
        self, settings: Settings, engine: Engine, turns: Turns, counters: Counters
    ) -> None:
        """Start without one.

        Args:
            settings: how many may be open, and how long one may be silent.
            engine: reads the frames.
            turns: each frame takes one.
            counters: of frames.
        """
        self._settings, self._engine = settings, engine
        self._turns, self._counters = turns, counters
        self.count = 0

    async def serve(self, socket: WebSocket) -> None:
        """Answer frames until the client leaves, is silent for too long, or sends something else.

        Args:
            socket: not accepted yet.
        """
        if self.count >= self._settings.max_live:
            await refuse(socket.scope, socket.send, self._full())
            return
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self.count += 1
        newest = _Newest()
        listening = asyncio.create_task(self._listen(socket, newest))
        try:
            await self._answer(socket, newest)
        except (WebSocketDisconnect, TimeoutError):
            return  # it left, or does not take its answers
        finally:
            self.count -= 1
            listening.cancel()

    def _full(self) -> RequestError:
        return busy(f"{self.count} live connections are open", 10)

    async def _listen(self, socket: WebSocket, newest: _Newest) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return newest.close(_NORMAL, "")
            data = message.get("bytes")
            if data is None:
                return newest.close(_UNSUPPORTED, "send each frame as one binary message")
            newest.put(data)

    async def _answer(self, socket: WebSocket, newest: _Newest) -> None:
        guest = Visit(client_of(socket.scope))
        limit_s, dropped = self._settings.timeout_s, 0
        while (end := await newest.wait(limit_s)) is None:
            async with self._turns.turn(guest):
                if newest.end:
                    continue
                number, data = newest.take()  # newer by now than the one that was waited for
                record = await self._engine.run(partial(self._record, number, data))
                dropped, before = newest.dropped, dropped
            self._counters.frames(read=1, dropped=dropped - before)
            async with asyncio.timeout(limit_s):
                await socket.send_json({"frame": number, "dropped": dropped, **record})
        async with asyncio.timeout(limit_s):
            await socket.close(end.code, end.reason)

    def _record(self, number: int, data: bytes) -> dict[str, Any]:
        return self._engine.picture(Given(str(number), data)).record()
