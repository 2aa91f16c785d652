"""Learn neutral within one database, so that the source of a picture does not reveal the answer.

Only some databases have neutral pictures. Trained against all others at once, a network learns
that sharp or well-lit pictures are never neutral. So the last row of the head is fitted anew, on
frozen features, to tell neutral from the six among pictures of the same databases.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from mien.errors import BadDataError
from mien.models.network import Network
from mien.train.dataset import Crops
from mien.train.regression import embed, fit_linear

__all__ = ["fit_neutral", "same_origin"]


def same_origin(crops: Crops) -> Crops:
    """Return the crops of those databases that have neutral pictures.

    Args:
        crops: of any databases.

    Returns:
        The crops of these databases, neutral and the six alike.
    """
    sources = {row.source for row in crops.rows if row.label == crops.labels.calm}
    return crops.where(np.array([row.source in sources for row in crops.rows], dtype=np.bool_))


def fit_neutral(network: Network, crops: Crops) -> None:
    """Replace the head's last row by one that says how probable neutral is.

    Logistic regression on what that layer sees, both sides weighing the same; its logit z means
    P(neutral) = 1 / (1 + exp(-z)). Where votes are known, their share for neutral is the target: a
    fifth of what FER2013 labels as one of the six is neutral to most annotators of FER+.

    Args:
        network: trained, with neutral as its last output; changed in place.
        crops: training crops.

    Raises:
        BadDataError: if no database has both neutral pictures and some of the six.
    """
    own = same_origin(crops)
    number = len(own.labels.names)  # of the calm class beside them
    neutral = (own.targets == number).float()
    if len(own) == 0 or neutral.min() == 1:
        raise BadDataError(
            "no database has both neutral pictures and others to tell them from",
            fix="add one to data, or train with neutral = false",
        )
    balance = torch.where(neutral == 1, 0.5 / neutral.mean(), 0.5 / (1 - neutral.mean()))
    shares = neutral if own.shares is None else own.shares[:, number]

    def loss(logits: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(logits[:, 0], shares, weight=balance)

    weight, bias = fit_linear(embed(network, own.gray), 1, loss)
    with torch.no_grad():
        network.last.weight[number] = weight[0]
        network.last.bias[number] = bias[0]
