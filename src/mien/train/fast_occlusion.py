"""What would the logits lose if a place were hidden? One more output of a model file, learned.

Pipeline: training crops with random cells blurred -> what each logit loses by that -> a least
squares fit of the losses to the features around the hidden cells -> a convolution of the features
in the file. The network and its answers stay as they are, and a map costs no further pass.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from mien.errors import BadDataError
from mien.evaluate.faithfulness import blur_crops
from mien.media.progress import Progress
from mien.pixels import BOOL, F32, F64, I64, U8, in_batches, to_batch, to_side

__all__ = ["CROPS", "OUTPUT", "FastOcclusion", "add_fast_occlusion", "hidden", "learn"]

OUTPUT = "occlusion"  # of the file: shape (N, C, h, w), in logits
CROPS = 6000  # that it is learned from, where there are so many
_FEWEST = 20
_HELD = 20  # one crop of so many is held out: it chooses the decay and tells the fidelity
_MASKS = 8  # of each crop
_SHARES = 0.05, 0.95  # of the cells that a mask hides, drawn evenly between these
_FINE = 8  # places of a side; coarser maps are divided, two cells to a place's side
_CHANNELS = 128  # principal ones of the features that the fit sees, of the scaled ones
_DIM = 0.1  # of the largest spread of a channel: the least that a channel is scaled by
_AROUND = 3  # places of a side around a cell that the fit sees
_DECAYS = 1e-3, 1e-2, 1e-1, 1.0  # of the mean square of an input
_CHUNK = 200  # crops at once, to bound memory

Answers = Callable[[F32], tuple[F32, F32]]  # a batch -> logits (N, C), features (N, K, h, w)


@dataclass(frozen=True, slots=True, eq=False)
class FastOcclusion:
    """What was learned: the loss of a logit by each cell, read off the features around it.

    Attributes:
        weight: shape (C * s * s, K, 3, 3), of a convolution with a margin of zeros; s cells lie
            side by side in one place of the features.
        bias: shape (C, s * h, s * w), the loss that does not depend on the features.
        fidelity: share of the variance of held-out losses that is explained, at most 1.
        crops: it was learned from.
    """

    weight: F32
    bias: F32
    fidelity: float
    crops: int

    @property
    def split(self) -> int:
        """How many cells lie side by side in one place of the features."""
        return math.isqrt(len(self.weight) // len(self.bias))


def add_fast_occlusion(
    graph: bytes, crops: U8, side: int, seed: int = 0, progress: Progress = iter
) -> tuple[bytes, dict[str, Any]]:
    """Give a graph one more output, `OUTPUT`: what each logit loses if a cell is hidden.

    Args:
        graph: of ``mien export``, with the outputs logits and features.
        crops: shape (M, H, W), uint8, grey, of training; at most `CROPS` of them are drawn.
        side: of the network's crops, in pixels.
        seed: of the draws.
        progress: shows how far it is.

    Returns:
        The graph with the output, and for the card: how many crops, how faithful, the seed.

    Raises:
        BadDataError: if there are fewer than 20 crops.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])

    def answers(batch: F32) -> tuple[F32, F32]:
        logits, features = session.run(["logits", "features"], {"crops": batch})
        return logits, features

    drawn = np.random.default_rng(seed).permutation(len(crops))[:CROPS]
    found = learn(answers, np.stack([to_side(crops[i], side) for i in drawn]), seed, progress)
    record = {"crops": found.crops, "fidelity": round(found.fidelity, 4), "seed": seed}
    return _with_output(graph, found), record


