"""One `pip install` of the wheel, in an environment of its own, is all it takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LIMIT = 350_000_000  # bytes, the package with all it needs
# The portrait, read through the installed command; then what was imported on the way.
PROBE = """
import json, sys
from mien.cli import cli
cli(["predict", sys.argv[1], "--json"], standalone_mode=False)
print(json.dumps(sorted({"torch", "kornia", "onnx", "matplotlib"} & set(sys.modules))))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of a fresh environment with the built wheel in it."""
    folder = tmp_path_factory.mktemp("install")
    run = [sys.executable, "-m"]
    subprocess.run([*run, "build", "--wheel", "--outdir", str(folder), str(ROOT)], check=True)
    subprocess.run([*run, "venv", str(folder / "venv")], check=True)
    interpreter = folder / "venv" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    subprocess.run([str(interpreter), "-m", "pip", "install", "-q", str(wheel)], check=True)
    return interpreter


def _size(folder):
    files = (f for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    return sum(f.stat().st_size for f in files)


def test_the_install_stays_small_and_brings_no_torch(python):
    [site] = python.parents[1].glob("lib/python*/site-packages")
    assert not (site / "torch").exists()
    own = _size(site) - _size(site / "pip")
    print(f"installed: {own / 1e6:.0f} MB")  # noqa: T201 - shown with pytest -s
    assert own < LIMIT


def test_the_installed_package_reads_the_portrait_outside_the_project(python, tmp_path):
    portrait = ROOT / "src" / "mien" / "pictures" / "eileen_collins.jpg"
    command = [str(python), "-c", PROBE, str(portrait)]
    bare = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    result = subprocess.run(
        command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=True
    )
    picture, imported = map(json.loads, result.stdout.splitlines())
    assert [face["label"] for face in picture["faces"]] == ["happiness"]
    assert imported == []


def test_the_demo_writes_its_picture_and_names_it(python, tmp_path):
    mien = python.with_name("mien")
    result = subprocess.run(
        [str(mien), "demo"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    written = tmp_path / "mien-demo.png"
    assert str(written) in result.stdout
    assert written.stat().st_size > 50_000
