"""Torch networks: layers, targets, identities, and that they are left as they were."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn

from mien.errors import BadImageError, BadModelError, BadSettingError, UnknownNameError
from mien.explain import METHODS, explain, explain_each, versus
from mien.explain.targets import Objective
from mien.explain.torch_source import TorchSource, capture_output
from mien.labels import LABELS
from mien.models import zoo
from mien.models.network import Network, three_layers
from tests.support.cam_oracles import unlike_fresh
from tests.support.tiny_network import tiny

pytestmark = pytest.mark.torch

NAMES = sorted(METHODS.keys() - {"integrated-gradients", "fast-occlusion"})  # that of a file


def crops(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 3, 64, 64)).astype(np.float32)


def class_of(label, count):
    return Objective(np.full(count, label))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return unlike_fresh(tiny(7, 0.5))


@pytest.fixture(scope="module")
def deep():
    """Three stages, the last ends in max pooling, and three linear layers."""
    torch.manual_seed(2)
    stages = [
        nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(4))
        for i, o in ((3, 8), (8, 12))
    ]
    return unlike_fresh(Network(nn.Sequential(*stages), three_layers(12, (10, 9), 6, 0.5)))


def test_the_explained_layer_is_the_last_one_before_pooling():
    expected = {
        "miennet": "features",
        "res13-se": "features",
        "cnn10": "features.4.1",
        "cnn13": "features.3.2",
        "cnn15": "features.4.2",
        "cnn15-dropout": "features.4.2",
        "cnn15-gap": "features",
        "resnet18": "features",
        "vgg16-bn": "features.2.5",
    }
    with torch.device("meta"):
        assert {name: zoo.build(name, 6, 0).explained for name in expected} == expected


@pytest.mark.parametrize("label", LABELS)
def test_cam_grad_cam_and_hirescam_are_one_map_behind_a_mean_and_a_linear_layer(network, label):
    batch = crops(4)
    maps = explain(network, batch, "cam", label)
    places = maps[0].size
    for name in ("grad-cam", "hirescam"):
        found = explain(network, batch, name, label)
        np.testing.assert_allclose(found * places, maps.clip(min=0), atol=1e-5)


def test_the_mean_of_a_map_is_its_logit_without_the_bias(network):
    batch = crops(3)
    maps = explain_each(network, batch, "cam", LABELS)
    with torch.no_grad():
        logits = network(torch.from_numpy(batch))[:, :6].numpy()
    means = maps.mean(axis=(2, 3)).T + network.head.bias.detach().numpy()[:6]
    np.testing.assert_allclose(means, logits, atol=1e-5)


def test_gradients_equal_finite_differences(deep):
    batch = crops(2)
    source = TorchSource(deep)
    with torch.no_grad(), capture_output(deep.get_submodule(deep.explained)) as kept:
        deep(torch.from_numpy(batch))
    features = kept[0].double()
    after = (deep.features[-1][-1], deep.pool, deep.head)
    rest = copy.deepcopy(nn.Sequential(*after)).double()
    inside = source.activations_and_gradients(batch, [class_of(5, 2)])
    generator = np.random.default_rng(0)
    for _ in range(10):
        way = torch.from_numpy(generator.normal(size=features.shape))
        way *= features > 0  # where a window is all 0, its largest place is not one
        with torch.no_grad():
            ends = [rest(features + s * 1e-7 * way)[:, 5].numpy() for s in (1, -1)]
        expected = (ends[0] - ends[1]) / 2e-7
        found = (inside.gradients[0] * way.numpy()).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_difference_of_two_logits_is_a_target_by_name_or_by_hand(network, name):
    batch = crops(2)
    named = explain(network, batch, name, versus("fear", "surprise"))
    by_hand = explain(network, batch, name, lambda logits: logits[:, 5] - logits[:, 1])
    np.testing.assert_array_equal(named, by_hand)
    if name in {"cam", "occlusion"}:  # linear in the target
        fear, surprise = explain_each(network, batch, name, ["fear", "surprise"])
        np.testing.assert_allclose(named, fear - surprise, atol=1e-5)


def test_a_curved_target_is_followed_along_its_slope(network):
    batch = crops(2)
    with torch.no_grad():
        logits = network(torch.from_numpy(batch))[:, :6].double().numpy()
    maps = explain_each(network, batch, "cam", LABELS)  # (6, N, h, w)
    found = explain(network, batch, "cam", lambda x: x[:, 0] * x[:, 1])
    expected = logits[:, 1, None, None] * maps[0] + logits[:, 0, None, None] * maps[1]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_predicted_class_is_asked_about_unless_said(network, name):
    batch = crops(3)
    with torch.no_grad():
        predicted = network(torch.from_numpy(batch))[:, :6].argmax(dim=1).tolist()
    found = explain(network, batch, name)
    for number, label in enumerate(predicted):
        alone = explain(network, batch[number : number + 1], name, LABELS[label])
        np.testing.assert_allclose(found[number], alone[0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_network_is_left_as_it_was(name):
    torch.manual_seed(3)
    network = tiny(6, 0.5)
    network.train()
    network.features[0].eval()  # a part that somebody froze
    before = {k: v.clone() for k, v in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    explain(network, crops(2), name, "anger")
    assert modes == [module.training for module in network.modules()]
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(p.requires_grad and p.grad is None for p in network.parameters())
    assert torch.is_grad_enabled()


def test_a_network_that_fails_is_left_as_it_was_too(network):
    def fail(module, inputs):
        raise RuntimeError("no")

    handle = network.head.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="no"):
        TorchSource(network).activations_and_gradients(crops(1), [class_of(0, 1)])
    handle.remove()
    assert not any(module._forward_hooks for module in network.modules())
    assert torch.is_grad_enabled()


def test_the_graph_begins_at_the_layer(network):
    """No gradient reaches what comes before the layer: nothing was recorded there."""
    seen = []
    first = network.features[0]
    handle = first.register_forward_hook(lambda m, i, output: seen.append(output.requires_grad))
    TorchSource(network).activations_and_gradients(crops(1), [class_of(0, 1)])
    handle.remove()
    assert seen == [False]


def test_cam_is_refused_where_there_are_three_linear_layers(deep):
    with pytest.raises(BadModelError, match=r"this network has 3\n  try: use --method grad-cam"):
        explain(deep, crops(1), "cam", "fear")


@pytest.mark.parametrize(
    ("method", "target", "layer", "says"),
    [
        ("gradcam", None, None, "no method called 'gradcam'\n  try: use grad-cam"),
        ("cam", "hapiness", None, "no expression called 'hapiness'\n  try: use happiness"),
        ("grad-cam", None, "features.9", r"no layer called 'features.9'\n  try: use features\."),
        ("score-cam", None, "featurs", "no layer called 'featurs'\n  try: use features"),
    ],
)
def test_a_wrong_name_says_which_one_was_meant(network, method, target, layer, says):
    with pytest.raises(UnknownNameError, match=says):
        explain(network, crops(1), method, target, layer)


def test_a_layer_without_maps_is_refused(network):
    with pytest.raises(BadModelError, match=r"layer head returns \(1, 7\), which are no maps"):
        explain(network, crops(1), "grad-cam", "fear", "head")


def test_a_network_without_a_layer_of_its_own_choice_asks_for_one():
    plain = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(BadSettingError, match=r"no layer is named.*\n  try: .* one of 0, 1, 2"):
        explain(plain, crops(1), "grad-cam", "fear")
    assert explain(plain, crops(1), "grad-cam", "fear", "0").shape == (1, 62, 62)


@pytest.mark.parametrize("batch", [[np.zeros((3, 64, 64)), np.zeros((3, 9, 9))], crops(2)[0]])
def test_what_is_no_batch_is_refused(network, batch):
    with pytest.raises(BadImageError, match=r"try: make it of crops of any sizes"):
        explain(network, batch)


def test_constant_activations_give_an_empty_map(network):
    torch.manual_seed(4)
    dead = unlike_fresh(tiny(6, 0))
    nn.init.constant_(dead.features[2].second[1].weight, 0)
    for layer in dead.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.constant_(layer.weight, 0)
            nn.init.constant_(layer.bias, 0)
    for name in NAMES:
        found = explain(dead, crops(1), name, "fear")
        np.testing.assert_array_equal(found, np.zeros_like(found), err_msg=name)


def test_a_plain_function_can_be_occluded_but_has_no_layers():
    def bright_is_happy(batch):
        return batch.mean(axis=(1, 2, 3))[:, None] * np.eye(6, dtype=np.float32)[0]

    batch = np.ones((1, 3, 64, 64), dtype=np.float32)
    found = explain(bright_is_happy, batch, "occlusion", "happiness")
    np.testing.assert_allclose(found, 16 * 16 / 64 / 64, rtol=1e-4)
    with pytest.raises(BadModelError, match=r"grad-cam needs the network's layers"):
        explain(bright_is_happy, batch, "grad-cam", "happiness")


def test_any_layer_has_activations_a_linear_one_too(network):
    source, batch = TorchSource(network), crops(2)
    assert source.activations(batch, "features.0").shape == (2, 8, 32, 32)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch)).numpy()
    found = source.activations(batch, "head")
    np.testing.assert_allclose(found[..., 0, 0], expected, atol=1e-6)


class AddsInPlace(nn.Module):
    """A residual block whose sum is, or is not, written into the output of its convolution."""

    def __init__(self, in_place):
        super().__init__()
        self.conv, self.same = nn.Conv2d(3, 8, 3, padding=1), nn.Identity()
        self.relu, self.in_place = nn.ReLU(inplace=in_place), in_place
        self.head = nn.Linear(8, 6)

    def forward(self, batch):
        x = self.conv(batch)
        other = self.same(x)  # the very tensor that is overwritten below
        shift = batch.mean(dim=1, keepdim=True)
        if self.in_place:
            x += shift
        else:
            x = other = x + shift  # the same tensor, so it happens to both
        return self.head((self.relu(x) + other.relu()).mean(dim=(2, 3)))


@pytest.mark.parametrize("method", ["grad-cam", "layercam", "hirescam", "eigen-cam", "score-cam"])
def test_a_layer_before_an_operation_in_place_gives_its_own_output(method):
    torch.manual_seed(5)
    plain, in_place = AddsInPlace(False).eval(), AddsInPlace(True).eval()
    in_place.load_state_dict(plain.state_dict())
    batch = crops(2)
    expected = plain.conv(torch.from_numpy(batch)).detach().numpy()
    for layer in ("conv", "same"):
        found = TorchSource(in_place).activations(batch, layer)
        np.testing.assert_array_equal(found, expected)
    one, other = (explain(n, batch, method, "fear", "conv") for n in (plain, in_place))
    assert np.abs(one).max() > 0
    np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)


def test_gradients_behind_a_relu_in_place_are_those_of_the_same_network_without(deep):
    in_place = copy.deepcopy(deep)
    for module in in_place.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = True
    batch, objectives = crops(2), [class_of(5, 2)]
    for layer in ("features.0.0", "features.0.1", "features.1.1"):
        one, other = (
            TorchSource(n).activations_and_gradients(batch, objectives, layer)
            for n in (deep, in_place)
        )
        assert (one.activations < 0).any()  # what a ReLU in place would remove
        np.testing.assert_array_equal(other.activations, one.activations)
        np.testing.assert_allclose(other.gradients, one.gradients, atol=1e-7)


def test_cam_of_the_pooled_cnn15_is_worked_by_hand_on_its_fifth_convolution():
    torch.manual_seed(3)
    network = unlike_fresh(zoo.build("cnn15-gap", 6, 0.0)).eval()
    batch = crops(2)
    weights = network.head.weight.detach().numpy()  # (6, 1024)
    with torch.inference_mode():
        first_four = network.features[:4](torch.from_numpy(batch))
        convolved = network.features[4][0](first_four).numpy()  # the fifth convolution alone
        features = network.features(torch.from_numpy(batch)).numpy()
        logits = network(torch.from_numpy(batch)).numpy()
    found = explain(network, batch, "cam", "fear", layer="features.4.0")
    assert found.shape == (2, 4, 4)
    expected = np.einsum("k,nkhw->nhw", weights[5], convolved)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    # by default the maps that are averaged: their mean and the bias are the logit
    mean = explain(network, batch, "cam", "fear").mean(axis=(1, 2))
    bias = float(network.head.bias[5].detach())
    np.testing.assert_allclose(mean + bias, logits[:, 5], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        explain(network, batch, "cam", "fear"),
        np.einsum("k,nkhw->nhw", weights[5], features),
        atol=1e-4 * np.abs(features).max(),
    )


def test_cam_of_a_layer_with_other_channels_is_refused(network):
    with pytest.raises(BadModelError, match=r"the linear layer takes, 16; features\.0 has 8"):
        explain(network, crops(1), "cam", layer="features.0")


def test_integrated_gradients_ask_each_crop_about_its_own_best_class():
    pytest.importorskip("captum")
    linear = nn.Linear(12, 2, bias=False)
    weights = np.arange(24, dtype=np.float32).reshape(2, 12) / 10 - 1
    linear.weight.data = torch.from_numpy(weights)
    batch = np.stack([-np.ones((3, 2, 2)), np.ones((3, 2, 2))]).astype(np.float32)
    assert (batch.reshape(2, 12) @ weights.T).argmax(axis=1).tolist() == [0, 1]
    found = explain(nn.Sequential(nn.Flatten(), linear), batch, "integrated-gradients")
    # of a linear network each pixel's part is its value times its weight, summed over the colours
    expected = np.stack([-weights[0], weights[1]]).reshape(2, 3, 2, 2).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
