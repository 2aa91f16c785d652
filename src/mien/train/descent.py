"""How a run goes downhill: the learning rate of each step, and the optimiser.

Imports: torch, mien.train.config. Knows neither data nor networks.
"""

import math

import torch
from torch import nn

from mien.train.config import TrainConfig

__all__ = ["optimiser", "rate_at"]


def rate_at(step: int, steps: int, settings: TrainConfig) -> float:
    """Return the learning rate of a step.

    Args:
        step: from 0.
        steps: of the whole run.
        settings: names the schedule and the highest rate.

    Returns:
        The rate: constant, or falling to 0 along half a cosine, after a climb for ``one-cycle``.

    Source:
        Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5; Smith and Topin 2018,
        arXiv:1708.07120.
    """
    if settings.schedule == "constant":
        return settings.rate
    climb = steps * settings.warmup if settings.schedule == "one-cycle" else 0
    if step < climb:
        return settings.rate * (0.04 + 0.96 * (1 - math.cos(math.pi * step / climb)) / 2)
    return settings.rate * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb))) / 2


def optimiser(model: nn.Module, settings: TrainConfig) -> torch.optim.Optimizer:
    """Make the optimiser: SGD with Nesterov's momentum; biases and batch norm do not decay.

    Args:
        model: the network.
        settings: of the run.

    Returns:
        The optimiser.
    """
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.SGD(
        [
            {"params": weights, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=settings.rate,
        momentum=settings.momentum,
        nesterov=settings.momentum > 0,
    )
