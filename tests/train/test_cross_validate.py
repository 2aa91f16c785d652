"""Runs by folds: each picture is held out once, and the figures owe nothing to it."""

import csv
import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.data import manifest
from mien.data.manifest import Row
from mien.errors import BadDataError, BadSettingError
from mien.evaluate.calibration import fit_temperature
from mien.labels import LabelSet
from mien.recognize.model import read_card
from mien.table_kinds import TABLES
from mien.train import cross_validate as by_folds
from mien.train.cross_validate import read_answers, train_by_folds
from mien.train.dataset import Crops
from mien.train.distill import Teachers
from mien.train.earlier import load_member
from mien.train.export import export
from mien.train.first import first_network
from mien.train.run import load_run
from mien.train.trainer import train
from tests.support.own_classes import OWN, write_own
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_own(tmp_path_factory.mktemp("own") / "data", train=24, test=8)


@pytest.fixture(scope="module")
def settings(folder):
    return settings_for(folder, folds=3, epochs=8, augment=False)


@pytest.fixture(scope="module")
def run(settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("own") / "run"
    return out, train_by_folds(settings, out)


def test_every_picture_has_one_answer_of_a_network_that_did_not_see_it(run, folder):
    out, record = run
    with (out / "folds.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    trained = [row for row in manifest.read(folder) if row.split == "train"]
    assert sorted(line["path"] for line in lines) == sorted(row.path for row in trained)
    assert record["pictures"] == 72
    for number in range(3):
        description = json.loads((out / f"fold-{number + 1}/data.json").read_text())
        assert (description["train"], description["held_out"]) == (48, 24)
    described = json.loads((out / "data.json").read_text())
    assert (described["train"], described["held_out"]) == (72, 0)


def test_each_answer_has_the_person_of_its_picture_and_older_answers_are_read(
    settings, folder, tmp_path
):
    place = tmp_path / "data"
    shutil.copytree(folder, place)
    persons = iter(range(1000))
    named = [replace(row, subject=f"{next(persons) % 9:03}") for row in manifest.read(place)]
    manifest.write([replace(named[0], subject=""), *named[1:]], place)
    out = tmp_path / "run"
    train_by_folds(replace(settings, data=(str(place),), epochs=1), out)
    with (out / "folds.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    expected = {row.path: row.subject for row in manifest.read(place)}
    assert {line["subject"] for line in lines} == {"", *(f"{n:03}" for n in range(9))}
    assert all(line["subject"] == expected[line["path"]] for line in lines)
    assert tuple(lines[0])[:6] == tuple(TABLES["folds"].columns)[:6]

    answers = read_answers(out, OWN)
    with (out / "folds.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([name for name in lines[0] if name != "subject"])
        table.writerows([line[n] for n in line if n != "subject"] for line in lines)
    earlier = read_answers(out, OWN)
    np.testing.assert_array_equal(earlier.logits, answers.logits)
    assert (earlier.targets == answers.targets).all()


def test_the_figures_are_those_of_the_answers(run):
    out, record = run
    answers = read_answers(out, OWN)
    right = answers.logits.argmax(axis=1) == answers.targets
    assert record["accuracy"] == round(right.mean(), 4) > 0.9
    low, high = record["accuracy_95"]
    assert 0.85 < low < record["accuracy"] <= high <= 1
    assert np.sum(record["confusion"]) == 72
    assert np.trace(record["confusion"]) == right.sum()
    assert list(record["recall"]) == list(OWN.names)


def test_the_last_weights_answer_not_those_that_the_held_out_pictures_chose(
    settings, tmp_path, monkeypatch
):
    asked = []
    real = by_folds.load_weights
    monkeypatch.setattr(by_folds, "load_weights", lambda p, m: asked.append(p.name) or real(p, m))
    train_by_folds(replace(settings, epochs=1), tmp_path / "run")
    assert asked == ["last.safetensors"] * 3


def test_the_file_has_the_network_of_all_pictures_calibrated_on_the_answers(run, tmp_path):
    whole, record = run
    out = shutil.copytree(whole, tmp_path / "run")
    text = (out / "folds.csv").read_text()  # one answer is wrong: without any, nothing is fitted
    (out / "folds.csv").write_text(text.replace(",left,", ",open,", 1))
    card = export(out, tmp_path / "own.onnx")
    answers = read_answers(out, OWN)
    assert (answers.logits.argmax(axis=1) != answers.targets).sum() == 1
    assert 0.06 < card["temperature"] < 1
    assert card["temperature"] == round(fit_temperature(answers.logits, answers.targets), 4)
    assert (card["calibrated_on"], card["epoch"]) == (72, 8)
    assert card["metrics"]["folds"]["accuracy"] == record["accuracy"]
    weights = load_run(out).network.state_dict()
    other = load_run(out / "fold-1").network.state_dict()
    assert not torch.equal(weights["head.weight"], other["head.weight"])


def test_a_run_that_was_stopped_between_folds_goes_on(settings, run, tmp_path):
    steps = iter(range(2 * 8 * 4))  # one fold and a part of the second

    def stopping(step_range, _name):
        for step in step_range:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            yield step

    with pytest.raises(KeyboardInterrupt):
        train_by_folds(settings, tmp_path / "run", progress=stopping)
    assert not (tmp_path / "run/folds.json").exists()
    assert train_by_folds(settings, tmp_path / "run", resume=True) == run[1]


def changed_rows(folder, change):
    """Change the rows of a folder's manifest, and return the folder."""
    manifest.write([change(row) for row in manifest.read(folder)], folder)
    return folder


@pytest.mark.parametrize("change", ["folds", "draw", "picture", "unknown"])
def test_a_run_is_not_resumed_with_other_pictures_or_other_folds(settings, tmp_path, change):
    folder = write_own(tmp_path / "data", train=4)
    few = replace(settings, data=(str(folder),), epochs=1)

    def stop(_row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_by_folds(few, tmp_path / "run", report=stop)
    with pytest.raises(BadSettingError, match="holds a run"):
        train_by_folds(few, tmp_path / "run")
    [first, *_] = manifest.read(folder)
    if change == "picture":  # another one in the same place
        changed_rows(folder, lambda row: replace(row, sha256="0") if row == first else row)
    else:
        few = replace(few, **{"folds": {"folds": 2}, "draw": {"draw": 1}}.get(change, {}))
    if change == "unknown":
        (tmp_path / "run/division.json").unlink()  # as in a run of an earlier version
    told = "does not say which" if change == "unknown" else "are not those that the run in .* began"
    with pytest.raises(BadSettingError, match=rf"{told}.*\n  try: choose another --out"):
        train_by_folds(few, tmp_path / "run", resume=True)


def test_the_order_of_the_pictures_does_not_matter_to_a_resumed_run(settings, tmp_path):
    folder = write_own(tmp_path / "data", train=4)
    few = replace(settings, data=(str(folder),), epochs=1)
    record = train_by_folds(few, tmp_path / "run")
    manifest.write(manifest.read(folder)[::-1], folder)
    assert train_by_folds(few, tmp_path / "run", resume=True)["pictures"] == record["pictures"]


def test_the_network_of_a_fold_is_neither_exported_nor_does_it_teach(settings, run, tmp_path):
    part = run[0] / "fold-2"
    assert json.loads((part / "data.json").read_text())["fold"] == 2
    student = replace(settings, folds=0)
    crops = by_folds.load_data(student).train
    uses = (
        lambda: export(part, tmp_path / "a.onnx"),
        lambda: Teachers([part], student),
        lambda: load_member(str(part), student, None),
        lambda: first_network(replace(student, start=str(part)), crops),
    )
    for use in uses:
        with pytest.raises(BadSettingError, match=r"fold-2 is only the part .* answers for fold 2"):
            use()


def test_what_learned_by_folds_has_seen_the_valid_split(settings, run, tmp_path):
    export(run[0], tmp_path / "own.onnx")
    file = str(tmp_path / "own.onnx")
    assert read_card(file)["data"]["folds"] == 3
    every_fourth = iter(range(1000))
    folder = changed_rows(
        write_own(tmp_path / "data", train=24),
        lambda row: replace(row, split="valid" if next(every_fourth) % 4 == 0 else row.split),
    )
    student = replace(settings, data=(str(folder),), folds=0, hold_out=0.0)
    crops = by_folds.load_data(student).train
    assert 0 < len(crops) < 72  # nothing is drawn, and the split validates
    uses = (
        lambda: Teachers([run[0]], student),
        lambda: Teachers([file], student),
        lambda: load_member(file, student, None),
        lambda: first_network(replace(student, start=str(run[0])), crops),
        lambda: first_network(replace(student, start=file), crops),
    )
    for use in uses:
        with pytest.raises(BadSettingError, match="was trained by folds, in the end on"):
            use()


def test_the_bar_of_a_fold_travels_to_other_processes(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(by_folds, "train", lambda *words: pickle.loads(pickle.dumps(words[3])))
    monkeypatch.setattr(by_folds, "_logits", lambda *_: None)
    monkeypatch.setattr(by_folds, "_written", lambda *_: {})
    assert train_by_folds(settings, tmp_path / "run") == {}
    assert by_folds._titled(lambda _steps, name: [name], "fold 2/3")(range(1), "epoch 1/8") == [
        "fold 2/3, epoch 1/8"
    ]


def test_a_fold_with_all_pictures_of_a_class_is_named(tmp_path, settings, monkeypatch):
    folder = write_own(tmp_path / "data", train=4)
    rows = [replace(r, subject=r.label) for r in manifest.read(folder)]
    manifest.write(rows, folder)
    with pytest.raises(BadDataError, match=r"without fold 1 there is no training picture of"):
        train_by_folds(replace(settings, data=(str(folder),)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_may_have_seen_the_pictures_does_not_teach(settings, run, tmp_path):
    taught = replace(settings, teachers=("x",), start=str(run[0]))
    with pytest.raises(BadSettingError, match="teachers and start may have seen"):
        train_by_folds(taught, tmp_path / "new")


def test_a_run_by_folds_and_its_file_do_not_teach_what_holds_pictures_out(settings, run, tmp_path):
    export(run[0], tmp_path / "own.onnx")
    assert read_card(tmp_path / "own.onnx")["data"]["hold_out"] == 0
    student = replace(settings, folds=0)
    with pytest.raises(BadSettingError, match="was trained by folds"):
        Teachers([run[0]], student)
    with pytest.raises(BadSettingError, match=r"has hold_out = 0.0, the run has 0.25"):
        Teachers([tmp_path / "own.onnx"], student)
    Teachers([run[0], tmp_path / "own.onnx"], replace(student, hold_out=0.0))  # nothing to see


@pytest.mark.parametrize("hold_out", [0.25, 0.0])
def test_a_start_that_has_seen_the_pictures_is_refused_before_the_first_fold(
    settings, tmp_path, hold_out
):
    few = replace(settings, folds=0, epochs=1, hold_out=hold_out)
    train(few, tmp_path / "first")
    export(tmp_path / "first", tmp_path / "first.onnx")
    begun = replace(few, folds=3, start=str(tmp_path / "first.onnx"))
    with pytest.raises(BadSettingError, match=r"first\.onnx has learned from own with hold"):
        train_by_folds(begun, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_damaged_answers_are_named(tmp_path):
    with pytest.raises(BadDataError, match=r"folds.csv does not hold"):
        read_answers(tmp_path, OWN)
    header = "source,original,path,label,fold,asleep,open,left\n"
    (tmp_path / "folds.csv").write_text(header)
    with pytest.raises(BadDataError, match=r"open,asleep,score_left, got .*asleep,open,left"):
        read_answers(tmp_path, OWN)


def test_copies_of_held_out_pictures_are_not_trained_on():
    gray = torch.randint(0, 256, (4, 64, 64), dtype=torch.uint8)
    gray[3] = gray[0]
    rows = [Row(f"{n}", "x", "own", "train", "", "", f"{n}", "as-is") for n in range(4)]
    crops = Crops(rows, gray, torch.tensor([0, 1, 0, 1]))
    data = by_folds._part(crops, np.array([1, 0, 0, 0], bool), 0)
    assert (data.held_copies, len(data.train)) == (1, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])  # as Excel saves it
def test_a_class_called_as_a_fact_of_the_table_has_a_column_of_its_own(tmp_path, encoding):
    labels = LabelSet(("fold", "source"))
    header = "source,original,path,label,fold,subject,score_fold,score_source"
    rows = ["own,a,a,source,1,,0.5,1.5", "own,b,b,fold,2,,2.5,0.5"]
    (tmp_path / "folds.csv").write_text("\n".join([header, *rows]) + "\n", encoding)
    answers = read_answers(tmp_path, labels)
    assert answers.targets.tolist() == [1, 0]
    assert answers.logits.tolist() == [[0.5, 1.5], [2.5, 0.5]]
