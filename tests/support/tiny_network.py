"""A network of 4,311 parameters that learns `crops` in a second, and settings to train it."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from mien.models import zoo
from mien.models.blocks import ConvNorm, ResidualBlock
from mien.models.network import Network
from mien.train.config import TrainConfig

_SETTINGS = TrainConfig(
    data=("to be named",), model="tiny", epochs=3, batch=12, hold_out=0.25, bf16=False, threads=1
)


def tiny(outputs, dropout):
    """Build it with fresh weights."""
    features = torch.nn.Sequential(
        ConvNorm(3, 8, stride=2),
        torch.nn.ReLU(),
        ResidualBlock(8, 16, stride=2),
        torch.nn.AvgPool2d(2),
    )
    return Network(features, torch.nn.Linear(16, outputs), dropout)


@contextmanager
def known():
    """Let the zoo build it inside the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.MODELS, "tiny", tiny)
        yield


def settings_for(*folders, **changes):
    """Settings under which a CPU repeats itself bit for bit."""
    return replace(_SETTINGS, data=tuple(map(str, folders)), **changes)
