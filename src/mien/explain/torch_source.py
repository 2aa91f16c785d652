"""Activations and gradients of any layer of a torch network, which is left as it was.

Autograd records nothing before the layer: the graph begins at its output, so gradients cost one
forward pass and a backward pass to the layer, not to the input. No other file here may import
torch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import BadModelError, MissingExtraError, UnknownNameError
from mien.explain import cam
from mien.explain.onnx_source import ActivationsAndGradients, cam_refusal
from mien.explain.targets import Objective
from mien.labels import LABELS
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
        differentiated with respect to it.
    """
    kept: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: object) -> Tensor | None:
        if not isinstance(output, Tensor):
            return None
        kept[:] = [output.detach().clone()]  # whatever comes later may write over the original
        if not gradients:
            return None
        torch.set_grad_enabled(True)
        kept[0].requires_grad_(True)
        return kept[0].clone()

    before = torch.is_grad_enabled()
    handle = layer.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()
        torch.set_grad_enabled(before)


class TorchSource:
    """A torch network; any of its layers can be explained."""

    def __init__(self, network: nn.Module) -> None:
        """Take a network that maps (N, 3, H, W) to logits (N, 6 or more)."""
        self.network = network
        self.layers = {name: module for name, module in network.named_modules() if name}
        self.layer = getattr(network, "explained", None)
        self.side = getattr(network, "side", SIDE)

    def logits(self, batch: F32) -> F32:
        """Map (N, 3, H, W) to logits (N, 6)."""
        with evaluation_mode(self.network), torch.inference_mode():
            return _six(self.network(torch.from_numpy(batch))).numpy()

    def activations(self, batch: F32, layer: str | None = None) -> F32:
        """Return a layer's output, shape (N, K, h, w); (N, K) becomes (N, K, 1, 1)."""
        output = capture_output(self._layer(layer))
        with evaluation_mode(self.network), torch.no_grad(), output as kept:
            self.network(torch.from_numpy(batch))
            return _maps(kept, layer, flat=True).numpy()

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
        with evaluation_mode(self.network), torch.no_grad(), output as kept:
            logits = _six(self.network(torch.from_numpy(batch)))
            activations = _maps(kept, layer)
            values = logits.detach().numpy()
            gradients: list[Tensor] = []
            for left, objective in enumerate(objectives, 1 - len(objectives)):
                slope = torch.from_numpy(objective.slope(values))
                gradients += torch.autograd.grad(logits, kept, slope, retain_graph=left < 0)
        return ActivationsAndGradients(activations.detach().numpy(), torch.stack(gradients).numpy())

    def class_maps(self, batch: F32, objectives: Sequence[Objective]) -> F32:
        """Return each objective's class activation map, shape (T, N, h, w)."""
        linear = [m for m in self.network.modules() if isinstance(m, nn.Linear)]
        if len(linear) != 1:
            raise cam_refusal(len(linear))
        features = self.activations(batch)
        if features.shape[1] != linear[0].in_features:
            raise BadModelError(
                f"CAM needs the mean of the {features.shape[1]} features before the linear layer, "
                f"which takes {linear[0].in_features}",
                fix="use --method grad-cam",
            )
        rows = linear[0].weight.detach()[: len(LABELS)].numpy()  # (6, K)
        logits = self.logits(batch)
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
        except ImportError as error:
            raise MissingExtraError("integrated gradients", "explain") from error
        maps = []
        with evaluation_mode(self.network):
            for number, crop in enumerate(torch.from_numpy(batch)):

                def values(path: Tensor, number: int = number) -> Tensor:
                    return _values(_six(self.network(path)), objective, number)

                attribution = IntegratedGradients(values).attribute(crop[None], n_steps=_STEPS)
                maps.append(attribution.sum(dim=(0, 1)).detach().numpy())
        return np.asarray(maps, dtype=np.float32)

    def _layer(self, name: str | None) -> nn.Module:
        name = name or self.layer
        if name is None:
            raise UnknownNameError("default layer: name one, for instance not", "None", self.layers)
        if name not in self.layers:
            raise UnknownNameError("layer", name, self.layers)
        return self.network.get_submodule(name)


def _six(logits: Tensor) -> Tensor:
    return logits[:, : len(LABELS)]


def _values(logits: Tensor, objective: Objective, number: int) -> Tensor:
    """The objective of rows of one crop, differentiable: its value, with its slope as gradient."""
    plain = logits.detach().numpy()
    crops = np.full(len(plain), number)
    slope = torch.from_numpy(Objective(objective.classes[crops], objective.function).slope(plain))
    value = torch.from_numpy(objective.value(plain, crops)).to(logits.dtype)
    linear = (logits * slope).sum(dim=1)
    return linear + (value - linear).detach()


def _maps(kept: list[Tensor], layer: str | None, flat: bool = False) -> Tensor:
    """The tensor a layer returned, if it is maps."""
    if flat and kept and kept[0].ndim == 2:
        return kept[0][..., None, None]
    if not kept or kept[0].ndim != 4:
        got = tuple(kept[0].shape) if kept else "no tensor"
        raise BadModelError(
            f"layer {layer} returns {got}, which are no maps", fix="name a convolution's layer"
        )
    return kept[0]
