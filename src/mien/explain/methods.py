"""Every method by name, and the one call: a network, a batch, a method -> maps.

The network is a model file (no torch), a torch network, or any function from a batch to six logits,
for the methods that need no more. What each method needs is written where it is called. Torch is
reached only when a torch network is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mien.errors import BadImageError, BadModelError, UnknownNameError
from mien.explain import cam, perturb
from mien.explain.onnx_source import GraphSource, Inside
from mien.explain.targets import Aim, Target, aim
from mien.pixels import F32
from mien.recognize.model import Model

__all__ = ["METHODS", "Asked", "Source", "explain", "explain_each", "source_of"]


class Source(Protocol):
    """What a network must answer to be explained."""

    layer: str | None

    def logits(self, batch: F32) -> F32:
        """Map a batch to logits (N, 6)."""

    def activations(self, batch: F32, layer: str | None = None) -> F32:
        """Return a layer's output, shape (N, K, h, w)."""

    def look(self, batch: F32, targets: Sequence[Aim], layer: str | None = None) -> Inside:
        """Return a layer's output and each target's gradients."""

    def class_maps(self, batch: F32, targets: Sequence[Aim]) -> F32:
        """Return each target's class activation map, shape (T, N, h, w)."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Questions to a network about one batch.

    Attributes:
        source: the network.
        batch: shape (N, 3, H, W).
        targets: T of them, each for all crops.
        layer: explained, or None for the network's own choice.
    """

    source: Any
    batch: F32
    targets: Sequence[Aim]
    layer: str | None


class _Function:
    """A plain function from a batch to logits: no layers, no gradients."""

    layer = None

    def __init__(self, logits: Callable[[F32], F32]) -> None:
        self.logits = logits


def explain(
    model: Any,
    batch: F32,
    method: str = "grad-cam",
    target: Target = None,
    layer: str | None = None,
) -> F32:
    """Return where a network saw what speaks for a target.

    Args:
        model: a `mien.recognize.model.Model` or the path of its file, a torch network, or a
            function that maps a batch to logits (N, 6).
        batch: shape (N, 3, 64, 64), float32, from `mien.pixels.to_batch`.
        method: a key of `METHODS`.
        target: an expression; a function of the six logits, (M, 6) -> (M,); or None for each
            crop's most probable expression.
        layer: by default the last maps before they are pooled.

    Returns:
        shape (N, h, w), float32, unscaled: the larger, the more that place speaks for the target.

    Raises:
        UnknownNameError: if there is no such method, expression or layer.
        BadModelError: if the network cannot be asked in this way.
        BadImageError: if the batch is none.

    Example:
        >>> import skimage.data, mien
        >>> from mien import pixels
        >>> recognizer = mien.Recognizer()
        >>> face = recognizer.read(skimage.data.astronaut()).faces[0]
        >>> explain(recognizer.model, pixels.to_batch([face.crop]), "grad-cam").shape
        (1, 8, 8)
    """
    maps: F32 = explain_each(model, batch, method, [target], layer)[0]
    return maps


def explain_each(
    model: Any,
    batch: F32,
    method: str,
    targets: Sequence[Target],
    layer: str | None = None,
) -> F32:
    """Explain several targets at once, which costs little more than one.

    Args:
        model: as for `explain`.
        batch: as for `explain`.
        method: as for `explain`.
        targets: T of them; ``mien.labels.LABELS`` asks about all six.
        layer: as for `explain`.

    Returns:
        shape (T, N, h, w), float32.

    Raises:
        UnknownNameError: if there is no such method, expression or layer.
        BadModelError: if the network cannot be asked in this way.
        BadImageError: if the batch is none.
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if not isinstance(batch, np.ndarray) or batch.ndim != 4 or batch.dtype != np.float32:
        raise BadImageError(
            "a batch is one float32 array of shape (N, 3, 64, 64)",
            fix="make it of crops of any sizes with mien.pixels.to_batch(crops)",
        )
    source = source_of(model)
    logits = source.logits(batch)
    asked = Asked(source, batch, [aim(target, logits) for target in targets], layer)
    return METHODS[method](asked)


def source_of(model: Any) -> Any:
    """Make a network ready to be explained.

    Args:
        model: as `explain` takes it, or what this returns.

    Returns:
        A `Source`; for a plain function, one that only has logits.

    Raises:
        TypeError: if it is none of these.
    """
    if isinstance(model, str | Path):
        return GraphSource(Model(model))
    if isinstance(model, Model):
        return GraphSource(model)
    if hasattr(model, "named_modules"):
        from mien.explain.torch_source import TorchSource

        return TorchSource(model)
    if hasattr(model, "logits"):
        return model
    if callable(model):
        return _Function(model)
    raise TypeError(f"expected a model file, a torch network or a function, got {type(model)}")


def _has(asked: Asked, ability: str, method: str) -> None:
    """Refuse a method that needs what the network does not give."""
    if not hasattr(asked.source, ability):
        need = "gradients by torch" if ability == "integrated_gradients" else "the network's layers"
        other = "the run's folder" if ability == "integrated_gradients" else "--method occlusion"
        raise BadModelError(f"{method} needs {need}", fix=f"use {other}")


def _by_gradients(method: str) -> Callable[[Asked], F32]:
    """Make a method of a formula on activations and gradients."""
    formula = cam.GRADIENT_METHODS[method]

    def run(asked: Asked) -> F32:
        _has(asked, "look", method)
        inside: Inside = asked.source.look(asked.batch, asked.targets, asked.layer)
        if inside.folded and formula not in {cam.grad_cam, cam.hires_cam}:
            raise BadModelError(
                f"{method} needs features, and this model file returns only class maps",
                fix="write it again with mien export, or use --method grad-cam",
            )
        return formula(inside.activations, inside.gradients)

    return run


def _cam(asked: Asked) -> F32:
    _has(asked, "class_maps", "cam")
    found: F32 = asked.source.class_maps(asked.batch, asked.targets)
    return found


def _eigen_cam(asked: Asked) -> F32:
    _has(asked, "activations", "eigen-cam")
    found = cam.eigen_cam(asked.source.activations(asked.batch, asked.layer))
    return np.repeat(found[None], len(asked.targets), axis=0)  # it knows no target


def _score_cam(asked: Asked) -> F32:
    _has(asked, "activations", "score-cam")
    activations = asked.source.activations(asked.batch, asked.layer)
    logits = perturb.masked_logits(asked.source.logits, asked.batch, activations)  # (N, K, 6)
    crops = np.repeat(np.arange(len(logits)), logits.shape[1])
    flat = logits.reshape(-1, logits.shape[2])
    scores = [target.value(flat, crops).reshape(logits.shape[:2]) for target in asked.targets]
    return np.stack([cam.score_cam(activations, score) for score in scores])


def _integrated_gradients(asked: Asked) -> F32:
    _has(asked, "integrated_gradients", "integrated-gradients")
    ask = asked.source.integrated_gradients
    return np.stack([ask(asked.batch, target) for target in asked.targets])


def _occlusion(asked: Asked) -> F32:
    return perturb.occlusion(asked.source.logits, asked.batch, asked.targets)


METHODS: dict[str, Callable[[Asked], F32]] = {
    "cam": _cam,
    **{name: _by_gradients(name) for name in cam.GRADIENT_METHODS},
    "score-cam": _score_cam,
    "eigen-cam": _eigen_cam,
    "integrated-gradients": _integrated_gradients,
    "occlusion": _occlusion,
}
