"""Learn neutral within one database, so that the source of a picture does not reveal the answer.

Only some databases have neutral pictures. Trained against all others at once, a network learns
that sharp or well-lit pictures are never neutral. So the last row of the head is fitted anew, on
frozen features, to tell neutral from the six among pictures of the same databases.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from mien.errors import BadDataError
from mien.labels import NEUTRAL, NEUTRAL_INDEX
from mien.models.network import Network
from mien.train.dataset import Crops, network_inputs

__all__ = ["fit_neutral", "same_origin"]

_DECAY = 1e-3  # on the weights of standardised features, so that a few hundred pictures suffice
_STEPS = 200


def same_origin(crops: Crops) -> Crops:
    """Return the crops of those databases that have neutral pictures.

    Args:
        crops: of any databases.

    Returns:
        The crops of these databases, neutral and the six alike.
    """
    sources = {row.source for row in crops.rows if row.label == NEUTRAL}
    return crops.where(torch.tensor([row.source in sources for row in crops.rows]).numpy())


def fit_neutral(network: Network, crops: Crops) -> None:
    """Replace the head's last row by one that says how probable neutral is.

    Logistic regression on what that layer sees, both sides weighing the same; its logit z means
    P(neutral) = 1 / (1 + exp(-z)).

    Args:
        network: trained, with neutral as its seventh output; changed in place.
        crops: training crops.

    Raises:
        BadDataError: if no database has both neutral pictures and some of the six.
    """
    own = same_origin(crops)
    neutral = (own.targets == NEUTRAL_INDEX).float()
    if len(own) == 0 or neutral.min() == 1:
        raise BadDataError(
            "no database has both neutral pictures and others to tell them from",
            fix="add one to data, or train with neutral = false",
        )
    weight, bias = _logistic_regression(_embed(network, own), neutral)
    with torch.no_grad():
        network.last.weight[NEUTRAL_INDEX] = weight
        network.last.bias[NEUTRAL_INDEX] = bias


def _logistic_regression(features: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights (K,) and bias that tell positive rows of features (N, K) from the others."""
    balance = torch.where(positive == 1, 0.5 / positive.mean(), 0.5 / (1 - positive.mean()))
    mean, spread = features.mean(dim=0), features.std(dim=0)
    spread = spread + spread.mean()  # a channel that hardly varies must not decide
    standard = (features - mean) / spread
    weight = torch.zeros(features.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = standard @ weight + bias
        value = binary_cross_entropy_with_logits(logits, positive, weight=balance)
        value = value + _DECAY / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return weight / spread, bias[0] - (weight * mean / spread).sum()


@torch.inference_mode()
def _embed(network: Network, crops: Crops) -> Tensor:
    """Compute what the last linear layer sees: shape (N, its inputs)."""
    network.eval()
    return torch.cat([network.embed(batch) for batch in network_inputs(crops.gray)]).clone()