def learn(answers: Answers, crops: U8, seed: int = 0, progress: Progress = iter) -> FastOcclusion:
    """Fit the losses of the logits under random masks to the features of the whole crops.

    The loss by a mask is taken for the sum of its cells' losses, and a cell's for a linear function
    of the features around it: least squares with decay, in closed form. Hidden is blurred.

    Args:
        answers: of the network, for a batch.
        crops: shape (N, side, side), uint8, grey, in random order.
        seed: of the masks.
        progress: shows how far it is.

    Returns:
        What was learned.

    Raises:
        BadDataError: if there are fewer than 20 crops.

    Source:
        Jethani et al. 2022, arXiv:2107.07436 (FastSHAP): one network explains many crops, learned
        from random masks. Here it is linear in the features, and masks of all sizes count alike,
        so the maps are no Shapley values.
    """
    if len(crops) < _FEWEST:
        raise BadDataError(
            f"{len(crops)} crops to learn fast occlusion from, {_FEWEST} are the fewest",
            fix="give more training pictures, or export without it",
        )
    held = max(1, len(crops) // _HELD)
    whole = _whole(answers, crops[:held])
    masks = _Masks(answers, seed, whole[1])
    judged = masks.losses(crops[:held], *whole)
    parts = [crops[held:][part] for part in in_batches(len(crops) - held, _CHUNK)]
    wide, classes = judged[0].shape[1], judged[1].shape[1]
    square, cross = (np.zeros((wide, count), np.float32) for count in (wide, classes))
    for part in progress(parts):
        inputs, losses = masks.losses(part, *_whole(answers, part))
        square += inputs.T @ inputs
        cross += inputs.T @ losses
    weights, fidelity = _best_decay(square, cross, *judged)
    return masks.as_convolution(weights, fidelity, len(crops))


class _Masks:
    """Random masks of crops, and what a network loses by them."""

    def __init__(self, answers: Answers, seed: int, features: F32) -> None:
        self.answers = answers
        self.random = np.random.default_rng(seed)
        self.basis = _basis(features)  # (K', K): features -> the channels that the fit sees
        self.places = features.shape[2]
        self.split = 1 if self.places >= _FINE else 2
        self.cells = self.places * self.split

    def losses(self, crops: U8, logits: F32, features: F32) -> tuple[F32, F32]:
        """Hide cells of each crop, and return the inputs of the fit (M, D), and losses (M, C)."""
        masks = self._draw(len(crops))
        blurs = blur_crops(crops)
        lost = np.stack([
            logit - self.answers(to_batch(hidden(crop, blur, own), len(crop)))[0]
            for logit, crop, blur, own in zip(logits, crops, blurs, masks, strict=True)
        ])
        seen = np.einsum("nkhw,rk->nrhw", features, self.basis, optimize=True)
        inputs = self._inputs(_around(seen.astype(np.float32)), masks)
        return inputs, lost.reshape(len(inputs), -1)

    def _draw(self, count: int) -> BOOL:
        """Draw masks: (count, _MASKS, cells, cells), True where hidden."""
        shares = self.random.uniform(*_SHARES, (count, _MASKS, 1, 1))
        drawn: BOOL = self.random.random((count, _MASKS, self.cells, self.cells)) < shares
        return drawn

    def _inputs(self, around: F32, masks: BOOL) -> F32:
        """Sum what lies around hidden cells, by the part of a place they fill; then the mask."""
        n, s, h = len(around), self.split, self.places
        by_part = masks.reshape(n, _MASKS, h, s, h, s).transpose(0, 1, 3, 5, 2, 4)
        parts = by_part.reshape(n, _MASKS * s * s, h * h).astype(np.float32)
        summed = (parts @ around).reshape(n * _MASKS, -1)
        return np.concatenate([summed, masks.reshape(n * _MASKS, -1)], axis=1, dtype=np.float32)

    def as_convolution(self, weights: F64, fidelity: float, crops: int) -> FastOcclusion:
        """Turn what was fitted into a convolution of the features as they are."""
        s, classes = self.split, weights.shape[1]
        linear, bias = weights[: -(self.cells**2)], weights[-(self.cells**2) :]
        by_channel = linear.reshape(s * s, len(self.basis), _AROUND**2, classes)
        whole = np.einsum("sraC,rk->Cska", by_channel, self.basis, optimize=True)
        shape = classes * s * s, self.basis.shape[1], _AROUND, _AROUND
        return FastOcclusion(
            whole.reshape(shape).astype(np.float32),
            bias.T.reshape(classes, self.cells, self.cells).astype(np.float32),
            fidelity,
            crops,
        )


def _whole(answers: Answers, crops: U8) -> tuple[F32, F32]:
    """Logits and features of whole crops."""
    parts = [answers(to_batch(crops[part], crops.shape[1])) for part in in_batches(len(crops))]
    logits, features = (np.concatenate(values) for values in zip(*parts, strict=True))
    return logits, features


def _basis(features: F32) -> F64:
    """Scale the channels, and keep the principal ones where they are many: (K', K)."""
    k = features.shape[1]
    flat = features.swapaxes(0, 1).reshape(k, -1).astype(np.float64)
    spread = flat.std(axis=1)  # a channel that hardly fires here may fire in other crops
    scale = 1 / np.maximum(spread, _DIM * spread.max() or 1.0)
    if k <= _CHANNELS:
        return np.diag(scale)
    scaled = flat * scale[:, None]
    _, vectors = np.linalg.eigh(scaled @ scaled.T)
    basis: F64 = vectors[:, -_CHANNELS:].T * scale
    return basis


def hidden(crop: U8, blur: U8, masks: BOOL) -> U8:
    """Blur the cells of a crop that each mask hides.

    Args:
        crop: shape (side, side), uint8.
        blur: the crop, blurred.
        masks: shape (M, cells, cells), True where hidden; cells differ by at most a pixel.

    Returns:
        shape (M, side, side), uint8.
    """
    side, cells = len(crop), masks.shape[1]
    of_pixel: I64 = np.arange(side) * cells // side
    return np.where(masks[:, of_pixel][:, :, of_pixel], blur, crop)


def _around(features: F32) -> F32:
    """Lay the 3x3 places around each place in a row, channel by channel: (N, h * w, K * 9)."""
    margin = _AROUND // 2
    padded = np.pad(features, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_AROUND, _AROUND), axis=(2, 3))
    n, k, h, w = features.shape
    laid: F32 = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, h * w, k * _AROUND**2)
    return laid


