"""The shape that every network here has: features, pooling, head.

`mien.export` and `mien.explain` rely on it: `features` gives the last maps, `pool` turns them
into one vector, `head` turns that into logits.
"""

from torch import Tensor, nn

__all__ = ["Network", "three_layers"]


class Network(nn.Module):
    """Maps a batch (N, 3, 64, 64) to logits (N, outputs).

    With pooling by the mean and one linear layer as the head, the class activation map is a 1x1
    convolution of the last features, and CAM = Grad-CAM = HiResCAM up to a constant
    (Zhou et al. 2016, arXiv:1512.04150, equation 2).
    """

    def __init__(
        self,
        features: nn.Module,
        head: nn.Module,
        dropout: float = 0.0,
        pool: nn.Module | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            features: maps (N, 3, 64, 64) to (N, width, h, w).
            head: maps the pooled features to logits; its last layer is linear.
            dropout: share of the pooled features dropped in training.
            pool: maps (N, width, h, w) to (N, inputs of the head); by default the mean.
        """
        super().__init__()
        self.features = features
        self.pool = pool or nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(dropout)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 64, 64) to logits (N, outputs)."""
        logits: Tensor = self.head(self.dropout(self.pool(self.features(x))))
        return logits

    @property
    def last(self) -> nn.Linear:
        """The linear layer that ends the head; one row a class."""
        layer = self.head[-1] if isinstance(self.head, nn.Sequential) else self.head
        if not isinstance(layer, nn.Linear):
            raise TypeError(f"a head must end in a linear layer, not in {type(layer).__name__}")
        return layer

    @property
    def explained(self) -> str:
        """Name of the layer that explanations look at: the last maps before they are pooled.

        Where the features end in max pooling it is the layer before that, whose maps are finer.
        """
        leaves = [
            (f"features.{name}", module)
            for name, module in self.features.named_modules()
            if not any(module.children())
        ]
        return leaves[-2][0] if isinstance(leaves[-1][1], nn.MaxPool2d) else "features"

    def embed(self, x: Tensor) -> Tensor:
        """Map (N, 3, 64, 64) to what the last linear layer sees: (N, its inputs)."""
        pooled: Tensor = self.dropout(self.pool(self.features(x)))
        return self.head[:-1](pooled) if isinstance(self.head, nn.Sequential) else pooled


def three_layers(inputs: int, hidden: tuple[int, int], outputs: int, dropout: float) -> nn.Module:
    """Build the head of the paper's networks.

    Args:
        inputs: of the first linear layer.
        hidden: widths of the first and the second layer.
        outputs: of the third.
        dropout: share dropped between the first and the second layer.

    Returns:
        Three linear layers with ReLU between them.
    """
    first, second = hidden
    return nn.Sequential(
        nn.Linear(inputs, first),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(first, second),
        nn.ReLU(),
        nn.Linear(second, outputs),
    )
