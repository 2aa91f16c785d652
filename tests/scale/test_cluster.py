"""An address where no Ray is, is an error with the next step, and no wait of minutes."""

import socket

import pytest

pytest.importorskip("ray")

from mien.errors import BadSettingError
from mien.scale.cluster import connected, refuse_unanswered


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


def test_something_that_listens_passes():
    with socket.create_server(("127.0.0.1", 0)) as server:
        refuse_unanswered(f"127.0.0.1:{server.getsockname()[1]}")
