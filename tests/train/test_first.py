"""The network that a run begins with."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
linear = pytest.importorskip("sklearn.linear_model")

from mien.errors import BadSettingError
from mien.models import zoo
from mien.models.starts import STARTS
from mien.train import first
from mien.train.data import load_data
from mien.train.dataset import network_inputs
from tests.support.made_starts import make_start
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("model", "changes", "told"),
    [
        ("dlib13", {"first_side": 40}, "first_side is 40, and dlib13 cannot take crops of 40"),
        ("cnn13", {"first_side": 8}, "first_side is 8, and cnn13 cannot take crops of 8"),
        ("vgg16-bn", {"first_side": 48}, "first_side is 48, and vgg16-bn cannot take crops of 48"),
        ("res13-se", {"side": 100}, "side is 100, and res13-se cannot take crops of 100"),
        ("miennet", {"side": 16, "first_side": 8}, "side is 16, and miennet cannot take crops"),
    ],
)
def test_a_side_that_a_network_cannot_take_is_refused(crops, model, changes, told):
    with pytest.raises(BadSettingError, match=rf"{told}.*\n  try: leave (first_)?side out"):
        first.first_network(settings_for("x", model=model, **changes), crops)


def test_the_crops_that_a_network_is_shown_on_trial_change_nothing(crops):
    found = []
    for changes in ({}, {"side": 64, "first_side": 40}, {"side": 64, "first_side": 512}):
        torch.manual_seed(3)
        network = first.first_network(settings_for("x", **changes), crops)
        found.append((network.training, torch.rand(1), *network.state_dict().values()))
    for one, *others in zip(*found, strict=True):
        assert all(torch.equal(torch.as_tensor(one), torch.as_tensor(other)) for other in others)


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    folder = write_crops(tmp_path_factory.mktemp("made") / "data", train=20)
    return load_data(settings_for(folder, hold_out=0.0)).train


def test_the_head_is_fitted_as_scikit_learn_does_it(crops):
    torch.manual_seed(0)
    network = tiny(7, 0.3)
    first.fit_head(network, crops.gray, crops.targets)
    with torch.no_grad():
        seen = torch.cat([network.embed(batch) for batch in network_inputs(crops.gray)])
        found = network.last(seen).softmax(dim=1).numpy()
    spread = seen.std(dim=0)
    standard = ((seen - seen.mean(dim=0)) / (spread + spread.mean())).numpy()
    oracle = linear.LogisticRegression(C=1 / (len(crops) * 1e-3), max_iter=2000, tol=1e-8)
    expected = oracle.fit(standard, crops.targets.numpy()).predict_proba(standard)
    np.testing.assert_allclose(found, expected, atol=0.02)
    right = found.argmax(axis=1) == crops.targets.numpy()
    assert right.mean() > 0.6  # chance is 1 / 7


def test_a_run_begins_with_the_layers_of_a_start_and_a_head_that_knows_the_classes(
    crops, monkeypatch, tmp_path
):
    folder = make_start(monkeypatch, "dlib-face", tmp_path)
    start = {"start": "dlib-face", "start_file": str(folder)}
    settings = settings_for("a", model="miennet", side=64, **start)
    torch.manual_seed(1)
    network = first.first_network(settings, crops)
    torch.manual_seed(2)
    again = first.first_network(settings, crops)
    filters = [n.features.layers()[0][0].weight for n in (network, again)]
    torch.testing.assert_close(*filters)
    fresh = zoo.build("miennet", 7, 0.2, 64).features.layers()[0][0].weight
    assert not torch.allclose(filters[0], fresh)
    assert network.training
    assert network.last.weight.std() > 0  # fitted
    with torch.no_grad():
        logits = network.eval()(next(network_inputs(crops.gray)))
    assert (logits.argmax(dim=1) == crops.targets[: len(logits)]).float().mean() > 0.4


def test_a_start_is_named_with_its_package_and_its_licence():
    origin = first.origin_of("dlib-face")
    assert origin["name"] == "dlib-face"
    assert origin["licence"] == STARTS["dlib-face"].licence
    assert origin["source"].endswith("in @vladmandic/face-api@1.7.15 of npm")
    assert first.origin_of("") == {}


def test_a_start_without_its_file_says_how_to_get_it(crops):
    with pytest.raises(BadSettingError, match=r"npm pack @vladmandic/face-api@1\.7\.15") as caught:
        first.first_network(settings_for("a", model="miennet", start="dlib-face"), crops)
    assert 'start_file = "vladmandic-face-api-1.7.15.tgz"' in caught.value.fix


def test_a_start_of_another_network_is_refused(crops, monkeypatch, tmp_path):
    folder = make_start(monkeypatch, "dlib-face", tmp_path)
    settings = settings_for("a", start="dlib-face", start_file=str(folder))
    with pytest.raises(BadSettingError, match="does not begin with the layers of dlib-face"):
        first.first_network(settings, crops)
