"""Explanations by plain forwards: what changes when a part of the crop is hidden.

Imports: numpy, mien.explain.cam. A network is a function from a batch to logits.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mien.explain import cam
from mien.explain.targets import Aim

__all__ = ["PATCH", "STRIDE", "masked_scores", "masks", "occlusion"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Logits = Callable[[F32], F32]

PATCH = 16  # pixels of a crop's side that are hidden at once
STRIDE = 8  # pixels from one place to the next
_BATCH = 64  # masked crops given to the network at once, to bound memory


def masks(activations: F32) -> F32:
    """Scale each channel of one crop to [0, 1]; a constant channel becomes 0.

    Args:
        activations: shape (K, h, w).

    Returns:
        shape (K, h, w).
    """
    risen = activations - activations.min(axis=(1, 2), keepdims=True)
    tops = risen.max(axis=(1, 2), keepdims=True)
    scaled: F32 = np.divide(risen, tops, out=np.zeros_like(risen), where=tops > 0)
    return scaled


def masked_scores(logits: Logits, batch: F32, activations: F32, target: Aim) -> F32:
    """Return the target for each crop seen through each channel of a layer.

    Channels that show the same, such as all those that are 0, are asked about once.

    Args:
        logits: of the network.
        batch: shape (N, 3, H, W).
        activations: shape (N, K, h, w), of the layer.
        target: for each crop.

    Returns:
        shape (N, K).
    """
    scores = np.empty(activations.shape[:2], dtype=np.float32)
    for number, crop in enumerate(batch):
        flat = masks(activations[number]).reshape(activations.shape[1], -1)
        different, which = np.unique(flat, axis=0, return_inverse=True)
        fine = cam.enlarge(different.reshape(-1, *activations.shape[2:]), *crop.shape[1:])
        values = _values(logits, fine[:, None] * crop, target, number)
        scores[number] = values[which.ravel()]
    return scores


def occlusion(logits: Logits, batch: F32, target: Aim) -> F32:
    """Return how much the target falls when a patch over a pixel is hidden.

    A hidden patch is 0 in the network's input, the mean grey of training. A pixel's value is the
    mean over all patches that lie on it.

    Args:
        logits: of the network.
        batch: shape (N, C, H, W); H and W are at least `PATCH`.
        target: for each crop.

    Returns:
        shape (N, H, W), in units of the target. What is negative speaks against it.

    Source:
        Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2.
    """
    height, width = batch.shape[2:]
    places = [
        (slice(top, top + PATCH), slice(left, left + PATCH))
        for top in _starts(height)
        for left in _starts(width)
    ]
    falls = np.zeros((len(batch), height, width))
    counts = np.zeros((height, width))
    for place in places:
        counts[place] += 1
    whole = target.value(logits(batch), np.arange(len(batch)))
    for number, crop in enumerate(batch):
        hidden = np.repeat(crop[None], len(places), axis=0)
        for one, (rows, columns) in zip(hidden, places, strict=True):
            one[:, rows, columns] = 0
        values = _values(logits, hidden, target, number)
        for place, value in zip(places, values, strict=True):
            falls[number][place] += whole[number] - value
    return (falls / counts).astype(np.float32)


def _values(logits: Logits, seen: F32, target: Aim, number: int) -> F64:
    """The target of many versions of one crop, a batch at a time."""
    parts = [logits(seen[i : i + _BATCH]) for i in range(0, len(seen), _BATCH)]
    return target.value(np.concatenate(parts), np.full(len(seen), number))


def _starts(side: int) -> list[int]:
    """Where patches begin, so that every pixel is covered."""
    return sorted({*range(0, side - PATCH + 1, STRIDE), side - PATCH})
