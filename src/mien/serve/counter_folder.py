"""The folder where worker processes count, so that each can add up the numbers of all.

prometheus_client finds it by a variable of the environment, which may be there for another program.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import values

from mien.errors import BadSettingError

__all__ = ["FOLDER", "counters_of_others_left_alone", "shared_counters"]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the variable that prometheus_client reads


@contextmanager
def counters_of_others_left_alone() -> Iterator[None]:
    """Count in memory, whatever folder for counters the environment names.

    Yields:
        Nothing.
    """
    others = {name: os.environ.pop(name) for name in (FOLDER, FOLDER.lower()) if name in os.environ}
    _choose_again()
    try:
        yield
    finally:
        os.environ.update(others)
        _choose_again()


def _choose_again() -> None:
    """Let prometheus_client choose where it counts, which it did when it was imported."""
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


@contextmanager
def shared_counters() -> Iterator[None]:
    """Make a folder for the numbers of the workers, which add them up for /metrics.

    Yields:
        Nothing; the environment names it.

    Raises:
        BadSettingError: if there is no place where a folder can be made.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="mien-serve-")
    except OSError as error:
        raise BadSettingError(
            f"no folder can be made where worker processes count: {error.strerror or error}",
            fix="set the environment variable TMPDIR to a folder that can be written, "
            "or serve with --workers 1",
        ) from error
    with made as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]
