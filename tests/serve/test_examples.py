"""The document's examples of refusals are what the service answers."""

import re

import pytest

from tests.support.web_server import answer, problem_of, served

TOKEN = {"authorization": "Bearer secret"}
BODIES = ("/v1/pictures", "/v1/crops", "/v1/explain", "/v1/videos")


@pytest.fixture(scope="module")
def guarded():
    """A service with a token, little patience, and the usual limits."""
    with served(threads=1, token="secret", timeout_s=0.5) as running:
        yield running


@pytest.fixture(scope="module")
def document(guarded):
    return guarded.get("/openapi.json").json()["paths"]


def same(told, example):
    """Whether two problems differ in their numbers at most, and in the reasons of a parser."""
    words = [
        re.sub(r"[\d,.]+", "#", one["detail"].partition("JSON:")[0]) for one in (told, example)
    ]
    return (
        words[0] == words[1]
        and told["title"] == example["title"]
        and told["status"] == example["status"]
        and re.sub(r"\d+", "#", told["fix"]) == re.sub(r"\d+", "#", example["fix"])
    )


def raw(service, path, length, sent=b""):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
    with service.raw(f"{head}Content-Length: {length}\r\n\r\n".encode() + sent) as connection:
        return problem_of(answer(connection))


def refusals(service, path):
    """Every refusal that can be had of an address, as (path, problem)."""
    method = "POST" if path in BODIES else "GET"
    with service.client() as client:

        def ask(headers=TOKEN, **options):
            return problem_of(client.request(method, path, headers=headers, **options))

        yield ask(headers={})
        yield ask(headers=TOKEN | {"origin": "https://evil.example"})
        if path in BODIES:
            yield ask()  # 422: nothing was sent
            yield raw(service, path, 10**10)
            yield raw(service, path, 1000, b"a few")
            yield ask(headers=TOKEN | {"content-encoding": "gzip"}, content=b"x")
            if path != "/v1/videos":
                json = {"content-type": "application/json"}
                yield ask(headers=TOKEN | json, content=b"x")


@pytest.mark.parametrize("path", [*BODIES, "/v1/models", "/metrics"])
def test_every_refusal_is_in_the_document_with_itself_as_the_example(guarded, document, path):
    [operation] = document[path].values()
    documented = {
        int(status): shown["content"]["application/problem+json"]["example"]
        for status, shown in operation["responses"].items() if status != "200"
    }  # fmt: skip
    assert all(example["status"] == status for status, example in documented.items())
    met = set()
    for told in refusals(guarded, path):
        assert same(told, documented[told["status"]]), told
        met.add(told["status"])
    assert documented.keys() - met <= {501, 503}  # looked at below


@pytest.mark.parametrize("path", ["/ready", *BODIES])
def test_a_full_house_is_in_the_document_too(guarded, document, path):
    house = guarded.house.video_turns if path == "/v1/videos" else guarded.house.turns
    visits = [house.enter("127.0.0.1") for _ in range(house.places)]
    with guarded.client() as client:
        told = problem_of(
            client.request(
                method := "GET" if path == "/ready" else "POST",
                path,
                headers=TOKEN,
                content=b"" if method == "GET" else b"x",
            )
        )
    for visit in visits:
        house.leave(visit)
    example = document[path][method.lower()]["responses"]["503"]
    assert same(told, example["content"]["application/problem+json"]["example"])


def test_no_method_is_named_that_the_service_refuses(document, guarded):
    [operation] = document["/v1/explain"].values()
    [method] = [one for one in operation["parameters"] if one["name"] == "method"]
    listed = guarded.get("/v1/models", headers=TOKEN).json()["methods"]
    assert method["description"] == f"One of {', '.join(listed)}."
    assert "integrated" not in str(operation)
