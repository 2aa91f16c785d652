"""A disk that is nearly full, for as long as a block lasts."""

import resource
from contextlib import contextmanager


@contextmanager
def full_disk():
    """Let no file grow over 4096 bytes; only inside the block, as the test's own log is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
