from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from mien.errors import BadSettingError, UnknownNameError
from mien.train import config, grid
from mien.train.augment import Strength

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


def test_crops_that_grow_with_the_epochs_share_early_stopping_alone(tmp_path):
    text = 'schedule = "constant"\nepochs = [2, 5]\npatience = [0, 1]\nfirst_side = 40\n'
    found = grid_of(tmp_path, text)
    runs = grid.plan_runs(found)
    assert [(run.name, run.settings.epochs) for run in runs] == [("epochs-2", 2), ("epochs-5", 5)]


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


def test_runs_whose_values_are_written_alike_have_folders_of_their_own(tmp_path):
    text = 'start = ["a/b", "a-b", "a-b-2", "A b", "c"]\n'
    runs = grid.plan_runs(grid_of(tmp_path, text))
    assert [run.name for run in runs] == [
        "start-a-b", "start-a-b-2", "start-a-b-2-2", "start-A-b-3", "start-c"
    ]  # fmt: skip
    assert [run.settings.start for run in runs] == ["a/b", "a-b", "a-b-2", "A b", "c"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("rat = [0.1, 0.2]", UnknownNameError, "no setting called 'rat'\n  try: use rate"),
        ("rate = [0.1, -1]", BadSettingError, "rate is -1"),
        ("rate = []", BadSettingError, "rate has no value"),
        ("rate = [0.1, 0.1]", BadSettingError, "rate names a value twice"),
        ('batch = [8, "8"]', BadSettingError, "batch is '8'"),
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


VARIANTS = """
rate = [0.1, 0.2]
seed = [0, 1]
[variants]
none = { augment = false }
turned = { rotate = 15.0, flip = 0.0 }
"""


def test_each_variant_is_combined_with_all_the_rest_and_has_its_name(tmp_path):
    found = grid_of(tmp_path, VARIANTS)
    assert found.varied == ("rate", "seed", "variant")
    told = [
        (p.rate, p.seed, found.value(n, "variant"), p.augment, p.rotate, p.flip)
        for n, p in enumerate(found.points)
    ]
    assert told == [
        (rate, seed, *variant)
        for rate in (0.1, 0.2)
        for seed in (0, 1)
        for variant in (("none", False, 14.0, 0.5), ("turned", True, 15.0, 0.0))
    ]
    runs = grid.plan_runs(found)
    assert len({run.name for run in runs}) == 8
    assert (runs[1].name, runs[1].settings.rotate) == ("rate-0.1_seed-0_variant-turned", 15.0)


def test_variants_that_share_a_run_give_it_a_name_of_its_own(tmp_path):
    found = grid_of(
        tmp_path,
        'schedule = "constant"\n[variants]\n'
        "a = { rate = 0.1, patience = 0 }\nb = { rate = 0.1, patience = 2 }\n"
        "c = { rate = 0.2, patience = 0 }\nd = { rate = 0.2, patience = 2 }\n",
    )
    assert [(run.name, run.points) for run in grid.plan_runs(found)] == [
        ("variant-a+b", (0, 1)),
        ("variant-c+d", (2, 3)),
    ]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("variants = 3", BadSettingError, "variants is 3\n  try: give settings for each name"),
        ("[variants]", BadSettingError, "variants has no name"),
        ("[variants]\na = 1", BadSettingError, "variants is {'a': 1}"),
        (
            '[variants]\n"a/b" = {}',
            BadSettingError,
            "a variant is called 'a/b'",
        ),
        ("[variants]\na = { rotat = 1 }", UnknownNameError, "no setting called 'rotat'"),
        ("[variants]\na = { rate = [0.1, 0.2] }", BadSettingError, r"rate is \[0\.1, 0\.2\]"),
        (
            "rate = [0.1, 0.2]\n[variants]\na = { rate = 0.3 }",
            BadSettingError,
            "variant a sets",
        ),
        ("[variants]\na = {}\nb = { rotate = 14.0 }", BadSettingError, "variants a and b have the"),
    ],
)
def test_wrong_variants_are_explained(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        grid_of(tmp_path, text)


def test_the_ablation_changes_one_thing_at_a_time_by_the_strengths_of_the_replications():
    ablation = grid.load(ROOT / "configs" / "paper-ablation.toml")
    assert ablation.varied == ("model", "seed", "variant")
    assert len(ablation.points) == len(grid.plan_runs(ablation)) == 2 * 3 * 8
    report = config.read(ROOT / "configs" / "replications.toml")
    strengths = {field.name for field in fields(Strength)}
    of_report = {name: report[name] for name in strengths & report.keys() if report[name]}
    on = {
        ablation.value(n, "variant"): {s: getattr(p, s) for s in strengths if getattr(p, s)}
        for n, p in enumerate(ablation.points)
        if p.augment
    }
    assert on.pop("all") == of_report
    assert sorted(on.values(), key=str) == sorted(({k: v} for k, v in of_report.items()), key=str)
    assert {p.augment for n, p in enumerate(ablation.points) if ablation.variants[n] == "none"} == {
        False
    }
