import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("matplotlib")

import numpy as np
from PIL import Image

from mien.recognize.model import Model, read_card
from mien.train import config
from mien.train.trainer import train
from tests.support.commands import mien
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny_in_zoo

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module", autouse=True)
def _with_tiny_network():
    with tiny_in_zoo():
        yield


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A place with data/made and small.toml, whose run holds out enough to be exported."""
    place = tmp_path_factory.mktemp("here")
    folder = write_crops(place / "data" / "made", train=85, test=4)
    settings = settings_for(folder, epochs=3, batch=48, hold_out=0.5, augment=False)
    (place / "small.toml").write_text(config.to_toml(settings))
    return place


@pytest.fixture(scope="module")
def trained(here):
    """The run of ``mien train`` and what it printed."""
    return here / "run", mien("train", here / "small.toml", "--out", here / "run")


@pytest.fixture(scope="module")
def exported(trained):
    """The file of ``mien export`` and what it printed."""
    return trained[0] / "run.onnx", mien("export", trained[0])


def failed(result, message):
    """Check that a command could not do it, and said what and what next."""
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n  try: ") == 1
    assert "Traceback" not in result.stderr


def history_of(run):
    header, *lines = (run / "history.csv").read_text().splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


def test_train_writes_the_run_and_names_its_best_epoch(here, trained):
    run, result = trained
    assert result.exit_code == 0
    assert sorted(path.name for path in run.iterdir() if path.suffix != ".onnx") == [
        "best.safetensors",
        "config.toml",
        "data.json",
        "history.csv",
        "history.png",
        "last.safetensors",
    ]
    assert config.load(run / "config.toml") == config.load(here / "small.toml")
    history = history_of(run)
    assert len(history) == 3
    best = max(history, key=lambda row: float(row["held_accuracy"]))
    assert best != history[0]
    accuracy = f"{float(best['held_accuracy']):.1%}"
    assert result.stdout == f"best epoch {best['epoch']}: held-out accuracy {accuracy}\n"
    assert result.stderr.endswith(f"wrote {run}; next: mien export {run}\n")
    assert float(best["held_accuracy"]) > 0.8
    with Image.open(run / "history.png") as picture:
        assert picture.size == (1080, 432)


def test_train_reports_every_epoch_beside_its_result(trained):
    run, result = trained
    data, *lines, _ = [line.split() for line in result.stderr.splitlines()]
    record = json.loads((run / "data.json").read_text())
    told = ["trained", "on", f"{record['train']},", "held", "out", str(record["held_out"])]
    assert (data, record["train"] + record["held_out"]) == (told, 595)
    assert [line[:2] for line in lines] == [["epoch", "1"], ["epoch", "2"], ["epoch", "3"]]
    for line, row in zip(lines, history_of(run), strict=True):
        assert line[2:5] == ["train", "loss", f"{float(row['train_loss']):.3f}"]
        assert line[-3] == f"{float(row['held_accuracy']):.1%}"


def test_train_says_before_the_first_epoch_how_many_pictures_are_left_out(tmp_path):
    pattern = write_crops(tmp_path / "a", train=10)
    copies = write_crops(tmp_path / "b", train=10, source="other")  # the same pictures
    few = settings_for(pattern, copies, epochs=1, hold_out=0.5, augment=False)
    (tmp_path / "few.toml").write_text(config.to_toml(few))
    first, second, *_ = mien(
        "train", tmp_path / "few.toml", "--out", tmp_path / "run"
    ).stderr.splitlines()
    record = json.loads((tmp_path / "run" / "data.json").read_text())
    numbers = record["train"], record["held_out"], record["copies_of_held_out_dropped"]
    assert numbers[2] > 10
    assert first == "trained on {}, held out {}, left out as copies {}".format(*numbers)
    assert second.startswith("epoch   1  train loss")


def test_folds_say_for_each_what_it_is_trained_on(tmp_path):
    folder = write_crops(tmp_path / "a", train=10)
    folds = settings_for(folder, epochs=1, hold_out=0.0, folds=2, patience=0, augment=False)
    (tmp_path / "folds.toml").write_text(config.to_toml(folds))
    *told, _ = mien("train", tmp_path / "folds.toml", "--out", tmp_path / "run").stderr.splitlines()
    assert [line for line in told if "epoch" not in line] == [
        "fold 1: trained on 35, held out 35",
        "fold 2: trained on 35, held out 35",
        "trained on 70",
    ]


def test_options_take_the_place_of_the_files_settings(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = mien("train", here / "small.toml", "--epochs", 1, "--seed", 5)
    assert result.exit_code == 0
    kept = config.load(tmp_path / "runs" / "small" / "config.toml")  # named after the file
    assert (kept.epochs, kept.seed) == (1, 5)
    assert len(history_of(tmp_path / "runs" / "small")) == 1


def test_train_resumes_a_stopped_run_and_refuses_to_begin_it_again(here, tmp_path):
    def stop(row):
        raise KeyboardInterrupt

    settings = config.load(here / "small.toml")
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "run", report=stop)
    again = mien("train", here / "small.toml", "--out", tmp_path / "run")
    failed(again, "holds a run\n  try: add --resume")
    resumed = mien("train", here / "small.toml", "--out", tmp_path / "run", "--resume")
    assert resumed.exit_code == 0
    assert [line.split()[1] for line in resumed.stderr.splitlines()[:-1]] == ["on", "2", "3"]
    assert len(history_of(tmp_path / "run")) == 3


def test_train_with_wrong_settings_says_what_to_change_and_writes_nothing(here, tmp_path):
    text = (here / "small.toml").read_text()
    wrong = {
        "no setting called 'patiance'\n  try: use patience": text + "patiance = 3\n",
        "no model called 'miennt'\n  try: use miennet": text.replace('"tiny"', '"miennt"'),
        "no manifest.csv in ": text.replace("data/made", "data/gone"),
        "dropout is 1.5": text.replace("dropout = 0.2", "dropout = 1.5"),
    }
    for message, changed in wrong.items():
        (tmp_path / "wrong.toml").write_text(changed)
        failed(mien("train", tmp_path / "wrong.toml", "--out", tmp_path / "run"), message)
        assert not (tmp_path / "run").exists()
    failed(mien("train", tmp_path / "gone.toml", "--out", tmp_path / "run"), "cannot read ")


def test_export_writes_the_file_and_says_how_true_it_is(exported):
    path, result = exported
    assert result.exit_code == 0
    card = read_card(path)
    assert result.stdout.splitlines() == [
        f"largest difference from torch on 256 crops: {card['parity']:.1e}",
        f"temperature {card['temperature']}, 4,311 parameters",
    ]
    assert result.stderr.splitlines()[-1] == f"wrote {path}"
    assert card["name"] == "tiny"
    assert card["metrics"] == {}


def test_what_was_trained_is_measured_and_the_figures_go_on_the_card(here, exported, tmp_path):
    path, _ = exported
    measured = mien("evaluate", path, here / "data" / "made", "--out", tmp_path)
    assert measured.exit_code == 0
    record = json.loads((tmp_path / "made-test.json").read_text())
    assert record["pictures"] == 24
    assert record["accuracy"] > 0.8  # it learned the stripes, which chance names in a sixth
    options = ("--out", tmp_path / "b.onnx", "--metrics", tmp_path / "made-test.json")
    assert mien("export", path.parent, *options).exit_code == 0
    card = read_card(tmp_path / "b.onnx")
    kept = ("pictures", "accuracy", "mean_recall", "recall", "calibration_error", "split")
    assert card["metrics"] == {"made-test": {key: record[key] for key in kept}}
    assert card["weights_sha256"] == record["weights_sha256"]


def test_several_runs_become_one_file_that_answers_with_their_mean(
    here, trained, exported, tmp_path
):
    assert mien("train", here / "small.toml", "--out", tmp_path / "b", "--seed", 1).exit_code == 0
    assert mien("export", tmp_path / "b").exit_code == 0
    out = tmp_path / "both.onnx"
    words = ("--with", tmp_path / "b", "--name", "both", "--out", out)
    assert mien("export", trained[0], *words).exit_code == 0
    card = read_card(out)
    assert (card["name"], card["members"][0]["name"]) == ("both", "tiny")
    assert card["members"][0]["data"]["seed"] == 1
    batch = np.random.default_rng(0).standard_normal((4, 3, 64, 64), dtype=np.float32)
    first, second, both = (
        Model(path, threads=1).tensors(batch, ["logits"])["logits"]
        for path in (exported[0], tmp_path / "b" / "b.onnx", out)
    )
    assert np.abs(first - second).max() > 0.1
    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-4 * np.abs(both).max())
    failed(mien("export", trained[0], "--with", tmp_path / "gone"), "gone is no folder of a run")
    assert mien("export", trained[0], "--name", "a\x1bb").exit_code == 2


@pytest.mark.parametrize("text", ["{}", "[1]", "no figures", '{"pictures": 3}'])
def test_metrics_that_mien_did_not_measure_are_refused(trained, tmp_path, text):
    (tmp_path / "odd.json").write_text(text)
    options = ("--out", tmp_path / "b.onnx", "--metrics", tmp_path / "odd.json")
    failed(mien("export", trained[0], *options), "odd.json is no result of mien evaluate")
    assert not (tmp_path / "b.onnx").exists()


def test_export_of_what_is_no_run_says_so(trained, tmp_path):
    failed(mien("export", tmp_path), "cannot read ")
    (tmp_path / "config.toml").write_bytes((trained[0] / "config.toml").read_bytes())
    failed(mien("export", tmp_path), "no checkpoint of ours")
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("command", ["train", "export"])
def test_without_torch_the_extra_to_install_is_named(tmp_path, monkeypatch, command):
    monkeypatch.setattr("mien.cli._shared.find_spec", lambda name: None)
    failed(mien(command, tmp_path / "x"), 'try: pip install "mien[train]"')


@pytest.mark.parametrize(
    ("command", "modules"),
    [
        ("train", ("kornia", "matplotlib", "safetensors")),
        ("export", ("kornia", "onnx", "safetensors")),
        ("show-augmentation", ("kornia",)),
        ("search", ("kornia", "matplotlib", "safetensors", "sklearn")),
        ("reproduce", ("kornia", "matplotlib", "safetensors")),
    ],
)
def test_with_torch_alone_the_extra_is_named_before_any_work(
    tmp_path, monkeypatch, command, modules
):
    words = () if command == "reproduce" else (tmp_path / "x",)
    for missing in modules:
        monkeypatch.setattr("mien.cli._shared.find_spec", lambda n, gone=missing: n != gone)
        failed(mien(command, *words), 'try: pip install "mien[train]"')


def test_train_says_where_the_accuracy_may_be_chance(here, tmp_path):
    idle = {"epochs": 5, "patience": 1, "rate": 1e-9, "average": 0.0}
    settings = replace(config.load(here / "small.toml"), **idle)
    (tmp_path / "idle.toml").write_text(config.to_toml(settings))
    result = mien("train", tmp_path / "idle.toml", "--out", tmp_path / "run")
    assert result.exit_code == 0
    assert "this may be chance:" in result.stderr
    assert "stopped after epoch 2 of 5: 1 without a better held-out accuracy" in result.stderr


def test_a_strength_out_of_range_is_refused_before_pictures_are_read(here, tmp_path):
    (tmp_path / "bad.toml").write_text('data = ["there is none"]\nflip = nan\n')
    failed(mien("train", tmp_path / "bad.toml"), "flip is nan")


def test_a_stopped_run_is_told_how_it_goes_on(here, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mien.train.trainer.train", stop)
    result = mien("train", here / "small.toml", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "stopped; with --resume the same command goes on" in result.stderr


@pytest.mark.parametrize("role", ["start", "teachers"])
def test_a_start_or_teacher_that_is_no_folder_is_named(here, tmp_path, role):
    value = ("runs/typo",) if role == "teachers" else "runs/typo"
    settings = replace(config.load(here / "small.toml"), **{role: value})
    (tmp_path / "typo.toml").write_text(config.to_toml(settings))
    result = mien("train", tmp_path / "typo.toml", "--out", tmp_path / "run")
    failed(result, f"the {role.removesuffix('s')} runs/typo is no folder of a run")
    assert not (tmp_path / "run").exists()
