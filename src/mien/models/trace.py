"""The architecture of a network, found by sending a crop without pixels through it.

Nothing is written down by hand: hooks note each module that computes, and the shape of its output.
Leaves are joined to layers (convolution, batch norm and ReLU are one); a block of the zoo is one
layer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mien.errors import UnknownNameError
from mien.models.architecture import Architecture, Layer
from mien.models.blocks import BasicBlock, ResidualBlock, SqueezeExcitation
from mien.models.face_trunks import DlibBlock, FaceTrunk
from mien.models.network import Network
from mien.models.zoo import MODELS

__all__ = ["architecture", "architecture_of"]

_RESIDUAL = (ResidualBlock, BasicBlock, DlibBlock)
_ASIDE = ("shortcut", "squeeze", "excite")  # modules that are not on the main path
_ATTENTION = "squeeze-excitation"
_POOLINGS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


def architecture(name: str, outputs: int = 6) -> Architecture:
    """Describe a network by name; no memory is taken for its weights.

    Args:
        name: a key of `mien.models.zoo.MODELS`.
        outputs: 6, or 7 with neutral as the last.

    Returns:
        Its layers.

    Raises:
        UnknownNameError: if there is no such network.

    Example:
        >>> found = architecture("cnn15")
        >>> found.parameters, found.depth, found.layers[0].size
        (10478086, 8, '64 x 64x64')
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    with torch.device("meta"):
        network = MODELS[name](outputs=outputs)
    return architecture_of(network.to("meta"), name)


@torch.inference_mode()
def architecture_of(network: Network, name: str) -> Architecture:
    """Describe a network.

    Args:
        network: with its weights on any device; put in evaluation mode.
        name: what to call it.

    Returns:
        Its layers.
    """
    tracer = _Tracer(network)
    device = next(network.parameters()).device
    network.eval()(torch.zeros(1, 3, network.side, network.side, device=device))
    tracer.remove()
    return Architecture(name, network.side, tuple(_joined(tracer.steps)))


@dataclass(slots=True)
class _Step:
    """A leaf, or a block with its leaves inside."""

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    parameters: int = 0
    multiply_adds: int = 0
    inside: "tuple[_Step, ...]" = ()


class _Tracer:
    """Notes the leaves of a network as they compute, and puts those of a block into it."""

    def __init__(self, network: nn.Module) -> None:
        self.steps: list[_Step] = []
        self._starts: list[int] = []
        self._counted: set[int] = set()
        self._handles: list[Any] = []
        for name, module in network.named_modules():
            if _is_block(network, name, module):
                self._handles.append(module.register_forward_pre_hook(self._begin))
                self._handles.append(module.register_forward_hook(self._end_of(name)))
            elif not any(module.children()):
                self._handles.append(module.register_forward_hook(self._note_of(name)))

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _begin(self, _module: nn.Module, _inputs: object) -> None:
        self._starts.append(len(self.steps))

    def _end_of(self, name: str) -> Any:
        def end(module: nn.Module, _inputs: object, output: Tensor) -> None:
            start = self._starts.pop()
            inside = tuple(self.steps[start:])
            shape = tuple(output.shape[1:])
            parameters = sum(step.parameters for step in inside)
            multiply_adds = sum(step.multiply_adds for step in inside)
            self.steps[start:] = [_Step(name, module, shape, parameters, multiply_adds, inside)]

        return end

    def _note_of(self, name: str) -> Any:
        def note(module: nn.Module, _inputs: object, output: Tensor) -> None:
            shape = tuple(output.shape[1:])
            fresh = [p for p in module.parameters() if id(p) not in self._counted]
            self._counted |= {id(p) for p in fresh}
            places = shape[1] * shape[2] if len(shape) == 3 else 1
            weighs = isinstance(module, nn.Conv2d | nn.Linear)
            multiply_adds = module.weight.numel() * places if weighs else 0  # type: ignore[operator]
            parameters = sum(p.numel() for p in fresh)
            self.steps.append(_Step(name, module, shape, parameters, int(multiply_adds)))

        return note


