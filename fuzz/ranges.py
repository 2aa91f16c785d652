"""Whether mien works at both ends of the range of every dependency, each in its own environment.

Run: python -m fuzz.ranges [--python PATH ...] [--only WORD] [--out FILE]; `make ranges`
The wheel is built once. Then for every Python: the newest packages that the ranges allow, the
oldest ones together, and each oldest one among the newest; with the extras that need no torch in
the first two. `smoke` runs in each. Needs a package index. Writes results/ranges.json, where the
environments that were made before and are not made now stay.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from benchmarks import timing
from mien.media.writers import write_text

__all__ = ["EXTRAS", "Environment", "environments", "oldest", "tried", "version_of"]

_ROOT = Path(__file__).parents[1]
EXTRAS = (
    "plot",
    "proof",
    "data",
    "video",
    "web",
    "heic",
    "tables",
)  # train, explain, ray and dev need torch or ray
_INSTALL_S, _SMOKE_S = 1200, 900


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed, beside mien itself.

    Attributes:
        name: of the environment, with its Python.
        extras: of mien.
        pins: version by package; the others are as new as the ranges allow.
    """

    name: str
    extras: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)


def oldest(requirement: str) -> tuple[str, str]:
    """Read the lower end of a range.

    Args:
        requirement: as in pyproject.toml.

    Returns:
        The package and the version.

    Raises:
        ValueError: if the range has no lower end.

    Example:
        >>> oldest("numpy>=1.26,<3")
        ('numpy', '1.26')
    """
    parsed = Requirement(requirement)
    versions = [spec.version for spec in parsed.specifier if spec.operator in {">=", "=="}]
    if len(versions) != 1:
        raise ValueError(f"{requirement} has not one lower end")
    return parsed.name, versions[0]


def environments(project: Mapping[str, Any], python: str) -> Iterator[Environment]:
    """List the environments for one Python.

    Args:
        project: the table ``project`` of pyproject.toml.
        python: its version, for the names and for markers, such as ``3.12``.

    Yields:
        The environments: the ends together first, then each oldest package alone.
    """
    own = _for_python(project["dependencies"], python)
    base = dict(map(oldest, own))
    more = [
        requirement
        for extra in EXTRAS
        for requirement in _for_python(project["optional-dependencies"][extra], python)
        if not requirement.startswith("mien")
    ]
    yield Environment(f"python {python}, newest", EXTRAS)
    yield Environment(f"python {python}, oldest", EXTRAS, {**base, **dict(map(oldest, more))})
    for requirement in own:
        package, version = oldest(requirement)
        if f"=={version}" not in requirement:
            yield Environment(f"python {python}, oldest {package}", (), {package: version})


def _for_python(requirements: Sequence[str], python: str) -> list[str]:
    """Those whose marker is true for a Python, without the marker."""
    chosen = []
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            requirement.marker = None
            chosen.append(str(requirement))
    return chosen


def main() -> None:
    """Make every environment, and say in which of them mien works."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.ranges")
    parser.add_argument("--python", action="append", help="an interpreter; may be repeated")
    parser.add_argument("--only", default="", help="environments whose name ends with this")
    parser.add_argument("--out", type=Path, default=_ROOT / "results" / "ranges.json")
    chosen = parser.parse_args()
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    head = timing.head("whether mien works at both ends of every range", "fuzz.ranges", {})
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mien-ranges-") as work:
        wheel = _wheel(Path(work))
        for python in chosen.python or [sys.executable]:
            for environment in environments(project, version_of(python)):
                if environment.name.endswith(chosen.only):
                    record = tried(environment, python, wheel, Path(work))
                    _write(chosen.out, head, environment.name, record)
                    failed += not record["works"]
    print(f"wrote {chosen.out}")
    sys.exit(failed > 0)


def version_of(python: str) -> str:
    """Ask an interpreter for its version, such as ``3.12``."""
    words = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _wheel(work: Path) -> Path:
    words = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(work), str(_ROOT)]
    subprocess.run(words, check=True)
    [wheel] = work.glob("mien-*.whl")
    return wheel


def tried(environment: Environment, python: str, wheel: Path, work: Path) -> dict[str, Any]:
    """Make an environment, run the smoke test in it, and throw it away.

    Args:
        environment: what is installed beside mien.
        python: the interpreter to make it with.
        wheel: of mien, or an sdist.
        work: folder in which the environment lives for as long.

    Returns:
        ``works``, ``pins``, and either ``versions`` and ``megabytes`` of what was installed, or the
        ``step`` that fails and its ``error``.
    """
    with tempfile.TemporaryDirectory(dir=work) as folder:
        own = Path(folder) / "venv" / "bin" / "python"
        pins = Path(folder) / "pins.txt"
        lines = [f"{package}=={version}" for package, version in environment.pins.items()]
        pins.write_text("\n".join(lines) + "\n", encoding="utf-8")
        extras = ",".join(environment.extras)
        what = f"{wheel}[{extras}]" if extras else str(wheel)
        install = [str(own), "-m", "pip", "install", "-q", "--prefer-binary", what, "-c", str(pins)]
        smoke = [str(own), str(_ROOT / "fuzz" / "smoke.py"), *environment.extras]
        start = time.perf_counter()
        steps = (
            ("venv", [python, "-m", "venv", str(own.parents[1])], _INSTALL_S),
            ("install", install, _INSTALL_S),
            ("smoke", smoke, _SMOKE_S),
        )
        for step, words, seconds in steps:
            done = _run(words, Path(folder), seconds)
            if done.returncode:
                error = (done.stdout + done.stderr).strip()[-1500:]
                print(f"{environment.name}: {step} fails\n{error}", flush=True)
                return {"works": False, "step": step, "error": error, "pins": lines}
        print(f"{environment.name}: works, {time.perf_counter() - start:.0f} s", flush=True)
        versions = json.loads(done.stdout.splitlines()[-1])
        return {"works": True, "extras": list(environment.extras), "pins": lines} | {
            "versions": versions,
            "megabytes": _megabytes(own.parents[1]),
        }


def _megabytes(environment: Path) -> int:
    """What was installed into an environment, without pip."""
    [site] = environment.glob("lib/python*/site-packages")
    files = (f for f in site.rglob("*") if f.is_file() and f.relative_to(site).parts[0] != "pip")
    return round(sum(file.stat().st_size for file in files) / 1e6)


def _run(words: Sequence[str], folder: Path, seconds: float) -> "subprocess.CompletedProcess[str]":
    """Run a command without this one's Python path; one that takes too long has failed."""
    bare = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    try:
        return subprocess.run(
            words, cwd=folder, env=bare, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"not done in {seconds:g} s")


def _write(path: Path, head: dict[str, Any], name: str, record: dict[str, Any]) -> None:
    """Put an environment's record into the file; those of others stay."""
    made = json.loads(path.read_text(encoding="utf-8"))["environments"] if path.exists() else {}
    made[name] = {**record, "date": head["date"]}
    ordered = dict(sorted(made.items(), key=lambda item: re.split(r",", item[0], maxsplit=1)))
    write_text(json.dumps({**head, "environments": ordered}, indent=1) + "\n", path)


if __name__ == "__main__":
    main()
