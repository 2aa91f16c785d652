"""The service as a process of its own: signals, workers, the log, and what it writes: nothing."""

import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mien.errors import BadSettingError
from mien.faces.detect import YUNET
from mien.serve import server
from mien.serve.settings import Settings
from tests.support.commands import mien
from tests.support.pictures import encode
from tests.support.web_server import answer, process, served, wait_until


def head(length, path="/v1/pictures"):
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_signal_ends_it_when_what_is_in_work_is_done(photo, number):
    with process("--threads", "1") as (running, service):
        assert service.get("/health").status_code == 200
        with service.raw(head(len(photo)) + photo[:1000]) as connection:
            wait_until(lambda: service.get("/ready").json()["inside"] == 1)
            running.send_signal(number)
            time.sleep(0.5)
            connection.sendall(photo[1000:])
            status, _, body = answer(connection)
            assert status == 200
            assert connection.recv(1) == b""  # and closed
        assert json.loads(body)["pictures"][0]["faces"][0]["label"] == "happiness"
        assert running.wait(60) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((service.host, service.port), 2)
        assert "Traceback" not in running.stderr.read()


def write_nothing():
    """From here on the system refuses every byte that is written to a file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_nothing_is_written_and_no_name_is_logged(portrait, photo, tmp_path):
    place = {"TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)}
    large = encode(portrait, "BMP") * 3  # above what web frameworks keep in memory
    names = [("files", ("holiday-in-rome.jpg", photo)), ("files", ("secret.bmp", large))]
    with process("--threads", "1", before=write_nothing, **place) as (running, service):
        live = f"{service.url.replace('http', 'ws')}/v1/live"
        found = service.post("/v1/pictures", files=names).json()["pictures"]
        assert [len(record["faces"]) for record in found] == [1, 1]
        explained = service.post("/v1/explain?label=holiday", files=names[:1])
        assert explained.status_code == 422
        assert service.post("/v1/explain", files=names[:1]).status_code == 200
        assert service.post("/v1/crops", files=names).status_code == 200
        assert service.post("/v1/videos", files=names[:1]).status_code == 422
        assert service.get("/v1/holiday-in-rome.jpg?secret=secret").status_code == 404
        form = {"content-type": "multipart/form-data; boundary=holiday"}
        assert service.post("/v1/pictures", content=b"holiday", headers=form).status_code == 422
        with pytest.raises(InvalidStatus), connect(live, origin="https://rome", proxy=None):
            pass
        running.terminate()
        out, log = running.communicate(timeout=60)
    assert list(tmp_path.iterdir()) == []
    assert log.count("POST /v1/pictures 200") == 1
    assert log.count("- other 404") == 1
    assert log.count("- /v1/live 403") == 1
    assert [line for line in log.splitlines() if " INFO " not in line] == []  # one a request
    for word in ("holiday", "rome", "secret", "jpg"):
        assert word not in log + out


def test_the_log_names_the_place_of_a_fault_and_not_what_was_sent():
    def broken():
        raise KeyError("holiday.jpg")

    try:
        broken()
    except KeyError:
        record = logging.LogRecord("mien.serve", 40, __file__, 1, "failed", (), sys.exc_info())
    text = server.QuietFormatter("%(message)s").format(record)
    assert "in broken" in text
    assert text.endswith("KeyError")
    assert '"holiday.jpg"' in text  # the line of our own code
    assert "KeyError: " not in text


@pytest.mark.parametrize("option", ["--timeout", "--max-video-time"])
def test_a_time_without_an_end_is_refused_before_an_address_is_told(option):
    result = mien("serve", "--port", "0", option, "inf")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "inf" in result.stderr
    assert "try: " in result.stderr


def test_counters_of_another_program_are_left_alone(tmp_path):
    """What reads this variable would write files there, and count on where they end."""
    others = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "none")}
    others["prometheus_multiproc_dir"] = str(tmp_path)
    with process("--threads", "1", **others) as (running, service):
        told = service.get("/metrics").text
        assert "mien_requests_inside 0.0" in told
        assert "process_resident_memory_bytes" in told
        running.terminate()
        assert running.wait(60) == 0
        assert "Traceback" not in running.stderr.read()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_need_a_token(host):
    result = mien("serve", "--host", host, "--port", "0")
    assert result.exit_code == 2
    assert f"mien: {host} can be reached from other machines, and no token is set" in result.stderr
    assert "MIEN_TOKEN" in result.stderr


def test_with_a_token_from_the_environment_it_listens_to_all(photo):
    options = ("--threads", "1", "--host", "0.0.0.0")
    with process(*options, MIEN_TOKEN="topsecret") as (running, service):
        assert service.post("/v1/pictures", content=photo).status_code == 401
        right = {"authorization": "Bearer topsecret"}
        assert service.post("/v1/pictures", content=photo, headers=right).status_code == 200
        line = Path(f"/proc/{running.pid}/cmdline").read_text()
        running.terminate()
        out, log = running.communicate(timeout=60)
    assert "topsecret" not in out + log + line


def test_an_empty_token_is_refused():
    result = mien("serve", "--token", "", "--port", "0")
    assert result.exit_code == 2
    assert "the token is empty" in result.stderr


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = mien("serve", "--port", port)
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in result.stderr
    assert "--port" in result.stderr


def test_a_host_that_is_not_there_is_named():
    with pytest.raises(BadSettingError, match="cannot listen on no-such-host"):
        server.run_server(Settings(token="x"), "no-such-host.invalid", 0, on_address=pytest.fail)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_model_that_cannot_be_loaded_ends_it_with_the_reason(tmp_path, workers):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    words = ["serve", "--port", "0", "--workers", str(workers), "--model", tmp_path / "m.onnx"]
    done = subprocess.run(
        [sys.executable, "-m", "mien", *words], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (1, "")  # no address that nothing answers at
    assert "m.onnx" in done.stderr
    assert "try: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_detector_that_is_damaged_ends_it_before_an_address_is_told(tmp_path, workers):
    (tmp_path / YUNET[1]).write_bytes(b"no network")
    words = ["serve", "--port", "0", "--workers", str(workers)]
    done = subprocess.run(
        [sys.executable, "-m", "mien", *words],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"MIEN_DETECTOR": str(tmp_path)},
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{YUNET[1]} is another file than expected" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_that_comes_before_the_server_listens_to_it_is_heard(monkeypatch):
    def run(self, _listeners):
        signal.raise_signal(signal.SIGTERM)  # by then its own handler is not there yet
        assert self.should_exit

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(server.Server, "run", run)
    server.run_server(Settings(), port=0, on_address=lambda _address: None)
    assert signal.getsignal(signal.SIGTERM) is before


def answering(service):
    """The processes that take connections: /proc knows which one holds the other end."""
    with ExitStack() as stack:
        asked = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        connections = [stack.enter_context(service.raw(asked, timeout=10)) for _ in range(12)]
        assert [answer(connection)[0] for connection in connections] == [200] * 12
        return holders({connection.getsockname()[1] for connection in connections})


def holders(ports):
    """The processes that hold the other ends of connections from these ports."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{x[9]}]" for x in lines if int(x[2].split(":")[1], 16) in ports}
    found = {int(link.parts[2]) for link in Path("/proc").glob("[0-9]*/fd/*")
             if _target(link) in inodes}  # fmt: skip
    return found - {os.getpid()}


