"""Every method by name, and the one call: a network, a batch, a method -> maps.

The network is a model file, anybody's torch network, or a function from a batch to logits, for the
methods that need no more. Each method below checks what it needs. Torch is imported only when a
torch network is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mien.errors import (
    BadImageError,
    BadModelError,
    BadSettingError,
    MissingExtraError,
    UnknownNameError,
)
from mien.explain import cam, perturb
from mien.explain.function_source import FunctionSource, named
from mien.explain.onnx_source import ActivationsAndGradients, GraphSource
from mien.explain.targets import Objective, Target, resolve_target
from mien.labels import LABELS, LabelSet
from mien.pixels import F32
from mien.recognize.model import Model

__all__ = [
    "METHODS",
    "REFUSALS",
    "Request",
    "Source",
    "class_names",
    "default_method",
    "explain",
    "explain_each",
    "source_of",
]

Labels = LabelSet | Sequence[str] | None
_PLAIN = "the method occlusion"
_NEEDS = {  # an ability that not every network with layers has: what it is, what else to use
    "integrated_gradients": (
        "gradients by torch",
        "the folder of a run (--model RUN), or another method",
    ),
    "learned_losses": ("a model file written with mien export --fast-occlusion", _PLAIN),
}
REFUSALS = (BadModelError, MissingExtraError)  # a method that cannot be used here; another may be


class Source(Protocol):
    """What a network must offer to be explained; a method that needs something else says so."""

    layer: str | None
    side: int  # of a crop, in pixels
    labels: LabelSet | None  # the classes, if they have names

    def logits(self, batch: F32) -> F32:
        """Map a batch to logits (N, C)."""

    def activations(self, batch: F32, layer: str | None = None) -> F32:
        """Return a layer's output, shape (N, K, h, w)."""

    def activations_and_gradients(
        self, batch: F32, objectives: Sequence[Objective], layer: str | None = None
    ) -> ActivationsAndGradients:
        """Return a layer's output and each objective's gradients."""

    def class_maps(
        self, batch: F32, objectives: Sequence[Objective], layer: str | None = None
    ) -> F32:
        """Return each objective's class activation map, shape (T, N, h, w)."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a method is asked to explain.

    Attributes:
        source: the network.
        batch: shape (N, 3, H, W).
        objectives: T of them, each for all crops.
        layer: explained, or None for the network's own choice.
    """

    source: Any
    batch: F32
    objectives: Sequence[Objective]
    layer: str | None = None


def explain(
    model: Any,
    batch: F32,
    method: str = "grad-cam",
    target: Target | Sequence[Target] = None,
    layer: str | None = None,
    labels: Labels = None,
) -> F32:
    """Return where a network saw the evidence for a target.

    Args:
        model: a `mien.recognize.model.Model` or the path of its file; any torch network, on any
            device and of any floating type; a function that maps a batch to logits (N, C); or what
            `source_of` made of a network that returns a tuple or a dictionary.
        batch: shape (N, 3, H, W), float32, as the network takes it; for those of mien from
            `mien.pixels.to_batch`.
        method: a key of `METHODS`.
        target: the name of a class; its number, from 0; a function of the logits, (M, C) -> (M,);
            None for each crop's most probable class; or a list or tuple of such targets.
        layer: by default the last maps before they are pooled.
        labels: names of the network's outputs, in their order. A model file has its own; six
            outputs without names are those of `mien.LABELS`; others have only numbers.

    Returns:
        shape (N, h, w), float32, unscaled: the larger, the more that place speaks for the target.
        For T targets in a list or tuple shape (T, N, h, w).

    Raises:
        UnknownNameError: if there is no such method, class or layer.
        BadModelError: if the network does not offer what the method needs.
        MissingExtraError: if the method needs what is not installed.
        BadSettingError: if the labels are not as many as the outputs, the target is a name and the
            outputs have none, or a layer must be named and is not.
        BadImageError: if `batch` is not one float32 array of four axes.
        ValueError: if crops are not as large as a model file takes them.

    Example:
        >>> import skimage.data, mien
        >>> recognizer = mien.Recognizer()
        >>> face = recognizer.read(skimage.data.astronaut()).faces[0]
        >>> explain(recognizer.model, recognizer.model.to_batch([face.crop]), "grad-cam").shape
        (1, 5, 5)
    """
    if isinstance(target, list | tuple):
        return explain_each(model, batch, method, target, layer, labels)
    single: Any = target  # no list, so one of the others
    maps: F32 = explain_each(model, batch, method, [single], layer, labels)[0]
    return maps


