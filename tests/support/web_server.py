"""The service for tests: in a thread of this process, or as a process of its own."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from unittest import mock

import httpx
from uvicorn import Server

from mien.serve import server as serving
from mien.serve.application import create_app
from mien.serve.settings import Settings


@dataclass
class Service:
    """Where it listens, and its application."""

    host: str
    port: int
    app: object = None

    @property
    def house(self):
        """What its addresses share."""
        return self.app.state.house

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def client(self, address="127.0.0.1", **options):
        """A client that calls from an address of this machine."""
        transport = httpx.HTTPTransport(verify=False, local_address=address)  # no TLS: fast
        return httpx.Client(base_url=self.url, transport=transport, timeout=60, **options)

    def post(self, path, **options):
        with self.client() as client:
            return client.post(path, **options)

    def get(self, path, **options):
        with self.client() as client:
            return client.get(path, **options)

    @contextmanager
    def raw(self, sent=b"", address="127.0.0.1", timeout=60):
        """A connection that sends whatever bytes a test likes."""
        source = (address, 0)
        with socket.create_connection((self.host, self.port), timeout, source) as connection:
            connection.sendall(sent)
            yield connection


@contextmanager
def served(**settings):
    """Serve in a thread of this process."""
    chosen = Settings(**settings)
    with serving_app(create_app(chosen), chosen) as service:
        yield service


@contextmanager
def serving_app(app, chosen):
    """Serve an application in a thread of this process."""
    with mock.patch.object(serving, "_LOGGING", None):  # pytest's own stays
        server = Server(serving.make_config(lambda: app, chosen))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, args=([listener],))
        port = listener.getsockname()[1]
        thread.start()
        try:
            yield Service("127.0.0.1", port, app)
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


@contextmanager
def process(*options, before=None, **environment):
    """Serve as ``mien serve`` does; yields the process and the service, once it listens."""
    words = [sys.executable, "-m", "mien", "serve", "--port", "0", *options]
    own = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = subprocess.Popen(words, env=own, preexec_fn=before, **streams)
    with started as running:
        try:
            said = running.stdout.readline()
            found = re.search(r"http://([\d.]+|localhost):(\d+)", said)
            assert found, said + running.stderr.read()
            yield running, Service("127.0.0.1", int(found[2]))
        finally:
            if running.poll() is None:
                running.kill()


def answer(connection):
    """The answer on a raw connection: status, headers, body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        assert part, f"no answer but {data!r}"
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        part = connection.recv(65536)
        assert part, f"the answer ends after {body!r}"
        body += part
    return int(status.split()[1]), headers, body


def problem_of(response):
    """The members of a problem, checked for being whole."""
    if isinstance(response, tuple):
        status, headers, body = response
    else:
        status, headers, body = response.status_code, response.headers, response.content
    assert headers["content-type"] == "application/problem+json", body
    told = json.loads(body)
    assert told.keys() == {"title", "status", "detail", "fix"}
    assert told["status"] == status
    assert all(told.values())
    return told


def wait_until(true, seconds=30):
    """Wait for something that a server does in its own time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
