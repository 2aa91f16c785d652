"""The process that tries inputs: one after another, each in the file that it is named after.

Run by `campaign`: python -m fuzz.child KIND SEED FOLDER. Reads lines of JSON from standard input,
``["numbers", start, stop]`` or ``["file", path]``, and answers each input with one line of JSON:
what it did, its seconds of processor time and the peak of this process's memory. Whatever mien
prints is thrown away; where the process dies, faulthandler writes the place to FOLDER/crash.txt.
Linux only: the peak is reset and read through /proc.
"""

import faulthandler
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz.kinds import find
from fuzz.mutate import Seed, mutated

__all__: list[str] = []

_ROOM = 6 << 30  # bytes of address space beyond those of the start: the machine is not to suffer


def main() -> None:
    """Answer until standard input ends."""
    kind_name, seed, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    place = folder / "inputs"
    for made in (place, folder / "door"):
        made.mkdir(parents=True, exist_ok=True)
    kind = find(kind_name)
    begun, use = kind.seeds(folder / "seeds"), kind.door(folder / "door")
    os.dup2(nowhere, 2)
    with (folder / "crash.txt").open("w") as crash:
        faulthandler.enable(crash)
        _limit()
        answers.write('"ready"\n')
        for line in sys.stdin:
            word, *rest = json.loads(line)
            if word == "file":
                path = Path(rest[0])
                name = path.name.split("__")[-1]  # tests/corpus/KIND/CASE__NAME
                answer = _try(use, Seed(name, path.read_bytes()), place)
                answers.write(json.dumps({"number": -1, **answer}) + "\n")
                continue
            for number in range(*rest):
                made_of = mutated(begun, kind_name, seed, number, kind.change)
                answer = _try(use, made_of, place)
                answers.write(json.dumps({"number": number, **answer}) + "\n")


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    most = pages * resource.getpagesize() + _ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _try(use: Callable[[Path], None], made: Seed, folder: Path) -> dict[str, Any]:
    """Use one input, and say what came of it."""
    file = folder / made.name
    file.write_bytes(made.data)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # resets the peak
    start = time.process_time()
    outcome, detail, trace = "clean", "", ""
    try:
        use(file)
    except BaseException as error:  # noqa: BLE001 - to see every error is what this is for
        outcome, detail, trace = _verdict(error)
    seconds = time.process_time() - start
    return {
        "outcome": outcome,
        "detail": detail,
        "trace": trace,
        "seconds": round(seconds, 4),
        "peak_mib": _peak_mib(),
    }


def _verdict(error: BaseException) -> tuple[str, str, str]:
    from fuzz.doors import Refused
    from mien.errors import MienError

    if isinstance(error, MienError | Refused):
        return "refused", str(error)[:1000], ""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/mien/" in f.filename] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "nowhere"
    text = "".join(traceback.format_exception(error))
    return "failed", f"{type(error).__name__} from {where}", text[-4000:]


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    main()
