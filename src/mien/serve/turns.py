"""The bounded queue: who may come in, and whose turn it is; fair between clients.

A request comes in before its body is read, and takes a turn for each picture it sends. Turns go
round the clients, so that one with many requests delays another by one picture at most. Where the
house is full, the client with the most requests in it makes room for one with fewer: its newest is
refused. One client alone may fill the house.

One event loop uses it, so it needs no locks. Knows nothing of HTTP and pictures.
Source: the longest queue drops, as in McKenney 1990, "Stochastic fairness queueing".
"""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mien.serve.problems import RequestError, busy

__all__ = ["Turns", "Visit"]

_MEMORY = 0.1  # weight of the newest turn in the mean of their times
_FIRST_GUESS_S = 0.05
_LEAST_S, _MOST_S = 1.0, 60.0  # of what a refused client is told to wait


@dataclass(slots=True, eq=False)
class Visit:
    """A request that is in the house.

    Attributes:
        client: who sent it.
        held: bytes of its body in memory.
        arriving: the time limit of its body; None when that has arrived.
        refusal: why it was sent away after all; None if it was not.
    """

    client: str
    held: int = 0
    arriving: asyncio.Timeout | None = None
    refusal: RequestError | None = None
    _turn: "asyncio.Future[None] | None" = None
    _at_work: bool = False


class Turns:
    """The places and turns of one process.

    Attributes:
        places: requests that may be in the house, those at work included.
    """

    def __init__(
        self,
        slots: int,
        queue: int,
        max_held: int,
        on_change: Callable[[int], object] = lambda _inside: None,
    ) -> None:
        """Start empty.

        Args:
            slots: turns at once.
            queue: requests that may wait beside them.
            max_held: bytes of bodies in memory at once.
            on_change: is called with how many requests are in the house when that may have changed.
        """
        self.places = slots + queue
        self._slots = self._free = slots
        self._max_held = max_held
        self._on_change = on_change
        self._held = 0
        self._visits: dict[Visit, None] = {}  # in the order in which they came
        self._lines: OrderedDict[str, deque[Visit]] = OrderedDict()  # who waits, by client
        self._mean_s = _FIRST_GUESS_S

    @property
    def inside(self) -> int:
        """How many requests are in the house."""
        return len(self._visits)

    @property
    def is_full(self) -> bool:
        """Whether a further request of the only client would be refused."""
        return self.inside >= self.places

    def enter(self, client: str) -> Visit:
        """Let a request in.

        Args:
            client: who sent it.

        Returns:
            Its visit, to be ended by `leave`.

        Raises:
            RequestError: if there is no place: 503.
        """
        if self.is_full:
            self._make_room(client)
        visit = Visit(client)
        self._visits[visit] = None
        self._on_change(self.inside)
        return visit

    def leave(self, visit: Visit) -> None:
        """End a visit; its body is no longer held.

        Args:
            visit: from `enter`.
        """
        self._visits.pop(visit, None)
        self._held -= visit.held
        visit.held = 0
        self._on_change(self.inside)

    def hold(self, visit: Visit, count: int) -> None:
        """Count bytes of a body; where too many are held, the largest body of all is sent away.

        Args:
            visit: whose body grew.
            count: bytes that came.

        Raises:
            RequestError: if it is this one: 503.
        """
        visit.held += count
        self._held += count
        if self._held <= self._max_held:
            return
        idle = [v for v in self._visits if not v._at_work]
        largest = max(idle, key=lambda v: v.held, default=visit)
        refusal = self._refusal("too many bytes are in memory")
        if largest is visit:
            raise refusal
        self._send_away(largest, refusal)

    @asynccontextmanager
    async def turn(self, visit: Visit) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the length of the block.

        Args:
            visit: from `enter`, or a `Visit` of a guest, who has no place and cannot be sent away.

        Yields:
            Nothing.

        Raises:
            RequestError: if it was sent away meanwhile: 503.
        """
        await self._wait(visit)
        visit._at_work, start = True, time.monotonic()
        try:
            yield
        finally:
            visit._at_work = False
            self._mean_s += _MEMORY * (time.monotonic() - start - self._mean_s)
            self._pass_on()

    async def _wait(self, visit: Visit) -> None:
        if visit.refusal:
            raise visit.refusal
        if self._free and not self._lines:
            self._free -= 1
            return
        turn = visit._turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(visit.client, deque()).append(visit)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on()  # it came in the moment of giving up
            raise
        finally:
            visit._turn = None

    def _pass_on(self) -> None:
        """Give a slot that became free to the next client in line."""
        while self._lines:
            client, line = self._lines.popitem(last=False)
            visit = line.popleft()
            if line:
                self._lines[client] = line  # behind the others
            if visit._turn is not None and not visit._turn.done():
                visit._turn.set_result(None)
                return
        self._free += 1

    def _make_room(self, client: str) -> None:
        counts = Counter(visit.client for visit in self._visits)
        heaviest, count = counts.most_common(1)[0] if counts else (client, 0)
        idle = [v for v in self._visits if v.client == heaviest and not v._at_work]
        refusal = self._refusal(f"{self.places} requests are in work or waiting")
        if count <= counts[client] + 1 or not idle:
            raise refusal
        self._send_away(idle[-1], refusal)

    def _send_away(self, visit: Visit, refusal: RequestError) -> None:
        visit.refusal = refusal
        if visit.arriving is not None and not visit.arriving.expired():  # else it goes already
            visit.arriving.reschedule(asyncio.get_running_loop().time())
        if visit._turn is not None and not visit._turn.done():
            visit._turn.set_exception(refusal)
        self.leave(visit)

    def _refusal(self, what: str) -> RequestError:
        wait_s = self.inside * self._mean_s / self._slots if self._slots else _MOST_S
        return busy(what, min(max(wait_s, _LEAST_S), _MOST_S))
