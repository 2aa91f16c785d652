"""Whether what would be uploaded installs and works: the wheel and the sdist, on every Python.

Run: python -m fuzz.release [--python PATH ...] [--no-train] [--dist DIR]; `make release`
Builds the sdist, and from it the wheel; `twine check --strict`; reads the metadata as PyPI would
show it; unpacks the sdist and collects its own tests. Then, for every Python of the classifiers
that can be had, an environment each for the wheel, the sdist and the wheel's train extra, in which
`mien demo` and the smoke test run. Needs a package index, and what the dev extra installs. Uploads
nothing. Writes results/release.json, where what could not be tried is named; with --dist the two
files are left in a folder if all is well.
"""

import argparse
import email.message
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from benchmarks import timing
from fuzz.ranges import Environment, tried, version_of
from mien.media.writers import write_text

__all__ = ["find_pythons", "problems_of", "pythons_named"]

_ROOT = Path(__file__).parents[1]
_TRAIN_PINS = ("torch",)  # by constraints.txt: a build known to work


def pythons_named(classifiers: Sequence[str]) -> list[str]:
    """List the Pythons that a project says it is for.

    Args:
        classifiers: of the project.

    Returns:
        Versions with a minor number, in order.

    Example:
        >>> pythons_named(["Programming Language :: Python :: 3 :: Only",
        ...                "Programming Language :: Python :: 3.12"])
        ['3.12']
    """
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", c) for c in classifiers)
    return [match[1] for match in found if match]


def find_pythons(versions: Sequence[str], home: Path) -> dict[str, str | None]:
    """Look for an interpreter of each version: this one, pyenv's, or one on the path.

    Args:
        versions: such as ``3.12``.
        home: folder with pyenv's ``.pyenv``, if there is one.

    Returns:
        By version the interpreter, or None if there is none.
    """
    found: dict[str, str | None] = {}
    for version in versions:
        own = [sys.executable] if f"{sys.version_info[0]}.{sys.version_info[1]}" == version else []
        pyenv = map(str, sorted((home / ".pyenv" / "versions").glob(f"{version}.*/bin/python")))
        on_path = filter(None, [shutil.which(f"python{version}")])
        found[version] = next(iter([*own, *pyenv, *on_path]), None)
    return found


def problems_of(metadata: email.message.Message) -> list[str]:
    """Say what PyPI would show wrongly.

    Args:
        metadata: of a wheel or an sdist.

    Returns:
        A sentence each; empty if all is well.
    """
    body = str(metadata.get_payload())
    targets = re.findall(r"\]\(([^)\s]+)\)", body) + re.findall(r'(?:src|href)="([^"]+)"', body)
    broken = [t for t in targets if not t.startswith(("https://", "#", "mailto:"))]
    problems = [f"the link to {target} would lead nowhere" for target in broken]
    licence = metadata["License-Expression"]
    if licence != "Apache-2.0 AND CC-BY-NC-4.0":
        problems.append(f"the licence is {licence}, without that of the weights or of the code")
    named = {label.split(",")[0] for label in metadata.get_all("Project-URL", [])}
    missing = {"Homepage", "Documentation", "Changelog", "Issues"} - named
    problems += [f"no address of the {name}" for name in sorted(missing)]
    if "$HFPR" in body:
        problems.append("the version was not put into the links")
    return problems


