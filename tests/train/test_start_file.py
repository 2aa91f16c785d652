"""Training that begins with an exported file, on other classes than the file's."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import mien
from mien.data import manifest
from mien.data.label_file import write_labels
from mien.errors import BadModelError, BadSettingError
from mien.labels import LabelSet
from mien.models import zoo
from mien.models.exported import load_exported
from mien.recognize.model import Model, read_card
from mien.train import run
from mien.train.dataset import load_crops, network_inputs
from mien.train.export import export
from mien.train.first import first_network, origin_of
from mien.train.trainer import train
from tests.support.own_classes import write_own
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_own(tmp_path_factory.mktemp("own") / "data", train=24, test=8)


@pytest.fixture(scope="module")
def exported(folder, tmp_path_factory):
    """A tiny network of three classes, trained and exported."""
    out = tmp_path_factory.mktemp("own") / "run"
    train(settings_for(folder, epochs=6, augment=False), out)
    export(out, out / "own.onnx")
    return out / "own.onnx"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two other classes, seen in the same patterns as two of the three."""
    patterns = {"standing": 1, "lying": 0}
    labels = LabelSet(("standing", "lying"))
    return write_own(tmp_path_factory.mktemp("two") / "data", labels, 24, 8, 900, patterns)


@pytest.mark.parametrize("name", ["tiny", "miennet"])
def test_the_features_are_those_of_the_file(name, exported, two):
    start = str(exported) if name == "tiny" else "miennet"
    model = Model(start, threads=1)
    crops = load_crops([two], "train", side=model.side)
    settings = settings_for(two, model=name, start=start)
    torch.manual_seed(0)
    network = first_network(settings, crops).eval()
    assert network.last.out_features == 2
    [batch] = network_inputs(crops.gray)
    with torch.no_grad():
        found = network.features(batch).numpy()
    expected = model.tensors(batch.numpy(), ["features"])["features"]
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
    with torch.no_grad():  # batch norm is back: batches in training see nearly the same
        trained = network.train().features(batch).numpy()
    assert np.abs(trained - expected).mean() < 0.2 * np.abs(expected).mean()


@pytest.mark.parametrize("begin", ["file", "run"])
def test_a_start_may_take_crops_of_another_side(begin, exported, two, tmp_path):
    if begin == "run":
        train(settings_for(two), tmp_path / "first")
        export(tmp_path / "first", tmp_path / "first.onnx")
    start = tmp_path / "first" if begin == "run" else exported
    model = Model(tmp_path / "first.onnx" if begin == "run" else exported, threads=1)
    torch.manual_seed(0)
    larger = load_crops([two], "train", side=88)
    network = first_network(settings_for(two, start=str(start), side=88), larger).eval()
    assert (model.side, network.side) == (64, 88)
    batch = torch.randn(4, 3, 64, 64)  # what the layers compute is as before
    expected = model.tensors(batch.numpy(), ["features"])["features"]
    with torch.no_grad():
        found = network.features(batch).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
    # and the norms have the statistics of the larger crops: training mode computes nearly the same
    [crops] = network_inputs(larger.gray)
    with torch.no_grad():
        calm, trained = network.features(crops), network.train().features(crops)
    assert (trained - calm).abs().mean() < 0.1 * calm.abs().mean()


def test_a_run_and_its_file_say_what_they_began_with(exported, two, tmp_path):
    card = read_card(exported)
    expected = {"name": "tiny", "licence": card["licence"]}
    learned = ("train_by_source", "hold_out", "draw", "valid_sha256", "test_sha256")
    expected |= {key: card["data"][key] for key in learned}
    assert (expected["train_by_source"], expected["hold_out"]) == ({"own": 49}, 0.25)
    train(settings_for(two, start=str(exported)), tmp_path / "first")
    train(settings_for(two, start=str(tmp_path / "first")), tmp_path / "second")
    export(tmp_path / "second", tmp_path / "second.onnx")
    records = [run.read_description(tmp_path / name) for name in ("first", "second")]
    for record in (*records, read_card(tmp_path / "second.onnx")["data"]):
        assert record["start"] == expected | {"source": "a model file of mien"}
    allowed = "Weights: as the training pictures allow, and tiny, their start: "
    own = card["licence"].removeprefix("Weights: ")
    assert read_card(tmp_path / "second.onnx")["licence"] == allowed + own
    train(settings_for(two), tmp_path / "fresh")
    assert "start" not in run.read_description(tmp_path / "fresh")
    # a file that began with another one says both
    both = origin_of(str(tmp_path / "second.onnx"))
    assert both["start"] == records[0]["start"]


def other_source(folder, out, source):
    """The same pictures, said to be of another database."""
    shutil.copytree(folder, out)
    manifest.write([replace(row, source=source) for row in manifest.read(folder)], out)
    return out


