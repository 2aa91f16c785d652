"""Every network by name. A network takes (N, 3, 64, 64) and returns logits.

`miennet` is ours; the others are the networks of the paper and of its authors' later table.
"""

from collections.abc import Callable

from mien.errors import UnknownNameError
from mien.models import residual, stacks
from mien.models.network import Network

__all__ = ["MODELS", "build"]

MODELS: dict[str, Callable[..., Network]] = {
    "miennet": residual.miennet,
    "cnn10": stacks.cnn10,
    "cnn13": stacks.cnn13,
    "cnn15": stacks.cnn15,
    "cnn15-dropout": stacks.cnn15_dropout,
    "cnn16-se": stacks.cnn16_se,
    "cnn17": stacks.cnn17,
    "resnet18": residual.resnet18,
    "resnet34": residual.resnet34,
    "vgg16-bn": stacks.vgg16_bn,
    "res25-se": residual.res25_se,
}


def build(name: str, outputs: int, dropout: float) -> Network:
    """Build a network by name, with fresh weights from torch's random generator.

    Args:
        name: a key of `MODELS`.
        outputs: 6, or 7 with neutral as the last.
        dropout: in the head: before its only linear layer, or after the first of three.

    Returns:
        The network, in training mode.

    Raises:
        UnknownNameError: if there is no such network.
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    return MODELS[name](outputs=outputs, dropout=dropout)
