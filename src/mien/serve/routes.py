"""The addresses under /v1, health, metrics: each reads its request, makes one call and answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from mien.errors import BadImageError, MissingExtraError, UnknownNameError
from mien.explain import METHODS
from mien.explain.targets import named_labels
from mien.media.decoder import FIX
from mien.recognize.model import read_card, shipped_models
from mien.recognize.recognizer import Failure
from mien.serve import examples
from mien.serve.advice import advised
from mien.serve.bodies import Given, read_pictures, read_video
from mien.serve.counters import Counters
from mien.serve.engine import Engine
from mien.serve.gate import VISIT
from mien.serve.live import Live
from mien.serve.problems import busy
from mien.serve.settings import Settings
from mien.serve.turns import Turns
from mien.serve.video_lines import Form, VideoRequest, video_lines

__all__ = ["House", "make_routes"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class House:
    """What the addresses share.

    Attributes:
        settings: limits.
        engine: reads pictures.
        turns: of pictures.
        video_turns: of videos.
        counters: for /metrics.
        live: the live connections.
    """

    settings: Settings
    engine: Engine
    turns: Turns
    video_turns: Turns
    counters: Counters
    live: Live

    async def in_turn(self, request: Request, work: Callable[[], T]) -> T:
        """Do something in a thread when it is the request's turn.

        Args:
            request: that came through the gate.
            work: to be called.

        Returns:
            What it returns.

        Raises:
            ClientDisconnect: if the client left before its turn came.
            RequestError: if the turn does not come in time: 503.
        """
        limit_s = self.settings.timeout_s
        waiting = asyncio.timeout(limit_s)
        try:
            async with waiting, self.turns.turn(request.scope[VISIT]):
                waiting.reschedule(None)
                if await request.is_disconnected():
                    raise ClientDisconnect  # nobody waits for it
                return await self.engine.run(work)
        except TimeoutError:
            late = busy(f"no turn came within {limit_s:g} s", limit_s)
            raise late from None


def make_routes(house: House) -> APIRouter:
    """Make the addresses.

    Args:
        house: what they share.

    Returns:
        A router.
    """
    router = APIRouter()
    _add_pictures(router, house)
    _add_explain(router, house)
    _add_videos(router, house)
    _add_state(router, house)
    return router


async def _one_by_one(
    house: House, request: Request, given: list[Given], work: Callable[[Given], T]
) -> AsyncIterator[T]:
    """Read what was given, each in its turn; its bytes go when it is read."""
    while given:
        yield await house.in_turn(request, partial(work, given.pop(0)))


def _add_pictures(router: APIRouter, house: House) -> None:
    most = house.settings.max_pictures

    @router.post("/v1/pictures", **examples.PICTURES)
    async def pictures(request: Request) -> Response:
        """Find the faces in pictures and read each one's expression."""
        given = await read_pictures(request, most)
        records = []
        async for result in _one_by_one(house, request, given, house.engine.picture):
            house.counters.picture(result)
            records.append(result.record())
        return JSONResponse({"pictures": records})

    @router.post("/v1/crops", **examples.CROPS)
    async def crops(request: Request) -> Response:
        """Score pictures that are face crops already."""
        given = await read_pictures(request, most)
        found = [one async for one in _one_by_one(house, request, given, house.engine.crop)]
        read = [crop for crop in found if not isinstance(crop, Failure)]
        failed = [result for result in found if isinstance(result, Failure)]
        scores = iter(await house.in_turn(request, partial(house.engine.scores, read)))
        house.counters.crops(len(read), len(failed))
        rows = [None if isinstance(result, Failure) else next(scores) for result in found]
        errors = [failure.record() for failure in failed]
        names = house.engine.recognizer.labels.names
        return JSONResponse({"labels": names, "scores": rows, "errors": errors})


def _add_explain(router: APIRouter, house: House) -> None:
    usable, usual = house.engine.methods, house.engine.method

    @router.post("/v1/explain", **examples.EXPLAIN)
    async def explain(
        request: Request,
        method: Annotated[str, Query(description=f"One of {', '.join(usable)}.")] = usual,
        label: str | None = None,
        face: Annotated[int, Query(ge=0)] = 0,
        crop: bool = False,
        lang: str = "en",
    ) -> Response:
        """Draw where in a face the network saw an expression."""
        if method not in METHODS:
            raise UnknownNameError("method", method, usable)
        labels = named_labels(label, house.engine.recognizer.labels.names)
        [given] = await read_pictures(request, 1)
        work = partial(house.engine.explanation, given, method, labels, face, crop, lang)
        return Response(await house.in_turn(request, work), media_type="image/png")


