"""Residual networks: ResNet-18 and -34, the paper's res25-se, and our own.

A builder a network; they differ in numbers only.
"""

from collections.abc import Sequence

from torch import nn

from mien.models.blocks import BasicBlock, ConvNorm, ResidualBlock, SqueezeExcitation
from mien.models.network import Network, three_layers

__all__ = ["miennet", "res25_se", "resnet18", "resnet34"]


def miennet(outputs: int = 7, dropout: float = 0.2) -> Network:
    """Our own network: a residual squeeze-excitation net with 8x8 maps at its end.

    The stem and the first block halve the picture at once, which makes it fast; the last maps keep
    8x8 places instead of 4x4, so that heat maps can tell brows from eyes, and have twice the
    channels, for one cheap 1x1 convolution.

    Args:
        outputs: 6, or 7 with neutral as the last.
        dropout: before the linear layer.

    Returns:
        The network: 1.0 million parameters, 89 million multiply-adds a crop.
    """
    features = nn.Sequential(
        ConvNorm(3, 32, stride=2),
        nn.ReLU(),
        ResidualBlock(32, 64, stride=2),
        ResidualBlock(64, 64),
        ResidualBlock(64, 128, stride=2),
        ResidualBlock(128, 128),
        ResidualBlock(128, 128),
        ConvNorm(128, 256, kernel=1),
        nn.ReLU(),
    )
    return Network(features, nn.Linear(256, outputs), dropout)


def _resnet(depths: Sequence[int], outputs: int, dropout: float) -> Network:
    # He et al. 2016, arXiv:1512.03385, table 1; no max pooling: a crop is small enough
    layers: list[nn.Module] = [ConvNorm(3, 64, kernel=7, stride=2), nn.ReLU()]
    inputs = 64
    for width, depth in zip((64, 128, 256, 512), depths, strict=True):
        for number in range(depth):
            stride = 2 if number == 0 and width > 64 else 1
            layers.append(BasicBlock(inputs, width, stride))
            inputs = width
    return Network(nn.Sequential(*layers), nn.Linear(512, outputs), dropout)


def resnet18(outputs: int = 6, dropout: float = 0.0) -> Network:
    """Two blocks at each of four widths: 11,179,590 parameters."""
    return _resnet((2, 2, 2, 2), outputs, dropout)


def resnet34(outputs: int = 6, dropout: float = 0.0) -> Network:
    """Three, four, six and three blocks: 21,287,750 parameters."""
    return _resnet((3, 4, 6, 3), outputs, dropout)


def res25_se(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Squeeze-excitation, then a biased residual block for each width: 95,051,014 parameters."""
    layers: list[nn.Module] = [
        ConvNorm(3, 64, bias=True),
        nn.ReLU(),
        SqueezeExcitation(64, inner=4, bias=False),
    ]
    inputs = 64
    for width in (128, 256, 512, 1024, 2048):
        layers.append(BasicBlock(inputs, width, stride=2, bias=True))
        inputs = width
    head = three_layers(2048, (4096, 2048), outputs, dropout)
    return Network(nn.Sequential(*layers), head)
