import numpy as np
import pytest

from mien import pixels
from mien.evaluate.maps import CONTROLS, ExplainedModel, applicable_methods


def random():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def crops():
    return random().integers(0, 256, (12, 64, 64), dtype=np.uint8)


def looks_at_a_patch(batch):
    """Stand-in network: happy by the contrast in one patch, else sad."""
    logits = np.zeros((len(batch), 6), dtype=np.float32)
    logits[:, 0] = 4 * batch[:, 0, 48:60, 4:28].std(axis=(1, 2))
    logits[:, 2] = 1
    return logits


def test_scores_are_the_softmax_of_the_logits_cooled():
    crops = np.random.default_rng(0).integers(0, 256, (70, 64, 64), dtype=np.uint8)
    logits = looks_at_a_patch(pixels.to_batch(crops)).astype(float) / 2
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        ExplainedModel(looks_at_a_patch, 2.0).scores(crops), expected, atol=1e-6
    )


def test_methods_that_the_network_does_not_allow_are_named_with_the_reason():
    found, refused = applicable_methods(
        ExplainedModel(looks_at_a_patch), ["occlusion", "grad-cam", "cam"]
    )
    assert found == ["occlusion"]
    assert set(refused) == {"grad-cam", "cam"}
    assert "needs the network's layers" in refused["cam"]


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_has_a_map_a_crop_and_may_not_look_alike_by_chance(crops, name):
    maps = CONTROLS[name](crops, random())
    assert (maps.shape, maps.dtype) == (crops.shape, np.float32)
    np.testing.assert_array_equal(maps, CONTROLS[name](crops, random()))
    assert np.isfinite(maps).all()
    same = np.ptp(maps, axis=0).max() == 0
    assert same == (name == "gaussian")


def test_the_edge_map_is_strong_at_an_edge_alone():
    crops = np.zeros((1, 64, 64), dtype=np.uint8)
    crops[:, :, 32:] = 200
    columns = CONTROLS["edges"](crops, random())[0].sum(axis=0)
    assert np.flatnonzero(columns).tolist() == [31, 32]


def test_the_bell_is_highest_in_the_middle_and_the_blurred_noise_is_smooth(crops):
    bell = CONTROLS["gaussian"](crops, random())[0]
    assert np.unravel_index(bell.argmax(), bell.shape) in {(31, 31), (31, 32), (32, 31), (32, 32)}
    assert bell[0, 0] < 0.05
    rough, smooth = (CONTROLS[name](crops, random()) for name in ("random", "blurred-random"))
    assert np.abs(np.diff(smooth)).mean() < 0.1 * np.abs(np.diff(rough)).mean()
