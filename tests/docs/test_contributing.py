"""What CONTRIBUTING.md names exists: files, tables of names, targets of make."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"[\w/.-]*\w\.(?:py|md|toml)\b", TEXT)))
TABLES = [
    ("src/mien/models/zoo.py", "MODELS"),
    ("src/mien/models/zoo.py", "SOURCES"),
    ("src/mien/data/datasets/__init__.py", "DATASETS"),
    ("src/mien/explain/cam.py", "GRADIENT_METHODS"),
    ("src/mien/explain/methods.py", "METHODS"),
    ("src/mien/cli/__init__.py", "_COMMANDS"),
    ("src/mien/media/writers.py", "FORMATS"),
    ("src/mien/media/writers.py", "OUTPUTS"),
]


@pytest.mark.parametrize("name", FILES)
def test_every_file_it_names_exists(name):
    path = Path(name).parent if "NAME" in name else Path(name)  # NAME stands for a new file's
    assert any((folder / path).exists() for folder in (ROOT, ROOT / "src" / "mien"))


@pytest.mark.parametrize(("file", "table"), TABLES)
def test_every_table_to_extend_is_in_the_file_it_names(file, table):
    assert f"`{file}`" in TEXT
    assert f"`{table}`" in TEXT
    source = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^{table}\b.* = \{{$", source, flags=re.MULTILINE)


def test_every_target_of_make_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`?make ([a-z]+)`?(?=[`\s.]*(?:#|`))", TEXT))
    assert targets >= {"check", "test", "docs"}
    assert targets <= set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
