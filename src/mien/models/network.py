"""The shape that every network here has, and its class maps in closed form.

`Network` is features -> pooling -> head: `features` gives the last maps, `pool` turns them into one
vector, `head` turns that into logits. `mien.train` and `mien.explain` rely on these three parts.
`WithMaps` returns what explains the logits beside them; `mien export` writes it to a file.
`multiply_adds` counts what a crop costs.
"""

from typing import Any

from torch import Tensor, inference_mode, nn, ones_like, zeros

from mien.labels import LABELS, LabelSet
from mien.pixels import SIDE

__all__ = ["Network", "WithMaps", "multiply_adds", "three_layers"]


class Network(nn.Module):
    """Maps a batch (N, 3, side, side) to logits (N, outputs).

    With pooling by the mean and one linear layer as the head, the class activation map is a 1x1
    convolution of the last features, and CAM = Grad-CAM = HiResCAM up to a constant
    (Zhou et al. 2016, arXiv:1512.04150, equation 2).

    Attributes:
        labels: the classes that it was trained for, where that is known.
    """

    labels: LabelSet | None = None

    def __init__(
        self,
        features: nn.Module,
        head: nn.Module,
        dropout: float = 0.0,
        pool: nn.Module | None = None,
        side: int = SIDE,
    ) -> None:
        """Put the parts together.

        Args:
            features: maps (N, 3, side, side) to (N, width, h, w).
            head: maps the pooled features to logits; its last layer is linear.
            dropout: share of the pooled features dropped in training.
            pool: maps (N, width, h, w) to (N, inputs of the head); by default the mean.
            side: of the crops it is made for, in pixels.
        """
        super().__init__()
        self.features = features
        self.pool = pool or nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(dropout)
        self.head = head
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, side, side) to logits (N, outputs)."""
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
        """Map (N, 3, side, side) to what the last linear layer sees: (N, its inputs)."""
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


class WithMaps(nn.Module):
    """A network whose logits come with their maps and gradients, in one pass without autograd.

    A head of linear layers with ReLU between them is linear about each crop. Its slope there is
    W3 diag(z2 > 0) W2 diag(z1 > 0) W1, where z is what a ReLU is given; pooling by the mean spreads
    it evenly over the places. That is the gradient G of the logits with respect to the last
    features F. The maps are the sums of G over the places times A, which is F before its max
    pooling, if it has one: Grad-CAM before its ReLU, times the number of places. With one linear
    layer they are CAM, the logits are their mean plus the bias, and they cost nothing.

    Source: Zhou et al. 2016, arXiv:1512.04150, equations 1 and 2; Selvaraju et al. 2017,
    arXiv:1610.02391, equations 1 and 2.
    """

    def __init__(self, network: Network, classes: int = len(LABELS)) -> None:
        """Take over a trained network, in evaluation mode.

        Args:
            network: trained.
            classes: that are scored, the first of its outputs; one more is that of neutral.
        """
        super().__init__()
        self.network = network
        self.classes = classes
        self.body, self.halving = _split_last_pooling(network.features)
        head = network.head
        self.head = [*head] if isinstance(head, nn.Sequential) else [head]
        self.averaged = not isinstance(network.pool, nn.Flatten)
        self.eval()

    @property
    def linear_layers(self) -> int:
        """How many the head has; with one alone the maps are CAM."""
        return sum(isinstance(layer, nn.Linear) for layer in self.head)

    @property
    def names(self) -> list[str]:
        """Names of what `forward` returns: for prediction first, then for explanation."""
        neutral = ["neutral"] if self.network.last.out_features > self.classes else []
        return ["logits", "maps", *neutral, "features", "gradients"]

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Compute the logits of a batch and what explains them.

        Args:
            crops: shape (N, 3, side, side).

        Returns:
            The tensors of `names`: logits (N, C); maps (N, C, h, w); neutral (N, 1) if learned;
            features A (N, K, h, w); gradients G (N, C, K, u, v).
        """
        features = self.body(crops)
        one_layer = len(self.head) == 1 and self.averaged
        forward = self._one_linear_layer if one_layer else self._several_layers
        logits, maps, gradients = forward(features)
        neutral = [logits[:, self.classes :]] if "neutral" in self.names else []
        return logits[:, : self.classes], maps, *neutral, features, gradients

    def _one_linear_layer(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The maps are a 1x1 convolution, whose mean is the logits without their bias."""
        last = self.halving(features)
        weights = self.network.last.weight
        maps = nn.functional.conv2d(last, weights[:, :, None, None])
        # not maps.mean: ONNX Runtime then adds a face's places in an order that depends on the
        # faces beside it, and its logits differ in their last bits from batch to batch
        logits = nn.functional.adaptive_avg_pool2d(maps, 1).flatten(1) + self.network.last.bias
        slopes = weights[None, : self.classes, :, None, None] / (last.shape[2] * last.shape[3])
        return logits, maps[:, : self.classes], slopes * ones_like(last)[:, None]

    def _several_layers(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The slope of the head, from its last layer back to its first."""
        last = self.halving(features)
        x, gates = self.network.pool(last), []
        for layer in self.head:
            if isinstance(layer, nn.ReLU):
                gates.append(x > 0)
            x = layer(x)
        slopes = self.network.last.weight[: self.classes]
        for layer in self.head[-2::-1]:
            if isinstance(layer, nn.ReLU):
                slopes = slopes * gates.pop()[:, None]
            elif isinstance(layer, nn.Linear):
                slopes = slopes @ layer.weight  # (N, C, inputs of the layer)
        if self.averaged:
            spread = slopes[..., None, None] / (last.shape[2] * last.shape[3])
            gradients = spread * ones_like(last)[:, None]
        else:
            gradients = slopes.reshape(-1, self.classes, *map(int, last.shape[1:]))
        maps = gradients.sum(dim=(3, 4)) @ features.flatten(2)  # (N, C, h * w)
        return x, maps.reshape(-1, self.classes, *map(int, features.shape[2:])), gradients


def _split_last_pooling(features: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Split features into what comes before a max pooling at their end, and that pooling."""
    if isinstance(features, nn.MaxPool2d):
        return nn.Identity(), features
    if not isinstance(features, nn.Sequential):
        return features, nn.Identity()
    *before, last = features  # not children(), which leaves out a layer that comes twice
    rest, pooling = _split_last_pooling(last)
    return nn.Sequential(*before, rest), pooling


@inference_mode()
def multiply_adds(network: nn.Module) -> int:
    """Count the multiply-adds of convolutions and linear layers for one crop.

    Args:
        network: of crops of its `side`, or else of 64 pixels.

    Returns:
        Their number.
    """
    total = 0

    def count(module: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal total
        places = output[0, 0].numel() if output.ndim == 4 else 1
        total += sum(p.numel() for p in module.parameters() if p.ndim > 1) * places

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        side = getattr(network, "side", SIDE)
        network(zeros(1, 3, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    return total
