"""The application inside another one, under a prefix, and started more than once."""

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mien.serve.application import create_app
from mien.serve.settings import Settings
from tests.support.web_server import serving_app

SETTINGS = Settings(token="secret", max_bytes=200_000)
TOKEN = {"authorization": "Bearer secret"}


@pytest.fixture(scope="module")
def app():
    return create_app(SETTINGS)


def mounted(app):
    return Starlette(routes=[Mount("/mien", app)])


def with_root_path(app):
    """What uvicorn tells an application with ``--root-path /mien``."""

    async def told(scope, receive, send):
        await app(scope | {"root_path": "/mien"}, receive, send)

    return told


@pytest.fixture(scope="module", params=[mounted, with_root_path])
def prefixed(app, request):
    with serving_app(request.param(app), SETTINGS) as service:
        yield service


@pytest.mark.parametrize("path", ["/mien/v1/models", "/mien/metrics"])
def test_the_token_is_asked_for_under_a_prefix(prefixed, path):
    assert prefixed.get(path).status_code == 401
    assert prefixed.get(path, headers=TOKEN).status_code == 200
    assert prefixed.get("/mien/health").status_code == 200


def test_so_it_is_for_live_frames(prefixed):
    address = f"{prefixed.url.replace('http', 'ws')}/mien/v1/live"
    with pytest.raises(InvalidStatus, match="401"), connect(address):
        pass
    with connect(address, additional_headers=TOKEN) as live:
        live.send(b"no picture")
        assert "error" in live.recv()


def test_a_page_of_another_origin_may_not_call_under_a_prefix(prefixed):
    foreign = TOKEN | {"origin": "https://example.com"}
    assert prefixed.get("/mien/v1/models", headers=foreign).status_code == 403


def test_pictures_are_read_and_counted_and_large_bodies_refused_under_a_prefix(prefixed, photo):
    answer = prefixed.post("/mien/v1/pictures", headers=TOKEN, content=photo)
    assert answer.json()["pictures"][0]["faces"][0]["label"] == "happiness"
    large = prefixed.post("/mien/v1/pictures", headers=TOKEN, content=b"x" * 200_001)
    assert large.status_code == 413
    told = prefixed.get("/mien/metrics", headers=TOKEN).text
    assert 'mien_requests_total{route="/v1/pictures",status="200"}' in told
    assert "/mien" not in told


def test_the_documentation_of_a_prefix_names_it(prefixed):
    told = prefixed.get("/mien/openapi.json").json()
    assert told["servers"] == [{"url": "/mien"}]


def test_it_can_be_started_again_in_one_process(app, photo):
    for _ in range(2):
        with serving_app(app, SETTINGS) as service:
            assert service.post("/v1/crops", headers=TOKEN, content=photo).status_code == 200
