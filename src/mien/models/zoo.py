"""Every network by name. A network takes (N, 3, side, side) and returns logits.

A builder a network; they differ in numbers only. `miennet` and `res13-se` are ours; the others are
the networks of the paper and of its authors' later table: plain ones, one convolution after
another, then residual ones. `miennet` and the last are face recognition networks cut short, for a
start that has seen faces.
A new network is a builder here, and a line in `MODELS` and in `SOURCES`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from mien.errors import BadSettingError, UnknownNameError
from mien.models.blocks import BasicBlock, ConvNorm, ResidualBlock, SqueezeExcitation
from mien.models.face_trunks import FaceTrunk, dlib_trunk, faceres_trunk
from mien.models.network import Network, three_layers

__all__ = ["MODELS", "SOURCES", "build", "side_of"]

_WIDTHS = (64, 128, 256, 512, 1024)  # channels of the plain networks, stage by stage


def build(name: str, outputs: int, dropout: float, side: int = 0) -> Network:
    """Build a network by name, with fresh weights from torch's random generator.

    Args:
        name: a key of `MODELS`.
        outputs: 6, or 7 with neutral as the last.
        dropout: in the head: before its only linear layer, or after the first of three.
        side: of the crops it is to take, in pixels; 0 for the side it is made for.

    Returns:
        The network, in training mode.

    Raises:
        UnknownNameError: if there is no such network.
        BadSettingError: if the network takes crops of one side only, and `side` is another.
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    network = MODELS[name](outputs=outputs, dropout=dropout)
    if side not in {0, network.side} and isinstance(network.pool, nn.Flatten):
        raise BadSettingError(
            f"{name} takes crops of {network.side} pixels, not of {side}", fix="leave side out"
        )
    network.side = side or network.side
    return network


def side_of(name: str, side: int = 0) -> int:
    """Return the side of the crops that a network takes, without making its weights.

    Args:
        name: a key of `MODELS`.
        side: as for `build`.

    Returns:
        Pixels.

    Raises:
        UnknownNameError: if there is no such network.
        BadSettingError: if the network takes crops of one side only, and `side` is another.

    Example:
        >>> side_of("miennet"), side_of("miennet", 80)
        (88, 80)
    """
    with torch.device("meta"):
        return build(name, outputs=6, dropout=0, side=side).side


def miennet(outputs: int = 7, dropout: float = 0.2) -> Network:
    """Our default: ten of the 14 blocks of dlib's network, 5x5 maps of crops of 88 pixels.

    Cut where expression is and identity is not yet.

    Args:
        outputs: 6, or 7 with neutral as the last.
        dropout: before the linear layer.

    Returns:
        The network: 1.1 million parameters, 70 million multiply-adds a crop.
    """
    return _recognising(dlib_trunk(10), outputs, dropout, side=88)


def res13_se(outputs: int = 6, dropout: float = 0.2) -> Network:
    """A small network of ours for fresh weights: residual, squeeze-excitation, 8x8 maps at its end.

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


def _stages(
    widths: Sequence[int],
    norm: bool = True,
    attend: bool = False,
    drop: float = 0.0,
    halve_last: bool = True,
) -> nn.Sequential:
    """Build a stage for each width: convolution, batch norm, ReLU, max pooling.

    Args:
        widths: channels after each stage.
        norm: with batch normalisation.
        attend: squeeze-excitation after the first stage.
        drop: share dropped after every stage but the last.
        halve_last: with max pooling in the last stage too.

    Returns:
        The stages, one `Sequential` each; convolutions are 3x3 with bias and padding 1.
    """
    stages, inputs = [], 3
    for number, width in enumerate(widths):
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 3, padding=1)]
        layers += [nn.BatchNorm2d(width)] if norm else []
        layers.append(nn.ReLU())
        if halve_last or number < len(widths) - 1:
            layers.append(nn.MaxPool2d(2))
        if attend and number == 0:
            layers.append(SqueezeExcitation(width, inner=width // 16, bias=False))
        if drop and number < len(widths) - 1:
            layers.append(nn.Dropout(drop))
        stages.append(nn.Sequential(*layers))
        inputs = width
    return nn.Sequential(*stages)


def _plain(stages: nn.Sequential, width: int, outputs: int, dropout: float) -> Network:
    """Put the paper's head on stages whose last has a width."""
    return Network(stages, three_layers(width, (2 * width, width), outputs, dropout))


