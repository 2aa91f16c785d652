"""Freed memory is used again, not cleared anew by the kernel."""

import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
from mien.train.distributed import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b"x" * (64 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(kept: str) -> int:
    command = [sys.executable, "-c", _FAULTS, kept]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone can be asked")
def test_a_block_that_was_freed_is_taken_again_without_new_pages():
    assert _faults("kept") < 100
    assert _faults("not") > 1000  # 16,384 pages of 4 KiB, unless some are huge
