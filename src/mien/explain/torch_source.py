"""Activations and gradients of any layer of a torch network, which is left as it was.

Up to the layer nothing is recorded: the graph for the gradients begins at its output, so they cost
one pass forward and one back to the layer, not to the input. No other file here may import torch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import BadModelError, MissingExtraError, UnknownNameError
from mien.explain import cam
from mien.explain.onnx_source import Inside, not_linear
from mien.explain.targets import Aim
from mien.labels import LABELS
from mien.pixels import F32

__all__ = ["TorchSource", "evaluating", "watch"]

_STEPS = 50  # of the path of integrated gradients


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode, and every part of it back as it was at the end.

    Args:
        network: any.

    Yields:
        Nothing.
    """
    was = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in was.items():
            module.training = training


@contextmanager
def watch(layer: nn.Module, record: bool = False) -> Iterator[list[Tensor]]:
    """Keep what a layer returns while the block runs.

    Args:
        layer: of the network that is called in the block, with gradients off.
        record: turn gradients on from the layer's output on.

    Yields:
        A list that holds the layer's last output once the network has been called; with `record`
        the gradients of whatever follows can be taken with respect to it.
    """
    kept: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: object) -> Tensor | None:
        if not isinstance(output, Tensor):
            return None
        kept[:] = [output.detach()]
        if not record:
            return None
        torch.set_grad_enabled(True)
        kept[0].requires_grad_(True)
        return kept[0].view_as(kept[0]).clone()  # a later layer may write over its input

    before = torch.is_grad_enabled()
    handle = layer.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()
        torch.set_grad_enabled(before)


class TorchSource:
    """A torch network; it can be asked about any layer."""

    def __init__(self, network: nn.Module) -> None:
        """Take a network that maps (N, 3, H, W) to logits (N, 6 or more)."""
        self.network = network
        self.layers = {name: module for name, module in network.named_modules() if name}
        self.layer = getattr(network, "explained", None)

    def logits(self, batch: F32) -> F32:
        """Map (N, 3, H, W) to logits (N, 6)."""
        with evaluating(self.network), torch.inference_mode():
            return _six(self.network(torch.from_numpy(batch))).numpy()

    def activations(self, batch: F32, layer: str | None = None) -> F32:
        """Return a layer's output, shape (N, K, h, w); (N, K) becomes (N, K, 1, 1)."""
        with evaluating(self.network), torch.no_grad(), watch(self._layer(layer)) as kept:
            self.network(torch.from_numpy(batch))
            return _maps(kept, layer, flat=True).numpy()

    def look(self, batch: F32, targets: Sequence[Aim], layer: str | None = None) -> Inside:
        """Return a layer's output and each target's gradients.

        Args:
            batch: shape (N, 3, H, W).
            targets: T of them, each for all crops.
            layer: a name of `named_modules`; by default the network's `explained`.

        Returns:
            Activations and gradients.
        """
        with evaluating(self.network), torch.no_grad(), watch(self._layer(layer), True) as kept:
            logits = _six(self.network(torch.from_numpy(batch)))
            activations = _maps(kept, layer)
            values = logits.detach().numpy()
            gradients: list[Tensor] = []
            for left, target in enumerate(targets, 1 - len(targets)):
                slope = torch.from_numpy(target.slope(values))
                gradients += torch.autograd.grad(logits, kept, slope, retain_graph=left < 0)
        return Inside(activations.detach().numpy(), torch.stack(gradients).numpy())

    def class_maps(self, batch: F32, targets: Sequence[Aim]) -> F32:
        """Return each target's class activation map, shape (T, N, h, w)."""
        linear = [m for m in self.network.modules() if isinstance(m, nn.Linear)]
        if len(linear) != 1:
            raise BadModelError(*not_linear(len(linear)))
        features = self.activations(batch)
        if features.shape[1] != linear[0].in_features:
            raise BadModelError(
                f"CAM needs the mean of the {features.shape[1]} features before the linear layer, "
                f"which takes {linear[0].in_features}",
                fix="use --method grad-cam",
            )
        rows = linear[0].weight.detach()[: len(LABELS)].numpy()  # (6, K)
        logits = self.logits(batch)
        return np.stack([cam.cam(features, target.slope(logits) @ rows) for target in targets])

    def integrated_gradients(self, batch: F32, target: Aim) -> F32:
        """Return the target's attribution to each pixel, summed over the colours.

        The path leads from the mean grey of training, which is 0 in the network's input.

        Args:
            batch: shape (N, 3, H, W).
            target: for each crop.

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
        found = []
        with evaluating(self.network):
            for number, crop in enumerate(torch.from_numpy(batch)):

                def ask(path: Tensor, number: int = number) -> Tensor:
                    return _aimed(_six(self.network(path)), target, number)

                attributed = IntegratedGradients(ask).attribute(crop[None], n_steps=_STEPS)
                found.append(attributed.sum(dim=(0, 1)).detach().numpy())
        return np.asarray(found, dtype=np.float32)

    def _layer(self, name: str | None) -> nn.Module:
        wanted = name or self.layer
        if wanted is None:
            raise UnknownNameError("default layer: name one, for instance not", "None", self.layers)
        if wanted not in self.layers:
            raise UnknownNameError("layer", wanted, self.layers)
        return self.network.get_submodule(wanted)


def _six(logits: Tensor) -> Tensor:
    return logits[:, : len(LABELS)]


def _aimed(logits: Tensor, target: Aim, number: int) -> Tensor:
    """The target of rows of one crop, as torch differentiates it: its value, with its slope."""
    values = logits.detach().numpy()
    crops = np.full(len(values), number)
    slope = torch.from_numpy(Aim(target.classes[crops], target.function).slope(values))
    value = torch.from_numpy(target.value(values, crops)).to(logits.dtype)
    along = (logits * slope).sum(dim=1)
    return along + (value - along).detach()


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
