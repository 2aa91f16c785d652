"""Activations and gradients of any layer of anybody's torch network, which is left as it was.

Autograd records nothing before the layer: the graph begins at its output, so gradients cost one
forward pass and a backward pass to the layer, not to the input. The network may be on any device
and of any floating type: batches go to it, float32 comes back. No other file here may import torch.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from math import isqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from mien.errors import BadModelError, BadSettingError, MissingExtraError, UnknownNameError
from mien.explain import cam
from mien.explain.onnx_source import ActivationsAndGradients, cam_refusal
from mien.explain.targets import Objective
from mien.labels import NEUTRAL_INDEX, LabelSet
from mien.pixels import F32, SIDE

__all__ = ["TorchSource", "capture_output", "evaluation_mode"]

_STEPS = 50  # of the path of integrated gradients


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode, and every module back in its own mode at the end.

    Args:
        network: its modules may be in different modes.

    Yields:
        Nothing.
    """
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def capture_output(layer: nn.Module, gradients: bool = False) -> Iterator[list[Tensor]]:
    """Keep the output of a layer while the block runs.

    Args:
        layer: of the network that is called in the block, with gradients off.
        gradients: turn them on from the layer's output on.

    Yields:
        A list that holds the layer's last output once the network has been called, a copy: a later
        layer that works in place does not change it. With `gradients`, what follows can be
        differentiated with respect to it. Of a layer that returns several, as a block of
        transformers does, it is the first.
    """
    kept: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: object) -> object:
        first = output[0] if isinstance(output, tuple) and output else output
        if not isinstance(first, Tensor):
            return None
        kept[:] = [first.detach().clone()]  # whatever comes later may write over the original
        if not gradients:
            return None
        torch.set_grad_enabled(True)
        kept[0].requires_grad_(True)
        copied = kept[0].clone()
        return (copied, *output[1:]) if isinstance(output, tuple) else copied

    before = torch.is_grad_enabled()
    handle = layer.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()
        torch.set_grad_enabled(before)


