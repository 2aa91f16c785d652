"""The network that a run ended with. Imports: torch, mien.models, mien.train."""

from pathlib import Path

from mien.labels import LABELS
from mien.models import zoo
from mien.models.network import Network
from mien.train import checkpoint, config, loop

__all__ = ["trained"]


def trained(run: Path) -> tuple[str, Network]:
    """Load the best averaged weights of a run.

    Args:
        run: a folder of ``mien train``.

    Returns:
        The network's name in the zoo, and the network in evaluation mode.

    Raises:
        BadSettingError: if the folder holds no settings.
        BadModelError: if it holds no such network.
    """
    settings = config.load(run / "config.toml")
    network = zoo.build(settings.model, len(LABELS) + settings.neutral, settings.dropout)
    checkpoint.load_weights(run / loop.BEST, network)
    return settings.model, network.eval()
