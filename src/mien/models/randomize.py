"""A network that forgets what it learned, from the head down: for the test of explanations."""

import copy
from collections.abc import Iterator
from typing import Any

import torch

from mien.models.network import Network

__all__ = ["randomized_stages"]


def randomized_stages(network: Network, seed: int = 0) -> Iterator[tuple[str, Network]]:
    """Draw the weights of a network anew, first the head's, then also those of part after part.

    Args:
        network: stays as it is.
        seed: of the weights.

    Yields:
        The name of the part that was forgotten last, and a copy of the network that has
        forgotten it and all parts above it.

    Source:
        Adebayo et al. 2018, arXiv:1810.03292, section 3.1: cascading randomisation.
    """
    forgetful = copy.deepcopy(network)
    stages = [(f"features.{name}", part) for name, part in forgetful.features.named_children()]
    for name, part in [("head", forgetful.head), *reversed(stages)]:
        layers: list[Any] = [one for one in part.modules() if hasattr(one, "reset_parameters")]
        if not layers:
            continue  # an activation has nothing to forget
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in layers:
                layer.reset_parameters()
        yield name, copy.deepcopy(forgetful).eval()
