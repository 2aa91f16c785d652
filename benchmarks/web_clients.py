"""Clients of the service for benchmarks: light ones, so that the machine's time is the service's.

Well-behaved ones post over one connection each, and wait and try again when told to. Hostile ones
lie about lengths, stall, send bombs, floods and nonsense; each knows which answers are right.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HOSTILE", "Client", "Server", "post_of", "serving"]

_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """A service in a process of its own.

    Attributes:
        pid: of the process.
        port: that it listens on.
    """

    pid: int
    port: int

    def memory_mib(self, which: str = "VmRSS") -> float:
        """Return its memory now, or with ``VmHWM`` the most it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(re.findall(rf"{which}:\s+(\d+) kB", status)[0]) / 1024


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Run ``mien serve`` until the block ends.

    Args:
        options: of the command.

    Yields:
        The service, once it listens.
    """
    words = [sys.executable, "-m", "mien", "serve", "--port", "0", *options]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ
    )
    with process:
        try:
            found = re.search(
                r"http://[\d.]+:(\d+)", process.stdout.readline() if process.stdout else ""
            )
            if not found:
                raise SystemExit("mien serve did not start")
            server = Server(process.pid, int(found[1]))
            Client(server.port).ask(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")  # models are loaded
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def post_of(path: str, body: bytes, kind: str = "image/jpeg") -> bytes:
    """Return the bytes of a request.

    Args:
        path: of the address.
        body: all of it.
        kind: type of its content.

    Returns:
        Head and body.
    """
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


class Client:
    """One connection, made again when it was closed."""

    def __init__(self, port: int) -> None:
        """Connect when first asked."""
        self._port = port
        self._socket: socket.socket | None = None
        self.waits = 0

    def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its answer.

        Args:
            request: head and body.

        Returns:
            Status, headers, body.
        """
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), _PATIENCE_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        status, headers, body = read_answer(self._socket)
        if headers.get("connection") == "close":
            self.close()
        return status, headers, body

    def ask_patiently(self, request: bytes, rest_s: float) -> tuple[int, bytes, float]:
        """Ask until there is a place.

        Args:
            request: head and body.
            rest_s: before the next try.

        Returns:
            Status, body, and the seconds of the last try.
        """
        while True:
            start = time.perf_counter()
            try:
                status, _, body = self.ask(request)
            except ConnectionError:  # it was closed while it was idle
                self.close()
                continue
            if status != 503:
                return status, body, time.perf_counter() - start
            self.waits += 1
            time.sleep(rest_s)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer that says its length."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(2**16)
        if not part:
            raise ConnectionResetError("closed before its answer")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
    left = int(headers.get("content-length", 0)) - len(body)
    while left > 0:
        part = connection.recv(2**16)
        if not part:
            raise ConnectionResetError("closed within its answer")
        body += part
        left -= len(part)
    return int(first.split()[1]), headers, body


def _tried(
    port: int, sent: bytes, expected: set[int], pause_s: float = 0, rest: bytes = b""
) -> int:
    """Send, perhaps stall, send the rest; return the status if it is none of those expected."""
    with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as connection:
        with suppress(
            ConnectionError
        ):  # an answer may come, and the door close, before all is sent
            connection.sendall(sent)
            time.sleep(pause_s)
            connection.sendall(rest)
        try:
            status = read_answer(connection)[0]
        except ConnectionError:
            return 0  # it was cut off, which is an answer too
    return 0 if status in expected else status


def _leaves(port: int, photo: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as connection:
        connection.sendall(post_of("/v1/pictures", photo)[: len(photo) // 2])
    return 0


def _claims(port: int, _photo: bytes) -> int:
    head = b"POST /v1/pictures HTTP/1.1\r\nHost: x\r\nContent-Length: 4294967296\r\n\r\n"
    return _tried(port, head, {413})


def _floods(port: int, _photo: bytes) -> int:
    head = b"POST /v1/pictures HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n" % 2**20 + bytes(2**20) + b"\r\n"
    return _tried(port, head + chunk * 40, {408, 413, 503})


def _slow(port: int, photo: bytes) -> int:
    request = post_of("/v1/pictures", photo)
    half = len(request) // 2
    return _tried(port, request[:half], {200, 503}, 1.0, request[half:])


def _nonsense(port: int, _photo: bytes) -> int:
    return _tried(port, bytes(range(1, 256)) * 40 + b"\r\n\r\n", {400})


def _many_parts(port: int, _photo: bytes) -> int:
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx\r\n'
    kind = "multipart/form-data; boundary=b"
    return _tried(port, post_of("/v1/pictures", part * 10_000 + b"--b--\r\n", kind), {422, 503})


def _deep_json(port: int, _photo: bytes) -> int:
    body = b'{"pictures": ' + b"[" * 500_000
    return _tried(port, post_of("/v1/pictures", body, "application/json"), {422, 503})


def _opens(port: int, _photo: bytes) -> int:
    body = json.dumps({"pictures": ["/etc/passwd", "http://127.0.0.1:1/"]}).encode()
    return _tried(port, post_of("/v1/pictures", body, "application/json"), {200, 503})


# What a hostile client does: called with the port and a picture; returns the status of a wrong
# answer, else 0.
HOSTILE: dict[str, Callable[[int, bytes], int]] = {
    "leaves": _leaves,
    "claims 4 GiB": _claims,
    "floods chunks": _floods,
    "slow": _slow,
    "nonsense": _nonsense,
    "10,000 parts": _many_parts,
    "deep JSON": _deep_json,
    "paths": _opens,
}
