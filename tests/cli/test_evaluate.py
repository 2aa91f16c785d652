import csv
import json

import pytest

from mien import read_table
from mien.data import manifest
from mien.evaluate.accuracy import PICTURES_HEADER, compare_models, evaluate
from mien.labels import LabelSet
from mien.recognize.recognizer import Recognizer
from tests.support.commands import mien
from tests.support.onnx_files import channels_model, three_classes
from tests.support.pictures import encode, texture, zip_of
from tests.support.prepared_folder import write_crops


@pytest.fixture(scope="module")
def rafdb(tmp_path_factory):
    """A database of two training and one test picture for each of its seven numbers; one bad."""
    files = {
        f"DATASET/{split}/{number}/{i}.jpg": encode(texture(100 * number + i))
        for number in range(1, 8)
        for i, split in enumerate(("train", "train", "test"))
    }
    files["DATASET/train/4/bad.jpg"] = b"these are no pixels"
    files["DATASET/train/4/leak.jpg"] = files["DATASET/test/5/2.jpg"]
    return zip_of(tmp_path_factory.mktemp("given") / "rafdb.zip", files)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("given") / "made", train=1, test=4)


@pytest.fixture
def model(tmp_path):
    """An .onnx file with a card."""
    card = {"name": "channels", "weights_sha256": "ab" * 32, "data": {"seed": 0}}
    (tmp_path / "a.onnx").write_bytes(channels_model(neutral=True, **card))
    return tmp_path / "a.onnx"


def failed(result, message, code=1):
    """Check that a command could not do it, and said what and what next."""
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stderr.count("\n  try: ") == 1
    assert "Traceback" not in result.stderr


def test_prepare_makes_the_folder_and_counts_what_is_in_it_and_what_is_not(rafdb, tmp_path):
    result = mien("prepare", "rafdb", rafdb, "--out", tmp_path / "out", "--size", 48)
    assert result.exit_code == 0
    rows = manifest.read(tmp_path / "out")
    assert len(rows) == 21
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["train", "fear", "2"] in lines
    assert ["test", "neutral", "1"] in lines
    assert "left out of train: 1 copies of rafdb test pictures" in result.stdout
    assert "bad.jpg" in result.stderr
    assert result.stderr.splitlines()[-2:] == [
        "skipped: 1 unreadable pictures",
        f"wrote {tmp_path / 'out'}/manifest.csv",
    ]


