"""72 pictures of three classes of one's own, by commands alone, from training to explanation."""

import csv
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("matplotlib")

from mien.data import manifest
from mien.data.label_file import write_labels
from mien.labels import LabelSet
from mien.recognize.recognizer import Recognizer
from mien.train import config
from tests.support.commands import mien
from tests.support.onnx_files import three_classes
from tests.support.own_classes import OWN, write_own
from tests.support.pictures import encode
from tests.support.tiny_network import settings_for, tiny_in_zoo
from tests.support.video_files import clip

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module", autouse=True)
def _with_tiny_network():
    with tiny_in_zoo():
        yield


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A place with data and two settings: three folds, and nothing held out."""
    place = tmp_path_factory.mktemp("here")
    folder = write_own(place / "data", train=24, test=8)
    settings = settings_for(folder, epochs=8, augment=False)
    for name, changes in (("folds", {"folds": 3}), ("none", {"hold_out": 0.0, "epochs": 2})):
        own = settings_for(folder, **{"epochs": settings.epochs, "augment": False, **changes})
        (place / f"{name}.toml").write_text(config.to_toml(own))
    return place


@pytest.fixture(scope="module")
def trained(here):
    return mien("train", here / "folds.toml", "--out", here / "run")


@pytest.fixture(scope="module")
def model(here, trained):
    assert mien("export", here / "run", "--out", here / "own.onnx").exit_code == 0
    return here / "own.onnx"


def test_train_by_folds_prints_the_figures_of_all_pictures(here, trained):
    assert trained.exit_code == 0
    record = json.loads((here / "run/folds.json").read_text())
    low, high = record["accuracy_95"]
    assert trained.stdout.splitlines()[:2] == [
        "3 folds: 72 pictures, each held out once",
        f"accuracy           {record['accuracy']:.1%}  (95 %: {low:.1%} to {high:.1%})",
    ]
    for name in OWN.names:
        assert f"  {name}" in trained.stdout


def test_where_nothing_is_held_out_no_accuracy_is_printed(here):
    result = mien("train", here / "none.toml", "--out", here / "unmeasured")
    assert result.exit_code == 0
    assert "no picture was held out: the last epoch is kept" in result.stdout
    assert "0.0%" not in result.output
    assert "accuracy" not in result.output
    exported = mien("export", here / "unmeasured")
    assert "too few held-out pictures to calibrate" in exported.stdout
    longer = mien(
        "train", here / "none.toml", "--out", here / "unmeasured", "--resume", "--epochs", "3"
    )
    assert longer.exit_code == 0
    assert "epoch   3" in longer.stderr
    other = mien(
        "train", here / "none.toml", "--out", here / "unmeasured", "--resume", "--seed", "5"
    )
    assert other.exit_code == 1
    assert "seed was 0 and is 5" in other.stderr


def test_the_file_is_measured_scored_and_explained_by_its_own_names(here, model):
    result = mien(
        "evaluate", model, here / "data", "--out", here / "results", "--pictures", "--report"
    )
    assert result.exit_code == 0
    page = (here / "results/data-test-report.html").read_text()
    assert all(f"recall of {name}" in page for name in OWN.names)
    assert "happiness" not in page
    record = json.loads((here / "results/data-test.json").read_text())
    assert record["accuracy"] > 0.9
    assert list(record["recall"]) == list(OWN.names)
    assert (
        mien("scores", here / "data/test", "--model", model, "--out", here / "s.csv").exit_code == 0
    )
    with (here / "s.csv").open() as file:
        header, *rows = csv.reader(file)
    assert header == ["filepath", "open", "asleep", "score_left"]
    truth = {row.path: row.label for row in manifest.read(here / "data")}
    right = [
        OWN.names[int(np.argmax([float(v) for v in row[1:]]))]
        == next(label for path, label in truth.items() if row[0].endswith(path))
        for row in rows
    ]
    assert np.mean(right) > 0.9
    picture = here / "data" / next(path for path in truth if path.startswith("test"))
    for name in ("left", "all"):
        words = ("--crop", "--model", model, "--class", name, "--out", here / f"{name}.png")
        result = mien("explain", picture, *words)
        assert result.exit_code == 0
        assert (here / f"{name}.png").exists()
    wrong = mien("explain", picture, "--crop", "--model", model, "--class", "fear")
    assert wrong.exit_code == 2
    assert "no expression called 'fear'" in wrong.stderr
    of_run = mien(
        "explain", picture, "--crop", "--model", here / "run", "--class", "left",
        "--out", here / "run.png",
    )  # fmt: skip
    assert of_run.exit_code == 0
    assert "left 0." in of_run.stdout


def test_regions_have_expectations_only_for_the_six(here, model):
    result = mien("regions", model, here / "data", "--out", here / "regions.json")
    assert result.exit_code == 0
    [found] = json.loads((here / "regions.json").read_text())["folders"].values()
    assert list(found) == list(OWN.names)
    assert all(figures.keys() == {"pictures", "share"} for figures in found.values())
    assert result.stdout.splitlines()[-1].split()[-2:] == ["-", "-"]


def test_statistics_have_a_column_for_each_class(here):
    words = ("--csv", here / "stats.csv", "--plot", here / "stats.svg")
    result = mien("stats", here / "data", *words)
    assert result.exit_code == 0
    assert all(f"<!-- {name} -->" in (here / "stats.svg").read_text() for name in OWN.names)
    with (here / "stats.csv").open() as file:
        header, *rows = csv.reader(file)
    assert header == ["folder", "database", "split", *OWN.names, "sum", "left out"]
    assert [row[3:7] for row in rows] == [["24"] * 3 + ["72"], ["8"] * 3 + ["24"]]


def test_two_sets_of_classes_are_never_mixed(here, model, tmp_path):
    other = write_own(tmp_path / "other", LabelSet(("asleep", "open", "left")), train=4, test=2)
    both = settings_for(here / "data", other)
    (tmp_path / "both.toml").write_text(config.to_toml(both))
    for words in (
        ("evaluate", model, other),
        ("regions", model, other),
        ("stats", here / "data", other),
        ("train", tmp_path / "both.toml", "--out", tmp_path / "run"),
        ("evaluate", "shipped", other),
    ):
        result = mien(*words)
        assert result.exit_code == 1, words
        assert "asleep, open, left" in result.stderr
        assert str(other) in result.stderr
        assert result.stderr.count("\n  try: ") == 1
    assert not (tmp_path / "run").exists()


def test_a_label_that_is_no_class_of_the_folder_is_named(tmp_path):
    folder = write_own(tmp_path / "data", train=2)
    write_labels(folder, LabelSet(("open", "asleep")))
    result = mien("stats", folder)
    assert result.exit_code == 1
    assert "has label 'left'" in result.stderr
    assert "the folder's classes are open, asleep" in result.stderr


BESIDE = LabelSet(("open", "asleep", "left"), "resting")


@pytest.fixture
def photo(tmp_path, portrait):
    (tmp_path / "a.png").write_bytes(encode(portrait, "PNG"))
    return tmp_path / "a.png"


@pytest.mark.parametrize("labels", [OWN, BESIDE], ids=["alone", "beside"])
def test_predict_names_the_classes_of_the_model_in_every_output(photo, labels):
    own = three_classes(photo.parent / "own.onnx", labels)
    [face] = Recognizer(own, threads=1).read(photo).faces
    table, lines = photo.parent / "t.csv", photo.parent / "t.jsonl"
    words = ("--model", own, "--csv", table, "--json", "--out-file", lines)
    assert mien("predict", photo, *words, "--out", photo.parent / "drawn").exit_code == 0
    with table.open() as file:
        header, row = csv.reader(file)
    beside = ["resting"] if labels.calm else []
    assert header[7:] == ["label", "confidence", *beside, "open", "asleep", "score_left"]
    calm = [face.neutral] if labels.calm else []
    assert [float(v) for v in row[9:]] == pytest.approx([*calm, *face.values], abs=1e-4)
    [found] = json.loads(lines.read_text())["faces"]
    assert found["scores"] == pytest.approx(face.scores, abs=1e-4)
    assert row[7] == found["label"] == face.label
    printed = mien("predict", photo, "--model", own).stdout
    for name, value in face.probabilities.items():
        assert f"{name} {value:.2f}" in printed
    assert ("  resting 0." in printed) == bool(labels.calm)
    assert "neutral" not in printed


def test_a_film_has_the_columns_and_the_summary_of_the_classes(tmp_path, portrait):
    pytest.importorskip("av")
    own = three_classes(tmp_path / "own.onnx", BESIDE)
    film = clip(tmp_path / "film.mp4", [np.ascontiguousarray(portrait)] * 6, rate=6, sound=None)
    table, summary = tmp_path / "t.csv", tmp_path / "s.csv"
    words = ("--model", own, "--csv", table, "--summary", summary, "--plot", tmp_path / "t.svg")
    assert mien("video", film, *words).exit_code == 0
    with table.open() as file:
        header, *rows = csv.reader(file)
    assert header[8:] == ["label", "confidence", "resting", "open", "asleep", "score_left"]
    [face] = Recognizer(own, threads=1).read(portrait).faces
    assert [float(v) for v in rows[0][11:]] == pytest.approx(face.values.tolist(), abs=0.02)
    with summary.open() as file:
        shares = next(csv.DictReader(file))
    named = [name for name in shares if name.startswith("share_")]
    assert named == [f"share_{name}" for name in (*BESIDE.targets, "uncertain")]
    assert float(shares[f"share_{rows[0][8]}"]) == 1
    assert "<!-- asleep -->" in (tmp_path / "t.svg").read_text()
