import numpy as np
import pytest

from mien.data.dedup import candidates, duplicates


@pytest.mark.parametrize("width", [30, 700, 5_003])  # one by one; groups of 32 and a rest
@pytest.mark.parametrize("count", [1, 11])
def test_the_largest_of_each_row_are_those_of_a_full_sort(width, count):
    products = np.random.default_rng(width).random((40, width), dtype=np.float32)
    products[0, -count:] += 1  # all in the rest
    products[1, : width - width % 32 : max(width // 32, 1)] += 1  # all in one group
    places = candidates._largest(products, count)
    assert places.shape == (40, count)
    expected = np.sort(np.argsort(products, axis=1)[:, -count:], axis=1)
    np.testing.assert_array_equal(np.sort(places, axis=1), expected)


def test_pairs_are_ordered_and_each_is_there_once():
    rng = np.random.default_rng(0)
    pairs = np.column_stack([rng.integers(0, 9, 500), rng.integers(0, 7, 500)])
    pairs = np.column_stack([pairs, rng.integers(0, 2, 500)])
    expected = sorted({tuple(row) for row in pairs.tolist()})
    assert list(map(tuple, duplicates._unique(pairs).tolist())) == expected
    assert duplicates._unique(pairs[:0]).shape == (0, 3)
