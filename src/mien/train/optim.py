"""The optimiser, and the learning rate and the size of the crops over time.

Knows neither data nor networks.
"""

import math
from typing import Any

import torch
from torch import nn

from mien.pixels import SIDE
from mien.train.config import TrainConfig

__all__ = ["OPTIMISERS", "optimiser", "rate_at", "side_at"]

Groups = list[dict[str, Any]]
_GROWING = 0.85  # share of the epochs in which crops may be small


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
    warmup = steps * settings.warmup if settings.schedule == "one-cycle" else 0
    if step < warmup:
        return settings.rate * (0.04 + 0.96 * (1 - math.cos(math.pi * step / warmup)) / 2)
    return settings.rate * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def side_at(epoch: int, settings: TrainConfig) -> int:
    """Return the side of the crops in an epoch: small ones cost less while there is much to learn.

    Args:
        epoch: from 0.
        settings: names the side of the first epoch.

    Returns:
        Pixels, a multiple of 8; the last 15 % of the epochs have all 64.

    Source:
        Tan and Le 2021, arXiv:2104.00298, section 4, without their growing regularisation.
    """
    steps = (SIDE - settings.first_side) // 8
    done = min(1.0, epoch / (_GROWING * settings.epochs))
    return settings.first_side + 8 * math.floor(done * steps)


def optimiser(model: nn.Module, settings: TrainConfig) -> torch.optim.Optimizer:
    """Make the optimiser; biases and batch norm do not decay.

    Args:
        model: the network.
        settings: of the run.

    Returns:
        SGD with momentum (and Nesterov's correction), Adam or AdamW.
    """
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return OPTIMISERS[settings.optimiser](groups, settings)


def _sgd(groups: Groups, settings: TrainConfig) -> torch.optim.Optimizer:
    nesterov = settings.nesterov and settings.momentum > 0
    return torch.optim.SGD(groups, lr=settings.rate, momentum=settings.momentum, nesterov=nesterov)


def _adam(groups: Groups, settings: TrainConfig) -> torch.optim.Optimizer:
    """Kingma and Ba 2015, arXiv:1412.6980; the decay is added to the gradient."""
    return torch.optim.Adam(groups, lr=settings.rate)


def _adamw(groups: Groups, settings: TrainConfig) -> torch.optim.Optimizer:
    """Loshchilov and Hutter 2019, arXiv:1711.05101; the decay is apart from the gradient."""
    return torch.optim.AdamW(groups, lr=settings.rate)


OPTIMISERS = {"adam": _adam, "adamw": _adamw, "sgd": _sgd}
