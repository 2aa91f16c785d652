"""Folders of finished runs to export, and torch's own results to compare the file with."""

import json
from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn

from mien.models import zoo
from mien.train import config
from mien.train.data import load_data
from mien.train.run import BEST, LAST, save_checkpoint

load_data_once = cache(load_data)  # for test files whose folders stay as they are
HISTORY = [{"epoch": n, "held_accuracy": a} for n, a in ((1, 0.2), (2, 0.7), (3, 0.7))]


def with_random_statistics(network):
    """Let every part of a network matter: batch norm's statistics and the gates as well."""
    for name, tensor in network.state_dict().items():
        if "running_var" in name:
            tensor.uniform_(0.5, 2)
        elif "running_mean" in name or "bias" in name:
            tensor.normal_(0, 0.3)
    nn.init.normal_(network.last.weight, std=0.5)
    return network


def write_run(out, network, settings):
    """Write the folder of a finished run whose best averaged weights are those of a network."""
    out.mkdir(exist_ok=True)
    (out / "config.toml").write_text(config.to_toml(settings))
    (out / "data.json").write_text(json.dumps({"train": 385, "seed": settings.seed}))
    other = zoo.build(settings.model, 6 + settings.neutral, 0)
    optimiser = torch.optim.SGD(other.parameters(), lr=1)
    save_checkpoint(out / BEST, other, network, optimiser, {"history": HISTORY})
    save_checkpoint(out / LAST, other, other, optimiser, {"history": HISTORY})
    return out


def random_crops(count):
    return np.random.default_rng(1).integers(0, 256, (count, 64, 64), dtype=np.uint8)


@torch.inference_mode()
def features_and_logits(network, batch):
    """What torch itself computes."""
    batch = torch.from_numpy(batch)
    return network.features(batch).numpy(), network(batch).numpy()


def softmax(logits):
    powers = np.exp(logits.astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


def best_temperature(logits, targets):
    """The one of 2,000 temperatures from 0.05 to 20 with the least cross-entropy."""

    def loss(temperature):
        shares = softmax(logits / temperature)
        return -np.log(shares[np.arange(len(targets)), targets]).mean()

    grid = np.geomspace(0.05, 20, 2000)
    return grid[np.argmin([loss(t) for t in grid])]
