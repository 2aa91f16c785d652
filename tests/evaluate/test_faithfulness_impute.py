import numpy as np
import pytest

pytest.importorskip("scipy")

from mien.evaluate.faithfulness import impute

STEPS = [(0, 1, 1 / 6), (1, 0, 1 / 6), (1, 1, 1 / 12), (1, -1, 1 / 12)]
WEIGHTS = {(sign * y, sign * x): w for y, x, w in STEPS for sign in (1, -1)}


def solved(gray, removed):
    """The same by the dense system of equations, one row a pixel."""
    size = gray.size
    system, right = np.eye(size), gray.astype(float).ravel().copy()
    for y, x in zip(*np.nonzero(removed), strict=True):
        here = y * gray.shape[1] + x
        system[here] = 0
        right[here] = 0
        for (down, aside), weight in WEIGHTS.items():
            if 0 <= y + down < gray.shape[0] and 0 <= x + aside < gray.shape[1]:
                system[here, here] += weight
                system[here, here + down * gray.shape[1] + aside] -= weight
    return np.linalg.solve(system, right).reshape(gray.shape)


@pytest.mark.parametrize("shape", [(4, 4), (5, 7), (16, 3)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_is_the_solution_of_the_linear_system(shape, share):
    random = np.random.default_rng(3)
    for _ in range(10):
        gray, removed = random.random(shape) * 255, random.random(shape) < share
        removed.flat[random.integers(removed.size)] = False
        np.testing.assert_allclose(impute(gray, removed), solved(gray, removed), atol=1e-9)


def test_one_pixel_is_the_weighted_mean_of_its_eight_neighbours():
    gray = np.array([[12, 6, 12], [6, 99, 0], [0, 0, 24]], dtype=float)
    removed = np.zeros((3, 3), dtype=bool)
    removed[1, 1] = True
    # (6 + 6 + 0 + 0) / 6 + (12 + 12 + 0 + 24) / 12
    assert impute(gray, removed)[1, 1] == pytest.approx(6)


def test_a_corner_has_three_neighbours():
    gray = np.array([[99, 6], [12, 24]], dtype=float)
    removed = np.array([[True, False], [False, False]])
    # (6 / 6 + 12 / 6 + 24 / 12) over 1/6 + 1/6 + 1/12
    assert impute(gray, removed)[0, 0] == pytest.approx(5 / (5 / 12))


def test_known_pixels_stay_and_the_given_picture_is_not_changed():
    gray, removed = np.arange(16.0).reshape(4, 4), np.eye(4, dtype=bool)
    before = gray.copy()
    np.testing.assert_array_equal(impute(gray, removed)[~removed], gray[~removed])
    np.testing.assert_array_equal(impute(gray, ~np.ones((4, 4), dtype=bool)), gray)
    np.testing.assert_array_equal(gray, before)


def test_nothing_known_is_refused():
    with pytest.raises(ValueError, match="no pixel is known"):
        impute(np.ones((4, 4)), np.ones((4, 4), dtype=bool))