def main() -> None:
    """Build, check, and try on every Python; exit code 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.release")
    parser.add_argument("--python", action="append", help="an interpreter; may be repeated")
    parser.add_argument("--no-train", action="store_true", help="leave out the train extra")
    parser.add_argument("--dist", type=Path, help="folder for the two files, if all is well")
    parser.add_argument("--out", type=Path, default=_ROOT / "results" / "release.json")
    chosen = parser.parse_args()
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = (
        {version_of(python): python for python in chosen.python}
        if chosen.python
        else find_pythons(pythons_named(project["classifiers"]), Path.home())
    )
    record = timing.head("whether what would be uploaded installs and works", "fuzz.release", {})
    with tempfile.TemporaryDirectory(prefix="mien-release-") as work:
        sdist, wheel = _build(Path(work))
        record |= _checks(sdist, wheel, Path(work))
        made = _environments(pythons, sdist, wheel, not chosen.no_train)
        record["environments"] = {
            environment.name: tried(environment, python, file, Path(work))
            for environment, python, file in made
        }
        broken = [row for row in record["environments"].values() if not row["works"]]
        if chosen.dist and not broken and not record["problems"]:
            shutil.copytree(sdist.parent, chosen.dist, dirs_exist_ok=True)
    record["not tried"] = [f"Python {v}: not found" for v, python in pythons.items() if not python]
    write_text(json.dumps(record, indent=1) + "\n", chosen.out)
    print("\n".join([*record["not tried"], *record["problems"], f"wrote {chosen.out}"]))
    sys.exit(bool(broken or record["problems"]))


def _build(work: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from the sdist, as ``python -m build`` does."""
    words = [sys.executable, "-m", "build", "--outdir", str(work / "dist"), str(_ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the build fails\n{(done.stdout + done.stderr).strip()[-3000:]}")
    [sdist] = (work / "dist").glob("*.tar.gz")
    [wheel] = (work / "dist").glob("*.whl")
    return sdist, wheel


def _checks(sdist: Path, wheel: Path, work: Path) -> dict[str, Any]:
    """What can be said without installing: metadata, sizes, the sdist's own tests."""
    twine = [sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)]
    done = subprocess.run(twine, capture_output=True, text=True, check=False)
    problems = [] if done.returncode == 0 else [f"twine: {done.stdout.strip()}"]
    for name, metadata in (("sdist", _sdist_metadata(sdist)), ("wheel", _wheel_metadata(wheel))):
        problems += [f"{name}: {problem}" for problem in problems_of(metadata)]
    tests = _collected(sdist, work)
    if tests["error"]:
        problems.append(f"the sdist cannot collect its own tests: {tests['error']}")
    sizes = {"sdist": sdist.stat().st_size, "wheel": wheel.stat().st_size}
    return {"problems": problems, "bytes": sizes, "tests in the sdist": tests["count"]}


def _sdist_metadata(sdist: Path) -> email.message.Message:
    with tarfile.open(sdist) as archive:
        [name] = [n for n in archive.getnames() if n.endswith("/PKG-INFO")]
        file = archive.extractfile(name)
        assert file is not None
        return BytesParser().parsebytes(file.read())


def _wheel_metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        return BytesParser().parsebytes(archive.read(name))


def _collected(sdist: Path, work: Path) -> dict[str, Any]:
    """Unpack the sdist and let pytest find its tests there, with the sdist's own package."""
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "unpacked", filter="data")
    [folder] = (work / "unpacked").iterdir()
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    own = os.environ | {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, cwd=folder, env=own, capture_output=True, text=True, check=False)
    count = re.search(r"^(\d+) tests collected", done.stdout, re.MULTILINE)
    error = "" if done.returncode == 0 and count else (done.stdout + done.stderr).strip()[-1500:]
    return {"count": int(count[1]) if count else 0, "error": error}


def _environments(
    pythons: Mapping[str, str | None], sdist: Path, wheel: Path, train: bool
) -> Iterator[tuple[Environment, str, Path]]:
    """For every Python that was found: the wheel, the sdist, and the train extra."""
    lines = (_ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line.startswith(_TRAIN_PINS))
    for version, python in pythons.items():
        if python:
            yield Environment(f"python {version}, wheel"), python, wheel
            yield Environment(f"python {version}, sdist"), python, sdist
            if train:
                yield Environment(f"python {version}, train", ("train",), pins), python, wheel


if __name__ == "__main__":
    main()
