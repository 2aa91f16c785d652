"""The blocks that networks are built of: convolution with batch norm, squeeze-excitation, residual.

Knows nothing of faces.
"""

import torch
from torch import Tensor, nn

__all__ = ["BasicBlock", "ConvNorm", "ResidualBlock", "SqueezeExcitation"]


class ConvNorm(nn.Sequential):
    """A convolution, then batch normalisation."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, bias: bool = False
    ) -> None:
        """Build it.

        Args:
            inputs: channels in.
            outputs: channels out.
            kernel: side of the kernel; the padding keeps the size.
            stride: of the convolution.
            bias: of the convolution; the norm's own shift makes it idle.
        """
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias),
            nn.BatchNorm2d(outputs),
        )


class SqueezeExcitation(nn.Module):
    """Weights each channel by what the whole picture says.

    Source: Hu, Shen and Sun 2018, arXiv:1709.01507, equations 2 to 4.
    """

    def __init__(self, channels: int, inner: int = 0, bias: bool = True) -> None:
        """Build it.

        Args:
            channels: in and out.
            inner: units of the inner layer; by default a sixteenth of the channels, at least 8.
            bias: of both layers.
        """
        super().__init__()
        inner = inner or max(8, channels // 16)
        self.squeeze = nn.Conv2d(channels, inner, 1, bias=bias)
        self.excite = nn.Conv2d(inner, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        mean = nn.functional.adaptive_avg_pool2d(x, 1)  # see `WithMaps`, of ONNX Runtime
        return x * torch.sigmoid(self.excite(torch.relu(self.squeeze(mean))))


class ResidualBlock(nn.Module):
    """Two convolutions and squeeze-excitation beside a shortcut.

    Where size or width change, the shortcut averages 2x2 pixels and mixes channels by a 1x1
    convolution, so that no pixel is skipped.

    Source: He et al. 2016, arXiv:1512.03385; the shortcut from He et al. 2019, arXiv:1812.01187,
    figure 2 c.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        """Build it.

        Args:
            inputs: channels in.
            outputs: channels out.
            stride: 1, or 2 to halve the size.
        """
        super().__init__()
        self.first = ConvNorm(inputs, outputs, stride=stride)
        self.second = ConvNorm(outputs, outputs)
        self.attend = SqueezeExcitation(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
            self.shortcut = nn.Sequential(pool, ConvNorm(inputs, outputs, kernel=1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        deep = self.attend(self.second(torch.relu(self.first(x))))
        return torch.relu(deep + self.shortcut(x))


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut, as ResNet-18 and -34 have them.

    Source: He et al. 2016, arXiv:1512.03385, figure 2 and, for the shortcut, option B.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, bias: bool = False) -> None:
        """Build it.

        Args:
            inputs: channels in.
            outputs: channels out.
            stride: 1, or 2 to halve the size.
            bias: of the convolutions.
        """
        super().__init__()
        self.first = ConvNorm(inputs, outputs, stride=stride, bias=bias)
        self.second = ConvNorm(outputs, outputs, bias=bias)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = ConvNorm(inputs, outputs, kernel=1, stride=stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))
