import copy
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from torch import nn

from mien import __version__, pixels
from mien.errors import BadModelError, BadSettingError
from mien.labels import LABELS
from mien.recognize.model import Model, read_card
from mien.train import config
from mien.train.cross_validate import Answers
from mien.train.neutral import fit_neutral
from tests.support.exported_runs import (
    best_temperature,
    features_and_logits,
    load_data_once,
    random_crops,
    softmax,
    with_random_statistics,
    write_run,
)
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

export = pytest.importorskip("mien.train.export")

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("data_read_once")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """665 crops, about half of which are held out."""
    return write_crops(tmp_path_factory.mktemp("made"), train=95)


@torch.inference_mode()
def taught(network, settings):
    """Fit the head by ridge regression and swap disgust with fear: often right, and too sure."""
    crops = load_data_once(settings).train
    pooled = network.features(torch.from_numpy(pixels.to_batch(crops.gray.numpy()))).mean((2, 3))
    seen = torch.cat([pooled, torch.ones(len(crops), 1)], dim=1)
    wanted = 9 * nn.functional.one_hot(crops.targets, network.head.out_features).float()
    found = torch.linalg.solve(seen.T @ seen + 0.3 * torch.eye(17), seen.T @ wanted).T
    found[[4, 5]] = found[[5, 4]]
    network.head.weight.copy_(found[:, :-1])
    network.head.bias.copy_(found[:, -1])
    return network


