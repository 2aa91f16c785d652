"""The network that a run ended with, and how it got there.
Knows neither data nor the loop.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import BadSettingError
from mien.labels import LABELS
from mien.models import zoo
from mien.models.network import Network
from mien.train import checkpoint, config
from mien.train.config import BEST, TrainConfig

__all__ = ["Trained", "earlier", "trained"]


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


def earlier(run: Path, role: str, settings: TrainConfig, *more: str) -> Trained:
    """Load a run that another one learns from.

    Args:
        run: its folder.
        role: what it is to the other, for the error.
        settings: of the other.
        more: names of settings in which both must agree, besides those that decide which pictures
            are held out: it must not have seen those that judge the other.

    Returns:
        What it left.

    Raises:
        BadSettingError: if they do not agree.
        BadModelError: if the run has no weights.
    """
    found = trained(run)
    for name in ("neutral", "hold_out", "draw", *more):
        own, wanted = getattr(found.settings, name), getattr(settings, name)
        if own != wanted:
            raise BadSettingError(
                f"the {role} {run} has {name} = {own}, the run that learns from it {wanted}",
                fix=f"give both the same {name}",
            )
    return found
