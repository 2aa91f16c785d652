import pytest

torch = pytest.importorskip("torch")

from mien.errors import UnknownNameError
from mien.models import zoo
from mien.models.trace import architecture, architecture_of
from mien.train.export import multiply_adds
from tests.models.test_zoo import LAST_MAPS, LAYERS, PARAMETERS, SIDES

pytestmark = pytest.mark.torch
every_model = pytest.mark.parametrize("name", zoo.MODELS)


@every_model
def test_an_architecture_has_the_networks_own_size_depth_and_maps(name):
    found = architecture(name)
    assert found.parameters == PARAMETERS[name]
    assert found.depth == LAYERS[name]
    assert found.side == SIDES.get(name, 64)
    assert found.layers[-1].shape == (6,)
    assert found.layers[-1].words[0] == "linear"
    maps = [layer.shape for layer in found.layers if len(layer.shape) == 3]
    assert maps[-1] == LAST_MAPS[name]


@pytest.mark.parametrize("name", ["res13-se", "cnn13", "cnn15-gap", "resnet18", "miennet"])
def test_multiply_adds_are_those_that_the_export_counts(name):
    torch.manual_seed(0)
    network = zoo.build(name, 7, 0.2)
    assert architecture_of(network, name).multiply_adds == multiply_adds(network)
    assert not network.training


def test_the_layers_of_the_papers_best_network_are_written_out():
    found = architecture("cnn16-se")
    said = [(layer.kind, layer.words, layer.size) for layer in found.layers]
    stage = ("3x3 conv", "batch norm", "ReLU")
    assert said == [
        ("convolution", stage, "64 x 64x64"),
        ("pooling", ("2x2 max pooling",), "64 x 32x32"),
        ("attention", ("squeeze-excitation",), "64 x 32x32"),
        ("convolution", stage, "128 x 32x32"),
        ("pooling", ("2x2 max pooling",), "128 x 16x16"),
        ("convolution", stage, "256 x 16x16"),
        ("pooling", ("2x2 max pooling",), "256 x 8x8"),
        ("convolution", stage, "512 x 8x8"),
        ("pooling", ("2x2 max pooling",), "512 x 4x4"),
        ("convolution", stage, "1,024 x 4x4"),
        ("pooling", ("2x2 max pooling",), "1,024 x 2x2"),
        ("pooling", ("global mean", "flatten"), "1,024"),
        ("linear", ("linear", "ReLU", "dropout"), "2,048"),
        ("linear", ("linear", "ReLU"), "1,024"),
        ("linear", ("linear",), "6"),
    ]
    # 3 x 3 x 3 weights and a bias a channel, and two numbers of batch norm: by hand
    assert found.layers[0].parameters == 64 * 27 + 64 + 2 * 64
    assert found.layers[0].multiply_adds == 64 * 27 * 64 * 64


def test_a_block_is_one_layer_with_its_convolutions_and_its_shortcut():
    found = architecture("resnet34")
    blocks = [layer for layer in found.layers if layer.kind == "residual"]
    assert [layer.shape[0] for layer in blocks] == [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3
    assert blocks[2].words == ("basic block", "3x3 conv", "3x3 conv")
    assert blocks[3].words == ("basic block", "3x3 conv /2", "3x3 conv", "1x1 shortcut")
    assert found.layers[0].words == ("7x7 conv /2", "batch norm", "ReLU")


def test_the_batch_norm_that_two_convolutions_share_counts_once():
    first, second, *_ = architecture("vgg16-bn").layers
    assert first.parameters == 64 * 27 + 64 + 2 * 64
    assert second.parameters == 64 * 9 * 64 + 64


def test_a_network_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError, match="try: use resnet18"):
        architecture("resnet19")
