"""Freed memory is used again, not cleared anew by the kernel."""

import subprocess
import sys

import pytest

_FAULTS = """
import resource
from mien.train.distributed import keep_freed_memory
def faults():
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        b"x" * (64 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults())
assert keep_freed_memory()
print(faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone can be asked")
def test_a_block_that_was_freed_is_taken_again_without_new_pages():
    command = [sys.executable, "-c", _FAULTS]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    before, kept = map(int, result.stdout.split())
    assert kept < 100
    assert before > 1000  # 16,384 pages of 4 KiB, unless some are huge
