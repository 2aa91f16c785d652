"""The search on Ray gives the rows of the search without it."""

import csv

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ray")
pytest.importorskip("matplotlib")

from tests.support.commands import mien
from tests.support.prepared_folder import write_crops

pytestmark = [pytest.mark.torch, pytest.mark.slow]

GRID = """
data = ["{}"]
model = "cnn13"
neutral = false
hold_out = 0.25
batch = 12
rate = [0.01, 0.02]
epochs = [1, 2]
schedule = "constant"
augment = false
bf16 = false
threads = 1
"""


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_the_rows_are_those_of_one_machine(tmp_path):
    folder = write_crops(tmp_path / "made", train=6)
    (tmp_path / "grid.toml").write_text(GRID.format(folder))
    for out, words in (("here", ()), ("ray", ("--ray", "local"))):
        result = mien("search", tmp_path / "grid.toml", "--out", tmp_path / out, *words)
        assert result.exit_code == 0, result.stderr
    here, there = (
        list(csv.DictReader((tmp_path / out / "search.csv").read_text().splitlines()))
        for out in ("here", "ray")
    )
    assert len(here) == 4
    for one, other in zip(here, there, strict=True):
        assert one.keys() == other.keys()
        for name in one.keys() - {"seconds"}:
            assert one[name] == other[name], name
    assert {row["state"] for row in there} == {"done"}
