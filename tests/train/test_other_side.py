"""Crops of another side than 64 pixels, from training to the heat map over a photograph."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import mien
from mien import pixels
from mien.errors import BadModelError, BadSettingError
from mien.evaluate.accuracy import evaluate
from mien.evaluate.evidence import evidence
from mien.evaluate.explanations import FaithfulnessSettings, faithfulness_record
from mien.explain import explain
from mien.faces import align
from mien.models import zoo
from mien.recognize.model import Model
from mien.train import trainer
from mien.train.export import export
from mien.train.run import load_run
from tests.support.onnx_files import channels_model
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny_in_zoo

pytestmark = pytest.mark.torch
SIDE = 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made") / "data", train=80, test=4)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    with tiny_in_zoo():
        settings = settings_for(folder, epochs=1, hold_out=0.5, side=SIDE, first_side=48)
        out = tmp_path_factory.mktemp("run") / "run"
        trainer.train(settings, out)
        export(out, out / "model.onnx")
        return out, load_run(out).network


def test_the_card_says_the_side_and_the_model_takes_it(run):
    model = Model(run[0] / "model.onnx")
    assert (model.side, model.card["input"]["side"]) == (SIDE, SIDE)
    with pytest.raises(ValueError, match=r"expected \(N, 3, 80, 80\) float32"):
        model.run(pixels.to_batch(np.zeros((1, 64, 64), dtype=np.uint8)))


def test_a_photograph_is_cut_at_that_side(run, portrait):
    recognizer = mien.Recognizer(run[0] / "model.onnx", six=True)
    [face] = recognizer.read(portrait).faces
    to_crop = align.framing(face.landmarks, SIDE)
    np.testing.assert_array_equal(face.crop, align.crop(portrait, to_crop, SIDE))
    np.testing.assert_array_equal(face.to_crop, to_crop)
    with torch.inference_mode():
        logits = run[1](torch.from_numpy(pixels.to_batch([face.crop], SIDE)))[:, :6]
    scores = (logits / recognizer.model.card["temperature"]).softmax(dim=1)[0].numpy()
    np.testing.assert_allclose(face.values, scores, atol=1e-5)
    assert face.heatmap("fear").shape == (SIDE, SIDE)
    assert sum(face.regions.values()) == pytest.approx(1, abs=1e-3)


def test_the_regions_are_those_of_the_same_map_on_a_crop_of_64(run, portrait):
    [face] = mien.Recognizer(run[0] / "model.onnx").read(portrait).faces
    small = align.framing(face.landmarks)
    from dataclasses import replace

    same = replace(face, crop=align.crop(portrait, small), to_crop=small)
    assert face.regions == same.regions


def test_a_folder_is_measured_and_explained_at_that_side(run, folder):
    recognizer = mien.Recognizer(run[0] / "model.onnx")
    record = evaluate(recognizer, folder).record
    assert record["pictures"] == 24
    assert set(evidence(recognizer.model, folder, "test")) == set(mien.LABELS)
    settings = FaithfulnessSettings(folder, "test", ("cam",), 6, 2, 0)
    found = faithfulness_record(recognizer.model, settings)
    assert 0 <= found["mean"]["cam"]["insertion"] <= 1
    crops = np.zeros((1, 20, 20), dtype=np.uint8)
    batch = recognizer.model.to_batch(crops)
    assert explain(recognizer.model, batch, "cam").shape == (1, 10, 10)


def test_a_file_whose_card_says_another_side_than_its_graph_is_refused(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(channels_model(side=80))
    with pytest.raises(BadModelError, match=r"\[3, 80, 80\].*not crops \(N, 3, 64, 64\)"):
        Model(path)
    path.write_bytes(channels_model(side=80, input={"side": 80}))
    assert Model(path).side == 80


def test_a_network_that_takes_one_side_only_says_so():
    assert zoo.side_of("cnn15", 96) == 96
    with pytest.raises(BadSettingError, match="vgg16-bn takes crops of 64 pixels, not of 96"):
        zoo.side_of("vgg16-bn", 96)