class TorchSource:
    """A torch network; any of its layers can be explained."""

    def __init__(
        self,
        network: nn.Module,
        labels: LabelSet | None = None,
        output: Callable[[Any], Any] | None = None,
    ) -> None:
        """Take a network.

        Args:
            network: maps (N, 3, H, W) to logits (N, C), or to (N,), which is one class.
            labels: its classes, if they have names; by default those that the network was trained
                for, where it is one of mien's.
            output: finds the logits in what the network returns.
        """
        own = getattr(network, "labels", None)
        self.network = network
        self.labels = labels or (own if isinstance(own, LabelSet) else None)
        self._output = output
        self.layers = {name: module for name, module in network.named_modules() if name}
        self.layer = getattr(network, "explained", None)
        self.side = getattr(network, "side", SIDE)

    def logits(self, batch: F32) -> F32:
        """Map (N, 3, H, W) to logits (N, C)."""
        with evaluation_mode(self.network), torch.no_grad():
            return _array(self._scored(self.network(self._input(batch))))

    def activations(self, batch: F32, layer: str | None = None) -> F32:
        """Return a layer's output, shape (N, K, h, w); (N, K) becomes (N, K, 1, 1)."""
        output = capture_output(self._layer(layer))
        with evaluation_mode(self.network), torch.no_grad(), output as kept:
            self.network(self._input(batch))
            return _array(_as_maps(kept, layer, flat=True))

    def activations_and_gradients(
        self, batch: F32, objectives: Sequence[Objective], layer: str | None = None
    ) -> ActivationsAndGradients:
        """Return a layer's output and each objective's gradients.

        Args:
            batch: shape (N, 3, H, W).
            objectives: T of them, each for all crops.
            layer: a name of `named_modules`; by default the network's `explained`.

        Returns:
            Activations and gradients.
        """
        output = capture_output(self._layer(layer), gradients=True)
        with evaluation_mode(self.network), _recorded(), output as kept:
            logits = self._scored(self._differentiable()(self._input(batch)))
            activations = _array(_as_maps(kept, layer))
            values = _array(logits)
            gradients: list[F32] = []
            for left, objective in enumerate(objectives, 1 - len(objectives)):
                slope = torch.from_numpy(objective.slope(values)).to(logits)
                own = torch.autograd.grad(logits, kept, slope, retain_graph=left < 0)
                gradients.append(_array(_as_maps([*own], layer)))
        return ActivationsAndGradients(activations, np.stack(gradients))

    def class_maps(
        self, batch: F32, objectives: Sequence[Objective], layer: str | None = None
    ) -> F32:
        """Return each objective's class activation map, shape (T, N, h, w).

        Args:
            batch: shape (N, 3, H, W).
            objectives: T of them, each for all crops.
            layer: whose channels are weighted by the linear layer: one of as many channels as that
                has inputs. By default the network's `explained`, whose mean the linear layer sees;
                of another layer the map is by the same formula, and no share of the logit.

        Returns:
            The maps.

        Raises:
            BadModelError: if the network has another number of linear layers than one, or the layer
                another number of channels.
            cam_refusal: makes the first of these.
        """
        linear = [m for m in self.network.modules() if isinstance(m, nn.Linear)]
        if len(linear) != 1:
            raise cam_refusal(len(linear))
        features = self.activations(batch, layer)
        if features.shape[1] != linear[0].in_features:
            raise BadModelError(
                f"CAM weights as many channels as the linear layer takes, {linear[0].in_features}; "
                f"{layer or self.layer} has {features.shape[1]}",
                fix="name a layer of so many channels, or use --method grad-cam",
            )
        logits = self.logits(batch)
        rows = _array(linear[0].weight)[: logits.shape[1]]  # (C, K)
        return np.stack([cam.cam(features, o.slope(logits) @ rows) for o in objectives])

    def integrated_gradients(self, batch: F32, objective: Objective) -> F32:
        """Return the objective's attribution to each pixel, summed over the colours.

        The path leads from the mean grey of training, which is 0 in the network's input.

        Args:
            batch: shape (N, 3, H, W).
            objective: for all crops.

        Returns:
            shape (N, H, W).

        Raises:
            MissingExtraError: if captum is not installed.

        Source:
            Sundararajan et al. 2017, arXiv:1703.01365, equation 1, by captum.
        """
        try:
            from captum.attr import IntegratedGradients
        except ModuleNotFoundError as error:
            raise MissingExtraError("integrated gradients", "explain") from error
        maps = []
        with evaluation_mode(self.network), _recorded(), torch.enable_grad():
            network = self._differentiable()
            for number, crop in enumerate(self._input(batch)):

                def values(path: Tensor, number: int = number) -> Tensor:
                    return _values(self._scored(network(path)), objective, number)

                attribution = IntegratedGradients(values).attribute(crop[None], n_steps=_STEPS)
                maps.append(_array(attribution.sum(dim=(0, 1))))
        return np.asarray(maps, dtype=np.float32)

    def _layer(self, name: str | None) -> nn.Module:
        name = name or self.layer
        if name is None:
            names = ", ".join(self.layers)
            raise BadSettingError(
                "no layer is named, and this network has no usual one",
                fix=f"give layer=..., one of {names}",
            )
        if name not in self.layers:
            raise UnknownNameError("layer", name, self.layers)
        return self.network.get_submodule(name)

    def _input(self, batch: F32) -> Tensor:
        """The batch where the network's weights are, in their type."""
        values = torch.from_numpy(batch)
        for weight in chain(self.network.parameters(), self.network.buffers()):
            if weight.is_floating_point():
                return values.to(weight.device, weight.dtype)
        return values

    def _differentiable(self) -> Callable[[Tensor], Any]:
        """The network; with copies of weights that were made where gradients are forbidden."""
        tensors = dict(chain(self.network.named_parameters(), self.network.named_buffers()))
        if not any(tensor.is_inference() for tensor in tensors.values()):
            return self.network
        return partial(functional_call, self.network, {k: v.clone() for k, v in tensors.items()})

    def _scored(self, returned: Any) -> Tensor:
        """The logits of the classes that are explained, shape (N, C)."""
        logits = self._output(returned) if self._output else returned
        if not isinstance(logits, Tensor):
            raise BadModelError(
                f"the network returns a {type(logits).__name__}, not a tensor of logits",
                fix="say which part: source_of(network, output=lambda returned: returned[0])",
            )
        if logits.ndim == 1:
            logits = logits[:, None]
        if logits.ndim != 2:
            raise BadModelError(
                f"the network returns shape {tuple(logits.shape)}, expected (N, classes)",
                fix="say which part: source_of(network, output=lambda returned: ...)",
            )
        width = logits.shape[1]
        if self.labels is not None and width == len(self.labels.targets):
            return logits[:, : len(self.labels.names)]  # without a calm class beside them
        if self.labels is None and self.layer is not None and width == NEUTRAL_INDEX + 1:
            return logits[:, :NEUTRAL_INDEX]  # a network of mien that learned neutral beside six
        return logits


@contextmanager
def _recorded() -> Iterator[None]:
    """Let gradients be asked for, also where the caller is in inference mode."""
    with torch.inference_mode(False), torch.no_grad():
        yield


def _array(values: Tensor) -> F32:
    return values.detach().float().cpu().numpy()


def _values(logits: Tensor, objective: Objective, number: int) -> Tensor:
    """The objective of rows of one crop, differentiable: its value, with its slope as gradient."""
    plain = _array(logits)
    crops = np.full(len(plain), number)
    own = Objective(objective.classes[crops], objective.function)
    slope = torch.from_numpy(own.slope(plain)).to(logits)
    value = torch.from_numpy(objective.value(plain, crops)).to(logits)
    linear = (logits * slope).sum(dim=1)
    return linear + (value - linear).detach()


def _as_maps(kept: list[Tensor], layer: str | None, flat: bool = False) -> Tensor:
    """The tensor a layer returned, if it is maps, or the tokens of a square of patches."""
    if flat and kept and kept[0].ndim == 2:
        return kept[0][..., None, None]
    if kept and kept[0].ndim == 3:
        tokens = kept[0]  # (N, patches, K); one of the class may come first
        side = isqrt(tokens.shape[1])
        extra = tokens.shape[1] - side**2
        if side > 1 and extra in {0, 1}:
            return tokens[:, extra:].transpose(1, 2).reshape(len(tokens), -1, side, side)
    if not kept or kept[0].ndim != 4:
        got = tuple(kept[0].shape) if kept else "no tensor"
        raise BadModelError(
            f"layer {layer} returns {got}, which are no maps",
            fix="name a layer of convolutions, or a transformer's of a square of patches",
        )
    return kept[0]
