"""A disk that is nearly full, for as long as a block lasts."""

import resource
from contextlib import contextmanager


@contextmanager
def full_disk():
    """Let no file grow beyond 4096 bytes; only in the block, as the test's log is a file too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
