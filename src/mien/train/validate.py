"""Validation: the logits, loss and accuracy of a network on held-out crops; early stopping.

Knows nothing of how the network was trained.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mien.evaluate.metrics import wilson
from mien.train.dataset import Crops, network_inputs

__all__ = ["best_epoch", "by_chance", "is_measured", "out_of_patience", "predict", "validate"]


@torch.inference_mode()
def predict(model: nn.Module, crops: Crops) -> Tensor:
    """Compute a network's logits for crops, as they are.

    Args:
        model: takes crops of their side.
        crops: to classify.

    Returns:
        shape (N, outputs), float32, on CPU.
    """
    device = next(model.parameters()).device
    model.eval()
    return torch.cat([model(batch).float().cpu() for batch in network_inputs(crops.gray, device)])


def validate(model: nn.Module, held: Crops) -> dict[str, float]:
    """Measure a network on held-out crops.

    Args:
        model: with the averaged weights.
        held: held-out crops; none of the scored classes gives zeros.

    Returns:
        Loss, and the accuracy of the scored classes averaged over the databases, so that none
        outweighs another. The loss is nan if a weight is no finite number.
    """
    if not all(bool(value.isfinite().all()) for value in model.state_dict().values()):
        return {"held_loss": math.nan, "held_accuracy": 0.0}
    names = held.labels.names
    scored = np.array([row.label in names for row in held.rows], dtype=np.bool_)
    if not scored.any():
        return {"held_loss": 0.0, "held_accuracy": 0.0}
    logits = predict(model, held)
    loss = float(cross_entropy(logits, held.targets))
    right = (logits[:, : len(names)].argmax(dim=1) == held.targets).numpy()
    databases = np.array(held.databases)
    rates = [right[scored & (databases == own)].mean() for own in np.unique(databases[scored])]
    return {"held_loss": round(loss, 5), "held_accuracy": round(float(np.mean(rates)), 5)}


def is_measured(row: Mapping[str, Any]) -> bool:
    """Tell whether anything was held out in an epoch.

    Args:
        row: of the history.

    Returns:
        False where loss and accuracy are both 0, which no network has.
    """
    return bool(row.get("held_loss", 1) or row["held_accuracy"])


def by_chance(accuracy: float, labels: Sequence[str]) -> str:
    """Say whether an accuracy is not surely above that of one answer for all pictures.

    Args:
        accuracy: on the pictures.
        labels: the class of each.

    Returns:
        A sentence; "" where the 95 % interval of the accuracy lies above the share of the most
        frequent class.

    Example:
        >>> by_chance(0.75, ["open"] * 3 + ["shut"])
        'this may be chance: 4 pictures, of which 75.0% are open'
        >>> by_chance(0.9, ["open", "shut"] * 50)
        ''
    """
    (name, count), total = Counter(labels).most_common(1)[0], len(labels)
    if wilson(round(accuracy * total), total)[0] > count / total:
        return ""
    return f"this may be chance: {total:,} pictures, of which {count / total:.1%} are {name}"


def best_epoch(history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the row of the epoch whose weights are kept.

    Args:
        history: one row an epoch.

    Returns:
        The first row of the highest held-out accuracy; the last where nothing was held out; empty
        before the first epoch.
    """
    if history and not any(map(is_measured, history)):
        return history[-1]
    return max(history, key=lambda row: float(row["held_accuracy"]), default={})


def out_of_patience(history: Sequence[Mapping[str, Any]], patience: int) -> bool:
    """Tell whether a run stops early.

    Args:
        history: its rows so far.
        patience: epochs to wait for a better held-out accuracy; 0 waits for ever.

    Returns:
        True if so many have passed since the best one; never where nothing was held out.
    """
    if not any(map(is_measured, history)):
        return False
    accuracies = [row["held_accuracy"] for row in history]
    return bool(patience) and len(history) - 1 - int(np.argmax([*accuracies, -1.0])) >= patience
