"""What stands before every request: on real connections, with clients that lie, stall and flood."""

import json
import time
from contextlib import ExitStack
from threading import Thread

import pytest

from mien.serve import gate
from tests.support.web_server import answer, problem_of, served, wait_until

TOKEN = "schlüssel-7"  # not ASCII, as a token may be


@pytest.fixture(scope="module")
def guarded():
    with served(threads=1, token=TOKEN, origins=("https://example.org",)) as running:
        yield running


@pytest.fixture(scope="module")
def narrow():
    """Places for two, small bodies, little patience."""
    limits = {"queue": 1, "max_bytes": 100_000, "timeout_s": 1.0}
    with served(threads=1, **limits) as running:
        yield running


def head(path="/v1/pictures", *lines):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: mien", *lines, "", ""]).encode()


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def bearer(token):
    return {"authorization": b"Bearer " + token.encode()}


@pytest.mark.parametrize("path", ["/v1/pictures", "/v1/videos", "/v1/explain", "/v1/crops"])
@pytest.mark.parametrize(
    "headers", [{}, bearer("schlüssel-8"), bearer(TOKEN + "x"), {"authorization": "Basic abc"}]
)
def test_without_the_token_nothing_is_read(guarded, path, headers):
    response = guarded.post(path, headers=headers, content=b"x")
    told = problem_of(response)
    assert (told["status"], response.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer TOKEN" in told["fix"]
    assert TOKEN not in response.text


def test_the_token_opens_and_health_needs_none(guarded, photo):
    response = guarded.post("/v1/pictures", headers=bearer(TOKEN), content=photo)
    assert response.json()["pictures"][0]["faces"][0]["label"] == "happiness"
    assert guarded.get("/metrics").status_code == 401
    assert guarded.get("/v1/models").status_code == 401
    assert guarded.get("/v1/models", headers=bearer(TOKEN)).status_code == 200
    assert [guarded.get(path).status_code for path in ("/health", "/ready", "/docs")] == [200] * 3


def test_tokens_are_compared_in_constant_time(guarded, monkeypatch):
    seen = []

    def compare(given, expected):
        seen.append((given, expected))
        return False

    monkeypatch.setattr(gate.hmac, "compare_digest", compare)
    assert guarded.get("/v1/models", headers=bearer(TOKEN)).status_code == 401
    assert seen == [(TOKEN.encode(), TOKEN.encode())]


def test_a_page_of_another_origin_may_not_call(guarded, service, photo):
    stranger = {"origin": "https://evil.example"}
    told = problem_of(service.post("/v1/pictures", headers=stranger, content=photo))
    assert (told["status"], "--allow-origin" in told["fix"]) == (403, True)
    own = {"origin": service.url}
    assert service.post("/v1/pictures", headers=own, content=photo).status_code == 200
    allowed = {"origin": "https://example.org"} | bearer(TOKEN)
    response = guarded.post("/v1/pictures", headers=allowed, content=photo)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "https://example.org"


def test_an_origin_that_is_no_address_is_a_foreign_one(service):
    told = problem_of(service.post("/v1/pictures", headers={"origin": "http://["}, content=b"x"))
    assert (told["status"], told["detail"]) == (403, "a page of another origin may not call")


@pytest.mark.parametrize(
    "own", ["localhost:8000", "127.0.0.1:8000", "127.5.5.5", "[::1]:8000", "[::1]"]
)
def test_a_page_of_this_machine_may_call_without_a_token(service, own):
    headers = {"origin": f"http://{own}", "host": own}
    assert service.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example:8000", "localhost.evil.example", "192.168.0.1"])
def test_a_name_that_leads_here_opens_nothing_without_a_token(guarded, service, host):
    """Its owner may let it lead to 127.0.0.1, and a browser takes its page for ours."""
    headers = {"origin": f"http://{host}", "host": host}
    told = problem_of(service.post("/v1/pictures", headers=headers, content=b"x"))
    assert (told["status"], "--allow-origin" in told["fix"]) == (403, True)
    brings = headers | bearer(TOKEN)
    assert guarded.get("/v1/models", headers=brings).status_code == 200


def test_a_browser_may_ask_first_where_an_origin_is_allowed_and_nowhere_else(guarded, service):
    asks = {"origin": "https://example.org", "access-control-request-method": "POST"}
    with guarded.client() as client:
        response = client.options("/v1/pictures", headers=asks)
        assert response.headers["access-control-allow-origin"] == "https://example.org"
        for wrong in ({"origin": "https://evil.example"}, {"access-control-request-method": "PUT"}):
            told = problem_of(response := client.options("/v1/pictures", headers=asks | wrong))
            assert (told["status"], "--allow-origin" in told["fix"]) == (400, True)
            assert ("access-control-allow-origin" in response.headers) is ("origin" not in wrong)
            assert "Origin" in response.headers["vary"]
    with service.client() as client:
        response = client.options("/v1/pictures", headers=asks)
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("length", [100_001, 4 * 2**30, 10**15])
def test_a_body_that_is_said_to_be_too_long_is_refused_before_it_is_read(narrow, length):
    with narrow.raw(head("/v1/pictures", f"Content-Length: {length}")) as connection:
        told = problem_of(answer(connection))  # not one byte of it was sent
    assert (told["status"], told["detail"]) == (413, "the body has more than 100,000 bytes")
    assert "--max-bytes" in told["fix"]


@pytest.mark.parametrize("path", ["/v1/pictures", "/v1/videos"])
def test_a_body_that_is_packed_is_refused_and_not_taken_for_a_damaged_picture(service, path):
    with service.raw(head(path, "Content-Length: 9", "Content-Encoding: GZIP")) as connection:
        told = problem_of(answer(connection))  # not one byte of it was sent
    assert (told["status"], told["detail"]) == (415, "a body with Content-Encoding: GZIP")
    assert "without Content-Encoding" in told["fix"]
    plain = service.post(path, headers={"content-encoding": "identity"}, content=b"x")
    assert plain.status_code != 415


def test_a_client_that_waits_for_a_word_is_refused_without_it(narrow):
    words = head("/v1/pictures", "Content-Length: 100001", "Expect: 100-continue")
    with narrow.raw(words) as connection:
        status, _, _ = answer(connection)
    assert status == 413  # and no 100 before


def test_chunks_are_counted_whatever_was_said(narrow):
    with narrow.raw(head("/v1/pictures", "Transfer-Encoding: chunked")) as connection:
        for _ in range(4):
            connection.sendall(chunk(bytes(30_000)))
        status, headers, body = answer(connection)
        assert (status, headers["connection"]) == (413, "close")
        assert json.loads(body)["detail"] == "the body has more than 100,000 bytes"
        connection.sendall(b"0\r\n\r\n")
        assert connection.recv(1) == b""  # closed behind the answer


def test_a_flood_of_chunks_ends_with_the_answer_and_not_with_a_broken_pipe(narrow):
    flood = head("/v1/pictures", "Transfer-Encoding: chunked") + chunk(bytes(60_000)) * 4
    with narrow.raw(flood) as connection:
        for _ in range(3):  # the answer is given, and the client does not look at it yet
            time.sleep(0.1)
            connection.sendall(chunk(bytes(60_000)))
        connection.sendall(b"0\r\n\r\n")
        assert answer(connection)[0] == 413


def test_a_body_that_stalls_is_given_up(narrow):
    start = time.monotonic()
    with narrow.raw(head("/v1/pictures", "Content-Length: 1000") + b"a few") as connection:
        told = problem_of(answer(connection))
    assert (told["status"], told["detail"]) == (408, "the body did not arrive within 1 s")
    assert 0.9 < time.monotonic() - start < 10
    wait_until(lambda: narrow.get("/ready").json().get("inside") == 0)


def test_a_body_that_trickles_is_given_up_too(narrow):
    with narrow.raw(head("/v1/pictures", "Content-Length: 1000")) as connection:
        for _ in range(8):
            connection.sendall(b"x")
            time.sleep(0.15)
        assert answer(connection)[0] == 408


def test_a_client_that_leaves_makes_room(narrow):
    for _ in range(6):  # more than there are places
        with narrow.raw(head("/v1/pictures", "Content-Length: 1000") + b"a few"):
            wait_until(lambda: narrow.get("/ready").json().get("inside", 2) > 0)
        wait_until(lambda: narrow.get("/ready").json().get("inside") == 0)


def test_a_full_house_refuses_before_the_body_is_read(narrow, photo):
    words = head("/v1/pictures", "Content-Length: 1000")
    with narrow.raw(words), narrow.raw(words):
        wait_until(lambda: narrow.get("/ready").status_code == 503)
        with narrow.raw(head("/v1/pictures", "Content-Length: 90000")) as connection:
            status, headers, body = answer(connection)
        told = problem_of((status, headers, body))
        assert status == 503
        assert told["detail"] == "too busy: 2 requests are in work or waiting"
        assert int(headers["retry-after"]) >= 1
        assert told["fix"] == f"try again in {headers['retry-after']} s"
    wait_until(lambda: narrow.get("/ready").status_code == 200)


def test_another_client_gets_in_where_one_has_filled_the_house(narrow, photo):
    small = photo[:50_000]  # damaged, which is an answer too
    words = head("/v1/pictures", "Content-Length: 1000")
    with narrow.raw(words) as first, narrow.raw(words) as newest:
        wait_until(lambda: narrow.get("/ready").status_code == 503)
        with narrow.client("127.0.0.2") as other:
            assert other.post("/v1/pictures", content=small).status_code == 200
        assert answer(newest)[0] == 503
        assert answer(first)[0] == 408  # in its own time


def test_bodies_that_were_given_up_leave_their_places_to_another_client(photo):
    """While their answers are on the way: the rest of a body is looked at for 2 s."""
    words = head("/v1/pictures", "Content-Length: 1000") + b"abc"
    with served(threads=1, queue=2, timeout_s=1.0) as narrow, ExitStack() as stack:
        slow = [stack.enter_context(narrow.raw(words)) for _ in range(3)]
        wait_until(lambda: narrow.get("/ready").status_code == 503)
        assert [answer(connection)[0] for connection in slow] == [408] * 3
        assert narrow.house.turns.inside == 0
        with narrow.client("127.0.0.2") as other:
            assert other.post("/v1/pictures", content=photo).status_code == 200


def test_a_client_that_hangs_up_before_the_end_of_its_body_is_not_waited_for(narrow):
    with narrow.raw(head("/v1/pictures", "Content-Length: 1000") + b"short") as connection:
        connection.shutdown(1)
        assert connection.recv(1) == b""
    assert narrow.get("/ready").json()["inside"] == 0


def test_what_comes_behind_a_body_is_no_request(narrow):
    with narrow.raw(head("/v1/pictures", "Content-Length: 3") + b"abcdefgh\r\n\r\n") as connection:
        answers = b"".join(iter(lambda: connection.recv(65536), b""))  # until it is closed
    assert answers.startswith(b"HTTP/1.1 200")
    assert answers.count(b"HTTP/1.1 ") == 2
    assert b"not a picture: 0" in answers.partition(b"HTTP/1.1 400")[0]


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: -5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Transfer-Encoding: gzip"],
        ["Bad Header"],
    ],
)
def test_heads_that_cannot_be_understood_are_refused(narrow, lines):
    with narrow.raw(head("/v1/pictures", *lines) + b"0\r\n\r\n") as connection:
        assert answer(connection)[0] in {400, 501}
    assert narrow.get("/health").status_code == 200


