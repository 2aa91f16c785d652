"""What stands before every request: token, origin, a place in the queue; then its bytes and time.

Everything is decided before the body is read. While it arrives its bytes are counted, whatever
length was declared, and so is the time. Where an answer is given before all of the body came, a
little of the rest is read and thrown away, so that the client reads the answer and not a broken
connection; then the connection is closed. Knows nothing of pictures.
"""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.errors import MienError
from mien.serve.problems import RequestError, problem
from mien.serve.settings import Settings, is_loopback
from mien.serve.turns import Turns, Visit

__all__ = ["VISIT", "Gate", "Room", "client_of", "refuse", "route_of"]

VISIT = "mien.visit"  # where a request's scope keeps its visit
_LINGER_S, _LINGER_BYTES = 2.0, 4 * 2**20
_CLOSE = (b"connection", b"close")
_BEARER = "mien.bearer."  # before the token, in base64 for URLs, as a subprotocol of a WebSocket


@dataclass(frozen=True, slots=True)
class Room:
    """Where the requests of an address go.

    Attributes:
        turns: its places.
        max_bytes: of a body.
        option: of `mien serve` that raises `max_bytes`.
    """

    turns: Turns
    max_bytes: int
    option: str


@dataclass(slots=True)
class _Body:
    """How far a body is."""

    size: int = 0
    arrived: bool = False
    answered: bool = False  # the answer has begun


