from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from mien.errors import BadSettingError, UnknownNameError
from mien.train import grid

ROOT = Path(__file__).parents[2]


def grid_of(tmp_path, text):
    path = tmp_path / "grid.toml"
    path.write_text(f'data = ["made"]\n{text}')
    return grid.load(path)


def test_the_papers_144_points_cost_24_runs():
    paper = grid.load(ROOT / "configs" / "paper-grid.toml")
    assert len(set(paper.points)) == 144
    choices = {name: sorted({getattr(p, name) for p in paper.points}) for name in paper.varied}
    assert choices == {  # the paper's Table 4
        "rate": [0.0001, 0.001, 0.01],
        "batch": [8, 16, 32, 64],
        "dropout": [0.2, 0.5],
        "epochs": [20, 30, 40],
        "patience": [0, 5],
    }
    runs = grid.plan_runs(paper)
    assert len(runs) == 24
    assert {(run.settings.epochs, run.settings.patience) for run in runs} == {(40, 0)}
    assert sorted(number for run in runs for number in run.points) == list(range(144))
    assert len({run.name for run in runs}) == 24


def test_points_share_a_run_only_if_they_differ_in_epochs_and_patience(tmp_path):
    found = grid_of(tmp_path, 'schedule = "constant"\nepochs = [2, 5]\nrate = [0.1, 0.2]\n')
    runs = grid.plan_runs(found)
    assert [run.name for run in runs] == ["rate-0.1", "rate-0.2"]
    for run in runs:
        shared = {found.points[number].epochs for number in run.points}
        assert (shared, run.settings.epochs) == ({2, 5}, 5)


def test_a_schedule_that_depends_on_the_epochs_shares_early_stopping_alone(tmp_path):
    found = grid_of(tmp_path, "epochs = [2, 5]\npatience = [0, 1]\n")
    runs = grid.plan_runs(found)
    assert [(run.settings.epochs, run.settings.patience) for run in runs] == [(2, 0), (5, 0)]
    assert [run.name for run in runs] == ["epochs-2", "epochs-5"]


def test_where_all_points_stop_early_the_run_does_too(tmp_path):
    [run] = grid.plan_runs(grid_of(tmp_path, "patience = [2, 4]\n"))
    assert run.settings.patience == 4


def test_a_list_of_folders_is_one_value_and_a_list_of_lists_several(tmp_path):
    (tmp_path / "one.toml").write_text('data = ["a", "b"]\n')
    one = grid.load(tmp_path / "one.toml")
    assert (one.varied, [point.data for point in one.points]) == ((), [("a", "b")])
    assert [run.name for run in grid.plan_runs(one)] == ["run"]
    (tmp_path / "two.toml").write_text('data = [["a"], ["a", "b/c"]]\n')
    two = grid.load(tmp_path / "two.toml")
    assert [point.data for point in two.points] == [("a",), ("a", "b/c")]
    assert [run.name for run in grid.plan_runs(two)] == ["data-a", "data-a+b-c"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("rat = [0.1, 0.2]", UnknownNameError, "no setting called 'rat'\n  try: use rate"),
        ("rate = [0.1, -1]", BadSettingError, "rate is -1"),
        ("rate = []", BadSettingError, "rate has no value"),
        ("rate = [0.1, 0.1]", BadSettingError, "rate names a value twice"),
        ('batch = [8, "8"]', BadSettingError, "batch = '8'"),
    ],
)
def test_a_wrong_grid_is_explained(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        grid_of(tmp_path, text)


def test_values_can_be_put_in_place_of_the_files():
    overrides = {"data": ["elsewhere"], "epochs": 2}
    found = grid.load(ROOT / "configs" / "paper-grid.toml", overrides)
    assert {(point.data, point.epochs) for point in found.points} == {(("elsewhere",), 2)}
    assert (len(found.points), len(grid.plan_runs(found))) == (48, 24)
