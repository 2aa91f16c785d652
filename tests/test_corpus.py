"""Inputs that failed once: each is read or refused now, in a process of its own.

tests/corpus/KIND/CASE__NAME: `NAME` is the file's name for the door of that kind in fuzz/doors.py.
"""

import sys
from pathlib import Path

import pytest

from fuzz.campaign import Child, Limits
from fuzz.kinds import KINDS

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
README = (CORPUS / "README.md").read_text(encoding="utf-8")
# What is taken although it is damaged; all else is refused.
READ: set[str] = set()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture(scope="module")
def child_of(tmp_path_factory):
    """One process for each kind, started when it is first needed."""
    children = {}

    def child(kind):
        if kind == "checkpoints":
            pytest.importorskip("torch")
        if kind not in children:
            folder = tmp_path_factory.mktemp(kind)
            children[kind] = Child(kind, 0, folder, Limits())
        return children[kind]

    yield child
    for started in children.values():
        started.stop()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_input_that_failed_once_is_read_or_refused(path, child_of):
    answer = child_of(path.parent.name).file(path)
    expected = "clean" if path.name in READ else "refused"
    assert (answer["outcome"], answer["trace"]) == (expected, "")


def test_every_folder_is_a_kind_and_every_input_is_small_and_described():
    assert {path.parent.name for path in FILES} <= set(KINDS)
    for path in FILES:
        assert path.stat().st_size < 70_000
        assert f"`{path.relative_to(CORPUS).as_posix()}`" in README
