"""Python's warnings switched off while a library reads a file, for any number of threads.

`warnings.catch_warnings` alone puts back what it found: where two threads overlap, the second may
find them off and leave them off for the whole process. Here the last to leave puts them back.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["quiet"]


class _Switch:
    """How many blocks are inside, and what the first one found."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.inside = 0
        self.found = warnings.catch_warnings()

    def enter(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.found = warnings.catch_warnings()
                self.found.__enter__()
                warnings.simplefilter("ignore")

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.found.__exit__(None, None, None)


_SWITCH = _Switch()  # warnings are of the whole process, and so is this


@contextmanager
def quiet() -> Iterator[None]:
    """Show no warnings while the block runs.

    Yields:
        Nothing.
    """
    _SWITCH.enter()
    try:
        yield
    finally:
        _SWITCH.leave()
