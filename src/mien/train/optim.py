"""The optimiser, the learning rate and the size of the crops over time, and how memory is laid out.

Knows neither data nor networks.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mien.models.network import Network
from mien.train.config import TrainConfig

__all__ = ["OPTIMISERS", "layout_of", "optimiser", "rate_at", "resize", "side_at"]

Groups = list[dict[str, Any]]
_LARGE = 2**24  # weights of a convolution; see `layout_of`
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


def side_at(epoch: int, settings: TrainConfig, side: int) -> int:
    """Return the side of the crops in an epoch: small ones cost less while there is much to learn.

    Args:
        epoch: from 0.
        settings: names the side of the first epoch.
        side: of the network's crops, in pixels.

    Returns:
        Pixels: the first side and a multiple of 8 more, at most `side`; the last 15 % of the
        epochs, and at least the last one, have `side`.

    Source:
        Tan and Le 2021, arXiv:2104.00298, section 4, without their growing regularisation.
    """
    if not 0 < settings.first_side < side:
        return side
    steps = math.ceil((side - settings.first_side) / 8)
    whole = min(_GROWING * settings.epochs, settings.epochs - 1)  # the first epoch that is
    done = epoch / whole if epoch < whole else 1.0
    return min(side, settings.first_side + 8 * math.floor(done * steps))


def resize(crops: Tensor, side: int) -> Tensor:
    """Resize crops, averaging when they shrink.

    Args:
        crops: shape (N, C, H, H).
        side: in pixels.

    Returns:
        shape (N, C, side, side); crops of that side stay as they are.
    """
    if side == crops.shape[-1]:
        return crops
    return interpolate(crops, (side, side), mode="bilinear", antialias=True)


def optimiser(model: Network, settings: TrainConfig) -> torch.optim.Optimizer:
    """Make the optimiser; biases and batch norm do not decay.

    Args:
        model: the network.
        settings: of the run.

    Returns:
        SGD with momentum (and Nesterov's correction), Adam or AdamW; the ``share`` of each group of
        parameters says how its rate stands to the schedule's.
    """
    stem: list[nn.Parameter] = []
    if settings.stem_rate != 1:
        parts = (list(part.parameters()) for part in model.features.children())
        stem = next(filter(None, parts))  # the first part that has weights
    slow = set(map(id, stem))
    rest = [p for p in model.parameters() if id(p) not in slow and p.requires_grad]
    groups = _groups(rest, 1.0, settings.weight_decay)
    if stem and not settings.frozen:
        groups += _groups(stem, settings.stem_rate, settings.weight_decay)
    return OPTIMISERS[settings.optimiser](groups, settings)


def layout_of(model: nn.Module, device: torch.device) -> torch.memory_format:
    """Choose how weights and maps lie in memory: for speed alone, results differ by rounding.

    Args:
        model: the network.
        device: where it is trained.

    Returns:
        Channels last; but on a CPU, for a network with a convolution of more than 16 million
        weights (`cnn17`, `res25-se`), as torch lays them out by itself: there bringing such weights
        into order at every step takes longer than all other layers gain.
    """
    largest = max((p.numel() for p in model.parameters() if p.ndim == 4), default=0)
    slower = device.type == "cpu" and largest > _LARGE
    return torch.contiguous_format if slower else torch.channels_last


def _groups(parameters: list[nn.Parameter], share: float, decay: float) -> Groups:
    weights = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    return [
        {"params": weights, "weight_decay": decay, "share": share},
        {"params": others, "weight_decay": 0.0, "share": share},
    ]


def _sgd(groups: Groups, settings: TrainConfig) -> torch.optim.Optimizer:
    nesterov = settings.nesterov and settings.momentum > 0
    # One pass over the memory of each weight in place of several; results differ by rounding. It
    # knows no strides: a momentum read from a checkpoint would lie in another order than a weight
    # with channels last, and no error would tell.
    fused = all(p.is_contiguous() for group in groups for p in group["params"]) or None
    return torch.optim.SGD(
        groups, lr=settings.rate, momentum=settings.momentum, nesterov=nesterov, fused=fused
    )


def _adam(groups: Groups, settings: TrainConfig) -> torch.optim.Optimizer:
    """Kingma and Ba 2015, arXiv:1412.6980; the decay is added to the gradient."""
    return torch.optim.Adam(groups, lr=settings.rate)


def _adamw(groups: Groups, settings: TrainConfig) -> torch.optim.Optimizer:
    """Loshchilov and Hutter 2019, arXiv:1711.05101; the decay is apart from the gradient."""
    return torch.optim.AdamW(groups, lr=settings.rate)


OPTIMISERS = {"adam": _adam, "adamw": _adamw, "sgd": _sgd}