def explain_each(
    model: Any,
    batch: F32,
    method: str,
    targets: Sequence[Target],
    layer: str | None = None,
    labels: Labels = None,
) -> F32:
    """Explain several targets at once, which costs little more than one target.

    Args:
        model: as for `explain`.
        batch: as for `explain`.
        method: as for `explain`.
        targets: T of them; ``mien.labels.LABELS`` for all six.
        layer: as for `explain`.
        labels: as for `explain`.

    Returns:
        shape (T, N, h, w), float32.

    Raises:
        UnknownNameError: if there is no such method, class or layer.
        BadModelError: if the network does not offer what the method needs.
        MissingExtraError: if the method needs what is not installed.
        BadSettingError: as `explain`.
        BadImageError: if `batch` is not one float32 array of four axes.
        ValueError: as `explain`.
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if not isinstance(batch, np.ndarray) or batch.ndim != 4 or batch.dtype != np.float32:
        raise BadImageError(
            f"a batch is one float32 array of shape (N, 3, side, side), got {named(batch)}",
            fix="make it of crops of any sizes with the to_batch of a mien.recognize.Model",
        )
    if isinstance(targets, str):  # its letters are no classes
        targets = [targets]
    source = source_of(model, labels)
    if len(batch) == 0 or len(targets) == 0:
        return _no_maps(source, batch, method, targets, layer)
    logits = source.logits(batch)
    names = class_names(source, logits.shape[1])
    objectives = [resolve_target(target, logits, names) for target in targets]
    return METHODS[method](Request(source, batch, objectives, layer))


def _no_maps(
    source: Any, batch: F32, method: str, targets: Sequence[Target], layer: str | None
) -> F32:
    """The maps of no crop, or for no target: empty, in the shape that others would have."""
    blank = np.zeros((1, *batch.shape[1:]), dtype=np.float32)
    maps = explain_each(source, blank, method, targets if len(targets) else [None], layer)
    return np.empty((len(targets), len(batch), *maps.shape[2:]), dtype=np.float32)


def class_names(source: Any, count: int) -> tuple[str, ...] | None:
    """Return the names of the classes that a source has logits of.

    Args:
        source: from `source_of`.
        count: of its logits.

    Returns:
        A name for each; those of `mien.LABELS` for six without names; None for others.

    Raises:
        BadSettingError: if there are names, but not so many.
    """
    labels: LabelSet | None = getattr(source, "labels", None)
    if labels is None:
        return LABELS if count == len(LABELS) else None
    if len(labels.names) != count:
        raise BadSettingError(
            f"{len(labels.names)} labels ({labels}) for a network of {count} outputs",
            fix="give a label for each output, in their order",
        )
    return labels.names


def source_of(model: Any, labels: Labels = None, output: Callable[[Any], Any] | None = None) -> Any:
    """Make a network ready to be explained.

    Args:
        model: as `explain` takes it, or what this returns.
        labels: names of its outputs, as for `explain`.
        output: which part of what a torch network returns are its logits, where that is a tuple
            or a dictionary: ``lambda returned: returned["logits"]``.

    Returns:
        A `Source`; for a plain function, one that only has logits.

    Raises:
        BadSettingError: if a model file has other classes than `labels`.
        TypeError: if it is none of these.
    """
    own = labels if labels is None or isinstance(labels, LabelSet) else LabelSet(tuple(labels))
    if isinstance(model, str | Path):
        model = Model(model)
    if isinstance(model, Model):
        model = GraphSource(model)
    elif hasattr(model, "named_modules"):
        from mien.explain.torch_source import TorchSource

        return TorchSource(model, own, output)
    if hasattr(model, "logits"):
        its = getattr(model, "labels", None)
        if own is not None and its is not None and own.names != its.names:
            raise BadSettingError(f"labels are {own}; this network has {its}", "leave labels out")
        return model
    if callable(model):
        return FunctionSource(model, own)
    got = (
        f"{type(model).__name__}: give recognizer.model" if hasattr(model, "model") else type(model)
    )
    raise TypeError(f"expected a model file, a torch network or a function, got {got}")


def default_method(*sources: Source, layer: str | None = None) -> str:
    """Return the method that pictures are explained by unless another is asked for.

    Args:
        sources: the networks.
        layer: that was named, or None.

    Returns:
        ``fast-occlusion`` where all are model files that have learned it, and no layer is named,
        on which it does not depend; else ``grad-cam``.
    """
    learned = all(getattr(own, "has_learned_losses", False) for own in sources)
    return "fast-occlusion" if learned and layer is None else "grad-cam"


def _require(request: Request, ability: str, method: str) -> None:
    """Refuse a method that needs what the network does not offer."""
    if not hasattr(request.source, ability):
        need, other = _NEEDS.get(ability, ("the network's layers", _PLAIN))
        raise BadModelError(f"{method} needs {need}", fix=f"use {other}")


def _by_gradients(method: str) -> Callable[[Request], F32]:
    """Make a method of a formula on activations and gradients."""
    formula = cam.GRADIENT_METHODS[method]

    def run(request: Request) -> F32:
        _require(request, "activations_and_gradients", method)
        layer: ActivationsAndGradients = request.source.activations_and_gradients(
            request.batch, request.objectives, request.layer
        )
        if layer.folded and formula not in {cam.grad_cam, cam.hires_cam}:
            raise BadModelError(
                f"{method} needs features, and this model file returns only class maps",
                fix="write it again with mien export, or use --method grad-cam",
            )
        return formula(layer.activations, layer.gradients)

    return run


def _cam(request: Request) -> F32:
    _require(request, "class_maps", "cam")
    maps: F32 = request.source.class_maps(request.batch, request.objectives, request.layer)
    return maps


def _eigen_cam(request: Request) -> F32:
    _require(request, "activations", "eigen-cam")
    maps = cam.eigen_cam(request.source.activations(request.batch, request.layer))
    return np.repeat(maps[None], len(request.objectives), axis=0)  # the same for every objective


def _score_cam(request: Request) -> F32:
    _require(request, "activations", "score-cam")
    activations = request.source.activations(request.batch, request.layer)
    logits = perturb.masked_logits(request.source.logits, request.batch, activations)  # (N, K, C)
    crops = np.repeat(np.arange(len(logits)), logits.shape[1])
    flat = logits.reshape(-1, logits.shape[2])
    scores = [o.value(flat, crops).reshape(logits.shape[:2]) for o in request.objectives]
    return np.stack([cam.score_cam(activations, score) for score in scores])


def _integrated_gradients(request: Request) -> F32:
    _require(request, "integrated_gradients", "integrated-gradients")
    attribute = request.source.integrated_gradients
    return np.stack([attribute(request.batch, objective) for objective in request.objectives])


def _fast_occlusion(request: Request) -> F32:
    _require(request, "learned_losses", "fast-occlusion")
    losses: F32 = request.source.learned_losses(request.batch, request.objectives)
    return losses


def _occlusion(request: Request) -> F32:
    return perturb.occlusion(request.source.logits, request.batch, request.objectives)


METHODS: dict[str, Callable[[Request], F32]] = {
    "cam": _cam,
    **{name: _by_gradients(name) for name in cam.GRADIENT_METHODS},
    "score-cam": _score_cam,
    "eigen-cam": _eigen_cam,
    "integrated-gradients": _integrated_gradients,
    "occlusion": _occlusion,
    "fast-occlusion": _fast_occlusion,
}
