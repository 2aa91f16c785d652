"""What the README promises holds: its Python runs, its tree and its commands are the real ones."""

import doctest
import re
from pathlib import Path

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
    assert names["heat"].shape == (64, 64)
    assert names["heat"].max() == 1


def test_the_examples_of_the_page_on_explanations_run():
    failed, tried = doctest.testfile(str(ROOT / "docs" / "explain.md"), module_relative=False)
    assert tried >= 9
    assert failed == 0


def test_every_module_stands_in_the_tree():
    for path in (ROOT / "src" / "mien").rglob("*.py"):
        inside = path.relative_to(ROOT / "src" / "mien")
        folder = inside.parts[0] if len(inside.parts) > 1 else inside.name
        if inside.name != "__init__.py":
            assert folder in TREE, f"{inside} is not in the README's tree"


def test_every_file_named_in_the_tree_exists():
    folder = ""
    for line in TREE.splitlines():
        if not line.startswith("  "):
            continue
        if not line.startswith("   "):  # not a line that goes on with the folder above
            folder = re.match(r"  ([a-z_]+/)?", line)[1] or ""
        for name in re.findall(r"[a-z0-9_]+\.py", line):
            found = ROOT / "src" / "mien" / folder / name
            assert found.exists(), f"{folder}{name} is in the tree and not in the package"


@pytest.mark.parametrize("line", re.findall(r"^mien [a-z].*$", README, flags=re.MULTILINE))
def test_every_command_line_in_the_readme_uses_options_that_exist(line):
    name, *words = line.split()[1:]
    command = cli.get_command(None, name)
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known
