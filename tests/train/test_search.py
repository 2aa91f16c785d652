import copy
import csv
import shutil
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from PIL import Image

from mien.data import manifest
from mien.errors import BadSettingError
from mien.models import zoo
from mien.train import config, trainer
from mien.train import search as searching
from mien.train.grid import Grid, load
from mien.train.outcomes import Outcome, effect_plots
from mien.train.search import Median, search
from mien.train.trainer import train
from tests.support.commands import mien
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def toml(tmp_path_factory):
    """Eight points in two runs."""
    place = tmp_path_factory.mktemp("grid")
    folder = write_crops(place / "made", train=8)
    settings = settings_for(folder, schedule="constant", augment=False, batch=14)
    lines = config.to_toml(settings).splitlines()
    kept = [x for x in lines if x.split(" ")[0] not in {"rate", "epochs", "patience"}]
    varied = ["rate = [0.01, 0.2]", "epochs = [2, 4]", "patience = [0, 1]"]
    (place / "grid.toml").write_text("\n".join([*kept, *varied]) + "\n")
    return place / "grid.toml"


@pytest.fixture(scope="module")
def searched(toml):
    out = toml.parent / "out"
    return out, mien("search", toml, "--out", out, "--parquet", toml.parent / "points.parquet")


def table(out):
    with (out / "search.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_point_has_the_result_of_a_run_of_its_own(toml, searched, tmp_path):
    out, result = searched
    assert result.exit_code == 0, result.stderr
    assert "8 points in 2 runs" in result.stderr
    assert len(list((out / "runs").iterdir())) == 2
    rows = table(out)
    assert len(rows) == 8
    for number, (point, row) in enumerate(zip(load(toml).points, rows, strict=True)):
        history = trainer.train(point, tmp_path / str(number))
        best = max(history, key=lambda epoch: epoch["held_accuracy"])
        assert float(row["rate"]) == point.rate
        assert (int(row["epochs"]), int(row["patience"])) == (point.epochs, point.patience)
        assert int(row["epochs_run"]) == len(history)
        assert float(row["held_accuracy"]) == best["held_accuracy"]
        assert float(row["held_loss"]) == best["held_loss"]
        assert (int(row["best_epoch"]), row["state"]) == (best["epoch"], "done")


def test_the_points_are_in_parquet_too_with_the_types_of_their_settings(toml, searched):
    parquet = pytest.importorskip("pyarrow.parquet")
    found = parquet.read_table(toml.parent / "points.parquet")
    assert f"wrote {toml.parent / 'points.parquet'}" in searched[1].stderr
    types = {field.name: str(field.type) for field in found.schema}
    assert (types["rate"], types["epochs"], types["patience"]) == ("double", "int64", "int64")
    assert (types["held_accuracy"], types["best_epoch"], types["state"]) == (
        "double", "int64", "string"
    )  # fmt: skip
    for row, values in zip(table(searched[0]), found.to_pylist(), strict=True):
        assert {name: type(value)(row[name]) for name, value in values.items()} == values


def test_the_best_is_printed_plotted_and_kept_as_settings(toml, searched):
    out, result = searched
    best = max(table(out), key=lambda row: float(row["held_accuracy"]))
    assert f"{float(best['held_accuracy']):.1%} held out" in result.stdout
    assert f"{float(best['held_accuracy']):.1%}" in result.stderr  # the live table
    assert config.load(out / "best.toml").rate == float(best["rate"])
    with Image.open(out / "effects.png") as plot:
        assert plot.size[0] > 800


def test_a_search_that_was_killed_goes_on(toml, tmp_path, searched, monkeypatch):
    trained, real = [], searching.train

    def killed(settings, *others):
        trained.append(settings.rate)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return real(settings, *others)

    monkeypatch.setattr(searching, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        search(load(toml), tmp_path / "out")
    states = [row["state"] for row in table(tmp_path / "out")]
    assert states.count("to do") == 4
    search(load(toml), tmp_path / "out")
    assert trained == [0.01, 0.2, 0.2]  # the first run was not trained again
    drop = {"seconds"}
    for row, whole in zip(table(tmp_path / "out"), table(searched[0]), strict=True):
        assert {k: row[k] for k in row.keys() - drop} == {k: whole[k] for k in row.keys() - drop}


def test_a_finished_search_trains_nothing(toml, searched, monkeypatch):
    monkeypatch.setattr(searching, "train", None)
    monkeypatch.setattr(searching, "load_data", None)
    assert mien("search", toml, "--out", searched[0]).exit_code == 0


def test_a_search_can_be_made_on_a_part_of_the_pictures(toml, tmp_path, monkeypatch):
    searches = []
    monkeypatch.setattr("mien.cli.search.run_search", lambda *words: searches.append(words))
    assert mien("search", toml, "--limit", 30, "--out", tmp_path).exit_code == 0
    [(limited, folder, prune, parquet)] = searches
    assert (folder, prune, parquet, len(limited.points)) == (tmp_path, False, None, 8)
    assert {point.limit for point in limited.points} == {30}
    assert {point.limit for point in load(toml).points} == {0}


def test_the_command_says_why_growing_crops_share_no_run(toml, tmp_path, monkeypatch):
    monkeypatch.setattr(searching, "search", lambda *_: [])
    lines = [line for line in toml.read_text().splitlines() if not line.startswith("first_side")]
    (tmp_path / "grid.toml").write_text("\n".join([*lines, "first_side = 40"]))
    told = mien("search", tmp_path / "grid.toml", "--out", tmp_path / "out").stderr
    assert "8 points in 4 runs; first_side, which depends on the epochs, keeps them" in told


def test_another_grid_is_not_mixed_into_the_folder(toml, searched):
    other = Grid((), load(toml).points[:1])
    with pytest.raises(BadSettingError, match="search of another grid"):
        search(other, searched[0])


def test_a_search_with_nothing_held_out_is_refused(toml, tmp_path):
    grid = load(toml)
    points = tuple(replace(point, hold_out=0.0) for point in grid.points)
    for some in (points, (grid.points[0], points[1]), (points[0], grid.points[1])):
        with pytest.raises(BadSettingError, match=r"nothing is held out.*\n  try: set hold_out"):
            search(Grid(grid.varied, some), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    [folder] = points[0].data
    valid = tmp_path / "valid"
    shutil.copytree(folder, valid)
    first, *rows = manifest.read(valid)
    manifest.write([replace(first, split="valid"), *rows], valid)
    [outcome] = search(Grid((), (replace(points[0], data=(str(valid),)),)), tmp_path / "out")
    assert outcome.state == "done"


def test_a_run_that_diverges_is_a_row_and_the_rest_goes_on(toml, tmp_path):
    wild = load(toml)
    points = [config.make({**_raw(p), "rate": 1e9 if p.rate == 0.2 else 0.01}) for p in wild.points]
    outcomes = search(Grid(wild.varied, tuple(points)), tmp_path)
    states = {(o.point.rate, o.state) for o in outcomes}
    assert states == {(0.01, "done"), (1e9, "diverged")}


def test_a_start_that_cannot_be_read_is_an_error_and_no_divergence(toml, tmp_path):
    (tmp_path / "grid.toml").write_text(toml.read_text() + 'start = "nothere.onnx"\n')
    lines = [x for x in (tmp_path / "grid.toml").read_text().splitlines() if x != 'start = ""']
    (tmp_path / "grid.toml").write_text("\n".join(lines))
    result = mien("search", tmp_path / "grid.toml", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "nothere.onnx" in result.stderr
    assert not list(tmp_path.glob("out/runs/*/ended.txt"))


def _raw(point):
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars_of(point).items()}


def vars_of(point):
    return {name: getattr(point, name) for name in config.DEFAULTS}


def test_the_median_rule_by_hand():
    earlier = [[0.2, 0.3, 0.5], [0.1, 0.6, 0.1], [0.4, 0.4, 0.4], [0.9]]
    rule = Median(earlier, grace=2, least=3)
    # the best by epoch 2 were 0.3, 0.6, 0.4 (the fourth had ended): median 0.4
    ended = [rule({"epoch": e, "held_accuracy": a}) for e, a in ((1, 0.0), (2, 0.4), (3, 0.1))]
    # by epoch 3 they were 0.5, 0.6, 0.4: median 0.5, and 0.4 is below it
    assert ended == [False, False, True]
    assert not Median(earlier[:2], grace=2, least=3)({"epoch": 2, "held_accuracy": 0.0})


def train_elsewhere(settings, out, resume, progress, report, data):
    """What several devices do: another process is given a copy of the rule."""
    return train(settings, out, resume, progress, copy.deepcopy(report), data)


@pytest.mark.parametrize("way", [train, train_elsewhere])
def test_a_hopeless_run_is_pruned_where_asked_for(toml, tmp_path, monkeypatch, way):
    monkeypatch.setattr(searching, "train", way)
    grid = load(toml)
    points = [
        config.make({**_raw(grid.points[0]), "rate": r, "epochs": 4, "patience": 0})
        for r in (0.1, 0.2, 1e-9)
    ]
    grid_of_rates = Grid(("rate",), tuple(points))
    monkeypatch.setattr(searching.Median.__init__, "__defaults__", (0.0, False, 2, 2))
    outcomes = search(grid_of_rates, tmp_path, prune=True)
    assert [o.state for o in outcomes] == ["done", "done", "pruned"]
    assert len(outcomes[2].history) == 2
    again = search(grid_of_rates, tmp_path, prune=True)
    assert [len(o.history) for o in again] == [4, 4, 2]
    whole = search(grid_of_rates, tmp_path)  # without pruning it is trained to its end
    assert [(o.state, len(o.history)) for o in whole] == [("done", 4)] * 3


def wide(outputs, dropout):
    """The tiny network for crops of 80 pixels."""
    network = tiny(outputs, dropout)
    network.side = 80
    return network


def test_runs_share_their_crops_unless_a_setting_decides_on_them(toml, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(searching, "train", lambda *words: given.append(words[-1]) or [])
    monkeypatch.setitem(zoo.MODELS, "wide", wide)
    plain = replace(load(toml).points[0], augment=True)
    changes = [
        {},
        {"seed": 1, "rotate": 3.0},
        {"augment": False, "colour": 0.5},  # switched off, so no colours are needed
        {"colour": 0.5},
        {"model": "wide"},
        {"seed": 1, "shuffle_labels": True},
        {"seed": 2, "shuffle_labels": True},
    ]
    points = tuple(replace(plain, **change) for change in changes)
    search(Grid(("model", "seed", "colour"), points), tmp_path)
    first, second, third, *others = given
    assert first is second is third
    assert [d.train.gray.shape[-1] for d in (first, *others)] == [64, 64, 80, 64, 64]
    assert [d.train.rgb is not None for d in (first, *others)] == [False, True, False, False, False]
    assert not torch.equal(others[2].train.targets, others[3].train.targets)


def test_networks_seeds_and_variants_are_searched_and_the_search_goes_on(
    toml, tmp_path, monkeypatch
):
    monkeypatch.setitem(zoo.MODELS, "wide", wide)
    lines = toml.read_text().splitlines()
    kept = [
        line
        for line in lines
        if line.split()[0] not in {"rate", "epochs", "patience", "model", "seed"}
    ]
    more = ['model = ["tiny", "wide"]', "seed = [0, 1]", "epochs = 1", "rate = 0.1"]
    variants = ["[variants]", "none = {}", "turned = { augment = true, rotate = 15.0 }"]
    (tmp_path / "grid.toml").write_text("\n".join([*kept, *more, *variants]))
    out, real, trained, most = tmp_path / "out", searching.train, [], [5]

    def noted(settings, *others):
        if len(trained) == most[0]:
            raise KeyboardInterrupt
        trained.append((settings.model, settings.seed, settings.augment))
        return real(settings, *others)

    monkeypatch.setattr(searching, "train", noted)
    with pytest.raises(KeyboardInterrupt):
        search(load(tmp_path / "grid.toml"), out)
    most[0] = 100
    result = mien("search", tmp_path / "grid.toml", "--out", out)
    assert result.exit_code == 0, result.stderr
    every = [(m, s, a) for m in ("tiny", "wide") for s in (0, 1) for a in (False, True)]
    assert trained == every  # none twice
    rows = table(out)
    assert [(r["model"], r["seed"], r["variant"]) for r in rows] == [
        (m, str(s), "turned" if a else "none") for m, s, a in every
    ]
    assert {row["state"] for row in rows} == {"done"}
    assert sorted(path.name for path in out.glob("*.png")) == [
        "effects-tiny.png",
        "effects-wide.png",
        "effects.png",
    ]
    assert "effects.png, effects-tiny.png, effects-wide.png and best.toml" in result.stderr


def test_the_plots_of_effects_mix_neither_networks_nor_seeds(toml):
    point = load(toml).points[0]
    told = [("a", 0, 0.1, 0.5), ("a", 1, 0.1, 0.6), ("b", 0, 0.1, 0.9), ("b", 0, 0.2, 0.8)]
    outcomes = [
        Outcome(
            replace(point, model=model, seed=seed, rate=rate),
            "run",
            [{"epoch": 1, "held_accuracy": accuracy, "held_loss": 1.0}],
            "done",
        )
        for model, seed, rate, accuracy in told
    ]
    outcomes.append(replace(outcomes[0], state="diverged"))
    assert effect_plots(["model", "seed", "rate"], outcomes) == {
        "effects": [({"model": m}, a) for m, _, _, a in told],
        "effects-a": [({"rate": 0.1}, 0.5), ({"rate": 0.1}, 0.6)],
        "effects-b": [({"rate": 0.1}, 0.9), ({"rate": 0.2}, 0.8)],
    }
    assert set(effect_plots(["rate", "seed"], outcomes)) == {"effects"}
    assert effect_plots(["seed"], outcomes)["effects"][0] == ({"seed": 0}, 0.5)
