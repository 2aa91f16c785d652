"""An address where no Ray is, is an error with the next step, and no wait of minutes."""

import socket
from threading import Thread

import pytest

pytest.importorskip("ray")

from mien.errors import BadSettingError
from mien.scale import cluster
from mien.scale.cluster import connected, refuse_unanswered
from tests.support.pictures import folder_of


def test_an_address_that_nobody_answers_is_refused_before_ray_is_asked(monkeypatch):
    monkeypatch.setattr("ray.init", lambda *_, **__: pytest.fail("Ray was asked"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(BadSettingError, match=f"no Ray at {address}.*refused"):
            connected(address).__enter__()


@pytest.mark.parametrize("address", ["nonsense", "host:", ":6379", "host:port", ""])
def test_what_is_no_address_is_said(address):
    with pytest.raises(BadSettingError, match="is no address of a Ray cluster"):
        refuse_unanswered(address)


def answering(server, answer):
    """Let one caller in, and answer what is given."""

    def serve():
        connection, _ = server.accept()
        with connection:
            connection.recv(100)
            connection.sendall(answer)

    Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{server.getsockname()[1]}"


def test_another_server_is_not_taken_for_ray_and_grpc_is():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(BadSettingError, match=r"what listens there answers b'HTTP/1\.1 "):
            refuse_unanswered(answering(server, b"HTTP/1.1 400 Bad Request"))
        with pytest.raises(BadSettingError, match="does not answer as Ray does"):
            refuse_unanswered(answering(server, b""))
        # length 18, type 4: how gRPC's servers begin
        refuse_unanswered(answering(server, b"\0\0\x12\x04\0\0\0\0\0" + b"." * 18))


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_told(monkeypatch):
    monkeypatch.setattr(cluster, "_ANSWER_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(BadSettingError, match=f"no Ray at {address}: timed out"):
            refuse_unanswered(address)


def test_a_stale_file_of_a_cluster_that_died_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    refuse_unanswered("auto")  # no file: Ray says so itself, at once
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"127.0.0.1:{server.getsockname()[1]}"
    folder_of(tmp_path, {"ray/ray_current_cluster": gone.encode()})
    with pytest.raises(BadSettingError, match=f"no Ray at auto, which is {gone}: .*refused"):
        refuse_unanswered("auto")


def test_a_cluster_that_does_not_start_here_is_one_error(monkeypatch):
    def slow(*_, **__):
        raise Exception("The current node timed out during startup.")  # as Ray has it

    monkeypatch.setattr("ray.init", slow)
    with pytest.raises(BadSettingError, match=r"no Ray at local: .* timed out") as caught:
        connected("local").__enter__()
    assert "ray start" not in caught.value.fix
    monkeypatch.setattr("ray.init", lambda *_, **__: {}["a fault of ours"])
    with pytest.raises(KeyError):
        connected("local").__enter__()
