"""What /metrics tells, counted by hand."""

import re

import pytest

from tests.support.pictures import encode
from tests.support.web_server import served


@pytest.fixture
def fresh():
    with served(threads=1) as running:
        yield running


def numbers(service):
    text = service.get("/metrics").text
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.M)}


def test_requests_pictures_and_faces_are_counted(fresh, portrait):
    face, none = encode(portrait[:240, 100:340]), encode(portrait[400:460, :60])
    sent = [("files", (name, data)) for name, data in [("a", face), ("b", none), ("c", b"x")]]
    fresh.post("/v1/pictures", files=sent)
    fresh.post("/v1/crops", files=sent)
    fresh.post("/v1/pictures", content=b"")
    fresh.get("/v1/secret-name.jpg")
    fresh.get("/another-name.jpg")
    told = numbers(fresh)
    assert told['mien_requests_total{route="/v1/pictures",status="200"}'] == 1
    assert told['mien_requests_total{route="/v1/pictures",status="422"}'] == 1
    assert told['mien_requests_total{route="/v1/crops",status="200"}'] == 1
    assert told['mien_requests_total{route="other",status="404"}'] == 2
    assert told['mien_request_seconds_count{route="/v1/pictures"}'] == 2
    assert told['mien_pictures_total{outcome="read"}'] == 4
    assert told['mien_pictures_total{outcome="failed"}'] == 2
    assert told["mien_faces_total"] == 1
    assert told["mien_requests_inside"] == 0
    assert told["process_resident_memory_bytes"] > 10e6
    assert "name" not in " ".join(told)


def test_the_format_is_the_one_that_prometheus_reads(fresh):
    response = fresh.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert response.text.startswith("# HELP ")
