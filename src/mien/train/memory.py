"""Memory that training frees stays with the process, to be used again by the next step.

Without this, glibc maps every activation of more than a few megabytes anew, and the kernel clears
its pages each time: a third of a step's time with `cnn15` on two cores (lab/LOG.md).
"""

import ctypes
import sys

__all__ = ["keep_freed"]

# Parameters of mallopt(3) and the values that end the giving back.
_SETTINGS = (
    (-1, -1),  # M_TRIM_THRESHOLD: the top of the heap is never given back
    (-2, 64 << 20),  # M_TOP_PAD: it grows by 64 MiB and more
    (-4, 0),  # M_MMAP_MAX: nothing is mapped on its own
    (-8, 1),  # M_ARENA_MAX: the backward pass, another thread, uses the same heap
)


def keep_freed() -> bool:
    """Ask glibc to keep what is freed, for the rest of the process.

    Returns:
        Whether it was asked: False where the C library is another one.

    Source:
        mallopt(3) of the Linux manual.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and all([mallopt(key, value) for key, value in _SETTINGS])
