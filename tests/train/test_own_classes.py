"""Three classes of one's own, from a prepared folder to a file that is measured and explained."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import mien
from mien.data import manifest
from mien.data.label_file import labels_of, write_labels
from mien.errors import BadDataError, BadSettingError
from mien.evaluate.accuracy import evaluate
from mien.explain.methods import explain, explain_each
from mien.labels import LabelSet
from mien.media.images import read_rgb
from mien.recognize.model import Model
from mien.train.export import export
from mien.train.run import load_run
from mien.train.trainer import train
from tests.support.own_classes import OWN, write_own
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_own(tmp_path_factory.mktemp("own") / "data", train=24, test=8)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("own") / "run"
    train(settings_for(folder, epochs=12, hold_out=0.2, augment=False), out)
    return out


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("own") / "own.onnx"
    return out, export(run, out)


def crops_and_names(folder):
    rows = [row for row in manifest.read(folder) if row.split == "test"]
    return [read_rgb(folder / row.path) for row in rows], [row.label for row in rows]


def test_the_file_gives_each_picture_its_class_in_the_order_of_the_folder(folder, exported):
    recognizer = mien.Recognizer(exported[0], threads=1, six=True)
    crops, names = crops_and_names(folder)
    assert recognizer.labels.names == OWN.names
    called = [OWN.names[number] for number in recognizer.classify(crops).argmax(axis=1)]
    assert recognizer.label(crops) == called
    assert np.mean([a == b for a, b in zip(called, names, strict=True)]) > 0.9


def test_the_figures_are_those_of_the_classes(folder, exported):
    found = evaluate(mien.Recognizer(exported[0], threads=1), folder)
    assert found.record["accuracy"] > 0.9
    assert list(found.record["recall"]) == list(OWN.names)
    assert np.array(found.record["confusion"]).shape == (3, 3)
    assert np.trace(found.record["confusion"]) > 0.9 * 24
    rows = list(found.picture_rows())
    assert {row[1] for row in rows} == set(OWN.names)
    assert all(row[2] == OWN.names[int(np.argmax(row[3:]))] for row in rows)


def test_the_card_says_the_classes_and_that_nothing_was_calibrated(exported):
    card = exported[1]
    assert (card["labels"], card["calm"], card["colours"]) == (OWN.names, "", ())
    assert card["neutral"] == {}
    assert card["licence"] == "Weights: as the training pictures allow."
    assert (card["calibrated_on"], card["temperature"]) == (0, 1.0)
    assert 0 < card["parity"] < 1e-4  # proven, although no 256 crops were held out


def test_a_class_is_explained_by_its_own_name(folder, exported, run):
    model = Model(exported[0], threads=1)
    crops, _ = crops_and_names(folder)
    batch = model.to_batch(crops[:6])
    by_number = explain_each(model, batch, "cam", [0, 1, 2])
    for number, name in enumerate(OWN.names):
        np.testing.assert_array_equal(explain(model, batch, "cam", name), by_number[number])
        in_torch = explain(load_run(run).network, batch, "cam", name)
        np.testing.assert_allclose(in_torch, by_number[number], atol=1e-4)
    means = by_number.mean(axis=(2, 3)).T  # a map's mean is its logit without the bias
    logits = model.tensors(batch, ["logits"])["logits"]
    np.testing.assert_allclose(logits - means, np.tile((logits - means)[:1], (6, 1)), atol=1e-4)


def test_a_run_reads_its_classes_back(run):
    assert labels_of(run) == load_run(run).labels == OWN
    assert load_run(run).network.last.out_features == 3


@pytest.mark.parametrize("names", [("asleep", "open", "left"), ("open", "asleep", "right")])
def test_a_folder_of_another_order_or_other_classes_is_refused(names, exported, run, tmp_path):
    other = write_own(tmp_path / "other", LabelSet(names), train=2, test=2)
    with pytest.raises(BadDataError, match=r"own.onnx has .*open, asleep, left.*other has"):
        evaluate(mien.Recognizer(exported[0], threads=1), other)
    with pytest.raises(BadSettingError, match=r"start .* has the classes open, asleep, left, .*"):
        train(settings_for(other, start=str(run)), tmp_path / "new")
    assert not (tmp_path / "new/best.safetensors").exists()


def test_classes_in_the_settings_must_be_those_of_the_folder(folder, tmp_path):
    with pytest.raises(BadSettingError, match=r"classes are asleep, open, left; .* has open"):
        train(settings_for(folder, classes=("asleep", "open", "left")), tmp_path / "run")


def test_a_folder_whose_order_changed_since_the_run_is_not_exported(run, tmp_path):
    moved = write_own(tmp_path / "data", train=4)
    settings = replace(load_run(run).settings, data=(str(moved),), epochs=1)
    train(settings, tmp_path / "run")
    write_labels(moved, LabelSet(OWN.names[::-1]))
    with pytest.raises(BadDataError, match="run has the classes open, asleep, left; its data have"):
        export(tmp_path / "run", tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


def test_a_class_without_pictures_and_one_class_alone_are_named(tmp_path):
    folder = write_own(tmp_path / "data", LabelSet(OWN.names[:2]), train=4)
    write_labels(folder, OWN)
    with pytest.raises(BadDataError, match="no training picture of left"):
        train(settings_for(folder), tmp_path / "run")
    alone = write_own(tmp_path / "alone", LabelSet(("only",)), train=4)
    with pytest.raises(BadDataError, match=r"one class alone \(only\)"):
        train(settings_for(alone), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_calm_beside_own_classes_has_a_probability_of_its_own(tmp_path):
    labels = LabelSet(("open", "asleep"), "resting")
    patterns = {"open": 0, "asleep": 1, "resting": 2}
    folder = write_own(tmp_path / "data", labels, train=24, test=6, patterns=patterns)
    train(settings_for(folder, epochs=12, augment=False), tmp_path / "run")
    export(tmp_path / "run", tmp_path / "calm.onnx")
    recognizer = mien.Recognizer(tmp_path / "calm.onnx", threads=1)
    crops, names = crops_and_names(folder)
    assert recognizer.classify(crops).shape == (18, 2)
    assert np.mean([a == b for a, b in zip(recognizer.label(crops), names, strict=True)]) > 0.8


def test_calm_among_the_classes_is_scored_with_them(tmp_path):
    labels = LabelSet(("open", "resting", "asleep"), "resting")
    folder = write_own(tmp_path / "data", labels, train=24, test=6)
    train(settings_for(folder, epochs=12, augment=False), tmp_path / "run")
    export(tmp_path / "run", tmp_path / "calm.onnx")
    model = Model(tmp_path / "calm.onnx", threads=1)
    assert model.outputs[:3] == ("logits", "maps", "features")
    crops, names = crops_and_names(folder)
    outputs = model.run(model.to_batch(crops))
    np.testing.assert_array_equal(outputs.neutral, outputs.scores[:, 1])
    called = mien.Recognizer(model.path, threads=1).label(crops)
    assert np.mean([a == b for a, b in zip(called, names, strict=True)]) > 0.8