@pytest.fixture(scope="module", params=[True, False], ids=["seven", "six"])
def run(request, folder, tmp_path_factory):
    """A run with or without neutral: its folder, the network it should export, its settings."""
    settings = settings_for(folder, hold_out=0.5, neutral=request.param)
    torch.manual_seed(5)
    network = taught(with_random_statistics(tiny(6 + request.param, 0.3)).eval(), settings)
    return write_run(tmp_path_factory.mktemp("run"), network, settings), network, settings


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The exported file and the card that was returned."""
    path = tmp_path_factory.mktemp("file") / "new" / "a.onnx"
    return path, export.export(run[0], path, {"made-test": {"accuracy": 0.5}})


def calmed(run, batch):
    """Logits of neutral once its row of the head has been fitted."""
    network = copy.deepcopy(run[1])
    fit_neutral(network, load_data_once(run[2]).train)
    return features_and_logits(network, batch)[1][:, 6]


@pytest.mark.parametrize("count", [1, 5])
def test_the_file_gives_the_calibrated_scores_of_the_best_averaged_weights(run, exported, count):
    path, card = exported
    batch = pixels.to_batch(random_crops(count))
    _, logits = features_and_logits(run[1], batch)
    found = Model(path, threads=1).run(batch)
    expected = softmax(logits[:, :6] / card["temperature"])
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    neutral = 1 / (1 + np.exp(-calmed(run, batch))) if run[2].neutral else np.zeros(count)
    np.testing.assert_allclose(found.neutral, neutral, atol=1e-5)


def test_the_maps_are_the_features_weighed_by_the_head_and_average_to_the_logits(run, exported):
    batch = pixels.to_batch(random_crops(3))
    features, logits = features_and_logits(run[1], batch)
    weight, bias = (p.detach().numpy() for p in run[1].head.parameters())
    found = Model(exported[0], threads=1)
    maps = found.run(batch).maps
    expected = np.einsum("ck,nkhw->nchw", weight[:6], features)
    np.testing.assert_allclose(maps, expected, atol=1e-5)
    np.testing.assert_allclose(maps.mean(axis=(2, 3)) + bias[:6], logits[:, :6], atol=1e-5)
    assert maps.shape == (3, 6, 8, 8)


def test_no_other_temperature_suits_the_held_out_expressions_better(run, exported):
    held = load_data_once(run[2]).held
    six = held.targets.numpy() < 6  # neutral pictures have none of the six scores right
    _, logits = features_and_logits(run[1], pixels.to_batch(held.gray.numpy()))
    best = best_temperature(logits[six, :6], held.targets.numpy()[six])
    assert 0.06 < best < 19  # within the range that is searched
    assert exported[1]["temperature"] == pytest.approx(best, rel=0.004)


def test_an_expression_is_named_from_the_confidence_that_keeps_to_the_error_rate(run, exported):
    held = load_data_once(run[2]).held
    six = held.targets.numpy() < 6
    _, logits = features_and_logits(run[1], pixels.to_batch(held.gray.numpy()[six]))
    scores = softmax(logits[:, :6] / exported[1]["temperature"])
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == held.targets.numpy()[six]
    kept = [t for t in confidence if (~right[confidence >= t]).mean() <= export.ERROR_RATE]
    doubt = exported[1]["uncertain"]
    assert doubt["below"] == pytest.approx(min(kept, default=1.0), abs=2e-4)
    named = (confidence >= doubt["below"]).mean()
    assert doubt["answered"] == pytest.approx(named, abs=0.01)  # equal ones round either way
    assert doubt["error_rate"] == 0.2
    assert (~right).mean() > 0.2  # so it does leave some out


def test_the_card_describes_the_model(run, exported):
    path, returned = exported
    card = read_card(path)
    found = {key: card[key] for key in card if key not in {"parity", "sha256", "weights_sha256"}}
    assert found == {
        "format": 1,
        "name": "tiny",
        "mien": __version__,
        "labels": list(LABELS),
        "calm": "neutral",
        "colours": [],
        "neutral": returned["neutral"],
        "input": {
            "side": 64,
            "gray": True,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
        "explain": {"layer": "features", "linear_layers": 1},
        "temperature": returned["temperature"],
        "uncertain": returned["uncertain"],
        "calibrated_on": sum(row.label != "neutral" for row in load_data_once(run[2]).held.rows),
        "parameters": 4311 if run[2].neutral else 4294,
        "multiply_adds": export.multiply_adds(run[1]),
        "epoch": 2,  # the earlier of two equals, as the loop keeps it
        "data": {"train": 385, "seed": 0},
        "metrics": {"made-test": {"accuracy": 0.5}},
        "licence": returned["licence"],
    }
    assert "CC BY-NC 4.0" in card["licence"]
    assert 0 < card["parity"] <= 1e-4
    assert bool(card["neutral"]) == run[2].neutral
    assert path.parent.name == "new"
    assert [other.name for other in path.parent.iterdir()] == ["a.onnx"]


def test_the_file_is_valid_onnx_for_any_number_of_crops(run, exported):
    model = onnx.load(exported[0])
    onnx.checker.check_model(model, full_check=True)
    names = [output.name for output in model.graph.output]
    neutral = ["neutral"] if run[2].neutral else []
    assert names == ["logits", "maps", *neutral, "features", "gradients"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def refused(run, target, message=r"differs from torch by .*\n  try: report"):
    """Export to a file that exists, be refused, and find the file as it was."""
    target.parent.mkdir(exist_ok=True)
    target.write_text("older")
    with pytest.raises(BadModelError, match=message):
        export.export(run, target)
    assert target.read_text() == "older"
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_file_that_differs_more_than_allowed_is_not_written(run, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "PARITY", -1.0)
    refused(run[0], tmp_path / "a.onnx")


@pytest.mark.parametrize("part", [0, 1, -2, -1], ids=["logits", "maps", "features", "gradients"])
def test_a_file_with_one_wrong_output_is_not_written(run, tmp_path, monkeypatch, part):
    class Wrong(export.WithMaps):
        def forward(self, batch):
            outputs = list(super().forward(batch))
            outputs[part] = outputs[part] * 1.001
            return tuple(outputs)

    convert = export._to_onnx
    monkeypatch.setattr(export, "_to_onnx", lambda model: convert(Wrong(model.network)))
    refused(run[0], tmp_path / "a.onnx")


def test_a_network_whose_answer_is_no_number_is_not_written(run, folder, tmp_path):
    _, network, settings = run
    broken = tiny(6 + settings.neutral, 0)
    broken.load_state_dict(network.state_dict())
    nn.init.constant_(broken.head.bias, float("nan"))
    message = r"weights that are no finite numbers \(head\.bias\)\n  try: train again"
    refused(write_run(tmp_path / "run", broken, settings), tmp_path / "made" / "a.onnx", message)


def test_where_every_answer_was_right_confidence_stays_the_network_s_own():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 6, 80)
    logits = rng.normal(size=(80, 6)).astype(np.float32)
    logits[np.arange(80), targets] += 9
    answers = Answers(logits, targets, ["a"] * 80)
    card = export._calibrate(answers)
    assert (card["temperature"], card["calibrated_on"]) == (1.0, 80)
    assert card["uncertain"] == {"below": 0.0, "error_rate": 0.2, "answered": 1.0}
    # a wrong answer tells how far confidence may be trusted; one in five may be wrong
    logits[0, targets[0]] -= 30
    card = export._calibrate(answers)
    assert card["temperature"] == pytest.approx(best_temperature(logits, targets), rel=0.004)
    assert card["uncertain"]["below"] == 0
    # and a threshold that four digits cannot tell from 1 is not rounded to it
    scores = np.full((80, 2), 2e-5, dtype=np.float32)
    scores[:, 0] = 1 - scores[:, 1]
    scores[:40] = [0.99, 0.01]
    two = Answers(np.log(scores), np.repeat([1, 0], 40), ["a"] * 80)
    assert export._certain_from(scores, two) == pytest.approx(1 - 2e-5, abs=1e-7)


def test_a_run_that_saw_no_neutral_picture_becomes_a_file_that_does_not_know_neutral(tmp_path):
    settings = settings_for(write_crops(tmp_path / "six", train=30, labels=LABELS), hold_out=0.5)
    torch.manual_seed(1)
    network = with_random_statistics(tiny(7, 0)).eval()
    card = export.export(write_run(tmp_path / "run", network, settings), tmp_path / "a.onnx")
    model = Model(tmp_path / "a.onnx", threads=1)
    assert (card["neutral"], "neutral" in model.outputs) == ({}, False)
    batch = pixels.to_batch(random_crops(3))
    _, logits = features_and_logits(network, batch)
    found = model.tensors(batch, ["logits"])["logits"]
    np.testing.assert_allclose(found, logits[:, :6], atol=1e-4)
    assert np.ptp(found, axis=0).max() > 1e-3


def test_a_network_whose_features_have_died_is_exported_as_what_it_is(run, tmp_path):
    _, network, settings = run
    dead = copy.deepcopy(network)
    for weight in dead.features.parameters():
        nn.init.zeros_(weight)
    export.export(write_run(tmp_path / "run", dead, settings), tmp_path / "a.onnx")
    found = Model(tmp_path / "a.onnx", threads=1).run(pixels.to_batch(random_crops(2)))
    bias = dead.head.bias.detach().numpy()[:6]
    assert (found.scores.argmax(axis=1) == bias.argmax()).all()
    assert not found.maps.any()
    half = 0.5 if settings.neutral else 0.0  # both sides weigh the same, and nothing tells them
    np.testing.assert_allclose(found.neutral, half, atol=1e-3)


def test_where_few_crops_are_held_out_made_ones_prove_the_file(run, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_PROOF", 256)  # as outside of these tests
    _, network, settings = run
    few = write_run(tmp_path / "run", network, replace(settings, hold_out=0.2))
    card = export.export(few, tmp_path / "a.onnx")
    assert 0 < card["parity"] <= export.PARITY
    assert 50 <= card["calibrated_on"] < 256
    none = write_run(tmp_path / "none", network, replace(settings, hold_out=0.0))
    card = export.export(none, tmp_path / "b.onnx")
    assert (card["temperature"], card["uncertain"]["below"], card["calibrated_on"]) == (1.0, 0, 0)
    assert 0 < card["parity"] <= export.PARITY


def test_a_difference_is_found_on_made_crops_too(run, folder, tmp_path, monkeypatch):
    _, network, settings = run
    none = write_run(tmp_path / "run", network, replace(settings, hold_out=0.0))
    real = export._to_onnx

    def broken(model):
        graph = onnx.load_from_string(real(model))
        graph.graph.initializer[0].raw_data = bytes(len(graph.graph.initializer[0].raw_data))
        return graph.SerializeToString()

    monkeypatch.setattr(export, "_to_onnx", broken)
    with pytest.raises(BadModelError, match="differs from torch by"):
        export.export(none, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()


def test_a_folder_that_holds_no_run_is_refused(tmp_path, run):
    with pytest.raises(BadSettingError, match=r"cannot read .*config\.toml"):
        export.export(tmp_path, tmp_path / "a.onnx")
    (tmp_path / "config.toml").write_text(config.to_toml(run[2]))
    with pytest.raises(BadModelError, match=r"no checkpoint of ours: .*best\.safetensors"):
        export.export(tmp_path, tmp_path / "a.onnx")
