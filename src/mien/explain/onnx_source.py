"""Activations and gradients of an .onnx file, without torch.

The file returns its last features and the gradients of its logits with respect to them, in
closed form (see `mien.train.export`). An older file returns only the class maps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.errors import BadModelError, UnknownNameError
from mien.explain.targets import Objective
from mien.pixels import F32
from mien.recognize.model import Model

__all__ = ["ActivationsAndGradients", "GraphSource", "cam_refusal", "unpool"]


@dataclass(frozen=True, slots=True, eq=False)
class ActivationsAndGradients:
    """A layer's output for N crops, and how T objectives depend on it.

    Attributes:
        activations: shape (N, K, h, w).
        gradients: shape (T, N, K, h, w), d(objective) / d(activations).
        folded: whether the channels are the class maps, that is, features already weighted.
    """

    activations: F32
    gradients: F32
    folded: bool = False


class GraphSource:
    """A model file; its last layer of features can be explained."""

    def __init__(self, model: Model) -> None:
        """Take a loaded model."""
        self.model = model
        card = model.card.get("explain", {})
        self.layer = str(card.get("layer", "features"))
        self.side = model.side
        self.labels = model.labels
        self.temperature = float(model.card["temperature"])
        self._linear_layers = int(card.get("linear_layers", 1))

    def logits(self, batch: F32) -> F32:
        """Map (N, 3, side, side) to logits (N, C)."""
        return self.model.tensors(batch, ["logits"])["logits"]

    def neutral(self, batch: F32) -> F32 | None:
        """Return the probability of a calm class beside the others, (N,); None without one."""
        if not self.labels.calm_beside or "neutral" not in self.model.outputs:
            return None
        logits = self.model.tensors(batch, ["neutral"])["neutral"][:, 0]
        return np.asarray((1 + np.tanh(logits / 2)) / 2, dtype=np.float32)

    def activations(self, batch: F32, layer: str | None = None) -> F32:
        """Return the layer's output, shape (N, K, h, w)."""
        self._check(layer)
        self._needs("features")
        return self.model.tensors(batch, ["features"])["features"]

    def activations_and_gradients(
        self, batch: F32, objectives: Sequence[Objective], layer: str | None = None
    ) -> ActivationsAndGradients:
        """Return the layer's output and each objective's gradients.

        Args:
            batch: shape (N, 3, side, side).
            objectives: T of them, each for all crops.
            layer: the file's own, or None for it.

        Returns:
            Features and gradients; of an older file, the class maps and theirs.
        """
        self._check(layer)
        if "gradients" not in self.model.outputs and self._linear_layers == 1:
            return self._of_class_maps(batch, objectives)
        self._needs("gradients")
        outputs = self.model.tensors(batch, ["logits", "features", "gradients"])
        slopes = _slopes(objectives, outputs["logits"])
        pooled = np.einsum("tnc,ncklm->tnklm", slopes, outputs["gradients"], optimize=True)
        features = outputs["features"]
        gradients = np.stack([unpool(features, own) for own in pooled])
        return ActivationsAndGradients(features, gradients)

    def _of_class_maps(
        self, batch: F32, objectives: Sequence[Objective]
    ) -> ActivationsAndGradients:
        """The class maps as activations: a logit is the mean of its map, and the bias."""
        self._needs("maps")
        outputs = self.model.tensors(batch, ["logits", "maps"])
        maps = outputs["maps"]
        slopes = _slopes(objectives, outputs["logits"])[..., None, None]
        even = slopes / np.float32(maps[0, 0].size)
        gradients = np.broadcast_to(even, (len(objectives), *maps.shape))
        return ActivationsAndGradients(maps, gradients, folded=True)

    def class_maps(
        self, batch: F32, objectives: Sequence[Objective], layer: str | None = None
    ) -> F32:
        """Return each objective's class activation map, shape (T, N, h, w)."""
        self._check(layer)
        self._needs("maps")
        if self._linear_layers != 1:
            raise cam_refusal(self._linear_layers)
        return self._weighed(batch, objectives, "maps")

    @property
    def has_learned_losses(self) -> bool:
        """Whether the file has the output of fast occlusion."""
        return "occlusion" in self.model.outputs

    def learned_losses(self, batch: F32, objectives: Sequence[Objective]) -> F32:
        """Return what each objective loses if a place is hidden, as was learned: (T, N, h, w)."""
        if not self.has_learned_losses:
            raise BadModelError(
                "this model file has not learned fast occlusion",
                fix="write it again with mien export --fast-occlusion, or use --method occlusion",
            )
        return self._weighed(batch, objectives, "occlusion")

    def _weighed(self, batch: F32, objectives: Sequence[Objective], output: str) -> F32:
        """An output (N, C, h, w) by class, weighed by how each objective depends on the logits."""
        outputs = self.model.tensors(batch, ["logits", output])
        slopes = _slopes(objectives, outputs["logits"])
        summed: F32 = np.einsum("tnc,nchw->tnhw", slopes, outputs[output])
        return summed

    def _check(self, layer: str | None) -> None:
        if layer not in {None, self.layer}:
            raise UnknownNameError("layer in this file", str(layer), [self.layer])

    def _needs(self, output: str) -> None:
        if output not in self.model.outputs:
            raise BadModelError(
                f"this model file does not return its {output}",
                fix="write it again with mien export, or use --method occlusion",
            )


def _slopes(objectives: Sequence[Objective], logits: F32) -> F32:
    """d(objective) / d(logits): shape (T, N, C)."""
    return np.stack([objective.slope(logits) for objective in objectives])


def cam_refusal(linear_layers: int) -> BadModelError:
    """Say why a network has no CAM, and what to do instead.

    Args:
        linear_layers: how many the network has.

    Returns:
        The error, to be raised.
    """
    return BadModelError(
        "CAM needs the mean of the features and one linear layer; "
        f"this network has {linear_layers}",
        fix="use --method grad-cam, which is the same thing where CAM exists",
    )


def unpool(features: F32, gradients: F32) -> F32:
    """Carry gradients back through a max pooling without overlap.

    Args:
        features: shape (N, K, h, w), before the pooling.
        gradients: shape (N, K, u, v), after it; u divides h and v divides w, equal sizes mean
            that nothing was pooled.

    Returns:
        shape (N, K, h, w): each gradient at the largest feature of its window, the first of equal
        ones; 0 elsewhere.

    Example:
        >>> features = np.array([[[[1, 2], [5, 3]]]], dtype=np.float32)
        >>> unpool(features, np.full((1, 1, 1, 1), 7, dtype=np.float32)).tolist()
        [[[[0.0, 0.0], [7.0, 0.0]]]]
    """
    (n, k, h, w), (u, v) = features.shape, gradients.shape[2:]
    if (h, w) == (u, v):
        return gradients
    windows = features.reshape(n, k, u, h // u, v, w // v).swapaxes(3, 4)
    first = windows.reshape(n, k, u, v, -1).argmax(axis=-1)[..., None]  # (N, K, u, v, 1)
    placed = np.zeros((n, k, u, v, (h // u) * (w // v)), dtype=np.float32)
    np.put_along_axis(placed, first, gradients[..., None], axis=-1)
    placed = placed.reshape(n, k, u, v, h // u, w // v).swapaxes(3, 4)
    return placed.reshape(features.shape)