def cnn13(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Four stages with batch norm: 2,606,086 parameters."""
    return _plain(_stages(_WIDTHS[:4]), 512, outputs, dropout)


def cnn10(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Five stages without batch norm: 10,474,118 parameters."""
    network = _plain(_stages(_WIDTHS, norm=False), 1024, outputs, dropout)
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
    return _plain(_stages(_WIDTHS), 1024, outputs, dropout)


def cnn15_gap(outputs: int = 6, dropout: float = 0.0) -> Network:
    """Build `cnn15` as its report draws CAM: the mean of the fifth convolution, one linear layer.

    The last stage has no max pooling, so what is averaged are the 4x4 maps of the fifth convolution
    after its batch norm and ReLU. With one linear layer behind them CAM is defined.

    Args:
        outputs: 6, or 7 with neutral as the last.
        dropout: before the linear layer.

    Returns:
        The network: 6,280,710 parameters with six outputs.

    Source:
        Zhou et al. 2016, arXiv:1512.04150, equations 1 and 2.
    """
    return Network(_stages(_WIDTHS, halve_last=False), nn.Linear(1024, outputs), dropout)


def cnn15_dropout(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Build `cnn15` with a fifth dropped after its first four stages: the authors' later best."""
    return _plain(_stages(_WIDTHS, drop=0.2), 1024, outputs, dropout)


def cnn16_se(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Build `cnn15` with squeeze-excitation after its first stage: 10,478,598 parameters."""
    return _plain(_stages(_WIDTHS, attend=True), 1024, outputs, dropout)


def cnn17(outputs: int = 6, dropout: float = 0.5) -> Network:
    """Six stages with batch norm: 41,950,726 parameters."""
    return _plain(_stages((*_WIDTHS, 2048)), 2048, outputs, dropout)


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


def _resnet(depths: Sequence[int], outputs: int, dropout: float) -> Network:
    """Build He et al. 2016, arXiv:1512.03385, table 1; no max pooling: a crop is small enough."""
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


def _recognising(trunk: FaceTrunk, outputs: int, dropout: float, side: int) -> Network:
    """Put one linear layer on the first layers of a face recognition network."""
    return Network(trunk, nn.Linear(trunk.width, outputs), dropout, side=side)


def dlib13(outputs: int = 6, dropout: float = 0.2) -> Network:
    """Thirteen blocks, 3x3 maps of 112 pixels: a teacher of 4,396,006 parameters."""
    return _recognising(dlib_trunk(13), outputs, dropout, side=112)


def dlib14(outputs: int = 6, dropout: float = 0.2) -> Network:
    """All of dlib's network, 2x2 maps of its own 150 pixels: a teacher of 5,576,678 parameters."""
    return _recognising(dlib_trunk(14), outputs, dropout, side=150)


def faceres10(outputs: int = 6, dropout: float = 0.2) -> Network:
    """Ten of the 13 pairs of FaceRes, 6x6 maps of 96 pixels: 1,347,398 parameters."""
    return _recognising(faceres_trunk(10), outputs, dropout, side=96)


def faceres13(outputs: int = 6, dropout: float = 0.2) -> Network:
    """All of FaceRes, 4x4 maps of 112 pixels: a teacher of 3,213,126 parameters."""
    return _recognising(faceres_trunk(13), outputs, dropout, side=112)


MODELS: dict[str, Callable[..., Network]] = {
    "miennet": miennet,
    "res13-se": res13_se,
    "cnn10": cnn10,
    "cnn13": cnn13,
    "cnn15": cnn15,
    "cnn15-dropout": cnn15_dropout,
    "cnn15-gap": cnn15_gap,
    "cnn16-se": cnn16_se,
    "cnn17": cnn17,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "vgg16-bn": vgg16_bn,
    "res25-se": res25_se,
    "dlib13": dlib13,
    "dlib14": dlib14,
    "faceres10": faceres10,
    "faceres13": faceres13,
}

_GIMEFIVE = "Wang and Kawka 2024, arXiv:2402.15662"
_RESNET = "He et al. 2016, arXiv:1512.03385"
_DLIB = "King 2017, dlib's face recognition network"
_FACERES = "FaceRes of @vladmandic/human, after Howard et al. 2017, arXiv:1704.04861"
SOURCES: dict[str, str] = {
    "miennet": f"ours, after {_DLIB}",
    "res13-se": "ours",
    "cnn10": f"{_GIMEFIVE}, 10 layers",
    "cnn13": f"{_GIMEFIVE}, 13 layers",
    "cnn15": f"{_GIMEFIVE}, 15 layers",
    "cnn15-dropout": "the authors' later table, https://github.com/werywjw/SEP-CVDL",
    "cnn15-gap": "cnn15, pooled as in Zhou et al. 2016, arXiv:1512.04150",
    "cnn16-se": f"{_GIMEFIVE}, 16 layers",
    "cnn17": f"{_GIMEFIVE}, 17 layers",
    "resnet18": _RESNET,
    "resnet34": _RESNET,
    "vgg16-bn": "Simonyan and Zisserman 2015, arXiv:1409.1556, shortened",
    "res25-se": "the authors' later table, https://github.com/werywjw/SEP-CVDL",
    **dict.fromkeys(("dlib13", "dlib14"), _DLIB),
    **dict.fromkeys(("faceres10", "faceres13"), _FACERES),
}
