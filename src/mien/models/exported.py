"""The weights of an exported file back into a network, to train on.

An exported file has no batch norm: it is part of the convolutions. Its layers are told by their
order, which is that in which the network calls them, and by their shapes; that they are the right
ones is proven by what they compute.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mien.errors import BadModelError
from mien.models.network import Network, WithMaps
from mien.models.pretrained import put_norms_back, watch_calls
from mien.pixels import F32

__all__ = ["load_exported", "load_last"]

_TOLERANCE = 1e-3  # of the largest feature
_FIX = "set model to the network that the file was exported from"


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A convolution or a linear layer of a file: its weight, and its bias if it has one."""

    weight: F32
    bias: F32 | None


def load_exported(network: Network, data: bytes, crops: Tensor, expected: F32) -> None:
    """Load every layer of an exported file but the last, which stays as it is.

    In evaluation mode the features are then those of the file; batch norm has the statistics of
    the crops.

    Args:
        network: of the kind that was exported, with any number of outputs; it is changed.
        data: the .onnx file.
        crops: shape (N, 3, S, S), N >= 2, as the network takes them; some hundreds of those that it
            will be trained on.
        expected: shape (N, K, h, w), the features that the file gives of the crops.

    Raises:
        BadModelError: if the file's layers are not those of the network.
    """
    wanted = _called(network, crops[:2])
    found = list(_layers(data))
    if len(found) != len(wanted):
        raise BadModelError(
            f"the file has {len(found)} layers with weights, the network {len(wanted)}", _FIX
        )
    with torch.no_grad():
        for (module, norm), layer in zip(wanted[:-1], found[:-1], strict=True):
            _set(module, norm, layer)
        put_norms_back(network.features, crops)
        features = WithMaps(network, 1).body(crops).numpy()
    worst = float(abs(features - expected).max() / abs(expected).max())
    if not worst <= _TOLERANCE:
        raise BadModelError(f"the file's features are not the network's: off by {worst:.1%}", _FIX)


def load_last(network: Network, data: bytes, crops: Tensor, expected: Tensor) -> None:
    """Load the one linear layer that an exported file ends in, once its other layers are loaded.

    Args:
        network: as `load_exported` left it, in evaluation mode, with the outputs of the file; its
            last layer is changed.
        data: the .onnx file.
        crops: as for `load_exported`.
        expected: shape (N, outputs), what the file answers to the crops.

    Raises:
        BadModelError: if the file's last layer is not that of the network.
    """
    *_, found = _layers(data)  # a 1x1 convolution, see `WithMaps`
    weight = torch.from_numpy(found.weight.copy()).flatten(1)
    own = network.last.weight
    if weight.shape != own.shape:
        raise BadModelError(
            f"the file ends in a layer of {tuple(weight.shape)}, the network of {tuple(own.shape)}",
            _FIX,
        )
    with torch.no_grad():
        rest = expected - network.embed(crops) @ weight.T
        bias = rest.mean(dim=0)
        own.copy_(weight)
        network.last.bias.copy_(bias)
    worst = float((rest - bias).abs().max() / expected.abs().max())
    if not worst <= _TOLERANCE:
        raise BadModelError(f"the file's answers are not the network's: off by {worst:.1%}", _FIX)


def _called(network: Network, crops: Tensor) -> list[tuple[nn.Module, nn.BatchNorm2d | None]]:
    """The layers with weights in the order of their calls, each with the norm that follows it."""
    order: list[nn.Module] = []
    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
    watch_calls(network, kinds, lambda module, _inputs: order.append(module), crops)
    pairs: list[tuple[nn.Module, nn.BatchNorm2d | None]] = []
    for module in order:
        if not isinstance(module, nn.BatchNorm2d):
            pairs.append((module, None))
        elif not pairs or pairs[-1][1] is not None or not isinstance(pairs[-1][0], nn.Conv2d):
            raise BadModelError("this network has a norm that follows no convolution", _FIX)
        else:
            pairs[-1] = (pairs[-1][0], module)
    return pairs


def _layers(data: bytes) -> Iterator[_Layer]:
    """The convolutions and linear layers that the logits of a file are made of, in their order."""
    import onnx

    graph = onnx.load_from_string(data).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    needed = {"logits"}
    for node in reversed(graph.node):  # sorted: what a node needs comes before it
        if needed & set(node.output):
            needed |= set(node.input)
    for node in graph.node:
        if node.op_type in {"Conv", "Gemm"} and needed & set(node.output):
            weight, *bias = (constants.get(name) for name in node.input[1:])
            if weight is None:
                raise BadModelError(f"the file computes the weights of {node.name}", _FIX)
            yield _Layer(weight, bias[0] if bias else None)


def _set(module: nn.Module, norm: nn.BatchNorm2d | None, layer: _Layer) -> None:
    """Set the weights of a layer; a norm behind it adds the bias and does nothing else."""
    if not isinstance(module, nn.Conv2d | nn.Linear) or module.weight.shape != layer.weight.shape:
        raise BadModelError(
            f"the file has a layer of shape {layer.weight.shape}, the network "
            f"{tuple(getattr(module, 'weight', torch.empty(0)).shape)}",
            _FIX,
        )
    module.weight.copy_(torch.from_numpy(layer.weight.copy()))
    bias = torch.zeros(len(layer.weight))
    if layer.bias is not None:
        bias = torch.from_numpy(layer.bias.copy())
    if norm is None:
        if module.bias is not None:
            module.bias.copy_(bias)
        return
    if module.bias is not None:
        module.bias.zero_()
    norm.reset_parameters()  # mean 0, variance and weight 1
    if norm.running_var is not None:
        norm.running_var.sub_(norm.eps)
    norm.bias.copy_(bias)
