"""Networks that are not mien's: any number of outputs, names, types and ways to return logits."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn

from mien.errors import BadModelError, BadSettingError, UnknownNameError
from mien.explain import METHODS, explain, explain_each, source_of, versus
from mien.labels import LABELS, RAFDB, LabelSet

pytestmark = pytest.mark.torch

LAYER = "features"
NAMES = ("yes", "no", "perhaps")


class Plain(nn.Module):
    """Features, their mean, one linear layer: CAM is exact, so maps can be worked by hand."""

    def __init__(self, outputs, returns=lambda logits: logits):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 5, 3, stride=8), nn.ReLU())
        self.last = nn.Linear(5, outputs)
        self.returns = returns

    def forward(self, x):
        return self.returns(self.last(self.features(x).mean(dim=(2, 3))))


def plain(outputs, **options):
    torch.manual_seed(outputs)
    return Plain(outputs, **options)


def crops(count=2, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 3, 64, 64)).astype(np.float32)


def cam_by_hand(network, batch, number):
    """The sum of the features, weighted by the row of a class."""
    with torch.no_grad():
        features = network.features(torch.from_numpy(batch))
        return torch.einsum("nkhw,k->nhw", features, network.last.weight[number]).numpy()


@pytest.mark.parametrize("outputs", [1, 2, 3, 7, 8])
def test_every_output_can_be_explained_by_its_number(outputs):
    network, batch = plain(outputs), crops()
    for number in range(outputs):
        found = explain(network, batch, "cam", number, LAYER)
        np.testing.assert_allclose(found, cam_by_hand(network, batch, number), atol=1e-5)


def test_the_last_of_seven_outputs_is_explained_where_it_is_predicted():
    network, batch = plain(7), crops()
    with torch.no_grad():
        network.last.bias[6] = 100
    found = explain(network, batch, "cam", layer=LAYER)
    np.testing.assert_allclose(found, cam_by_hand(network, batch, 6), atol=1e-5)


@pytest.mark.parametrize("method", ["cam", "grad-cam", "score-cam", "occlusion"])
def test_names_stand_for_the_outputs_in_their_order(method):
    network, batch = plain(3), crops()
    by_number = [explain(network, batch, method, number, LAYER) for number in range(3)]
    for number, name in enumerate(NAMES):
        found = explain(network, batch, method, name, LAYER, labels=NAMES)
        np.testing.assert_array_equal(found, by_number[number])
    several = explain(network, batch, method, ["perhaps", 0], LAYER, labels=NAMES)
    np.testing.assert_array_equal(several, [by_number[2], by_number[0]])
    turned = explain(network, batch, method, "yes", LAYER, labels=NAMES[::-1])
    np.testing.assert_array_equal(turned, by_number[2])


def test_two_names_are_compared_in_the_order_of_the_outputs():
    network, batch = plain(3), crops()
    found = explain(network, batch, "cam", versus("no", "perhaps", NAMES), LAYER, labels=NAMES)
    expected = cam_by_hand(network, batch, 1) - cam_by_hand(network, batch, 2)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_name_is_not_guessed():
    with pytest.raises(BadSettingError, match=r"'fear', and the 7 outputs .* have no names"):
        explain(plain(7), crops(), "cam", "fear", LAYER)
    with pytest.raises(BadSettingError, match=r"3 labels \(yes, no, perhaps\) .* of 7 outputs"):
        explain(plain(7), crops(), "cam", "yes", LAYER, labels=NAMES)
    with pytest.raises(UnknownNameError, match="no expression called 'maybe'"):
        explain(plain(3), crops(), "cam", "maybe", LAYER, labels=NAMES)
    for number in (3, -1, True):
        with pytest.raises(UnknownNameError, match=rf"no class number called '{number}'"):
            explain(plain(3), crops(), "cam", number, LAYER)


def test_a_ready_set_of_classes_names_outputs():
    network, batch = plain(7), crops()
    found = explain(network, batch, "cam", "disgust", LAYER, labels=RAFDB)
    np.testing.assert_allclose(found, cam_by_hand(network, batch, 2), atol=1e-5)


def test_six_outputs_without_names_are_the_six():
    network, batch = plain(6), crops()
    found = explain(network, batch, "cam", "fear", LAYER)
    np.testing.assert_allclose(found, cam_by_hand(network, batch, LABELS.index("fear")), atol=1e-5)


RETURNS = {
    "tuple": (lambda logits: (logits, "more"), lambda returned: returned[0]),
    "dictionary": (lambda logits: {"logits": logits}, lambda returned: returned["logits"]),
    "object": (lambda logits: SimpleNamespace(logits=logits), lambda returned: returned.logits),
}


@pytest.mark.parametrize("kind", RETURNS)
@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_what_is_returned_beside_the_logits_is_told_apart_by_a_function(kind, method):
    returns, output = RETURNS[kind]
    wrapped, batch = plain(3, returns=returns), crops()
    with pytest.raises(BadModelError, match=r"returns a \w+, not a tensor.*\n.*output=lambda"):
        explain(wrapped, batch, method, 1, LAYER)
    source = source_of(wrapped, NAMES, output)
    expected = explain(plain(3), batch, method, 1, LAYER)
    np.testing.assert_array_equal(explain(source, batch, method, "no", LAYER), expected)


def test_one_logit_a_crop_without_an_axis_of_classes_is_one_class():
    flat = plain(1, returns=lambda logits: logits[:, 0])
    expected = cam_by_hand(flat, crops(), 0)
    np.testing.assert_allclose(explain(flat, crops(), "cam", layer=LAYER), expected, atol=1e-5)
    deep = plain(3, returns=lambda logits: logits[:, None])
    with pytest.raises(BadModelError, match=r"returns shape \(2, 1, 3\), expected \(N, classes\)"):
        explain(deep, crops(), "grad-cam", 0, LAYER)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "method", sorted(METHODS.keys() - {"integrated-gradients", "fast-occlusion"})
)
def test_weights_of_another_type_are_met_by_inputs_of_that_type(kind, method):
    batch = crops()
    expected = explain(plain(3), batch, method, 1, LAYER)
    found = explain(plain(3).to(kind), batch, method, 1, LAYER)
    assert found.dtype == np.float32
    size = np.abs(expected).max()
    if method == "eigen-cam":  # of either sign
        found, expected = np.abs(found), np.abs(expected)
    tolerance = {torch.float64: 1e-5, torch.bfloat16: 0.08, torch.float16: 0.02}[kind]
    np.testing.assert_allclose(found, expected, atol=tolerance * size)


@pytest.mark.parametrize("method", ["cam", "grad-cam", "score-cam", "occlusion"])
def test_inference_mode_of_the_caller_does_not_matter(method):
    batch = crops()
    expected = explain(plain(3), batch, method, 1, LAYER)
    with torch.inference_mode():
        network = plain(3)  # its weights can never have gradients
        np.testing.assert_allclose(explain(network, batch, method, 1, LAYER), expected, atol=1e-6)
    np.testing.assert_allclose(explain(network, batch, method, 1, LAYER), expected, atol=1e-6)


class InPlace(nn.Module):
    """The explained layer's output is overwritten twice before it is used."""

    def __init__(self, in_place):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, stride=8)
        self.relu = nn.ReLU(inplace=in_place)
        self.last = nn.Linear(4, 3)
        self.in_place = in_place

    def forward(self, x):
        y = self.conv(x)
        if self.in_place:
            y += 0.5
        else:
            y = y + 0.5
        return self.last(self.relu(y).mean(dim=(2, 3)))


