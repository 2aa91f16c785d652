"""Connect to a Ray cluster, or start one on this machine for as long as it is needed.

An address is asked before Ray is: Ray itself waits for minutes, and without a word of what to do.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

from mien.cores import cores
from mien.errors import BadSettingError
from mien.faces.detect import PLACE

__all__ = ["connected", "refuse_unanswered"]

LOCAL, AUTO = "local", "auto"
_CLIENT = "ray://"  # Ray's client, on a port of its own
_ANSWER_S = 10.0
_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"  # a frame of HTTP/2, type 4, with which both sides begin
_STORE = 200_000_000  # bytes; what travels here is small: numbers of parts, rows of epochs
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # a cluster that is started here would report to Ray's makers
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # what fails is raised as well
    "RAY_DATA_LOG_LEVEL": "ERROR",  # else it prints its plans
}
_REFUSALS = (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError)
_FIX_LOCAL = "try again when this machine has less to do; or leave --ray out, and all cores read"
_FIX = (
    "check the address and that `ray start --head` ran there, or take --ray local; where that Ray "
    "asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN here and on every machine"
)


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to a cluster inside the block; one that is started here ends with it.

    Args:
        address: ``local`` starts a cluster on this machine; else ``HOST:PORT`` of the head,
            ``ray://HOST:PORT`` for Ray's client, or ``auto`` for the cluster that runs here.

    Yields:
        Nothing.

    Raises:
        BadSettingError: if no cluster answers there within seconds, or none can be started here.
    """
    refuse_unanswered(address)
    own = {"num_cpus": cores(), "object_store_memory": _STORE} if address == LOCAL else {}
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    environment = {PLACE: os.environ[PLACE]} if PLACE in os.environ else {}
    try:
        ray.init(
            address,  # named even where it is local, else Ray takes one that a file names
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": environment},
            **own,
        )
    except BaseException as error:
        # the Exception itself, and none of its kinds: that a node started here was too slow
        if type(error) is Exception or isinstance(error, _REFUSALS):
            fix = _FIX_LOCAL if address == LOCAL else _FIX
            raise BadSettingError(f"no Ray at {address}: {error}", fix) from error
        raise
    try:
        yield
    finally:
        ray.shutdown()


def refuse_unanswered(address: str) -> None:
    """Check that a server such as Ray's answers at an address.

    Args:
        address: as `connected` takes it.

    Raises:
        BadSettingError: if it is none, or no such server answers there within seconds.
    """
    if address == LOCAL:
        return
    found = _current() if address == AUTO else address
    if found is None:
        return  # Ray looks for one, and says at once if there is none
    host, _, port = found.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdecimal():
        raise BadSettingError(
            f"{address!r} is no address of a Ray cluster",
            fix="give HOST:PORT of its head, ray://HOST:PORT, auto or local",
        )
    at = address if found == address else f"{address}, which is {found}"
    try:
        answer = _greeted(host.strip("[]"), int(port))
    except (OSError, OverflowError) as error:  # OverflowError: no such port
        raise BadSettingError(f"no Ray at {at}: {error}", _FIX) from error
    if answer is not None and answer[3:4] != _SETTINGS[3:4]:
        said = f"answers {answer!r}" if answer else "does not answer as Ray does"
        raise BadSettingError(f"no Ray at {at}: what listens there {said}", _FIX)


def _current() -> str | None:
    """Where Ray would look for ``auto``, which hangs where the file is of a cluster that died."""
    named = os.environ.get("RAY_ADDRESS")
    if named:
        return named
    file = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def _greeted(host: str, port: int) -> bytes | None:
    """Greet as HTTP/2, which gRPC and so Ray speak; the first bytes of the answer.

    Returns:
        None where Ray encrypts, and the greeting would have to be encrypted too.
    """
    with socket.create_connection((host, port), _ANSWER_S) as connection:
        if os.environ.get("RAY_USE_TLS", "0") not in {"", "0"}:
            return None
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS)
        return connection.recv(len(_SETTINGS))
