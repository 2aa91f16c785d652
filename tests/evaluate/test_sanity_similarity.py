import numpy as np
import pytest

stats = pytest.importorskip("scipy.stats")

from mien.evaluate.sanity import NOISE, add_noise, similarity


def test_it_is_spearmans_rank_correlation_of_each_pair():
    random = np.random.default_rng(0)
    maps, others = random.normal(size=(2, 5, 8, 8)).astype(np.float32).round(1)  # with ties
    others[0] = np.exp(maps[0])  # another scale, the same order
    pairs = zip(maps, others, strict=True)
    expected = [stats.spearmanr(one.ravel(), other.ravel()).statistic for one, other in pairs]
    np.testing.assert_allclose(similarity(maps, others), expected, atol=1e-6)
    assert similarity(maps, others)[0] == pytest.approx(1)
    np.testing.assert_allclose(similarity(maps, -maps), -1, atol=1e-6)


def test_a_constant_map_is_like_nothing():
    maps = np.arange(4, dtype=np.float32).reshape(1, 2, 2)
    assert similarity(maps, np.ones_like(maps)).tolist() == [0]
    assert similarity(np.ones_like(maps), np.ones_like(maps)).tolist() == [0]


def test_noise_has_the_stated_size_and_stays_in_range():
    crops = np.full((4, 64, 64), 128, dtype=np.uint8)
    noisy = add_noise(crops, np.random.default_rng(0)).astype(float)
    assert noisy.std() == pytest.approx(NOISE, rel=0.03)
    assert noisy.mean() == pytest.approx(128, abs=0.2)
    white = add_noise(np.full((1, 64, 64), 255, dtype=np.uint8), np.random.default_rng(0))
    assert white.min() > 230  # clipped, not wrapped round