def _target(link):
    try:
        return str(link.readlink())
    except OSError:  # it is closed already
        return ""


def faces(service):
    lines = service.get("/metrics").text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("mien_faces_total "))


def read_away(number):
    """Read a log that nobody looks at: a full pipe would stop the workers."""
    while os.read(number, 65536):
        pass


def inside(client):
    """What one worker says of all: a client keeps its connection."""
    lines = client.get("/metrics").text.splitlines()
    return [line for line in lines if line.startswith("mien_requests_inside")]


@pytest.mark.slow
def test_two_workers_answer_add_up_and_come_back(photo, tmp_path):
    with process("--workers", "2", "--threads", "1", TMPDIR=str(tmp_path)) as (running, service):
        Thread(target=read_away, args=(running.stderr.fileno(),), daemon=True).start()
        wait_until(lambda: len(answering(service)) == 2, 60)
        before = faces(service)
        for _ in range(6):
            service.post("/v1/pictures", content=photo)
        assert [faces(service) for _ in range(6)] == [before + 6] * 6  # whichever is asked
        with service.client() as asked:
            with ExitStack() as stack:
                for _ in range(10):  # the system shares them out
                    stack.enter_context(service.raw(head(9)))
                wait_until(lambda: inside(asked) == ["mien_requests_inside 10.0"])
            wait_until(lambda: inside(asked) == ["mien_requests_inside 0.0"])
        victim = next(iter(answering(service)))
        os.kill(victim, signal.SIGKILL)

        def is_back():
            try:
                return len(answering(service) - {victim}) == 2
            except (ConnectionError, TimeoutError):  # it went to the one that died
                return False

        wait_until(is_back, 120)  # one connection that hangs must not use it up
        assert service.post("/v1/pictures", content=photo).status_code == 200
        assert faces(service) == before + 7  # what it had counted is not lost
        running.terminate()
        assert running.wait(60) == 0
    assert list(tmp_path.iterdir()) == []


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.slow
def test_ctrl_c_while_workers_start_ends_all_without_a_word():
    """A terminal sends it to the workers too, which have only begun to import."""
    words = [sys.executable, "-m", "mien", "serve", "--port", "0", "--workers", "2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, start_new_session=True, **streams) as running:
        wait_until(lambda: len(children(running.pid)) == 3)  # and one that cleans up
        time.sleep(0.3)
        os.killpg(running.pid, signal.SIGINT)
        assert running.communicate(timeout=60) == ("", "")
        assert running.returncode == 0


@pytest.mark.slow
def test_workers_end_when_what_looks_after_them_is_killed(tmp_path):
    place = {"TMPDIR": str(tmp_path)}  # nobody removes the folder of counters
    with process("--workers", "2", "--threads", "1", **place) as (running, service):
        with service.raw(head(4)) as connection:
            time.sleep(0.5)
            running.kill()
            time.sleep(0.5)
            connection.sendall(b"last")
            assert answer(connection)[0] == 200  # what is in work is done

        def is_free():
            try:
                socket.create_connection((service.host, service.port), 2).close()
            except ConnectionRefusedError:
                return True

        wait_until(is_free)


def test_a_head_that_does_not_arrive_is_given_up(monkeypatch):
    monkeypatch.setattr(server, "_HEAD_S", 0.3)
    with served(threads=1) as service:
        with service.raw() as silent, service.raw(b"GET /health HTTP/1.1\r\nHo") as slow:
            assert silent.recv(1) == b""
            assert slow.recv(1) == b""
        with service.raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") as kept:
            assert answer(kept)[0] == 200
            kept.sendall(b"GET /hea")  # the next on the same connection stalls
            assert kept.recv(1) == b""
        with service.raw(head(10) + b"01234") as body:
            time.sleep(0.6)  # the body has a time of its own
            body.sendall(b"56789")
            assert answer(body)[0] == 200