@pytest.mark.parametrize("method", ["grad-cam", "layercam", "score-cam", "eigen-cam"])
def test_what_later_layers_write_over_is_explained_as_it_was(method):
    found, expected = (explain(InPlace(p), crops(), method, 1, "conv") for p in (True, False))
    np.testing.assert_allclose(found, expected, atol=1e-6)


class Blocks(nn.Module):
    """Patches of 16 x 16 as tokens behind one of the class; blocks return tuples, as some do."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix = nn.Linear(6, 6)

        def forward(self, tokens):
            return tokens + torch.tanh(self.mix(tokens)), "attention"

    def __init__(self, extra):
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv2d(3, 6, 16, stride=16)
        self.extra = nn.Parameter(torch.zeros(extra, 6))
        self.blocks = nn.ModuleList([self.Block(), self.Block()])
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.extra.expand(len(x), -1, -1), tokens], dim=1)
        for block in self.blocks:
            tokens, _ = block(tokens)
        return self.last(tokens.mean(dim=1))


@pytest.mark.parametrize("extra", [0, 1])
def test_tokens_of_a_square_of_patches_are_maps(extra):
    network, batch = Blocks(extra), crops()
    found = explain_each(network, batch, "grad-cam", [0, 1, 2], "blocks.1")
    assert found.shape == (3, 2, 4, 4)
    with torch.no_grad():
        tokens = network.patches(torch.from_numpy(batch)).flatten(2).transpose(1, 2)
        for block in network.blocks:
            tokens, _ = block(tokens)
    for number in range(3):  # the mean of tokens and one linear layer: gradients are even
        weights = network.last.weight[number].detach() / (16 + extra)
        expected = (tokens @ weights).clip(min=0).reshape(2, 4, 4).numpy()
        np.testing.assert_allclose(found[number], expected, atol=1e-6)


def test_tokens_that_are_no_square_are_refused_by_name():
    with pytest.raises(BadModelError, match=r"layer blocks.0 returns \(2, 19, 6\), .* no maps"):
        explain(Blocks(3), crops(), "grad-cam", 0, "blocks.0")


def test_a_model_file_is_not_renamed():
    with pytest.raises(BadSettingError, match=r"labels are yes, no; this network has happiness"):
        source_of("shipped", ("yes", "no"))


def test_classes_that_the_network_carries_are_its_names():
    network, batch = plain(3), crops()
    network.labels = LabelSet(("yes", "no"), "rest")  # the third output is that of a calm class
    found = explain_each(network, batch, "cam", ["yes", "no", None], LAYER)
    for number in range(2):
        np.testing.assert_allclose(found[number], cam_by_hand(network, batch, number), atol=1e-5)
    with pytest.raises(UnknownNameError):
        explain(network, batch, "cam", "rest", LAYER)


def test_nothing_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explain(plain(3).to(torch.bfloat16), crops(), "grad-cam", 1, LAYER)
