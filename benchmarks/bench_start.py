"""How long do `import mien`, `mien --help` and a first prediction take?

Each in a new process, beside a bare `python -c pass`; the difference is what mien adds. The files
are in the system's cache and compiled after the warm-up, whose times are kept as `first_ms`.

Run: python -m benchmarks.bench_start
Goals: over the bare start, `import mien` at most 0.1 s and `mien --help` at most 0.4 s;
`mien predict photo.jpg` at most 2 s in all.
Check: each prints what it should; import and help load neither torch nor onnxruntime nor cv2.
"""

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from benchmarks import portraits, timing

MIEN = str(Path(sysconfig.get_path("scripts")) / "mien")
COMMANDS = {
    "bare": (sys.executable, "-c", "pass"),
    "import": (sys.executable, "-c", "import mien"),
    "help": (MIEN, "--help"),
    "predict": (MIEN, "predict", str(portraits.PATH)),
}
NAMES = ("python -c pass", "import mien", "mien --help", "mien predict photo.jpg")
HEAVY = ("torch", "onnxruntime", "cv2")


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_commands() -> None:
    for command in COMMANDS.values():
        timing.check(run(*command).returncode == 0, f"{' '.join(command)} ends well")
    timing.check("Example: mien predict" in run(*COMMANDS["help"]).stdout, "help has an example")
    timing.check("1 face" in run(*COMMANDS["predict"]).stdout, "the portrait has one face")
    for command in (COMMANDS["import"], (sys.executable, MIEN, "--help")):
        output = run(command[0], "-X", "importtime", *command[1:]).stderr
        modules = {line.rsplit("|", 1)[-1].strip() for line in output.splitlines()}
        timing.check("mien" in modules, f"{' '.join(command)} imports mien")
        timing.check(not modules.intersection(HEAVY), f"{' '.join(command)} stays light")


def caller(command: tuple[str, ...]) -> Callable[[], object]:
    return lambda: run(*command)


def main() -> None:
    chosen = timing.options(repeats=15)
    settings = {"processes": "new for every repeat", "repeats": chosen.repeats}
    report = timing.Report("start", __doc__.splitlines()[0], settings)
    rivals = {name: caller(command) for name, command in COMMANDS.items()}
    times = timing.take_turns(rivals, chosen.repeats, warmup=1)
    check_commands()
    over = {name: round(times[name].median_s - times["bare"].median_s, 4) for name in COMMANDS}
    report.figures = {
        "whole": {name: spent.record() for name, spent in times.items()},
        "over_bare_s": over,
    }
    report.table([
        (
            title,
            f"{times[name].median_s:.3f} s, IQR {times[name].iqr_s:.3f}, {over[name]:.3f} s over",
        )
        for title, name in zip(NAMES, COMMANDS, strict=True)
    ])
    report.goals = [
        timing.Goal("import mien, s over a bare start", 0.1, over["import"]),
        timing.Goal("mien --help, s over a bare start", 0.4, over["help"]),
        timing.Goal("mien predict photo.jpg, s", 2.0, round(times["predict"].median_s, 4)),
    ]
    report.write(chosen.out)


if __name__ == "__main__":
    main()
