"""Cascading randomization: the weights of a network replaced by fresh ones, from the head down.

An explanation that stays the same does not depend on what the network learned.
"""

import copy
from collections.abc import Iterator
from typing import Any

import torch

from mien.models.network import Network

__all__ = ["randomized_stages"]


def randomized_stages(network: Network, seed: int = 0) -> Iterator[tuple[str, Network]]:
    """Replace the weights of the head, then also those of one part of the features after another.

    Args:
        network: stays as it is.
        seed: of the fresh weights.

    Yields:
        The name of the part that was replaced last, and a copy of the network in which it and all
        parts above it have fresh weights.

    Source:
        Adebayo et al. 2018, arXiv:1810.03292, section 3.1: cascading randomisation.
    """
    changed = copy.deepcopy(network)
    stages = [(f"features.{name}", part) for name, part in changed.features.named_children()]
    for name, part in [("head", changed.head), *reversed(stages)]:
        layers: list[Any] = [m for m in part.modules() if hasattr(m, "reset_parameters")]
        if not layers:
            continue  # an activation has no weights
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in layers:
                layer.reset_parameters()
        yield name, copy.deepcopy(changed).eval()
