"""Several trained networks as one, an ensemble: its logits are the mean of theirs.

Networks that were trained apart err apart, so that their mean is right more often. Where each ends
in one linear layer the mean is again a network of that shape, the features beside each other and
one linear layer over them: its class maps, explanations and export are those of any other network.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import BadModelError
from mien.models.network import Network
from mien.pixels import F32, resampling

__all__ = ["ensemble"]


def ensemble(members: Sequence[Network]) -> Network:
    """Make one network of several.

    Args:
        members: two or more, trained on the same classes, each with the mean of its last maps and
            one linear layer behind them. Their weights are shared, not copied.

    Returns:
        The network, in evaluation mode. It takes crops of the first one's side, which the others
        see resized as `mien.pixels.to_side` does; its last maps have as many places as the finest.

    Raises:
        BadModelError: if a network ends in several layers, or has other outputs than the first.

    Source:
        Lakshminarayanan, Pritzel and Blundell 2017, arXiv:1612.01474, section 2.4, with logits
        averaged in place of probabilities.
    """
    first = members[0].last.out_features
    for member in members:
        if not isinstance(member.head, nn.Linear) or isinstance(member.pool, nn.Flatten):
            raise BadModelError(
                "an ensemble adds up class maps, and one of its networks has none: it ends in "
                "several layers",
                fix="take networks that end in a mean and one linear layer, such as miennet",
            )
        if member.last.out_features != first:
            raise BadModelError(
                f"one network has {first} outputs, another {member.last.out_features}",
                fix="train them all with neutral, or all without",
            )
    head = nn.Linear(sum(member.last.in_features for member in members), first)
    with torch.no_grad():
        weights = [member.last.weight for member in members]
        head.weight.copy_(torch.cat(weights, dim=1) / len(members))
        head.bias.copy_(torch.stack([member.last.bias for member in members]).mean(dim=0))
    network = Network(_Beside(members), head, side=members[0].side)
    network.labels = members[0].labels
    return network.eval()


class _Beside(nn.Module):
    """The last maps of several networks beside each other, on the grid of the finest."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        side = members[0].side
        places = [_places(member) for member in members]
        self.shown = nn.ModuleList(
            _Resized(resampling(side, member.side)) if member.side != side else nn.Identity()
            for member in members
        )
        self.members = nn.ModuleList(member.features for member in members)
        self.spread = nn.ModuleList(
            _Resized(_overlaps(own, max(places))) if own < max(places) else nn.Identity()
            for own in places
        )

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, side, side) to (N, sum of the widths, places, places)."""
        paths = zip(self.shown, self.members, self.spread, strict=True)
        return torch.cat([spread(member(shown(crops))) for shown, member, spread in paths], dim=1)


class _Resized(nn.Module):
    """Each line of pixels becomes another one, which is a weighted sum of it."""

    rows: Tensor
    columns: Tensor

    def __init__(self, weights: F32) -> None:
        """Take weights of shape (target, source), for rows and columns alike."""
        super().__init__()
        self.register_buffer("rows", torch.from_numpy(weights.copy()))
        self.register_buffer("columns", torch.from_numpy(weights.T.copy()))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, source, source) to (N, C, target, target)."""
        return self.rows @ x @ self.columns


@torch.no_grad()
def _places(network: Network) -> int:
    """How many places a side of the last maps has."""
    weights = next(network.features.parameters())
    crop = torch.zeros(1, 3, network.side, network.side, device=weights.device)
    network.eval()
    return int(network.features(crop).shape[-1])


def _overlaps(source: int, target: int) -> F32:
    """How much of each of some places lies in each of more; rows sum to 1."""
    # So the mean over all places stays the same, which a bilinear enlargement would change, and
    # logits are such means.
    edges = np.arange(target + 1) * source / target
    starts = np.maximum(edges[:-1, None], np.arange(source))
    ends = np.minimum(edges[1:, None], np.arange(source) + 1)
    return ((ends - starts).clip(min=0) * target / source).astype(np.float32)