def _add_videos(router: APIRouter, house: House) -> None:
    @router.post("/v1/videos", **examples.VIDEOS)
    async def videos(
        request: Request,
        every: Annotated[int, Query(ge=1)] = 1,
        smooth: Annotated[float, Query(ge=0, le=3600)] = 0.3,
        seconds: Annotated[float | None, Query(gt=0)] = None,
        form: Form = "records",
    ) -> Response:
        """Follow the faces in a video; one line of JSON a frame, then one about the whole."""
        if not all(map(find_spec, ("av", "lap"))):
            raise MissingExtraError("/v1/videos", "video")
        wanted = VideoRequest(every, smooth, seconds, form)
        given = await read_video(request)
        limit_s = house.settings.max_video_s
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(house.video_turns.turn(request.scope[VISIT]))
            lines = _Lines(video_lines(house.engine.recognizer, given, wanted, limit_s))
            turn.callback(lines.let_go)
            # What is no video fails here, while the answer has no status yet.
            with advised(BadImageError, FIX):
                first = await house.engine.run_video(lines.next)
            return _VideoResponse(_streamed(house, first, lines), turn.pop_all())


class _Lines:
    """Holds the lines of a video; when it lets go, they close behind the frame that is in work.

    Where the client leaves, the traceback of that error would hold them for much longer.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines: Iterator[str] | None = lines

    def next(self) -> str | None:
        lines = self._lines
        return None if lines is None else next(lines, None)

    def let_go(self) -> None:
        self._lines = None


class _VideoResponse(StreamingResponse):
    """Has the turn of its video until all lines are sent, or nobody takes them any more."""

    def __init__(self, lines: AsyncIterator[str], turn: AsyncExitStack) -> None:
        super().__init__(lines, media_type="application/jsonl")
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._turn:
            await super().__call__(scope, receive, send)


async def _streamed(house: House, line: str | None, lines: _Lines) -> AsyncIterator[str]:
    """Read on in a thread while lines go out."""
    while line is not None:
        yield line
        line = await house.engine.run_video(lines.next)


def _add_state(router: APIRouter, house: House) -> None:
    @_read(router, "/v1/models", examples.MODELS)
    def models() -> dict[str, Any]:
        """List the models in the package, and the one in use."""
        own = house.engine.recognizer.model
        cards = [read_card(path) for path in shipped_models()]
        if own.card["sha256"] not in [card["sha256"] for card in cards]:
            cards.insert(0, own.card)
        listed = [_described(card, own.card["sha256"]) for card in cards]
        return {"models": listed, "labels": list(own.labels.names), "methods": house.engine.methods}

    @_read(router, "/health", examples.HEALTH)
    async def health() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "ok"}

    @_read(router, "/ready", examples.READY)
    async def ready() -> dict[str, Any]:
        """Tell whether another request would be let in."""
        inside, places = house.turns.inside, house.turns.places
        if house.turns.is_full:
            raise busy(f"{inside} requests are in work or waiting", 1)
        return {"status": "ready", "inside": inside, "places": places}

    @_read(router, "/metrics", examples.METRICS)
    async def metrics() -> Response:
        """Tell numbers about requests, pictures and frames, for Prometheus."""
        return Response(house.counters.text(), media_type="text/plain; version=0.0.4")


def _read(
    router: APIRouter, path: str, shown: dict[str, Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Answer GET and HEAD; the document shows GET alone, as operations need names of their own."""

    def add(answer: Callable[..., Any]) -> Callable[..., Any]:
        hidden: dict[str, Any] = {"include_in_schema": False, "response_model": None}
        router.add_api_route(path, answer, methods=["GET", "HEAD"], **hidden)  # the first answers
        router.add_api_route(path, answer, methods=["GET"], **shown)
        return answer

    return add


def _described(card: dict[str, Any], used: str) -> dict[str, Any]:
    names = ("name", "parameters", "multiply_adds", "metrics", "licence", "sha256")
    return {name: card.get(name) for name in names} | {"in_use": card["sha256"] == used}