def _is_block(network: nn.Module, name: str, module: nn.Module) -> bool:
    """Tell whether a module is drawn as one: a block of the zoo that lies in no other block."""
    above = name.split(".")[:-1]
    parents = [network.get_submodule(".".join(above[: i + 1])) for i in range(len(above))]
    if any(isinstance(parent, (*_RESIDUAL, SqueezeExcitation)) for parent in parents):
        return False
    if isinstance(module, (*_RESIDUAL, SqueezeExcitation)):
        return True
    in_trunk = bool(parents) and isinstance(parents[-1], FaceTrunk)
    return in_trunk and any(isinstance(child, nn.Sequential) for child in module.children())


def _joined(steps: list[_Step]) -> Iterator[Layer]:
    """Join the leaves that belong together."""
    group: list[_Step] = []
    for step in steps:
        if isinstance(step.module, nn.Identity):
            continue
        if isinstance(step.module, nn.Dropout) and step.module.p == 0:
            continue
        if group and _begins(step, group[-1]) and _kind(group) != "other":
            yield _layer(group)
            group = []
        group.append(step)
    yield _layer(group)


def _begins(step: _Step, before: _Step) -> bool:
    """Tell whether a step begins a layer; norms, activations and dropout go with the one before."""
    if isinstance(step.module, nn.Flatten):  # of a mean it changes nothing but the axes
        return not isinstance(before.module, nn.AdaptiveAvgPool2d)
    return not isinstance(step.module, nn.BatchNorm2d | nn.ReLU | nn.ReLU6 | nn.Dropout)


def _kind(group: list[_Step]) -> str:
    for step in group:
        if isinstance(step.module, _RESIDUAL):
            return "residual"
        if isinstance(step.module, SqueezeExcitation):
            return "attention"
        if isinstance(step.module, nn.Conv2d) or step.inside:
            return "convolution"
        if isinstance(step.module, nn.Linear):
            return "linear"
        if isinstance(step.module, (*_POOLINGS, nn.Flatten)):
            return "pooling"
    return "other"


def _layer(group: list[_Step]) -> Layer:
    leaves = [leaf for step in group for leaf in (step.inside or (step,))]
    return Layer(
        name=group[0].name,
        kind=_kind(group),
        words=tuple(word for step in group for word in _words(step)),
        shape=group[-1].shape,
        parameters=sum(step.parameters for step in group),
        multiply_adds=sum(step.multiply_adds for step in group),
        depth=sum(_is_on_main_path(leaf) for leaf in leaves),
    )


def _is_on_main_path(leaf: _Step) -> bool:
    aside = any(part in _ASIDE for part in leaf.name.split("."))
    return isinstance(leaf.module, nn.Conv2d | nn.Linear) and not aside


def _words(step: _Step) -> list[str]:
    """What a step does; of a block its name, its convolutions and what lies beside them."""
    if not step.inside:
        return [_word(step.module)]
    main = [leaf.module for leaf in step.inside if _is_on_main_path(leaf)]
    if isinstance(step.module, SqueezeExcitation):
        return [_ATTENTION]
    words = [] if isinstance(step.module, nn.Sequential) else [_from_class(step.module)]
    words += map(_word, main)
    if isinstance(step.module, ResidualBlock):
        words.append(_ATTENTION)
    if any("shortcut" in leaf.name.split(".") and leaf.parameters for leaf in step.inside):
        words.append("1x1 shortcut")
    return words


def _word(module: nn.Module) -> str:
    """Name a leaf, from its own attributes."""
    if isinstance(module, nn.Conv2d):
        stride = f" /{module.stride[0]}" if module.stride[0] > 1 else ""
        depthwise = "depthwise " if module.groups > 1 else ""
        return f"{module.kernel_size[0]}x{module.kernel_size[1]} {depthwise}conv{stride}"
    if isinstance(module, nn.MaxPool2d):
        return f"{module.kernel_size}x{module.kernel_size} max pooling"
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return "global mean"
    if isinstance(module, nn.Dropout):
        return "dropout"
    known = {nn.BatchNorm2d: "batch norm", nn.ReLU: "ReLU", nn.ReLU6: "ReLU6", nn.Linear: "linear"}
    return known.get(type(module)) or _from_class(module)


def _from_class(module: nn.Module) -> str:
    """The name of a class in words: ``_FirstChannel`` is "first channel"."""
    parts = re.findall(r"[A-Z][a-z0-9]*", type(module).__name__)
    return " ".join(part.lower() for part in parts)
