"""A run that is killed between its checkpoint and its table: the checkpoint is the truth."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from mien.errors import BadModelError
from mien.train import config, trainer
from mien.train import search as searching
from mien.train.grid import Grid
from mien.train.history import read_history
from mien.train.outcomes import best_first
from mien.train.run import LAST
from mien.train.search import search
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made"), train=8)


def without_seconds(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def table(path):
    with path.open(newline="") as file:
        return without_seconds(csv.DictReader(file))


def killed_before_the_table(monkeypatch, epoch):
    """Let a run end, once, when it would write the table of an epoch."""
    real, ended = trainer.write_history, []

    def killed(out, history):
        if len(history) == epoch and not ended:
            ended.append(out)
            raise KeyboardInterrupt
        real(out, history)

    monkeypatch.setattr(trainer, "write_history", killed)


@pytest.mark.parametrize("epoch", [1, 3], ids=["the first", "the last"])
def test_the_table_is_written_again_from_the_checkpoint(folder, tmp_path, monkeypatch, epoch):
    settings = settings_for(folder, epochs=3)
    whole = trainer.train(settings, tmp_path / "whole")
    killed_before_the_table(monkeypatch, epoch)
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        trainer.train(settings, out)
    missing = epoch - 1
    assert len(table(out / "history.csv")) == missing if missing else True
    assert len(read_history(out)) == epoch
    resumed = trainer.train(settings, out, resume=True)
    assert without_seconds(resumed) == without_seconds(whole)
    assert table(out / "history.csv") == table(tmp_path / "whole" / "history.csv")
    assert not list(out.glob(".*"))


CHILD = """
import os, signal, sys
from pathlib import Path
from mien.train import trainer
from tests.support.tiny_network import settings_for, tiny_in_zoo
real = trainer.write_history
def killed(out, history):
    if len(history) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    real(out, history)
trainer.write_history = killed
with tiny_in_zoo():
    trainer.train(settings_for(sys.argv[1], epochs=2), Path(sys.argv[2]))
"""


def test_a_process_that_is_really_killed_there_loses_no_epoch(folder, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-c", CHILD, str(folder), str(out)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == -signal.SIGKILL
    assert len(table(out / "history.csv")) == 1
    history = trainer.train(settings_for(folder, epochs=2), out, resume=True)
    assert [row["epoch"] for row in history] == [1, 2]
    assert len(table(out / "history.csv")) == 2


@pytest.mark.parametrize("prune", [False, True])
def test_a_search_does_not_lose_the_best_point_to_a_kill(folder, tmp_path, monkeypatch, prune):
    settings = settings_for(folder, epochs=3, schedule="constant", augment=False, batch=14)
    raw = {name: getattr(settings, name) for name in config.DEFAULTS}
    raw = {k: list(v) if isinstance(v, tuple) else v for k, v in raw.items()}
    points = tuple(config.make({**raw, "rate": rate}) for rate in (0.2, 1e-6))
    grid = Grid(("rate",), points)
    expected = best_first(search(grid, tmp_path / "whole", prune))
    killed_before_the_table(monkeypatch, 3)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        search(grid, out, prune)
    outcomes = search(grid, out, prune)
    assert [outcome.state for outcome in outcomes] == ["done", "done"]
    assert best_first(outcomes)[0].point == expected[0].point
    assert [len(outcome.history) for outcome in outcomes] == [3, 3]
    assert not list(out.rglob("ended.txt"))
    rows, whole = table(out / "search.csv"), table(tmp_path / "whole" / "search.csv")
    assert rows == whole
    assert {path.name for path in out.glob("runs/*/history.csv")} == {"history.csv"}
    assert all(len(table(path)) == 3 for path in out.glob("runs/*/history.csv"))


def test_a_hopeless_run_killed_at_the_epoch_that_ends_it_is_not_trained_on(
    folder, tmp_path, monkeypatch
):
    settings = settings_for(folder, epochs=4, schedule="constant", augment=False, batch=14)
    raw = {name: getattr(settings, name) for name in config.DEFAULTS}
    raw = {k: list(v) if isinstance(v, tuple) else v for k, v in raw.items()}
    points = tuple(config.make({**raw, "rate": rate}) for rate in (0.1, 0.2, 1e-9))
    monkeypatch.setattr(searching.Median.__init__, "__defaults__", (0.0, False, 2, 2))
    real, seen = trainer.write_history, []

    def killed(out, history):
        seen.append(out)
        if len(set(seen)) == 3 and len(history) == 2 and seen.count(out) == 2:
            raise KeyboardInterrupt
        real(out, history)

    monkeypatch.setattr(trainer, "write_history", killed)
    with pytest.raises(KeyboardInterrupt):
        search(Grid(("rate",), points), tmp_path, prune=True)
    outcomes = search(Grid(("rate",), points), tmp_path, prune=True)
    assert [o.state for o in outcomes] == ["done", "done", "pruned"]
    assert [len(o.history) for o in outcomes] == [4, 4, 2]


def test_a_damaged_checkpoint_is_named_and_its_run_is_not_called_diverged(folder, tmp_path):
    settings = settings_for(folder, epochs=1)
    grid = Grid((), (settings,))
    [outcome] = search(grid, tmp_path)
    run = tmp_path / "runs" / outcome.run
    (run / LAST).write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(BadModelError, match=r"no checkpoint of ours: .*last\.safetensors"):
        search(grid, tmp_path)
    assert not (run / "ended.txt").exists()
