"""Explanations by forward passes alone: what changes when a part of the crop is hidden.

A network is a function from a batch to logits.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mien.explain.targets import Objective
from mien.pixels import F32, enlarge, in_batches

__all__ = ["PATCH", "STRIDE", "masked_logits", "masks", "occlusion"]

Logits = Callable[[F32], F32]

PATCH = 16  # pixels of a crop's side that are hidden at once
STRIDE = 8  # pixels from one patch to the next


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

    Equal channels, such as all those that are 0, are run once. The result serves every objective.

    Args:
        logits: of the network.
        batch: shape (N, 3, H, W).
        activations: shape (N, K, h, w), of the layer.

    Returns:
        shape (N, K, C).
    """
    results = []
    for crop, channels in zip(batch, activations, strict=True):
        flat = masks(channels).reshape(len(channels), -1)
        distinct, inverse = np.unique(flat, axis=0, return_inverse=True)
        coarse = distinct.reshape(-1, *channels.shape[1:])
        parts = [
            logits(enlarge(coarse[part], *crop.shape[1:])[:, None] * crop)
            for part in in_batches(len(coarse))
        ]
        results.append(np.concatenate(parts)[inverse.ravel()])
    return np.stack(results)


def occlusion(logits: Logits, batch: F32, objectives: Sequence[Objective]) -> F32:
    """Return how much each objective falls when a patch over a pixel is hidden.

    A hidden patch is 0 in the network's input, the mean grey of training. A pixel's value is the
    mean over all patches that lie on it. One run serves all objectives.

    Args:
        logits: of the network.
        batch: shape (N, C, H, W); H and W are at least `PATCH`.
        objectives: T of them, each for all crops.

    Returns:
        shape (T, N, H, W), in units of the objective. What is negative speaks against it.

    Source:
        Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2.
    """
    height, width = batch.shape[2:]
    corners = [(top, left) for top in _starts(height) for left in _starts(width)]
    over = np.zeros((height, width))  # patches that lie on each pixel
    for top, left in corners:
        over[top : top + PATCH, left : left + PATCH] += 1
    whole = logits(batch)
    falls = np.zeros((len(objectives), len(batch), height, width))
    for number, crop in enumerate(batch):
        occluded = np.concatenate([
            logits(_hidden(crop, corners[part])) for part in in_batches(len(corners))
        ])
        for fall, objective in zip(falls[:, number], objectives, strict=True):
            before = objective.value(whole[number : number + 1], np.array([number]))
            after = objective.value(occluded, np.full(len(corners), number))
            for (top, left), own in zip(corners, before - after, strict=True):
                fall[top : top + PATCH, left : left + PATCH] += own
    return (falls / over).astype(np.float32)


def _hidden(crop: F32, corners: Sequence[tuple[int, int]]) -> F32:
    """A copy of the crop for each patch, with that patch hidden."""
    copies = np.repeat(crop[None], len(corners), axis=0)
    for copied, (top, left) in zip(copies, corners, strict=True):
        copied[:, top : top + PATCH, left : left + PATCH] = 0
    return copies


def _starts(side: int) -> list[int]:
    """Where patches begin, so that every pixel is covered."""
    return sorted({*range(0, side - PATCH + 1, STRIDE), side - PATCH})
