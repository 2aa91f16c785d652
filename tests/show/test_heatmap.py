"""What speaks for an expression is drawn, also at the edge of the crop."""

import numpy as np
import pytest

from mien.pixels import to_heat
from mien.show.heatmap import blend_heatmap

WHOLE = np.eye(2, 3, dtype=np.float32)  # the picture is the crop
OPACITY = 0.62


def strength(heat):
    """How strongly each place of a map is drawn, from what it hides of black and of white."""
    black, white = (np.full((*heat.shape, 3), v, dtype=np.uint8) for v in (0, 255))
    for ground in (black, white):
        blend_heatmap(ground, heat, WHOLE)
    left = (white.astype(float) - black).mean(axis=2) / 255
    return (1 - left) / OPACITY


@pytest.mark.parametrize("turns", range(4))
def test_evidence_at_the_edge_of_the_crop_is_drawn(turns):
    votes = np.full((5, 5), -1, dtype=np.float32)
    votes[0, 1:4] = 1, 4, 1  # of the network's grid: the middle of the forehead
    heat = to_heat(np.rot90(votes, turns), 88)
    shown = strength(heat)
    assert shown.max() > 0.9  # it is a little blurred
    assert shown.sum() > 0.85 * heat.sum()
    np.testing.assert_allclose(shown[3:-3, 3:-3], heat[3:-3, 3:-3], atol=0.12)  # 88 / 32 = 2.75
