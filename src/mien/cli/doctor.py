"""The command that says what is installed here, and whether it works: doctor."""

import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from mien import __version__
from mien.cli._shared import DETECTOR, echo
from mien.cores import cores
from mien.errors import MienError

__all__ = ["doctor_command"]

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?[^;]*(?:;(.*))?")
_EXTRA = re.compile(r"extra == ['\"]([^'\"]+)['\"]")
_SET = ("MIEN_DETECTOR", "MIEN_DATA", "OMP_NUM_THREADS")  # variables that change what mien does


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for a report of a fault.")
@DETECTOR
def doctor_command(as_json: bool) -> None:
    """Say what is installed here, what is missing, and whether mien works.

    Checks the model in the package, the two networks that find faces by their hashes, and reads the
    portrait in the package. Exits with 1 if one of them fails.

    Example: mien doctor
    """
    base, extras = _requirements()
    checks = [_check(what, run) for what, run in _CHECKS.items()]
    report: dict[str, Any] = {
        "mien": __version__,
        "package": str(Path(__file__).parents[1]),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": cores(),
        "cores of the machine": os.cpu_count(),
        "set": {name: os.environ[name] for name in _SET if name in os.environ},
        "packages": {name: _version(name) for name in base},
        "extras": {extra: {n: _version(n) for n in names} for extra, names in extras.items()},
        "checks": checks,
    }
    echo(json.dumps(report, indent=1) if as_json else "\n".join(_lines(report)))
    if any("error" in check for check in checks):
        sys.exit(1)


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    """What mien always needs, and what each extra adds; dev is for those who work on mien."""
    base: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in metadata.requires("mien") or ():
        match = _REQUIREMENT.fullmatch(line.strip())
        assert match is not None, line
        extra = _EXTRA.search(match[2] or "")
        names = extras.setdefault(extra[1], []) if extra else base
        if match[1] != "mien":
            names.append(match[1])
    extras.pop("dev", None)
    return base, dict(sorted(extras.items()))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _check(what: str, run: Callable[[], str]) -> dict[str, str]:
    """What a check found, or its error and the next step."""
    try:
        return {"of": what, "found": run()}
    except MienError as error:
        return {"of": what, "error": error.message, "fix": error.fix}
    except ImportError as error:  # a package is missing, or lacks a library of the system
        fix = "pip install --force-reinstall mien, or install the library that is named"
        return {"of": what, "error": str(error), "fix": fix}


def _model() -> str:
    from mien.recognize.model import SHIPPED, Model

    card = Model(SHIPPED, threads=1).card
    return f"{card['name']}, {card['parameters']:,} parameters, its seal is whole; {SHIPPED}"


def _boxes() -> str:
    from mien.faces.detect import YUNET, locate

    return f"its SHA-256 is the expected one; {locate(YUNET)}"


def _landmarks() -> str:
    from mien.faces.detect import ONET, locate

    return f"its SHA-256 is the expected one; {locate(ONET)}"


def _portrait() -> str:
    from mien.media.images import PORTRAIT
    from mien.recognize.recognizer import Recognizer

    faces = Recognizer(threads=1).read(PORTRAIT).faces
    found = ", ".join(f"{face.label} {face.probability:.0%}" for face in faces) or "no face"
    if [face.label for face in faces] != ["happiness"]:
        raise MienError(
            f"the portrait in the package reads as {found}, not as happiness",
            fix="pip install --force-reinstall mien, and report it if that does not help",
        )
    return found


_CHECKS = {
    "the model": _model,
    "the face detector YuNet": _boxes,
    "the landmark network ONet": _landmarks,
    "the portrait": _portrait,
}


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for people."""
    yield f"mien {report['mien']}, in {report['package']}"
    yield f"Python {report['python']}, {report['system']}"
    yield f"cores: {report['cores']} of {report['cores of the machine']}"
    for name, value in report["set"].items():
        yield f"{name} is set to {value}"
    yield "\npackages:"
    for name, version in report["packages"].items():
        yield f"  {name} {version or 'is missing; pip install mien'}"
    yield "\nextras:"
    width = max(map(len, report["extras"]), default=0)
    for extra, packages in report["extras"].items():
        missing = [name for name, version in packages.items() if version is None]
        there = ", ".join(f"{n} {version}" for n, version in packages.items() if version)
        state = f'missing {", ".join(missing)}; pip install "mien[{extra}]"' if missing else there
        yield f"  {extra.ljust(width)}  {state}"
    yield "\nchecks:"
    for check in report["checks"]:
        found = check.get("found") or f"FAILS: {check['error']}\n    try: {check['fix']}"
        yield f"  {check['of']}: {found}"
