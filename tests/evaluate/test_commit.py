"""Which code made a result: a commit of this project, or its version where it is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mien
from mien.evaluate.accuracy import commit

PACKAGE = Path(mien.__file__).parent
ASK = "from mien.evaluate.accuracy import commit; print(commit())"


def git(folder, *words):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def repository(folder):
    """Somebody's repository with one commit; its short name."""
    folder.mkdir(parents=True)
    git(folder, "init")
    git(folder, "commit", "--allow-empty", "-m", "theirs")
    words = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def ask(packages, **environment):
    env = os.environ | {"PYTHONPATH": str(packages)} | environment
    words = [sys.executable, "-c", ASK]
    return subprocess.run(words, check=True, capture_output=True, text=True, env=env).stdout.strip()


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A function that puts the package into a folder."""

    def run(folder):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, folder / "mien", ignore=ignored)
        return folder

    return run


@pytest.mark.parametrize("place", [".venv/lib/python3.11/site-packages", "src", "."])
def test_inside_somebodys_repository_it_is_the_version(tmp_path, copied, place):
    repository(tmp_path / "theirs")
    (tmp_path / "theirs/pyproject.toml").write_text('[project]\nname = "theirs"\n')
    (tmp_path / "theirs" / place).mkdir(parents=True, exist_ok=True)
    assert ask(copied(tmp_path / "theirs" / place)) == mien.__version__


def test_in_its_own_checkout_it_is_the_commit(tmp_path, copied):
    name = repository(tmp_path / "own")
    (tmp_path / "own/pyproject.toml").write_text('[project]\nname = "mien"\n')
    packages = copied(tmp_path / "own" / "src")
    assert ask(packages) == name
    git(tmp_path / "own", "add", ".")
    assert ask(packages) == f"{name}-dirty"


def test_without_a_repository_it_is_the_version(tmp_path, copied):
    assert ask(copied(tmp_path / "lib")) == mien.__version__


def test_a_repository_that_the_environment_names_is_not_asked(tmp_path, copied):
    repository(tmp_path / "theirs")
    packages = copied(tmp_path / "lib")
    named = {"GIT_DIR": str(tmp_path / "theirs/.git"), "GIT_WORK_TREE": str(tmp_path / "theirs")}
    assert ask(packages, **named) == mien.__version__


def test_here_it_is_one_of_both():
    assert commit()
