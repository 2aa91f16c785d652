"""Seconds and peak memory of a command, as a user starts it."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks import timing

__all__ = ["MIEN", "of", "run"]

MIEN = str(Path(sysconfig.get_path("scripts")) / "mien")
# The peak of a new process starts at that of the one it was forked from, so a small one is put
# between. ru_maxrss is in kilobytes on Linux.
_LAUNCHER = """
import json, os, sys, time
start = time.perf_counter()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
spent = time.perf_counter() - start
print("\\n" + json.dumps([os.waitstatus_to_exitcode(status), spent, usage.ru_maxrss]))
"""


def run(*words: str) -> tuple[float, float]:
    """Run ``mien WORDS`` and check that it ends well.

    Args:
        words: after ``mien``.

    Returns:
        Seconds, start included, and the peak of resident memory in MiB by the system's count.
    """
    return of(MIEN, *words)


def of(*command: str) -> tuple[float, float]:
    """Run a command and check that it ends well.

    Args:
        command: the path of the program, and its words.

    Returns:
        As `run`.
    """
    launcher = [sys.executable, "-S", "-c", _LAUNCHER, *command]
    done = subprocess.run(launcher, capture_output=True, text=True, check=True)
    code, seconds, kilobytes = json.loads(done.stdout.splitlines()[-1])
    timing.check(code == 0, f"{' '.join(command[:2])} ends well: {done.stderr}")
    return seconds, kilobytes / 1024
