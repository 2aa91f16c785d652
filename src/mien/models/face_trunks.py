"""The first layers of two face recognition networks, as features of ours.

Cut where expression is and identity is not yet: see docs/training.md. Built with fresh weights;
pretrained.py loads those that have seen faces. Both take our input of three equal channels and do
with it what their authors do with pixels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.models.starts import FACERES_ZERO

__all__ = ["DlibBlock", "FaceTrunk", "dlib_trunk", "faceres_trunk"]

# Width of each block of dlib's network, and whether it halves the size.
_DLIB_BLOCKS = (
    *[(32, False)] * 3,
    (64, True),
    *[(64, False)] * 3,
    (128, True),
    *[(128, False)] * 2,
    (256, True),
    *[(256, False)] * 2,
    (256, True),
)
# Width of each pair of FaceRes, and the stride of its depthwise convolution.
_FACERES_PAIRS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)


class FaceTrunk(nn.Sequential):
    """Layers that a start has weights for.

    Attributes:
        start: a key of `mien.models.starts.STARTS`.
        width: channels of the result.
    """

    def __init__(self, start: str, width: int, *parts: nn.Module) -> None:
        """Put the parts together."""
        super().__init__(*parts)
        self.start = start
        self.width = width

    def layers(self) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        """Every convolution and the norm that follows it, in the order of the start's layers."""
        convolutions = [part for part in self.modules() if isinstance(part, nn.Conv2d)]
        norms = [part for part in self.modules() if isinstance(part, nn.BatchNorm2d)]
        return list(zip(convolutions, norms, strict=True))


def dlib_trunk(blocks: int) -> FaceTrunk:
    """Build the first layers of dlib's face recognition network.

    Args:
        blocks: 1 to 14; 14 are all.

    Returns:
        The layers, with fresh weights. All 14 blocks need crops of 103 pixels or more.

    Source:
        dlib, ``anet_type`` of examples/dnn_face_recognition_ex.cpp: a ResNet of 29 convolutions
        (King 2017), after He et al. 2016, arXiv:1512.03385.
    """
    parts: list[nn.Module] = [
        _FirstChannel(),
        _normed(nn.Conv2d(1, 32, 7, 2, bias=False)),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
    ]
    inputs = 32
    for width, halve in _DLIB_BLOCKS[:blocks]:
        parts.append(DlibBlock(inputs, width, halve))
        inputs = width
    return FaceTrunk("dlib-face", inputs, *parts)


def faceres_trunk(pairs: int) -> FaceTrunk:
    """Build the first layers of FaceRes.

    Args:
        pairs: of a depthwise and a pointwise convolution, 1 to 13; 13 are all.

    Returns:
        The layers, with fresh weights.

    Source:
        Howard et al. 2017, arXiv:1704.04861 (MobileNet), table 1.
    """
    parts: list[nn.Module] = [_Centred(), _padded(nn.Conv2d(3, 32, 3, 2, bias=False))]
    inputs = 32
    for width, stride in _FACERES_PAIRS[:pairs]:
        depthwise = nn.Conv2d(inputs, inputs, 3, stride, groups=inputs, bias=False)
        pointwise = nn.Conv2d(inputs, width, 1, bias=False)
        parts.append(nn.Sequential(_padded(depthwise), _padded(pointwise)))
        inputs = width
    trunk = FaceTrunk("faceres", inputs, *parts)
    # Fresh weights by He et al. 2015, arXiv:1502.01852, equation 10: through 27 layers of torch's
    # own smaller ones, differences between pictures would vanish before the norms have statistics.
    for convolution, _ in trunk.layers():
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return trunk


def _normed(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))


def _padded(convolution: nn.Conv2d) -> nn.Sequential:
    """A convolution of TensorFlow's padding SAME, its norm, and a ReLU that ends at 6."""
    padding: nn.Module = nn.Identity()
    if convolution.stride == (2, 2):
        padding = _HalvingPadding()
    else:
        convolution.padding = (convolution.kernel_size[0] // 2,) * 2
    norm = nn.BatchNorm2d(convolution.out_channels)
    return nn.Sequential(padding, convolution, norm, nn.ReLU6())


class DlibBlock(nn.Module):
    """Two convolutions beside a shortcut without weights.

    Where the size is halved, the first convolution has no padding, the shortcut averages 2x2
    pixels, and new channels of it are zero; a convolution that comes out a pixel smaller than the
    shortcut is filled with zeros on its right and below.
    """

    def __init__(self, inputs: int, outputs: int, halve: bool = False) -> None:
        """Build it.

        Args:
            inputs: channels in.
            outputs: channels out, at least as many.
            halve: the size; the input then has 3 pixels or more.
        """
        super().__init__()
        stride, padding = (2, 0) if halve else (1, 1)
        self.first = _normed(nn.Conv2d(inputs, outputs, 3, stride, padding, bias=False))
        self.second = _normed(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False))
        self.halve = halve

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to the same size, or to (N, outputs, H // 2, W // 2)."""
        deep = self.second(torch.relu(self.first(x)))
        if self.halve:
            x = functional.avg_pool2d(x, 2)
            # as int: numbers in an exported file, not operations
            missing = [int(x.shape[axis]) - int(deep.shape[axis]) for axis in (2, 3)]
            deep = functional.pad(deep, (0, missing[1], 0, missing[0]))
            x = functional.pad(x, (0, 0, 0, 0, 0, int(deep.shape[1] - x.shape[1])))
        return torch.relu(x + deep)


class _FirstChannel(nn.Module):
    """One of three equal channels: the first convolution then costs a third."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1]


class _Centred(nn.Module):
    """The input such that padding it with zeros means to FaceRes what it means to its authors."""

    zero: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("zero", torch.from_numpy(FACERES_ZERO.copy())[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return x - self.zero


class _HalvingPadding(nn.Module):
    """Padding SAME of 3x3 at stride 2: an even size only on the right and below."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = map(int, x.shape[2:])  # numbers in an exported file, not operations
        return functional.pad(x, (width % 2, 1, height % 2, 1))
