"""Which environments are made; whether mien works in them is for `make ranges`."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fuzz.ranges import EXTRAS, environments, oldest
from fuzz.smoke import EXTRAS as SMOKED

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SMALL = {
    "dependencies": [
        "a>=1.2,<3", "b==4", "c>=5; python_version < '3.13'", "c>=6; python_version >= '3.13'",
    ],
    "optional-dependencies": {
        **{name: [] for name in EXTRAS}, "plot": ["d>=7"], "proof": ["mien[plot]"],
    },
}  # fmt: skip


def test_both_ends_are_made_and_each_oldest_package_alone():
    made = {e.name: (e.extras, dict(e.pins)) for e in environments(SMALL, "3.11")}
    assert made == {
        "python 3.11, newest": (EXTRAS, {}),
        "python 3.11, oldest": (EXTRAS, {"a": "1.2", "b": "4", "c": "5", "d": "7"}),
        "python 3.11, oldest a": ((), {"a": "1.2"}),
        "python 3.11, oldest c": ((), {"c": "5"}),
    }


def test_the_marker_of_the_python_in_question_decides():
    [pins] = [e.pins for e in environments(SMALL, "3.13") if e.name == "python 3.13, oldest"]
    assert pins["c"] == "6"


def test_a_range_without_a_lower_end_is_refused():
    with pytest.raises(ValueError, match="numpy<3 has not one lower end"):
        oldest("numpy<3")


def test_every_range_of_the_project_has_one_lower_end():
    for requirements in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        for requirement in requirements:
            if not requirement.startswith("mien["):
                assert oldest(requirement)[1]


def test_the_lower_end_of_opencv_is_a_release_that_knows_numpy_2():
    """4.8.0.74 was withdrawn, and what came before 4.10.0.84 does not import beside numpy 2."""
    [opencv] = [r for r in PROJECT["dependencies"] if r.startswith("opencv")]
    assert not Requirement(opencv).specifier.contains("4.8.0.74")
    assert oldest(opencv)[1] == "4.10.0.84"


def test_every_extra_that_needs_no_torch_is_tried():
    torch, tools = {"train", "explain", "ray"}, {"dev", "site"}  # site builds the documentation
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - torch - tools
    assert set(SMOKED) == {*EXTRAS, "train"}  # that one by `make release`
