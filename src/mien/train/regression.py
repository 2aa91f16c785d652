"""A network's last layer fitted to features that stay as they are, by a loss on its logits."""

from collections.abc import Callable

import torch
from torch import Tensor

from mien.models.network import Network
from mien.train.dataset import network_inputs

__all__ = ["embed", "fit_linear"]

_DECAY = 1e-3  # on the weights of standardised features, so that a few hundred pictures suffice
_STEPS = 200


@torch.no_grad()
def embed(network: Network, gray: Tensor) -> Tensor:
    """Compute what the last linear layer of a network is given.

    Args:
        network: is put in evaluation mode.
        gray: crops, shape (N, side, side), uint8.

    Returns:
        shape (N, its inputs).
    """
    network.eval()
    return torch.cat([network.embed(batch) for batch in network_inputs(gray)])


def fit_linear(
    features: Tensor, outputs: int, loss: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Fit a linear layer by L-BFGS, with a little decay.

    Args:
        features: shape (N, K), what the layer is given.
        outputs: of the layer.
        loss: of its logits (N, outputs), a number.

    Returns:
        The layer's weights, shape (outputs, K), and bias, shape (outputs,).
    """
    mean, spread = features.mean(dim=0), features.std(dim=0)
    spread = spread + spread.mean()  # a channel that hardly varies must not decide
    spread = spread.where(spread > 0, 1)  # dead features are the same of all pictures
    standard = (features - mean) / spread
    weight = torch.zeros(outputs, features.shape[1], requires_grad=True)
    bias = torch.zeros(outputs, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimiser.zero_grad()
        value = loss(standard @ weight.T + bias) + _DECAY / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(step)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        own = weight / spread
        return own, bias - own @ mean
