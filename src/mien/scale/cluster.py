"""Connect to a Ray cluster, or start one on this machine for as long as it is needed.

An address is asked before Ray is: Ray itself waits for minutes, and without a word of what to do.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from mien.cores import cores
from mien.errors import BadSettingError
from mien.faces.detect import PLACE

__all__ = ["connected", "refuse_unanswered"]

LOCAL = "local"
_CLIENT = "ray://"  # Ray's client, on a port of its own
_ANSWER_S = 10.0
_STORE = 200_000_000  # bytes; what travels here is small: numbers of parts, rows of epochs
_FIX = (
    "check the address and that `ray start --head` ran there, or take --ray local; where that Ray "
    "asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN here and on every machine"
)


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to a cluster inside the block; one that is started here ends with it.

    Args:
        address: ``local`` starts a cluster on this machine; else ``HOST:PORT`` of the head, or
            ``ray://HOST:PORT`` for Ray's client.

    Yields:
        Nothing.

    Raises:
        BadSettingError: if no cluster answers there within seconds.
    """
    refuse_unanswered(address)
    own = {"num_cpus": cores(), "object_store_memory": _STORE} if address == LOCAL else {}
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
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
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BadSettingError(f"no Ray at {address}: {error}", _FIX) from error
    try:
        yield
    finally:
        ray.shutdown()


def refuse_unanswered(address: str) -> None:
    """Check that something answers at an address.

    Args:
        address: as `connected` takes it.

    Raises:
        BadSettingError: if it is none, or nobody answers there within seconds.
    """
    if address == LOCAL:
        return
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdecimal():
        raise BadSettingError(
            f"{address!r} is no address of a Ray cluster",
            fix="give HOST:PORT of its head, ray://HOST:PORT, or local",
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except (OSError, OverflowError) as error:  # OverflowError: no such port
        raise BadSettingError(f"no Ray at {address}: {error}", _FIX) from error