class Gate:
    """The middleware."""

    def __init__(self, app: ASGIApp, settings: Settings, rooms: Mapping[str, Room]) -> None:
        """Stand before an application.

        Args:
            app: what is behind.
            settings: token, origins, time limit.
            rooms: by path, where requests with a body go; there is no limit for others, whose
                bodies are not read.
        """
        self._app = app
        self._settings = settings
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it.

        Args:
            scope: of the request.
            receive: gives its body.
            send: takes the answer.
        """
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        body = _Body(arrived=not _has_body(scope))
        last_send = send
        if scope["type"] == "http":
            in_time = _in_time(send, self._settings.timeout_s)
            last_send = _lingering(receive, in_time, body)
        try:
            self._check(scope)
            room = self._rooms.get(route_of(scope)) if scope["type"] == "http" else None
            if room is None or scope["method"] != "POST":
                await self._app(scope, receive, last_send)
                return
            _check_head(scope, room)
            visit = room.turns.enter(client_of(scope))
        except RequestError as error:
            await refuse(scope, last_send, error)
            return
        scope[VISIT] = visit
        try:
            await self._admit(scope, receive, last_send, (room, visit, body))
        finally:
            room.turns.leave(visit)

    def _check(self, scope: Scope) -> None:
        """Refuse a wrong origin or token."""
        route = route_of(scope)
        if not route.startswith("/v1/") and route != "/metrics":
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and not self._allows(origin, headers.get("host", "")):
            raise RequestError(
                HTTPStatus.FORBIDDEN,
                "a page of another origin may not call",
                "start mien serve with --allow-origin and the page's scheme and host",
            )
        if self._settings.token is not None and not _brings(scope, self._settings.token):
            raise RequestError(
                HTTPStatus.UNAUTHORIZED,
                "the token is missing or wrong",
                "send the header Authorization: Bearer TOKEN, with the token of mien serve",
            )

    def _allows(self, origin: str, host: str) -> bool:
        allowed = self._settings.origins
        if "*" in allowed or origin in allowed:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        # Any name may be made to lead here. Without a token, only a name of this machine is ours.
        is_ours = self._settings.token is not None or is_loopback(parts.hostname or "")
        return parts.netloc == host and is_ours

    async def _admit(
        self, scope: Scope, receive: Receive, send: Send, inside: tuple[Room, Visit, _Body]
    ) -> None:
        room, visit, body = inside
        limit_s = None if body.arrived else self._settings.timeout_s
        try:
            async with asyncio.timeout(limit_s) as visit.arriving:
                await self._app(scope, _counted(receive, room, visit, body), send)
        except ClientDisconnect:
            return  # nobody waits for an answer
        except TimeoutError:
            if body.answered:
                return
            room.turns.leave(visit)  # its answer may take a while, and needs no place
            late = RequestError(
                HTTPStatus.REQUEST_TIMEOUT,
                f"the body did not arrive within {self._settings.timeout_s:g} s",
                "send it faster, or a smaller one",
            )
            await refuse(scope, send, visit.refusal or late)


def client_of(scope: Scope) -> str:
    """Return who sent a request, for a fair queue.

    Args:
        scope: of the request.

    Returns:
        The address, or "" where it is not known.
    """
    return scope["client"][0] if scope.get("client") else ""


def route_of(scope: Scope) -> str:
    """Return which of our addresses is asked for, as the router behind the gate understands it.

    Args:
        scope: of the request.

    Returns:
        The path without the prefix under which another application, or uvicorn's ``--root-path``,
        holds this one.

    Example:
        >>> route_of({"path": "/mien/v1/models", "root_path": "/mien"})
        '/v1/models'
    """
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    return path.removeprefix(prefix) if path.startswith(prefix + "/") else path


async def refuse(scope: Scope, send: Send, error: MienError) -> None:
    """Answer with a problem.

    Args:
        scope: of the request, or of a WebSocket that is not accepted yet.
        send: takes the answer.
        error: why.
    """
    status, data, headers = problem(error)
    raw = [(name.encode(), value.encode()) for name, value in headers]
    kind = "http" if scope["type"] == "http" else "websocket.http"
    if scope["type"] == "websocket" and kind + ".response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": f"{kind}.response.start", "status": status, "headers": raw})
    await send({"type": f"{kind}.response.body", "body": data})
    if scope["type"] == "websocket":  # uvicorn logs an error unless its connection is closed first
        await asyncio.sleep(0)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _brings(scope: Scope, token: str) -> bool:
    """Tell whether a request brings the token; the time this takes says nothing about it."""
    expected = token.encode()
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    bearers = [value[7:].strip() for value in given if value[:7].lower() == b"bearer "]
    if scope["type"] == "websocket":  # a page cannot set the header
        bearers += _subprotocol_tokens(scope)
    return any([hmac.compare_digest(bearer, expected) for bearer in bearers])


def _subprotocol_tokens(scope: Scope) -> Iterator[bytes]:
    for name in scope.get("subprotocols", []):
        if name.startswith(_BEARER):
            try:
                yield base64.urlsafe_b64decode(name.removeprefix(_BEARER) + "==")
            except (binascii.Error, ValueError):
                continue  # another token, and wrong


def _check_head(scope: Scope, room: Room) -> None:
    """Refuse a body for what is said of it before it comes."""
    headers = Headers(scope=scope)
    packed = headers.get("content-encoding", "identity")
    if packed.lower() != "identity":
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"a body with Content-Encoding: {packed}",
            "send the body as it is, without Content-Encoding",
        )
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > room.max_bytes:
        raise _too_large(room)


def _too_large(room: Room) -> RequestError:
    return RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body has more than {room.max_bytes:,} bytes",
        f"send less, or start mien serve with a higher {room.option}",
    )


def _counted(receive: Receive, room: Room, visit: Visit, body: _Body) -> Receive:
    """Count what arrives; the time limit ends with the body."""

    async def counted() -> Message:
        message = await receive()
        if body.arrived or message["type"] != "http.request":
            return message
        count = len(message.get("body", b""))
        body.size += count
        if body.size > room.max_bytes:
            raise _too_large(room)
        room.turns.hold(visit, count)
        if not message.get("more_body", False):
            body.arrived = True
            if visit.arriving is not None:
                visit.arriving.reschedule(None)
                visit.arriving = None
        return message

    return counted


def _lingering(receive: Receive, send: Send, body: _Body) -> Send:
    """Close the connection behind an answer that came before the end of the body."""

    async def lingering(message: Message) -> None:
        early = not body.arrived
        if message["type"] == "http.response.start":
            body.answered = True
            if early:
                message["headers"] = [*message.get("headers", []), _CLOSE]
        elif early and not message.get("more_body", False):
            await send({**message, "more_body": True})
            await _throw_away(receive)
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return lingering


def _in_time(send: Send, limit_s: float) -> Send:
    """Give up an answer that the client does not take."""

    async def in_time(message: Message) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await send(message)
        except TimeoutError:
            raise ClientDisconnect from None

    return in_time


async def _throw_away(receive: Receive) -> None:
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_S):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return  # it is slow, and has its answer