def test_a_flood_of_headers_is_refused(narrow):
    flood = b"GET /health HTTP/1.1\r\n" + b"X-Flood: aaaaaaaaaaaaaaaaaaaaaaa\r\n" * 40_000
    with narrow.raw() as connection:
        try:
            connection.sendall(flood)
            status = answer(connection)[0]
        except (ConnectionError, AssertionError):
            status = None  # closed while it was being sent
        assert status in {400, None}
    assert narrow.get("/health").status_code == 200


def test_many_at_once_are_answered_or_told_to_wait_and_none_is_lost(narrow, photo):
    small = photo[:20_000]
    statuses = []

    def call():
        response = narrow.post("/v1/pictures", content=small)
        statuses.append((response.status_code, "retry-after" in response.headers))

    threads = [Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 20
    assert set(statuses) <= {(200, False), (503, True)}
    assert (200, False) in statuses
    assert narrow.get("/ready").json()["inside"] == 0


def test_a_method_or_an_address_that_is_not_there_is_a_problem(service):
    assert problem_of(service.get("/v1/nowhere"))["status"] == 404
    assert problem_of(service.get("/v1/pictures"))["status"] == 405
    assert problem_of(service.post("/v2/pictures", content=b"x" * 1000))["status"] == 404


def test_answers_carry_the_headers_for_safety(service):
    for response in (service.get("/health"), service.get("/v1/nowhere")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "server" not in response.headers


def test_a_slow_upload_does_not_hold_up_others(service, photo):
    slow = head("/v1/pictures", f"Content-Length: {len(photo)}") + photo[:1000]
    with service.raw(slow) as connection:
        wait_until(lambda: service.get("/ready").json()["inside"] == 1)
        assert service.post("/v1/pictures", content=photo).status_code == 200
        connection.sendall(photo[1000:])
        status, _, body = answer(connection)
    assert (status, len(json.loads(body)["pictures"][0]["faces"])) == (200, 1)
