"""A disk that is nearly full, for as long as a block lasts."""

import resource
from contextlib import contextmanager


@contextmanager
def full_disk(room=4096):
    """Let no file grow beyond some bytes; only in the block, as the test's log is a file too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
