"""Explanations by plain forwards: what changes when a part of the crop is hidden.
A network is a function from a batch to logits.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mien import pixels
from mien.explain.targets import Aim
from mien.pixels import F32

__all__ = ["PATCH", "STRIDE", "masked_logits", "masks", "occlusion"]

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


def masked_logits(logits: Logits, batch: F32, activations: F32) -> F32:
    """Return the logits of each crop seen through each channel of a layer.

    Channels that show the same, such as all those that are 0, are asked about once. One run serves
    all targets.

    Args:
        logits: of the network.
        batch: shape (N, 3, H, W).
        activations: shape (N, K, h, w), of the layer.

    Returns:
        shape (N, K, 6).
    """
    found = []
    for crop, channels in zip(batch, activations, strict=True):
        flat = masks(channels).reshape(len(channels), -1)
        different, which = np.unique(flat, axis=0, return_inverse=True)
        coarse = different.reshape(-1, *channels.shape[1:])
        parts = [
            logits(pixels.enlarge(coarse[i : i + _BATCH], *crop.shape[1:])[:, None] * crop)
            for i in range(0, len(coarse), _BATCH)
        ]
        found.append(np.concatenate(parts)[which.ravel()])
    return np.stack(found)


def occlusion(logits: Logits, batch: F32, targets: Sequence[Aim]) -> F32:
    """Return how much targets fall when a patch over a pixel is hidden.

    A hidden patch is 0 in the network's input, the mean grey of training. A pixel's value is the
    mean over all patches that lie on it. One run serves all targets.

    Args:
        logits: of the network.
        batch: shape (N, C, H, W); H and W are at least `PATCH`.
        targets: T of them, each for all crops.

    Returns:
        shape (T, N, H, W), in units of the target. What is negative speaks against it.

    Source:
        Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2.
    """
    height, width = batch.shape[2:]
    places = [(top, left) for top in _starts(height) for left in _starts(width)]
    cover = np.zeros((len(places), height, width), dtype=np.float32)
    for one, (top, left) in zip(cover, places, strict=True):
        one[top : top + PATCH, left : left + PATCH] = 1
    shares = cover / cover.sum(axis=0)
    whole = logits(batch)
    falls = np.empty((len(targets), len(batch), height, width), dtype=np.float32)
    for number, crop in enumerate(batch):
        hidden = (1 - cover)[:, None] * crop
        parts = [logits(hidden[i : i + _BATCH]) for i in range(0, len(hidden), _BATCH)]
        for fall, target in zip(falls[:, number], targets, strict=True):
            before = target.value(whole[number : number + 1], np.array([number]))
            after = target.value(np.concatenate(parts), np.full(len(hidden), number))
            fall[:] = np.einsum("p,phw->hw", before - after, shares)
    return falls


def _starts(side: int) -> list[int]:
    """Where patches begin, so that every pixel is covered."""
    return sorted({*range(0, side - PATCH + 1, STRIDE), side - PATCH})
