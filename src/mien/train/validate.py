"""What a network makes of held-out crops: logits, loss and accuracy.
Knows nothing of how it was trained.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mien.labels import NEUTRAL, NEUTRAL_INDEX
from mien.train.config import TrainConfig
from mien.train.dataset import Crops, normalise

__all__ = ["judge", "predict", "stopped"]

_EVALUATE = 256  # crops a batch


@torch.inference_mode()
def predict(model: nn.Module, crops: Crops) -> Tensor:
    """Return a network's logits for crops, as they are.

    Args:
        model: takes (N, 3, 64, 64).
        crops: what to classify.

    Returns:
        shape (N, outputs), float32, on CPU.
    """
    device = next(model.parameters()).device
    model.eval()
    parts = [
        model(normalise(gray[:, None].to(device).float() / 255)).float().cpu()
        for gray in torch.split(crops.gray, _EVALUATE)
    ]
    return torch.cat(parts)


def judge(model: nn.Module, held: Crops, settings: TrainConfig) -> dict[str, float]:
    """Measure a network on held-out training pictures.

    Args:
        model: the averaged weights.
        held: held-out crops; none of the six expressions gives zeros.
        settings: of the run.

    Returns:
        Loss, and six-class accuracy averaged over the databases, so that none outweighs another.
    """
    six = np.array([row.label != NEUTRAL for row in held.rows], dtype=np.bool_)
    if not six.any():
        return {"held_loss": 0.0, "held_accuracy": 0.0}
    logits = predict(model, held)
    loss = float(cross_entropy(logits, held.targets))
    right = (logits[:, :NEUTRAL_INDEX].argmax(dim=1) == held.targets).numpy()
    sources = np.array([row.source for row in held.rows])
    rates = [right[six & (sources == source)].mean() for source in np.unique(sources[six])]
    return {"held_loss": round(loss, 5), "held_accuracy": round(float(np.mean(rates)), 5)}


def stopped(history: Sequence[Mapping[str, Any]], patience: int) -> bool:
    """Tell whether a run's patience is over.

    Args:
        history: its rows so far.
        patience: epochs to wait for a better held-out accuracy; 0 waits for ever.

    Returns:
        True if so many have passed since the best one.
    """
    accuracies = [row["held_accuracy"] for row in history]
    return bool(patience) and len(history) - 1 - int(np.argmax([*accuracies, -1.0])) >= patience
