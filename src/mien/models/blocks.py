"""The bricks networks are built of: convolution with batch norm, squeeze-excitation, residual.

Imports: torch. Knows nothing of faces.
"""

import torch
from torch import Tensor, nn

__all__ = ["ConvNorm", "ResidualBlock", "SqueezeExcitation"]


class ConvNorm(nn.Sequential):
    """A convolution without bias, then batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        """Build it.

        Args:
            inputs: channels in.
            outputs: channels out.
            kernel: side of the kernel; the padding keeps the size.
            stride: of the convolution.
        """
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class SqueezeExcitation(nn.Module):
    """Weights each channel by what the whole picture says.

    Source: Hu, Shen and Sun 2018, arXiv:1709.01507, equations 2 to 4.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        """Build it.

        Args:
            channels: in and out.
            reduction: the inner layer has ``channels // reduction`` units, at least 8.
        """
        super().__init__()
        inner = max(8, channels // reduction)
        self.squeeze = nn.Conv2d(channels, inner, 1)
        self.excite = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        mean = x.mean(dim=(2, 3), keepdim=True)
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
