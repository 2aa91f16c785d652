"""A network of 4,311 parameters that learns striped crops in a second, and settings to train it."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from mien.models import zoo
from mien.models.blocks import ConvNorm, ResidualBlock
from mien.models.network import Network
from mien.train.config import TrainConfig

_SETTINGS = TrainConfig(
    data=("to be replaced",), model="tiny", epochs=3, batch=12, hold_out=0.25, bf16=False, threads=1
)


def tiny(outputs, dropout):
    """Build the network with fresh weights: a builder as in `zoo.MODELS`."""
    features = torch.nn.Sequential(
        ConvNorm(3, 8, stride=2),
        torch.nn.ReLU(),
        ResidualBlock(8, 16, stride=2),
        torch.nn.AvgPool2d(2),
    )
    return Network(features, torch.nn.Linear(16, outputs), dropout)


@contextmanager
def tiny_in_zoo():
    """Register the network as ``tiny`` inside the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.MODELS, "tiny", tiny)
        yield


def settings_for(*folders, **changes):
    """Settings to train on prepared folders; a CPU repeats them bit for bit."""
    return replace(_SETTINGS, data=tuple(map(str, folders)), **changes)
