"""All of it as one ASGI application: `create_app`. Serve it with `mien.serve.server`, or your own.

Pipeline: count and log -> CORS, if an origin is allowed -> gate -> address -> answer or problem.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import resources

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mien import __version__
from mien.errors import MienError
from mien.serve.counters import SAFE, Counters, Observed
from mien.serve.engine import Engine
from mien.serve.gate import Gate, Room
from mien.serve.live import LIVE, Live
from mien.serve.page_files import POLICY, page_files
from mien.serve.problems import RequestError, problem
from mien.serve.routes import House, make_routes
from mien.serve.schemas import add_schemas
from mien.serve.settings import Settings
from mien.serve.static_files import StaticFiles
from mien.serve.turns import Turns

__all__ = ["create_app"]

_PICTURES = ("/v1/pictures", "/v1/crops", "/v1/explain")
_VIDEOS = "/v1/videos"
_DOCUMENTED = "/openapi.json"
_READ = ["GET", "HEAD"]
_METHODS, _HEADERS = ("GET", "POST"), ("authorization", "content-type")  # for other origins
_DOCS_PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>mien: the HTTP interface</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_DOCS_START = f"""SwaggerUIBundle({{
  url: "{_DOCUMENTED.removeprefix("/")}",
  dom_id: "#swagger-ui",
  validatorUrl: null, // the usual one is a service on the network
}});
""".encode()
_NO_FRAMES = "frame-ancestors 'none'"  # of a policy; counts in a header alone
# Swagger UI writes styles into its elements; its scripts are files of ours.
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    f"img-src 'self' data:; connect-src 'self'; base-uri 'none'; {_NO_FRAMES}"
)


def create_app(settings: Settings) -> FastAPI:
    """Make the application of one process; the networks are loaded here.

    Args:
        settings: limits, token, origins.

    Returns:
        The application.

    Raises:
        BadModelError: if a network is missing or damaged.
    """
    engine, counters = Engine(settings), Counters()
    turns = Turns(settings.threads, settings.queue, settings.max_held, counters.inside)
    video_turns = Turns(settings.max_videos, 0, settings.max_videos * settings.max_video_bytes)
    live = Live(settings, engine, turns, counters)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(engine.close)

    app = FastAPI(
        title="mien",
        summary="Reads the expression on every face in a picture, and shows what it looked at.",
        version=__version__,
        docs_url=None,  # ours loads nothing from elsewhere
        redoc_url=None,
        openapi_url=_DOCUMENTED,
        generate_unique_id_function=lambda route: route.name,  # generated clients call them so
        redirect_slashes=False,  # an address is ours or it is not; a redirect would trust Host
        lifespan=lifespan,
    )
    app.state.house = House(settings, engine, turns, video_turns, counters, live)
    router = make_routes(app.state.house)
    # The gate checks the token; this lets the documentation ask for it.
    told = [Depends(HTTPBearer(auto_error=False))] if settings.token else None
    app.include_router(router, dependencies=told)
    app.add_api_websocket_route(LIVE, live.serve)
    _add_errors(app)
    _add_documentation(app)
    add_schemas(app)
    _add_page(app, engine)
    room = Room(turns, settings.max_bytes, "--max-bytes")
    rooms = dict.fromkeys(_PICTURES, room)
    rooms[_VIDEOS] = Room(video_turns, settings.max_video_bytes, "--max-video-bytes")
    app.add_middleware(Gate, settings=settings, rooms=rooms)
    if settings.origins:
        app.add_middleware(
            _Cors,
            allow_origins=settings.origins,
            allow_methods=_METHODS,
            allow_headers=_HEADERS,
            expose_headers=["retry-after"],
        )
    routes = frozenset(route.path for route in router.routes if hasattr(route, "path")) | {LIVE}
    app.add_middleware(Observed, counters=counters, routes=routes)  # the last is the first
    return app


class _Cors(CORSMiddleware):
    """Starlette's; where it refuses what a browser asks first, that is a problem as all others."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        status, data, headers = problem(
            RequestError(
                response.status_code,
                bytes(response.body).decode(),
                f"call with {' or '.join(_METHODS)} and the headers {' and '.join(_HEADERS)}; for "
                "another origin start mien serve with --allow-origin and its scheme and host",
            )
        )
        response.headers.update(dict(headers))
        return Response(data, status, dict(response.headers))


def _add_errors(app: FastAPI) -> None:
    """Answer whatever is refused with a problem."""

    def answer(error: MienError) -> Response:
        status, data, headers = problem(error)
        return Response(data, status, dict(headers))

    @app.exception_handler(MienError)
    async def ours(_request: Request, error: MienError) -> Response:
        return answer(error)

    @app.exception_handler(HTTPException)
    async def theirs(_request: Request, error: HTTPException) -> Response:
        known = "see /docs for the addresses, and which methods each takes"
        response = answer(RequestError(error.status_code, error.detail, known))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        faults = [f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors()]
        return answer(RequestError(422, "; ".join(faults), "see /docs for what it takes"))

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> Response:
        fault = "a fault of mien, which the server's log names"
        response = answer(
            RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, fault, "report it, see SECURITY.md")
        )
        response.headers.update(SAFE)  # it does not pass through `Observed`
        return response


def _add_documentation(app: FastAPI) -> None:
    """Serve Swagger UI with the files of an installed package, and nothing from the network."""
    folder = resources.files("fastapi_swagger") / "resources"
    names = ("swagger-ui.css", "swagger-ui-bundle.js")
    own = {"index.html": _DOCS_PAGE, "start.js": _DOCS_START}
    files = StaticFiles(own | {n: (folder / n).read_bytes() for n in names}, _DOCS_POLICY)

    @app.api_route("/docs", methods=_READ, include_in_schema=False)
    def docs(request: Request) -> Response:
        return _found(files.response("index.html", request))

    @app.api_route("/docs/{name}", methods=_READ, include_in_schema=False)
    def docs_file(name: str, request: Request) -> Response:
        return _found(files.response(name, request))


def _add_page(app: FastAPI, engine: Engine) -> None:
    """Serve the page in the browser."""
    made = page_files(engine.recognizer.model.path)
    files = StaticFiles(made, f"{POLICY}; {_NO_FRAMES}")

    def add(address: str, name: str) -> None:
        @app.api_route(address, methods=_READ, include_in_schema=False)
        def page_file(request: Request) -> Response:
            return _found(files.response(name, request))

    for name in made:  # each by itself: a pattern would answer for addresses that are none
        add(f"/{name}", name)
    add("/", "index.html")


def _found(response: Response | None) -> Response:
    if response is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return response