def _best_decay(square: F32, cross: F32, inputs: F32, losses: F32) -> tuple[F64, float]:
    """Solve for every decay; return the weights that tell held-out losses best, and how well."""
    wide = square.astype(np.float64)
    mean_square = float(np.trace(wide)) / len(wide)
    around = ((losses - losses.mean(axis=0)) ** 2).sum() or 1.0  # a network may never change
    found = []
    for decay in _DECAYS:
        damped = wide + np.eye(len(wide)) * decay * mean_square
        weights = np.linalg.solve(damped, cross).astype(np.float64)
        missed = ((losses - inputs @ weights) ** 2).sum()
        found.append((float(1 - missed / around), weights))
    fidelity, weights = max(found, key=lambda pair: pair[0])
    return weights, fidelity


def _with_output(graph: bytes, found: FastOcclusion) -> bytes:
    """Append the convolution, its cells laid side by side, and the bias to a graph."""
    model = onnx.load_from_string(graph)
    own = model.graph
    for name, values in (("weight", found.weight), ("bias", found.bias)):
        own.initializer.append(numpy_helper.from_array(values, f"{OUTPUT}.{name}"))
    nodes = [
        helper.make_node(
            "Conv",
            ["features", f"{OUTPUT}.weight"],
            [f"{OUTPUT}.by_place"],
            pads=[_AROUND // 2] * 4,
        ),
        helper.make_node(
            "DepthToSpace",
            [f"{OUTPUT}.by_place"],
            [f"{OUTPUT}.by_cell"],
            blocksize=found.split,
            mode="CRD",
        ),
        helper.make_node("Add", [f"{OUTPUT}.by_cell", f"{OUTPUT}.bias"], [OUTPUT]),
    ]
    own.node.extend(nodes)
    shape = ["N", *found.bias.shape]
    own.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape))
    written: bytes = model.SerializeToString()
    return written
