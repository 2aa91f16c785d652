"""Every network by name. A network takes (N, 3, 64, 64) and returns logits.

All of them end the same way, which `mien.export` relies on: `features` gives the last maps,
`head` turns their mean into logits. Imports: torch, blocks.
"""

from collections.abc import Callable

from torch import Tensor, nn

from mien.errors import UnknownNameError
from mien.models.blocks import ConvNorm, ResidualBlock

__all__ = ["MODELS", "Network", "build", "miennet"]


class Network(nn.Module):
    """Convolutions, global average pooling, one linear layer.

    With this ending the class activation map is a 1x1 convolution of the last features, and
    CAM = Grad-CAM = HiResCAM up to a constant (Zhou et al. 2016, arXiv:1512.04150, equation 2).
    """

    def __init__(self, features: nn.Module, width: int, outputs: int, dropout: float) -> None:
        """Put the parts together.

        Args:
            features: maps (N, 3, 64, 64) to (N, width, h, w).
            width: channels of the last features.
            outputs: 6, or 7 with neutral as the last.
            dropout: share of the pooled features dropped in training.
        """
        super().__init__()
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 64, 64) to logits (N, outputs)."""
        logits: Tensor = self.head(self.dropout(self.features(x).mean(dim=(2, 3))))
        return logits


def miennet(outputs: int = 7, dropout: float = 0.2) -> Network:
    """Our own network: a residual squeeze-excitation net with 8x8 maps at its end.

    The stem halves the picture at once, which makes it fast; the last stage keeps 8x8 places
    instead of 4x4, so that its heat maps can tell brows from eyes.

    Args:
        outputs: 6, or 7 with neutral as the last.
        dropout: before the linear layer.

    Returns:
        The network: 1.27 million parameters, 124 million multiply-adds a crop.
    """
    features = nn.Sequential(
        ConvNorm(3, 32, stride=2),
        nn.ReLU(),
        ResidualBlock(32, 32),
        ResidualBlock(32, 64, stride=2),
        ResidualBlock(64, 64),
        ResidualBlock(64, 128, stride=2),
        ResidualBlock(128, 128),
        ResidualBlock(128, 192),
    )
    return Network(features, 192, outputs, dropout)


MODELS: dict[str, Callable[..., Network]] = {"miennet": miennet}


def build(name: str, outputs: int, dropout: float) -> Network:
    """Build a network by name, with fresh weights from torch's random generator.

    Args:
        name: a key of `MODELS`.
        outputs: 6, or 7 with neutral as the last.
        dropout: before the linear layer.

    Returns:
        The network, in training mode.

    Raises:
        UnknownNameError: if there is no such network.
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    return MODELS[name](outputs=outputs, dropout=dropout)
