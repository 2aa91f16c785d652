"""The search on Ray gives the rows of the search without it."""

import csv

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ray")
pytest.importorskip("matplotlib")

from tests.support.commands import mien
from tests.support.prepared_folder import write_crops

pytestmark = pytest.mark.torch

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


@pytest.mark.slow
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


@pytest.mark.parametrize(("found", "share"), [({"CPU": 2.0}, 0), ({"CPU": 2.0, "GPU": 1.0}, 0.25)])
def test_runs_share_a_gpu_where_there_is_one(monkeypatch, tmp_path, found, share):
    from mien.scale import tune
    from mien.train import grid

    (tmp_path / "grid.toml").write_text(GRID.format("made").replace("threads = 1", "threads = 2"))
    runs = grid.plan_runs(grid.load(tmp_path / "grid.toml"))
    monkeypatch.setattr(tune.ray, "cluster_resources", lambda: found)
    assert tune._resources(runs, 4) == {"cpu": 2, "gpu": share}


def test_a_share_of_a_gpu_needs_ray(tmp_path):
    (tmp_path / "grid.toml").write_text(GRID.format("made"))
    result = mien("search", tmp_path / "grid.toml", "--per-gpu", 2)
    assert result.exit_code == 2
    assert "--per-gpu belongs to --ray" in result.stderr


def test_only_a_loss_that_is_no_number_is_a_divergence(monkeypatch, tmp_path):
    from mien.errors import BadModelError
    from mien.scale import tune
    from mien.train.divergence import DivergedError

    reported = []
    monkeypatch.setattr(tune.tune, "report", reported.append)

    def fails(error):
        def train(*args, **options):
            raise error

        monkeypatch.setattr(tune, "train", train)
        tune._trial({"run": ("one", None), "out": str(tmp_path)})

    fails(DivergedError("the loss became no number", fix="lower the rate"))
    assert [row["diverged"] for row in reported] == ["the loss became no number"]
    with pytest.raises(BadModelError, match="no such start"):
        fails(BadModelError("no such start", fix="check the path"))