def test_a_start_that_has_seen_held_out_pictures_is_refused(exported, two, tmp_path):
    begun = settings_for(two, start=str(exported), epochs=1, augment=False)
    for changes in ({"hold_out": 0.4}, {"draw": 1}):
        with pytest.raises(
            BadSettingError, match=r"has learned from own with hold_out = 0\.25 and draw = 0: some "
        ) as caught:
            train(replace(begun, **changes), tmp_path / "run")
        assert caught.value.fix == "set hold_out = 0.25 and draw = 0, or leave own out of data"
    with pytest.raises(BadSettingError) as caught:
        train(replace(begun, hold_out=0.0, folds=2), tmp_path / "run")
    assert "hold_out = 0.25 and draw = 0 in place of folds" in caught.value.fix
    # nothing is held out, or nothing that the file can have seen
    train(replace(begun, hold_out=0.0), tmp_path / "none")
    other = other_source(two, tmp_path / "two", "other")
    changed = replace(begun, data=(str(other),), hold_out=0.4)
    train(changed, tmp_path / "other")
    # a file remembers what its own start has learned from, and with what held out
    export(tmp_path / "other", tmp_path / "other.onnx")
    for data, told in ((two, "own with hold_out = 0.25"), (other, "other with hold_out = 0.4")):
        settings = replace(begun, data=(str(data),), start=str(tmp_path / "other.onnx"), draw=3)
        with pytest.raises(BadSettingError, match=f"other.onnx has learned from {told} and draw"):
            train(settings, tmp_path / "last")


def test_what_earlier_runs_learned_from_goes_on_with_the_weights(two, tmp_path):
    settings = settings_for(two, epochs=1, augment=False)
    research = other_source(two, tmp_path / "research", "rafdb")
    train(replace(settings, data=(str(research),)), tmp_path / "first")
    train(replace(settings, start=str(tmp_path / "first")), tmp_path / "second")
    train(replace(settings, start=str(tmp_path / "second")), tmp_path / "third")
    export(tmp_path / "third", tmp_path / "third.onnx")
    card = read_card(tmp_path / "third.onnx")
    known = [(list(r["train_by_source"]), r["hold_out"]) for r in card["data"]["earlier"]]
    assert known == [(["rafdb"], 0.25), (["own"], 0.25)]
    assert "for research" in card["licence"]  # as are RAF-DB's pictures
    export(tmp_path / "first", tmp_path / "first.onnx")
    train(replace(settings, start=str(tmp_path / "first.onnx")), tmp_path / "other")
    assert "earlier" not in run.read_description(tmp_path / "other")  # a file is its start
    begun = replace(settings, data=(str(research),), start=str(tmp_path / "third.onnx"), draw=2)
    with pytest.raises(BadSettingError, match=r"from rafdb with hold_out = 0\.25"):
        train(begun, tmp_path / "last")


def test_the_head_knows_the_new_classes_before_the_first_step(exported, two):
    crops = load_crops([two], "train")
    torch.manual_seed(0)
    network = first_network(settings_for(two, start=str(exported)), crops).eval()
    with torch.no_grad():
        [logits] = [network(batch) for batch in network_inputs(crops.gray)]
    assert (logits.argmax(dim=1) == crops.targets).float().mean() > 0.95


def test_frozen_features_stay_and_the_head_is_trained(exported, two, tmp_path):
    settings = settings_for(two, start=str(exported), frozen=True, epochs=2, average=0.0)
    train(settings, tmp_path / "run")
    export(tmp_path / "run", tmp_path / "two.onnx")
    before, after = Model(exported, threads=1), Model(tmp_path / "two.onnx", threads=1)
    batch = np.random.default_rng(0).normal(size=(4, 3, 64, 64)).astype(np.float32)
    features = [m.tensors(batch, ["features"])["features"] for m in (before, after)]
    np.testing.assert_allclose(*features, atol=2e-3 * np.abs(features[0]).max())
    free = replace(settings, frozen=False)
    train(free, tmp_path / "free")
    export(tmp_path / "free", tmp_path / "free.onnx")
    moved = Model(tmp_path / "free.onnx", threads=1).tensors(batch, ["features"])["features"]
    assert np.abs(moved - features[0]).max() > 0.02 * np.abs(features[0]).max()
    assert mien.Recognizer(after.path, threads=1).labels.names == ("standing", "lying")


def test_a_start_of_another_network_is_named(exported, two, tmp_path):
    with pytest.raises(BadSettingError, match=r"a tiny; model is miennet.*\n.*\"tiny"):
        train(settings_for(two, model="miennet", start=str(exported)), tmp_path / "run")
    with pytest.raises(BadSettingError, match="frozen is set, and there is no start"):
        settings_for(two, frozen=True)
    with pytest.raises(BadModelError, match=r"cannot read .*gone.onnx"):
        train(settings_for(two, start="gone.onnx"), tmp_path / "run")


def test_a_file_whose_layers_are_others_is_refused(exported):
    model, crops = Model(exported, threads=1), torch.randn(8, 3, 64, 64)
    expected = model.tensors(crops.numpy(), ["features"])["features"]
    with pytest.raises(BadModelError, match=r"the file has 7 layers with weights, the network 8"):
        load_exported(zoo.build("cnn10", 6, 0), model.path.read_bytes(), crops, expected)
    network = zoo.build("tiny", 3, 0)
    with pytest.raises(BadModelError, match=r"features are not the network's: off by \d"):
        load_exported(network, model.path.read_bytes(), crops, expected[::-1].copy())


def test_a_folder_whose_classes_are_turned_gets_a_head_of_that_order(exported, two):
    write_labels(two, LabelSet(("lying", "standing")))
    crops = load_crops([two], "train")
    torch.manual_seed(0)
    network = first_network(settings_for(two, start=str(exported)), crops).eval()
    [batch] = network_inputs(crops.gray)
    with torch.no_grad():
        called = network(batch).argmax(dim=1)
    names = [("lying", "standing")[number] for number in called]
    assert np.mean([a == row.label for a, row in zip(names, crops.rows, strict=True)]) > 0.95
    write_labels(two, LabelSet(("standing", "lying")))
