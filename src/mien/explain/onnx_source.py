"""An .onnx file as something to explain: its activations and gradients, without torch.

The file returns its last features and the gradients of its six logits with respect to them, in
closed form (see mien.train.export). A file from before it did so returns only the class maps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.errors import BadModelError, UnknownNameError
from mien.explain.targets import Aim
from mien.pixels import F32
from mien.recognize.model import Model

__all__ = ["GraphSource", "Inside", "not_linear", "spread"]


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """What a layer held and how targets depend on it, for N crops.

    Attributes:
        activations: shape (N, K, h, w).
        gradients: shape (T, N, K, h, w), d(target) / d(activations) for each of T targets.
        folded: whether the channels are the six class maps, that is, features already weighed.
    """

    activations: F32
    gradients: F32
    folded: bool = False


class GraphSource:
    """A model file; it can be asked about one layer."""

    def __init__(self, model: Model) -> None:
        """Take a loaded model."""
        self.model = model
        about = model.card.get("explain", {})
        self.layer = str(about.get("layer", "features"))
        self.temperature = float(model.card["temperature"])
        self._linear_layers = int(about.get("linear_layers", 1))

    def logits(self, batch: F32) -> F32:
        """Map (N, 3, 64, 64) to logits (N, 6)."""
        return self.model.tensors(batch, ["logits"])["logits"]

    def activations(self, batch: F32, layer: str | None = None) -> F32:
        """Return the layer's output, shape (N, K, h, w)."""
        self._check(layer)
        self._needs("features")
        return self.model.tensors(batch, ["features"])["features"]

    def look(self, batch: F32, targets: Sequence[Aim], layer: str | None = None) -> Inside:
        """Return the layer's output and each target's gradients.

        Args:
            batch: shape (N, 3, 64, 64).
            targets: T of them, each for all crops.
            layer: the file's own, or None for it.

        Returns:
            Features and gradients; of an older file, the class maps and theirs.
        """
        self._check(layer)
        if "gradients" not in self.model.outputs and self._linear_layers == 1:
            self._needs("maps")
            found = self.model.tensors(batch, ["logits", "maps"])
            slopes = _slopes(targets, found["logits"])[..., None, None]
            maps = found["maps"]
            even = np.broadcast_to(
                slopes / np.float32(maps[0, 0].size), (len(targets), *maps.shape)
            )
            return Inside(maps, even, folded=True)
        self._needs("gradients")
        found = self.model.tensors(batch, ["logits", "features", "gradients"])
        slopes = _slopes(targets, found["logits"])
        gradients = np.einsum("tnc,ncklm->tnklm", slopes, found["gradients"], optimize=True)
        features = found["features"]
        return Inside(features, np.stack([spread(features, one) for one in gradients]))

    def class_maps(self, batch: F32, targets: Sequence[Aim]) -> F32:
        """Return each target's class activation map, shape (T, N, h, w)."""
        self._needs("maps")
        if self._linear_layers != 1:
            raise BadModelError(*not_linear(self._linear_layers))
        found = self.model.tensors(batch, ["logits", "maps"])
        slopes = _slopes(targets, found["logits"])
        summed: F32 = np.einsum("tnc,nchw->tnhw", slopes, found["maps"])
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


def _slopes(targets: Sequence[Aim], logits: F32) -> F32:
    """d(target) / d(logits): shape (T, N, 6)."""
    return np.stack([target.slope(logits) for target in targets])


def not_linear(count: int) -> tuple[str, str]:
    """Say why CAM is refused, and what to do instead.

    Args:
        count: linear layers of the network.

    Returns:
        The message and its next step.
    """
    return (
        f"CAM needs the mean of the features and one linear layer; this network has {count}",
        "use --method grad-cam, which is the same thing where CAM exists",
    )


def spread(features: F32, gradients: F32) -> F32:
    """Carry gradients back through a max pooling without overlap.

    Args:
        features: shape (N, K, h, w), before the pooling.
        gradients: shape (N, K, u, v), after it; u divides h and v divides w, equal sizes mean
            that nothing was pooled.

    Returns:
        shape (N, K, h, w): each gradient at the largest of its places, the first of equals; 0
        elsewhere.

    Example:
        >>> features = np.array([[[[1, 2], [5, 3]]]], dtype=np.float32)
        >>> spread(features, np.full((1, 1, 1, 1), 7, dtype=np.float32)).tolist()
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
