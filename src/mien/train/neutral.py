"""Learn neutral within one database, so that a picture's origin cannot give the answer away.

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
from mien.train.dataset import Crops, normalise

__all__ = ["fit_neutral", "same_origin"]

_DECAY = 1e-3  # on the weights of standardised features, so that a few hundred pictures suffice
_STEPS = 200
_BATCH = 256


def same_origin(crops: Crops) -> Crops:
    """Return the crops of those databases that have neutral pictures.

    Args:
        crops: of any databases.

    Returns:
        The crops of theirs, neutral and the six alike.
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
    calm = (own.targets == NEUTRAL_INDEX).float()
    if len(own) == 0 or calm.min() == 1:
        raise BadDataError(
            "no database has both neutral pictures and others to tell them from",
            fix="add one to data, or train with neutral = false",
        )
    features = _embedded(network, own)
    balance = torch.where(calm == 1, 0.5 / calm.mean(), 0.5 / (1 - calm.mean()))
    mean, spread = features.mean(dim=0), features.std(dim=0)
    spread = spread + spread.mean()  # a channel that hardly moves is not to decide
    standard = (features - mean) / spread
    weight = torch.zeros(features.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = standard @ weight + bias
        value = binary_cross_entropy_with_logits(logits, calm, weight=balance)
        value = value + _DECAY / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        network.last.weight[NEUTRAL_INDEX] = weight / spread
        network.last.bias[NEUTRAL_INDEX] = bias[0] - (weight * mean / spread).sum()


@torch.inference_mode()
def _embedded(network: Network, crops: Crops) -> Tensor:
    """What the last linear layer sees: shape (N, its inputs)."""
    network.eval()
    parts = [
        network.embed(normalise(gray[:, None].float() / 255))
        for gray in torch.split(crops.gray, _BATCH)
    ]
    return torch.cat(parts).clone()
