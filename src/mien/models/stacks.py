"""The paper's plain networks: one convolution after another, each stage halved by max pooling.

A builder a network; they differ in numbers only. Convolutions are 3x3 with bias and padding 1.
"""

from collections.abc import Sequence

from torch import nn

from mien.models.blocks import SqueezeExcitation
from mien.models.network import Network, three_layers

__all__ = ["cnn10", "cnn13", "cnn15", "cnn15_dropout", "cnn16_se", "cnn17", "vgg16_bn"]

_WIDTHS = (64, 128, 256, 512, 1024)


def _stack(
    widths: Sequence[int], norm: bool = True, attend: bool = False, drop: float = 0.0
) -> nn.Sequential:
    """Convolution, batch norm, ReLU, max pooling for each width.

    Args:
        widths: channels after each stage.
        norm: with batch normalisation.
        attend: squeeze-excitation after the first stage.
        drop: share dropped after every stage but the last.

    Returns:
        The stages, one `Sequential` each.
    """
    stages, inputs = [], 3
    for number, width in enumerate(widths):
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 3, padding=1)]
        layers += [nn.BatchNorm2d(width)] if norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        if attend and number == 0:
            layers.append(SqueezeExcitation(width, inner=width // 16, bias=False))
        if drop and number < len(widths) - 1:
            layers.append(nn.Dropout(drop))
        stages.append(nn.Sequential(*layers))
        inputs = width
    return nn.Sequential(*stages)


def _ended(stages: nn.Sequential, width: int, outputs: int, dropout: float) -> Network:
    return Network(stages, three_layers(width, (2 * width, width), outputs, dropout))


def cnn13(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Four stages with batch norm: 2,606,086 parameters."""
    return _ended(_stack(_WIDTHS[:4]), 512, outputs, dropout)


def cnn10(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Five stages without batch norm: 10,474,118 parameters."""
    network = _ended(_stack(_WIDTHS, norm=False), 1024, outputs, dropout)
    # Fresh weights by He et al. 2015, arXiv:1502.01852, equation 10: with no batch norm between,
    # differences between pictures would vanish on their way through torch's own smaller ones.
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def cnn15(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Five stages with batch norm: 10,478,086 parameters."""
    return _ended(_stack(_WIDTHS), 1024, outputs, dropout)


def cnn15_dropout(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Build `cnn15` with a fifth dropped after its first four stages: the authors' later best."""
    return _ended(_stack(_WIDTHS, drop=0.2), 1024, outputs, dropout)


def cnn16_se(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Build `cnn15` with squeeze-excitation after its first stage: 10,478,598 parameters."""
    return _ended(_stack(_WIDTHS, attend=True), 1024, outputs, dropout)


def cnn17(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Six stages with batch norm: 41,950,726 parameters."""
    return _ended(_stack((*_WIDTHS, 2048)), 2048, outputs, dropout)


def vgg16_bn(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Three stages of two convolutions that share one batch norm: 72,460,742 parameters."""
    # after Simonyan and Zisserman 2015, arXiv:1409.1556, shortened as in the paper's code
    stages, inputs = [], 3
    for width in _WIDTHS[:3]:
        norm = nn.BatchNorm2d(width)
        stages.append(
            nn.Sequential(
                nn.Conv2d(inputs, width, 3, padding=1),
                norm,
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
                norm,
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
        )
        inputs = width
    head = three_layers(16384, (4096, 1024), outputs, dropout)
    return Network(nn.Sequential(*stages), head, pool=nn.Flatten())
