"""The documentation without a network, the page, and what an unexpected fault tells."""

import json
import re

import pytest

from mien.serve import application
from tests.support.web_server import answer, problem_of, served


def test_the_documentation_loads_its_own_files_and_nothing_else(service):
    page = service.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sorted(loaded) == [
        "docs/start.js",
        "docs/swagger-ui-bundle.js",
        "docs/swagger-ui.css",
    ]
    assert "<script>" not in page.text
    for path in loaded:
        assert service.get(f"/{path}").status_code == 200
    assert 'url: "openapi.json"' in service.get("/docs/start.js").text
    assert "http" not in service.get("/docs/start.js").text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy


def test_the_documentation_is_sent_packed_and_once(service):
    first = service.get("/docs/swagger-ui-bundle.js", headers={"accept-encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert "SwaggerUIBundle" in first.text
    again = service.get(
        "/docs/swagger-ui-bundle.js",
        headers={"accept-encoding": "gzip", "if-none-match": first.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_every_address_is_documented_with_an_example(service):
    paths = service.get("/openapi.json").json()["paths"]
    assert sorted(paths) == [
        "/health", "/metrics", "/ready", "/v1/crops", "/v1/explain", "/v1/models", "/v1/pictures",
        "/v1/videos",
    ]  # fmt: skip
    for path, methods in paths.items():
        for method in methods.values():
            assert method["summary"]
            [content] = method["responses"]["200"]["content"].items()
            assert "example" in content[1] or path in {"/metrics", "/v1/explain"}
        if path.startswith("/v1/") and path != "/v1/models":
            ways = methods["post"]["requestBody"]["content"]
            assert {"multipart/form-data", "application/octet-stream"} <= ways.keys()
            assert methods["post"]["operationId"] == path.removeprefix("/v1/")
            assert {"401", "413", "503"} <= methods["post"]["responses"].keys()


def test_the_example_of_a_picture_has_the_shape_of_an_answer(service, photo):
    paths = service.get("/openapi.json").json()["paths"]
    responses = paths["/v1/pictures"]["post"]["responses"]
    example = responses["200"]["content"]["application/json"]["example"]["pictures"][0]
    [record] = service.post("/v1/pictures", content=photo).json()["pictures"]
    assert example.keys() == record.keys()
    assert example["faces"][0].keys() == record["faces"][0].keys()
    assert example["faces"][0]["regions"].keys() <= record["faces"][0]["regions"].keys()


def test_a_fault_of_ours_tells_the_client_nothing_about_it(service, monkeypatch):
    def broken(_given):
        raise KeyError("holiday.jpg")

    monkeypatch.setattr(service.house.engine, "picture", broken)
    response = service.post("/v1/pictures", content=b"x")
    told = problem_of(response)
    assert told["status"] == 500
    assert "holiday" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert service.get("/ready").json()["inside"] == 0


def test_the_documentation_asks_for_the_token_where_there_is_one(service):
    with served(threads=1, token="secret") as guarded:
        paths = guarded.get("/openapi.json").json()
    assert paths["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert paths["paths"]["/v1/pictures"]["post"]["security"] == [{"HTTPBearer": []}]
    assert "securitySchemes" not in service.get("/openapi.json").json().get("components", {})


@pytest.fixture
def with_page(monkeypatch):
    """A page as another module of the package gives it."""
    files = {"index.html": b"<!doctype html><title>mien</title>", "js/mien.js": b"export {};"}
    given = []

    def page_files(model):
        given.append(model)
        return files

    monkeypatch.setattr(application, "page_files", page_files)
    with served(threads=1, token="secret") as running:
        yield running, given


def test_the_page_is_served_at_the_root_without_a_token(with_page):
    running, given = with_page
    page = running.get("/")
    assert page.text == "<!doctype html><title>mien</title>"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    script = running.get("/js/mien.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    with running.client() as client:
        assert client.head("/").headers["etag"] == page.headers["etag"]
    assert problem_of(running.get("/no.js"))["status"] == 404
    assert problem_of(running.get("/v1/pictures"))["status"] == 401
    assert problem_of(running.post("/js/mien.js"))["status"] == 405
    assert problem_of(running.get("/../pyproject.toml"))["status"] == 404
    assert running.get("/health").json() == {"status": "ok"}  # not hidden by the page
    assert [str(model).endswith("miennet.onnx") for model in given] == [True]


@pytest.mark.parametrize("path", ["/v1/pictures/", "/health/", "/docs/", "//health"])
def test_an_address_that_is_nearly_one_of_ours_is_none(service, path):
    with service.raw(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode()) as asked:
        status, headers, body = answer(asked)
    assert problem_of((status, headers, body))["status"] == 404
    assert "location" not in headers  # it would lead to whatever Host says


def test_json_has_no_numbers_that_are_none(service, photo):
    text = service.post("/v1/pictures", content=photo).text
    json.loads(text, parse_constant=lambda word: pytest.fail(word))
