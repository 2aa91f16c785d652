"""How many threads are worth starting: at most one a core.

More of them only wait for each other, and each costs memory: 99,999 take 16 GB and minutes. Knows
nothing of what they do.
"""

import os
import warnings

__all__ = ["at_most_cores", "cores"]


def cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def at_most_cores(threads: int, stacklevel: int = 3) -> int:
    """Return a number of threads, or the number of cores where it is above that.

    The cap is said by a `UserWarning`, which Python shows once for each place that asks for it.

    Args:
        threads: wanted; 0 stands for all cores and stays 0.
        stacklevel: of the warning; 3 blames the caller of the caller.

    Returns:
        0, or from 1 to `cores()`.

    Raises:
        ValueError: if `threads` is negative.

    Example:
        >>> at_most_cores(0), at_most_cores(1)
        (0, 1)
    """
    if threads < 0:
        raise ValueError(f"threads must be 0 (all cores) or more, got {threads}")
    if threads <= cores():
        return threads
    warnings.warn(f"{threads} threads: taking {cores()}, one a core", stacklevel=stacklevel)
    return cores()
