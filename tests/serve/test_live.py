"""Live frames: the same records, stale ones dropped, and everything else refused with a word."""

import base64
import json
import threading
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from mien.media.images import decode_rgb
from mien.serve.live import SUBPROTOCOL
from tests.support.pictures import encode
from tests.support.web_server import served, wait_until

TOKEN = "schlüssel-7"
CODED = "mien.bearer." + base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def guarded():
    with served(threads=1, token=TOKEN, max_live=1, timeout_s=1) as running:
        yield running


@pytest.fixture(scope="module")
def frame(portrait):
    return encode(portrait[:240, 100:340])


def address(service):
    return service.url.replace("http:", "ws:") + "/v1/live"


def live(service, **options):
    return connect(address(service), proxy=None, open_timeout=10, **options)


def test_every_frame_has_the_record_that_the_library_gives(service, frame, recognizer):
    expected = recognizer.read(decode_rgb(frame)).record() | {"path": "0"}
    with live(service) as socket:
        for number in range(3):
            socket.send(frame)
            record = json.loads(socket.recv(20))
            assert (record.pop("frame"), record.pop("dropped")) == (number, 0)
            assert record | {"path": "0"} == expected
            assert record["path"] == str(number)


def test_stale_frames_are_dropped_and_counted_and_the_newest_is_read(service, frame, monkeypatch):
    held = threading.Event()
    engine_of = {}
    whole = service.house.engine.picture

    def slow(given):
        engine_of[given.name] = given.data
        assert held.wait(20)
        return whole(given)

    monkeypatch.setattr(service.house.engine, "picture", slow)
    with live(service) as socket:
        socket.send(frame)
        wait_until(lambda: engine_of)
        for number in range(1, 6):
            socket.send(b"frame %d" % number)
        socket.ping().wait(10)  # all have arrived
        held.set()
        first, newest = (json.loads(socket.recv(20)) for _ in range(2))
    assert (first["frame"], first["dropped"]) == (0, 4)  # so far
    assert (newest["frame"], newest["dropped"]) == (5, 4)
    assert engine_of.keys() == {"0", "5"}
    assert engine_of["5"] == b"frame 5"


def test_a_frame_that_became_stale_while_others_had_their_turn_is_dropped(
    service, frame, monkeypatch
):
    held, begun = threading.Event(), threading.Event()
    whole = service.house.engine.picture

    def slow(given):
        if given.name == "other.jpg":
            begun.set()
            assert held.wait(20)
        return whole(given)

    monkeypatch.setattr(service.house.engine, "picture", slow)
    files = {"files": ("other.jpg", frame)}
    other = threading.Thread(target=service.post, args=["/v1/pictures"], kwargs={"files": files})
    other.start()
    assert begun.wait(20)
    with live(service) as socket:
        socket.send(frame)
        wait_until(lambda: service.house.turns._lines)  # it waits for its turn
        for _ in range(5):
            socket.send(frame)
        socket.ping().wait(10)  # all have arrived
        held.set()
        record = json.loads(socket.recv(20))
    other.join()
    assert (record["frame"], record["dropped"]) == (5, 5)


def test_who_waits_for_a_slow_answer_is_not_silent(guarded, frame, monkeypatch):
    whole = guarded.house.engine.picture

    def slow(given):
        time.sleep(1.5 if given.name == "0" else 0)  # longer than silence is borne
        return whole(given)

    monkeypatch.setattr(guarded.house.engine, "picture", slow)
    with live(guarded, subprotocols=[CODED]) as socket:
        for number in range(2):
            socket.send(frame)
            assert json.loads(socket.recv(20))["frame"] == number
    wait_until(lambda: guarded.house.live.count == 0)


def test_a_frame_that_cannot_be_read_says_so_and_the_next_is_read(service, frame):
    with live(service) as socket:
        socket.send(b"no picture")
        assert json.loads(socket.recv(20))["error"] == "not a picture: 0"
        socket.send(frame)
        assert len(json.loads(socket.recv(20))["faces"]) == 1


def test_text_is_refused_with_the_reason(service):
    with live(service) as socket:
        socket.send("data:image/jpeg;base64,")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(20)
    assert closed.value.rcvd.code == 1003
    assert closed.value.rcvd.reason == "send each frame as one binary message"


def test_a_frame_of_many_bytes_ends_the_connection(service):
    with live(service) as socket:
        with suppress(ConnectionClosed):  # it may be closed while it is being sent
            socket.send(bytes(9 * 2**20))
        with pytest.raises(ConnectionClosed):
            socket.recv(20)
    assert service.get("/health").status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_without_the_token_there_is_no_connection(guarded, token):
    options = {
        "additional_headers": {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    }
    with pytest.raises(InvalidStatus) as refused, live(guarded, **options):
        pass
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["title"] == "Unauthorized"


def test_a_page_brings_the_token_as_a_subprotocol(guarded, frame):
    with live(guarded, subprotocols=[SUBPROTOCOL, CODED]) as socket:
        assert socket.subprotocol == SUBPROTOCOL  # and not the token
        socket.send(frame)
        assert json.loads(socket.recv(20))["frame"] == 0
    wait_until(lambda: guarded.house.live.count == 0)
    for wrong in ("mien.bearer.AAAA", "mien.bearer.!", CODED.removeprefix("mien.")):
        with pytest.raises(InvalidStatus), live(guarded, subprotocols=[SUBPROTOCOL, wrong]):
            pass


def test_one_connection_too_many_is_told_to_wait(guarded):
    options = {"subprotocols": [SUBPROTOCOL, CODED]}
    with live(guarded, **options):
        with pytest.raises(InvalidStatus) as refused, live(guarded, **options):
            pass
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["retry-after"] == "10"
    wait_until(lambda: guarded.house.live.count == 0)


def test_a_silent_connection_is_closed(guarded):
    with live(guarded, subprotocols=[CODED]) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(20)
        assert closed.value.rcvd.reason == "no frame for 1 s"


def test_a_page_of_another_origin_gets_no_connection(service):
    with pytest.raises(InvalidStatus) as refused, live(service, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403
