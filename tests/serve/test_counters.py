"""What /metrics tells, counted by hand."""

import asyncio
import logging
import re
import tempfile

import pytest
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from mien.errors import BadSettingError
from mien.serve.counter_folder import shared_counters
from mien.serve.counters import Counters, Observed
from tests.support.pictures import encode
from tests.support.web_server import served, wait_until


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


def test_how_many_are_inside_is_true_before_anybody_asks(fresh):
    """Of several workers one is asked, and tells what the others have noted."""

    def noted():
        return re.findall("^mien_requests_inside (.*)$", fresh.house.counters.text().decode(), re.M)

    assert noted() == ["0.0"]
    head = b"POST /v1/pictures HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    with fresh.raw(head), fresh.raw(head):
        wait_until(lambda: noted() == ["2.0"])
    wait_until(lambda: noted() == ["0.0"])


def test_a_fault_of_ours_is_counted_and_logged_as_500(fresh, monkeypatch, caplog):
    monkeypatch.setattr(fresh.house.engine, "picture", lambda _given: 1 / 0)
    with caplog.at_level(logging.INFO, "mien.serve"):
        assert fresh.post("/v1/pictures", content=b"x").status_code == 500
    told = numbers(fresh)
    assert told['mien_requests_total{route="/v1/pictures",status="500"}'] == 1
    assert 'mien_requests_total{route="/v1/pictures",status="0"}' not in told
    assert any(line.startswith("POST /v1/pictures 500 ") for line in caplog.messages)


def test_a_method_that_a_client_made_up_is_not_logged(fresh, caplog):
    with caplog.at_level(logging.INFO, "mien.serve"), fresh.client() as client:
        assert client.request("HOLIDAY", "/health").status_code == 405
        wait_until(lambda: caplog.messages)  # it is written once the answer was sent
    assert [line.split(" 405")[0] for line in caplog.messages] == ["- /health"]


@pytest.mark.parametrize(
    ("begun", "fault", "status"),
    [
        (None, ZeroDivisionError, 500),
        (200, ZeroDivisionError, 200),  # what was answered
        (None, ClientDisconnect, 0),
        (None, WebSocketDisconnect, 0),
    ],
)
def test_a_fault_counts_as_what_the_client_saw_of_it(begun, fault, status):
    async def broken(_scope, _receive, send):
        if begun:
            await send({"type": "http.response.start", "status": begun, "headers": []})
        raise fault

    async def send(_message):
        pass

    counters, scope = Counters(), {"type": "http", "method": "GET", "path": "/health"}
    with pytest.raises(fault):
        asyncio.run(Observed(broken, counters, frozenset({"/health"}))(scope, None, send))
    assert (
        f'mien_requests_total{{route="/health",status="{status}"}} 1.0' in counters.text().decode()
    )


def test_workers_without_a_place_to_count_are_refused_with_the_next_step(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(BadSettingError, match=r"TMPDIR.*--workers 1"), shared_counters():
        pass


def test_the_format_is_the_one_that_prometheus_reads(fresh):
    response = fresh.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert response.text.startswith("# HELP ")
