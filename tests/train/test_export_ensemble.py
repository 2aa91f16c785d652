"""Several runs and files exported as one file."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from torch.nn.functional import interpolate

from mien.data.label_file import write_labels
from mien.errors import BadSettingError
from mien.models import zoo
from mien.models.ensemble import ensemble
from mien.pixels import to_batch
from mien.recognize.model import Model, read_card
from mien.train.export import export
from mien.train.first import fit_head
from mien.train.neutral import fit_neutral
from tests.support.exported_runs import (
    best_temperature,
    load_data_once,
    random_crops,
    softmax,
    with_random_statistics,
    write_run,
)
from tests.support.own_classes import OWN
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("data_read_once")]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = write_crops(tmp_path_factory.mktemp("made"), train=95)
    return settings_for(folder, hold_out=0.5, neutral=True)


@pytest.fixture(scope="module")
def networks(settings):
    """Three of two kinds; the last one takes crops of 88 pixels."""
    torch.manual_seed(7)
    made = [tiny(7, 0), tiny(7, 0), zoo.build("miennet", 7, 0)]
    crops = load_data_once(settings).train
    for network in made:
        fit_head(with_random_statistics(network).eval(), crops.gray, crops.targets)
    return made


@pytest.fixture(scope="module")
def paths(networks, settings, tmp_path_factory):
    """A run, another one, and an exported file."""
    root = tmp_path_factory.mktemp("runs")
    kinds = [settings, settings, replace(settings, model="miennet")]
    runs = [
        write_run(root / f"run{i}", network, own)
        for i, (network, own) in enumerate(zip(networks, kinds, strict=True))
    ]
    (runs[2] / "data.json").write_text(json.dumps({"seed": 0, "hold_out": 0.5, "draw": 0}))
    export(runs[2], root / "third.onnx")
    return [runs[0], runs[1], root / "third.onnx"]


@pytest.fixture(scope="module")
def exported(paths, tmp_path_factory):
    out = tmp_path_factory.mktemp("file") / "all.onnx"
    card = export(paths[0], out, others=[str(path) for path in paths[1:]])
    return out, card


@torch.no_grad()
def members_logits(networks, batch):
    """What torch says of each member, apart: shape (members, N, 7)."""
    crops = torch.from_numpy(batch)
    larger = interpolate(crops, (88, 88), mode="bilinear")
    answers = [network(x) for network, x in zip(networks, (crops, crops, larger), strict=True)]
    return torch.stack(answers).numpy()


def test_the_file_answers_with_the_mean_of_all(networks, exported):
    path, card = exported
    batch = to_batch(random_crops(5))
    model = Model(path, threads=1)
    expected = members_logits(networks, batch).mean(axis=0)[:, :6]
    found = model.tensors(batch, ["logits", "maps"])
    np.testing.assert_allclose(found["logits"], expected, atol=1e-4 * np.abs(expected).max())
    assert found["maps"].shape == (5, 6, 8, 8)
    scores = softmax(expected / card["temperature"])
    np.testing.assert_allclose(model.run(batch).scores, scores, atol=1e-4)


def test_the_temperature_suits_all_together(networks, settings, exported):
    held = load_data_once(settings).held
    six = held.targets.numpy() < 6
    logits = members_logits(networks, to_batch(held.gray.numpy()[six])).mean(axis=0)[:, :6]
    best = best_temperature(logits, held.targets.numpy()[six])
    assert 0.06 < best < 19
    assert exported[1]["temperature"] == pytest.approx(best, rel=0.004)


def test_its_answer_to_a_crop_is_the_same_in_any_batch(exported):
    model = Model(exported[0], threads=1)
    batch = to_batch(random_crops(9))
    together = model.tensors(batch, list(model.outputs))
    for i in range(len(batch)):
        alone = model.tensors(batch[i : i + 1], list(model.outputs))
        for name in model.outputs:
            assert np.array_equal(alone[name][0], together[name][i])


def test_neutral_is_learned_on_the_features_of_all(paths, networks, settings, exported):
    network = ensemble(networks)
    fit_neutral(network, load_data_once(settings).train)
    batch = to_batch(random_crops(5))
    with torch.no_grad():
        expected = network(torch.from_numpy(batch))[:, 6].numpy()
    found = Model(exported[0], threads=1).tensors(batch, ["neutral"])["neutral"][:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_the_card_names_all_and_what_they_were_trained_on(paths, exported, tmp_path):
    card = read_card(exported[0])
    assert card["name"] == "tiny+tiny+miennet"
    second, third = card["members"]
    assert second["name"] == "tiny"
    assert second["data"] == {"train": 385, "seed": 0}
    own = read_card(paths[2])
    assert third == {key: own[key] for key in ("name", "weights_sha256", "licence", "data")}
    assert card["data"] == {"train": 385, "seed": 0}
    assert card["parameters"] == 2 * 4_311 + own["parameters"] - 2 * 7  # one bias in place of three
    named = export(paths[0], tmp_path / "b.onnx", others=[str(paths[1])], name="mine")
    assert named["name"] == "mine"


def test_what_has_seen_held_out_pictures_or_learned_other_classes_is_refused(
    paths, networks, settings, tmp_path
):
    seen = write_run(tmp_path / "seen", networks[1], replace(settings, hold_out=0.25))
    with pytest.raises(BadSettingError, match=r"the member .*seen has hold_out = 0\.25"):
        export(paths[0], tmp_path / "a.onnx", others=[str(seen)])
    folds = write_run(tmp_path / "folds", networks[0], replace(settings, folds=5))
    with pytest.raises(BadSettingError, match="measured by folds"):
        export(folds, tmp_path / "a.onnx", others=[str(paths[1])])
    other = write_run(tmp_path / "other", tiny(3, 0), settings)
    write_labels(other, OWN)
    with pytest.raises(BadSettingError, match=r"the member .*other has the classes open, asleep"):
        export(paths[0], tmp_path / "a.onnx", others=[str(other)])
    assert not (tmp_path / "a.onnx").exists()
