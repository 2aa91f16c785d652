"""Guided maps: the evidence of an expression is drawn to where its action units act.

Crops are aligned, so the regions of each expression's action units (`mien.faces.regions`) are
known places of the crop. The loss gains the distance between the class map of the true expression
and these regions, which go through the same random geometry as the crop. Knows nothing of files.

Source: Belharbi et al. 2024, arXiv:2402.00281, equations 1 to 3; the class map here is the CAM of
the last features, which for a head of one linear layer is exact.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cosine_similarity

from mien.data.manifest import Row
from mien.errors import BadSettingError
from mien.faces.regions import PROTOTYPES, REGIONS, divide, expected
from mien.labels import PAPER, LabelSet
from mien.models.network import Network
from mien.pixels import BOOL, F32, enlarge
from mien.train.config import TrainConfig

__all__ = ["Guide", "WithFeatures", "expected_places", "guidance_loss", "is_aligned"]

_ALIGNED = "rafdb"  # as distributed; its mean landmarks are the template


class WithFeatures(nn.Module):
    """A network that also returns the features its logits are made of."""

    def __init__(self, network: Network) -> None:
        """Take a network.

        Args:
            network: pools its features by the mean into one linear layer.

        Raises:
            BadSettingError: if it has another head, whose class maps are not in its features.
        """
        super().__init__()
        if isinstance(network.pool, nn.Flatten) or network.head is not network.last:
            raise BadSettingError(
                "guide is set, and this network has more than one linear layer after its features",
                fix="leave guide out, or choose a network that ends in one",
            )
        self.network = network

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, 3, side, side) to logits (N, outputs) and features (N, K, h, w)."""
        features = self.network.features(batch)
        pooled = self.network.dropout(self.network.pool(features))
        return self.network.head(pooled), features


class Guide:
    """What guides the class maps of a run."""

    def __init__(
        self,
        network: Network,
        settings: TrainConfig,
        device: torch.device,
        labels: LabelSet = PAPER,
    ) -> None:
        """Lay out the places.

        Args:
            network: that is trained.
            settings: of the run.
            device: where it is trained.
            labels: its classes.

        Raises:
            BadSettingError: if none of the classes has a place where it is expected.
        """
        if not set(labels.names) & PROTOTYPES.keys():
            raise BadSettingError(
                f"guide is set, and of {labels} it is not known where they are seen",
                fix=f"leave guide out, or name classes of {', '.join(PROTOTYPES)}",
            )
        self._last, self._weight = network.last, settings.guide
        self._places = expected_places(network.side, settings.guide_shift, labels).to(device)
        self._distances: list[Tensor] = []

    def places(self, guided: Tensor) -> Tensor:
        """Return the expected places of a batch of crops.

        Args:
            guided: shape (N,), from `Crops.guided`.

        Returns:
            shape (N, 1, side, side); of crops that are not guided it does not matter.
        """
        return self._places[guided][:, None]  # -1 is the last: neutral

    def loss(
        self, features: Tensor, answers: Tensor | None, guided: Tensor, places: Tensor
    ) -> Tensor:
        """Return what a batch adds to the loss.

        Args:
            features: shape (N, K, h, w).
            answers: of the teachers, shape (N, outputs), if there are any: crops on whose label
                they do not agree are not guided.
            guided: shape (N,), from `Crops.guided`.
            places: from `places`, as the augmented crops have them.

        Returns:
            A number to be differentiated.
        """
        if answers is not None:
            guided = torch.where(answers.argmax(dim=1) == guided, guided, -1)
        distance = guidance_loss(features, self._last.weight, guided, places)
        self._distances.append(distance.detach())
        return self._weight * distance

    def mean_distance(self) -> float:
        """Return the mean distance since it was last asked for."""
        mean = float(torch.stack(self._distances).mean())
        self._distances.clear()
        return mean


def is_aligned(rows: list[Row]) -> BOOL:
    """Tell which crops are framed so that regions of the face are places of the crop.

    Args:
        rows: of the manifest.

    Returns:
        shape (N,).
    """
    return np.array(
        [
            row.framing == "framed" or (row.framing == "as-is" and row.source == _ALIGNED)
            for row in rows
        ],
        dtype=np.bool_,
    )


def expected_places(side: int, shift: int = 0, labels: LabelSet = PAPER) -> Tensor:
    """Return where each expression is expected to be seen.

    Args:
        side: of the crop, in pixels.
        shift: expect each where the one so many places on in `labels` is expected.
        labels: the classes.

    Returns:
        shape (C + 1, side, side), float32 in [0, 1]: 1 in the regions of the expression's action
        units; all 0 for a class that is none of the six, and for neutral, the last.
    """
    names = np.array(REGIONS)[divide()]
    order = [*labels.names[shift % len(labels.names) :], *labels.names[: shift % len(labels.names)]]
    regions = [expected(label) if label in PROTOTYPES else () for label in order]
    inside: list[F32] = [np.isin(names, own).astype(np.float32) for own in regions]
    inside.append(np.zeros_like(inside[0]))
    shown = torch.from_numpy(np.stack(inside))
    if side < shown.shape[-1]:
        return adaptive_avg_pool2d(shown, (side, side))
    return torch.from_numpy(enlarge(shown.numpy(), side, side))


def guidance_loss(features: Tensor, weights: Tensor, guided: Tensor, places: Tensor) -> Tensor:
    """Compute how far class maps are from where they are expected.

    Args:
        features: shape (N, K, h, w), the last.
        weights: shape (outputs, K), of the linear layer.
        guided: shape (N,), the true class of each crop that counts; -1 for the others.
        places: shape (N, 1, side, side), expected places as the augmented crop has them.

    Returns:
        The mean over the crops that count of 1 less the cosine between the positive part of the
        class map and the places, averaged down to (h, w); in [0, 1], and 0 if none counts.
    """
    counted = guided >= 0
    if not counted.any():
        return features.new_zeros(())
    height, width = features.shape[2:]
    maps = torch.einsum("nkhw,nk->nhw", features[counted], weights[guided[counted]]).relu()
    wanted = adaptive_avg_pool2d(places[counted], (height, width))[:, 0]
    return (1 - cosine_similarity(maps.flatten(1), wanted.flatten(1), dim=1)).mean()
