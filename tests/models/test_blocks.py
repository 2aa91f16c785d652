import pytest

torch = pytest.importorskip("torch")

from torch import nn

from mien.models.blocks import ConvNorm, ResidualBlock, SqueezeExcitation

pytestmark = pytest.mark.torch


def only_the_shortcut(block):
    """Silence the deep half of a block, whose last batch norm then gives zeros."""
    nn.init.zeros_(block.second[1].weight)
    nn.init.zeros_(block.second[1].bias)
    return block.eval()


def test_squeeze_excitation_is_the_arithmetic_worked_by_hand():
    gate = SqueezeExcitation(2)  # inner width 8
    with torch.no_grad():
        for parameter in gate.parameters():
            parameter.zero_()
        gate.squeeze.weight[0, :, 0, 0] = torch.tensor([1.0, -1.0])
        gate.squeeze.weight[1, :, 0, 0] = torch.tensor([-1.0, 1.0])
        gate.squeeze.bias[0] = 0.5
        gate.excite.weight[0, :2, 0, 0] = torch.tensor([2.0, 100.0])
        gate.excite.weight[1, :2, 0, 0] = torch.tensor([-1.0, 100.0])
        gate.excite.bias[1] = 1.0
    x = torch.tensor([[[[1.0, 5.0]], [[2.0, 0.0]]]])  # means 3 and 1
    # inner: relu(3 - 1 + 0.5) = 2.5 and relu(1 - 3) = 0; outer: 5.0 and -2.5 + 1 = -1.5
    high, low = 0.9933071, 0.1824255  # sigmoids of 5 and -1.5
    expected = torch.tensor([[[[high, 5 * high]], [[2 * low, 0.0]]]])
    torch.testing.assert_close(gate(x), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("channels", "inner"), [(32, 8), (128, 8), (192, 12), (512, 32)])
def test_the_gate_is_a_sixteenth_as_wide_but_at_least_eight(channels, inner):
    assert SqueezeExcitation(channels).squeeze.out_channels == inner


@pytest.mark.parametrize(("kernel", "stride", "side"), [(3, 1, 9), (3, 2, 5), (1, 1, 9), (5, 2, 5)])
def test_the_padding_keeps_the_size_that_the_stride_leaves(kernel, stride, side):
    layer = ConvNorm(2, 3, kernel, stride)
    assert layer(torch.zeros(4, 2, 9, 9)).shape == (4, 3, side, side)
    assert layer[0].bias is None  # the norm's own shift would undo it


def test_a_convolution_is_normalised():
    out = ConvNorm(2, 3)(torch.randn(8, 2, 16, 16) * 7 + 3)
    torch.testing.assert_close(out.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)


def test_a_block_of_equal_size_passes_its_input_by():
    block = only_the_shortcut(ResidualBlock(4, 4))
    x = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(block(x), x.relu())


def test_a_shortcut_to_half_the_size_averages_every_pixel():
    block = only_the_shortcut(ResidualBlock(1, 1, stride=2))
    nn.init.ones_(block.shortcut[1][0].weight)
    x = torch.tensor([[[[1.0, 3.0, 0.0, 0.0], [5.0, 7.0, 0.0, 2.0]]]])
    torch.testing.assert_close(block(x), torch.tensor([[[[4.0, 0.5]]]]), atol=1e-4, rtol=0)


def test_a_shortcut_to_another_width_mixes_channels_place_by_place():
    block = only_the_shortcut(ResidualBlock(2, 3))
    weight = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]])
    block.shortcut[1][0].weight.data = weight[:, :, None, None]
    x = torch.rand(2, 2, 5, 5)
    expected = torch.einsum("oc,nchw->nohw", weight, x)
    torch.testing.assert_close(block(x), expected, atol=1e-4, rtol=1e-4)


def test_a_block_adds_its_gated_convolutions_to_the_shortcut():
    block = ResidualBlock(3, 3).eval()
    x = torch.randn(2, 3, 8, 8)
    deep = block.second(block.first(x).relu())
    expected = (block.attend(deep) + x).relu()
    torch.testing.assert_close(block(x), expected)
    assert (expected - x.relu()).abs().max() > 0.01  # the deep half says something here
