"""Where processes share the tests, files with slow ones come first: no core waits at the end."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import pytest_collection_modifyitems as put_slow_files_first

MAKEFILE = Path(__file__).parents[1] / "Makefile"


def item(name, slow=False):
    path, test = name.split("::")
    marks = {"slow": pytest.mark.slow} if slow else {}
    return SimpleNamespace(path=Path(path), test=test, get_closest_marker=marks.get)


@pytest.mark.parametrize(
    ("config", "order"),
    [
        (SimpleNamespace(workerinput={}), ["two", "three", "five", "one", "four"]),
        (SimpleNamespace(), ["one", "two", "three", "four", "five"]),  # the only process
    ],
)
def test_files_with_slow_tests_come_first_and_each_keeps_its_order(config, order):
    items = [item("a.py::one"), item("b.py::two"), item("b.py::three", slow=True)]
    items += [item("c.py::four"), item("d.py::five", slow=True)]
    put_slow_files_first(config, items)
    assert [item.test for item in items] == order


def test_make_test_keeps_that_order():
    """By default pytest-xdist begins with the files of most tests, and the slow ones have few."""
    [command] = re.findall(r"^PYTEST = (.+)$", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert "--no-loadscope-reorder" in command.split()
