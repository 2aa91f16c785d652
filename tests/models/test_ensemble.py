"""Several networks as one: its answers and maps against those of its members, worked out apart."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn.functional import interpolate

from mien.errors import BadModelError
from mien.models import zoo
from mien.models.ensemble import ensemble
from mien.models.network import WithMaps
from tests.support.exported_runs import with_random_statistics

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def members():
    """Two kinds: 5x5 places of crops of 88 pixels, and 8x8 of 64."""
    torch.manual_seed(0)
    names = ("miennet", "res13-se")
    return [with_random_statistics(zoo.build(name, 7, 0.2)).eval() for name in names]


@pytest.fixture(scope="module")
def crops():
    return torch.randn(3, 3, 88, 88, generator=torch.Generator().manual_seed(1))


def shown(crops, side):
    """Crops of another side, by torch."""
    return interpolate(crops, (side, side), mode="bilinear", antialias=True)


@torch.no_grad()
def test_its_logits_are_the_mean_of_its_members(members, crops):
    both = ensemble(members)
    expected = (members[0](crops) + members[1](shown(crops, 64))) / 2
    np.testing.assert_allclose(both(crops), expected, atol=1e-4 * float(expected.abs().max()))
    assert both.side == 88
    # begun with the smaller one, it is shown smaller crops, which the larger one sees enlarged
    small = crops[:, :, :64, :64]
    turned = ensemble(members[::-1])
    expected = (members[1](small) + members[0](shown(small, 88))) / 2
    np.testing.assert_allclose(turned(small), expected, atol=1e-4 * float(expected.abs().max()))
    assert turned.side == 64


@torch.no_grad()
def test_its_maps_are_the_mean_of_theirs_on_the_finer_grid(members, crops):
    logits, maps, neutral, features, gradients = WithMaps(ensemble(members))(crops)
    coarse = WithMaps(members[0])(crops)[1].numpy()
    fine = WithMaps(members[1])(shown(crops, 64))[1].numpy()
    assert (coarse.shape[2:], fine.shape[2:]) == ((5, 5), (8, 8))
    tiles = coarse.repeat(8, axis=2).repeat(8, axis=3)  # 40x40, of which each of 8x8 covers 5x5
    spread = tiles.reshape(3, 6, 8, 5, 8, 5).mean(axis=(3, 5))
    expected = (spread + fine) / 2
    np.testing.assert_allclose(maps, expected, atol=1e-4 * np.abs(expected).max())
    # so CAM is exact: the evidence of all places adds up to the answer
    bias = (members[0].last.bias + members[1].last.bias)[:6] / 2
    np.testing.assert_allclose(maps.mean(dim=(2, 3)) + bias, logits, atol=1e-4)
    assert features.shape == (3, 128 + 256, 8, 8)
    summed = (features[:, None] * gradients).sum(dim=(2, 3, 4))
    np.testing.assert_allclose(summed + bias, logits, atol=1e-4)
    assert neutral.shape == (3, 1)


def test_its_members_end_in_one_linear_layer_and_have_the_same_outputs(members):
    with pytest.raises(BadModelError, match="it ends in several layers"):
        ensemble([members[0], zoo.build("cnn13", 7, 0.0)])
    with pytest.raises(BadModelError, match="one network has 7 outputs, another 6"):
        ensemble([members[0], zoo.build("res13-se", 6, 0.0)])