def test_prepare_again_has_nothing_to_do(rafdb, tmp_path):
    mien("prepare", "rafdb", rafdb, "--out", tmp_path / "out")
    written = (tmp_path / "out" / "manifest.csv").stat().st_mtime_ns
    result = mien("prepare", "rafdb", rafdb, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "prepared already; nothing to do" in result.stderr
    assert "wrote" not in result.stderr
    assert (tmp_path / "out" / "manifest.csv").stat().st_mtime_ns == written


def test_prepare_without_out_makes_a_folder_in_data(rafdb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert mien("prepare", "rafdb", rafdb).exit_code == 0
    assert len(manifest.read(tmp_path / "data" / "rafdb")) == 21


@pytest.mark.parametrize(
    ("name", "source", "message", "code"),
    [("rafbd", None, "called 'rafbd'\n  try: use rafdb", 2), ("rafdb", "gone.zip", "gone.zip", 1)],
)
def test_prepare_of_a_wrong_name_or_file_says_so(rafdb, tmp_path, name, source, message, code):
    given = rafdb if source is None else tmp_path / source
    failed(mien("prepare", name, given, "--out", tmp_path / "out"), message, code)
    assert not (tmp_path / "out").exists()


def test_evaluate_prints_the_figures_of_the_library(model, folder):
    expected = evaluate(Recognizer(model), folder).record
    result = mien("evaluate", model, folder)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["made", "test", "(as-is):", "24", "pictures"]
    low, high = expected["accuracy_95"]
    accuracy = f"{expected['accuracy']:.1%}"
    assert lines[1] == ["accuracy", accuracy, "(95", "%:", f"{low:.1%}", "to", f"{high:.1%})"]
    assert lines[2] == ["mean", "recall", f"{expected['mean_recall']:.1%}"]
    recalls = [[label, f"{recall:.1%}"] for label, recall in expected["recall"].items()]
    assert lines[3:9] == recalls
    assert lines[9] == ["macro-F1", f"{expected['macro_f1']:.1%}"]
    low, high = (f"{bound:.1%}" for bound in expected["calibration_error_by_chance"])
    error = f"{expected['calibration_error']:.1%}"
    expected_line = ["calibration", "error", error, "(by", "chance", "alone", low, "to", f"{high})"]
    assert lines[10] == expected_line
    assert lines[11] == ["at", "80", "%", "coverage", f"{expected['accuracy_at_80']:.1%}"]


def test_evaluate_with_mirror_images_says_so_in_name_and_record(model, folder, tmp_path):
    assert mien("evaluate", model, folder, "--flip", "--out", tmp_path).exit_code == 0
    record = json.loads((tmp_path / "made-test-flip.json").read_text())
    expected = evaluate(Recognizer(model, flip=True), folder).record
    assert record == expected
    assert record["command"].endswith("--split test --flip")


def test_evaluate_writes_the_record_and_a_row_a_picture(model, folder, tmp_path):
    out = tmp_path / "results"
    result = mien("evaluate", model, folder, "--split", "train", "--out", out, "--pictures")
    assert result.exit_code == 0
    expected = evaluate(Recognizer(model), folder, "train")
    assert sorted(path.name for path in out.iterdir()) == [
        "made-train-pictures.csv",
        "made-train.json",
    ]
    assert json.loads((out / "made-train.json").read_text()) == expected.record
    with (out / "made-train-pictures.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == PICTURES_HEADER
    assert rows == [[str(cell) for cell in row] for row in expected.picture_rows()]


def test_the_rows_in_parquet_alone_are_all_pictures(model, folder, tmp_path):
    pytest.importorskip("pyarrow")
    result = mien("evaluate", model, folder, "--parquet", tmp_path / "a.parquet")
    assert result.exit_code == 0
    frame = read_table(tmp_path / "a.parquet")
    rows = list(evaluate(Recognizer(model), folder).picture_rows())
    assert list(zip(frame["path"], frame["predicted"], strict=True)) == [(r[0], r[2]) for r in rows]


def test_evaluate_without_out_writes_nothing(model, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert mien("evaluate", model, folder).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


def test_evaluate_measures_the_shipped_model_by_its_name(folder):
    result = mien("evaluate", "shipped", folder)
    assert result.exit_code == 0
    assert f"{evaluate(Recognizer(), folder).record['accuracy']:.1%}" in result.stdout


def test_an_expression_without_pictures_has_a_dash_for_its_recall(model, tmp_path):
    folder = write_crops(tmp_path / "two", test=2, labels=("anger", "fear"))
    lines = [line.split() for line in mien("evaluate", model, folder).stdout.splitlines()]
    assert ["surprise", "-"] in lines


def test_evaluate_of_what_is_not_there_says_so(model, folder, tmp_path):
    failed(mien("evaluate", tmp_path / "gone.onnx", folder), "gone.onnx")
    failed(mien("evaluate", model, tmp_path / "gone"), "no manifest.csv in ")
    failed(mien("evaluate", model, folder, "--split", "valid"), "has no valid pictures")
    failed(mien("evaluate", folder / "manifest.csv", folder), "is not a model of mien")


def test_another_model_that_is_not_there_is_named_before_one_is_measured(
    model, folder, monkeypatch
):
    monkeypatch.setattr("mien.evaluate.accuracy.evaluate", lambda *_: pytest.fail("measured"))
    failed(mien("evaluate", model, folder, "--against", "gone.onnx"), "gone.onnx")


def test_another_model_answers_the_same_pictures_in_the_same_way(
    model, folder, tmp_path, monkeypatch
):
    seen, measured = [], []

    def noted(recognizer, folder, split, *rest):
        seen.append((recognizer.model.path.stem, recognizer.model.flip, split))
        measured.append(evaluate(recognizer, folder, split, *rest))
        return measured[-1]

    monkeypatch.setattr("mien.evaluate.accuracy.evaluate", noted)
    words = ("--split", "train", "--flip", "--against", "shipped", "--out", tmp_path)
    result = mien("evaluate", model, folder, *words)
    assert result.exit_code == 0
    assert seen == [("a", True, "train"), ("miennet", True, "train")]
    record = json.loads((tmp_path / "made-train-flip.json").read_text())
    assert record["against"] == compare_models(*measured)
    assert record["against"]["model"] == "miennet"
    assert f"only this one right {record['against']['only_this_right']}," in result.stdout


def test_another_model_of_other_classes_is_refused_before_one_is_measured(
    model, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("mien.evaluate.accuracy.evaluate", lambda *_: pytest.fail("measured"))
    other = three_classes(tmp_path / "other.onnx", LabelSet(("yes", "no", "perhaps")))
    result = mien("evaluate", model, folder, "--against", other)
    failed(result, "other.onnx has the classes yes, no, perhaps")


def test_rows_without_a_place_to_write_them_are_wrong_usage(model, folder):
    result = mien("evaluate", model, folder, "--pictures")
    assert result.exit_code == 2
    assert "--pictures needs --out" in result.stderr


def test_evaluate_says_where_a_model_may_have_learned_its_pictures(model, folder, tmp_path):
    card = {"name": "channels", "data": {"test_sha256": {"made": "other pictures"}}}
    path = tmp_path / "learned.onnx"
    path.write_bytes(channels_model(neutral=True, **card))
    result = mien("evaluate", model, folder, "--against", path)
    assert result.exit_code == 0
    assert "learned.onnx may have learned some of these pictures: when" in result.stderr
    assert "a.onnx may" not in result.stderr
