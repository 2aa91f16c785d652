"""The maps under test: those of a model, by every method, and controls that know nothing of it.

A control is what a method of explanation has to beat. A metric that a control wins does not reward
truth: average drop, for instance, rewards maps that cover much of the face.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import cv2
import numpy as np

from mien.explain.methods import METHODS, REFUSALS, Request, source_of
from mien.explain.targets import Objective
from mien.pixels import F32, I64, SIDE, U8, in_batches, to_batch
from mien.recognize.model import softmax

__all__ = [
    "CONTROLS",
    "ExplainedModel",
    "applicable_methods",
    "blurred",
    "edges",
    "gaussian",
    "noise",
]

_BLUR = 6.0  # pixels of 64, about as smooth as an 8x8 map enlarged; more in larger crops
_WIDTH = 0.25  # standard deviation of the Gaussian, in sides of the crop


class ExplainedModel:
    """A network whose explanations are tested.

    Attributes:
        source: the network, as `mien.explain.methods.source_of` makes it.
        temperature: that its logits are divided by.
    """

    def __init__(self, model: Any, temperature: float = 1.0) -> None:
        """Take what `mien.explain.explain` takes.

        Args:
            model: a file, a torch network or a function.
            temperature: of its softmax.
        """
        self.source = source_of(model)
        self.temperature = temperature

    def logits(self, crops: U8) -> F32:
        """Return the six logits of grey crops (N, H, W), as they are: shape (N, 6)."""
        parts = [
            self.source.logits(to_batch(crops[part], self.source.side))
            for part in in_batches(len(crops))
        ]
        return np.concatenate(parts)

    def scores(self, crops: U8) -> F32:
        """Return the six probabilities of grey crops (N, H, W): shape (N, 6)."""
        cooled: F32 = np.divide(self.logits(crops), self.temperature, dtype=np.float32)
        return softmax(cooled)

    def maps(self, method: str, crops: Sequence[U8] | U8, classes: I64) -> F32:
        """Return a method's maps of crops, each for its class: shape (N, h, w)."""
        request = Request(self.source, to_batch(crops, self.source.side), [Objective(classes)])
        maps: F32 = METHODS[method](request)[0]
        return maps


def applicable_methods(
    model: ExplainedModel, methods: Iterable[str]
) -> tuple[list[str], dict[str, str]]:
    """Find out which methods a network allows.

    Args:
        model: the network.
        methods: keys of `METHODS`.

    Returns:
        Those that it allows, and for each of the others the reason.
    """
    blank, happy = np.zeros((1, SIDE, SIDE), dtype=np.uint8), np.zeros(1, dtype=np.int64)
    allowed, refused = [], {}
    for method in methods:
        try:
            model.maps(method, blank, happy)
        except REFUSALS as error:
            refused[method] = error.message
        else:
            allowed.append(method)
    return allowed, refused


def noise(crops: U8, random: np.random.Generator) -> F32:
    """Draw every pixel by itself, evenly from [0, 1).

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W).
    """
    return random.random(crops.shape, dtype=np.float32)


def blurred(crops: U8, random: np.random.Generator) -> F32:
    """Blur `noise` until it is as smooth as a class map, and stretch it to [0, 1].

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W).
    """
    spread = _BLUR * max(1, crops.shape[1] / SIDE)
    maps = np.stack([cv2.GaussianBlur(rough, (0, 0), spread) for rough in noise(crops, random)])
    low, high = (f(maps, axis=(1, 2), keepdims=True) for f in (np.min, np.max))
    return np.asarray((maps - low) / (high - low), dtype=np.float32)


def gaussian(crops: U8, random: np.random.Generator) -> F32:
    """Point at the middle of the crop, where a face is.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: not used.

    Returns:
        shape (N, H, W): the same Gaussian for every crop, 1 in its middle.
    """
    rows, columns = (
        np.exp(-((np.linspace(-0.5, 0.5, side) / _WIDTH) ** 2) / 2) for side in crops.shape[1:]
    )
    return np.broadcast_to(np.outer(rows, columns).astype(np.float32), crops.shape)


def edges(crops: U8, random: np.random.Generator) -> F32:
    """Point at contrast: the length of Sobel's gradient of the picture.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: not used.

    Returns:
        shape (N, H, W), >= 0.
    """
    return np.stack([
        np.hypot(cv2.Sobel(crop, cv2.CV_32F, 1, 0), cv2.Sobel(crop, cv2.CV_32F, 0, 1))
        for crop in crops
    ])


CONTROLS: dict[str, Callable[[U8, np.random.Generator], F32]] = {
    "random": noise,
    "blurred-random": blurred,
    "gaussian": gaussian,
    "edges": edges,
}
