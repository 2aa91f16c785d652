"""The network that a run ended with, and how it got there.

Imports: torch, mien.models, checkpoint, config. Knows neither data nor the loop.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.labels import LABELS
from mien.models import zoo
from mien.models.network import Network
from mien.train import checkpoint, config
from mien.train.config import BEST, TrainConfig

__all__ = ["Trained", "trained"]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run left.

    Attributes:
        settings: of the run.
        network: with its best averaged weights, in evaluation mode.
        history: one row an epoch.
    """

    settings: TrainConfig
    network: Network
    history: list[dict[str, Any]]


def trained(run: Path) -> Trained:
    """Load the best averaged weights of a run.

    Args:
        run: a folder of ``mien train``.

    Returns:
        The network, the settings and the history.

    Raises:
        BadSettingError: if the folder holds no settings.
        BadModelError: if it holds no such network.
    """
    settings = config.load(run / "config.toml")
    network = zoo.build(settings.model, len(LABELS) + settings.neutral, settings.dropout)
    progress = checkpoint.load_weights(run / BEST, network)
    return Trained(settings, network.eval(), progress["history"])
