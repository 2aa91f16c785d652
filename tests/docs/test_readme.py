"""What the README promises holds: its Python runs, its tree and its commands are the real ones."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from mien.cli import cli
from mien.media.writers import write_picture

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


# Fences come in pairs: language and text of every block, in order.
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
[TREE] = [text for _, text in BLOCKS if "labels.py" in text]


def test_the_python_of_the_first_screen_runs_and_names_the_portrait(
    portrait, tmp_path, monkeypatch, capsys
):
    write_picture(portrait, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    [code] = [text for language, text in BLOCKS if language == "python"]
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert "happiness" in capsys.readouterr().out
    assert names["heat"].shape == (88, 88)
    assert names["heat"].max() == 1


PACKAGE = ROOT / "src" / "mien"
ROOMS = sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)


def test_every_room_stands_in_the_tree_and_no_other():
    listed = re.findall(r"^  ([a-z_]+(?:/|\.py)) ", TREE, flags=re.MULTILINE)
    rooms = [f"{room.name}/" for room in ROOMS if room.parent == PACKAGE]
    files = [path.name for path in PACKAGE.glob("[a-z]*.py")]
    assert sorted(listed) == sorted(rooms + files)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(PACKAGE).as_posix())
def test_the_head_of_a_room_lists_each_of_its_files_and_no_other(room):
    head = (room / "__init__.py").read_text(encoding="utf-8").split('"""')[1]
    listed = [
        name
        for names in re.findall(
            r"^([a-z_0-9]+/?(?:, [a-z_0-9]+/?)*)  +\S", head, flags=re.MULTILINE
        )
        for name in names.split(", ")
    ]
    files = [path.stem for path in room.glob("*.py") if path.name != "__init__.py"]
    folders = [
        f"{path.name}/" for path in room.iterdir() if path.is_dir() and "__" not in path.name
    ]
    assert sorted(listed) == sorted(files + folders)


@pytest.mark.parametrize("line", re.findall(r"^mien [a-z].*$", README, flags=re.MULTILINE))
def test_every_command_line_in_the_readme_uses_options_that_exist(line):
    name, *words = line.split()[1:]
    command = cli.get_command(None, name)
    params = command.get_params(click.Context(command))
    known = {option for p in params for option in (*p.opts, *p.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_extra_that_is_named_exists_and_the_readme_lists_them():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].keys()
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
    texts = [path.read_text(encoding="utf-8") for path in (*pages, *PACKAGE.rglob("*.py"))]
    named = {
        extra
        for text in texts
        for names in re.findall(r"mien\[([a-z,]+)\]", text)
        for extra in names.split(",")
    }
    calls = r'(?:needs|MissingExtraError)\(\s*"[^"]+", "([a-z]+)"'
    named |= {extra for text in texts for extra in re.findall(calls, text)}
    assert "plot" in named
    assert named <= extras
    assert named == set(re.findall(r"^\| `([a-z]+)` \|", README, flags=re.MULTILINE))
