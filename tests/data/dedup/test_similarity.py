import cv2
import numpy as np
import pytest

from mien.data.dedup import similarity
from tests.support.pictures import texture


@pytest.fixture(scope="module")
def thumbnails():
    return np.stack([texture(seed, 32)[..., 0] for seed in range(70)])


def alone(thumbnail):
    """The local contrast of one thumbnail, by OpenCV's filters of one picture."""
    gray = thumbnail.astype(np.float32)
    detail = gray - cv2.GaussianBlur(gray, (0, 0), 2.0)
    return detail / np.sqrt(cv2.blur(detail**2, (9, 9)) + 4.0)


@pytest.mark.parametrize("count", [1, 2, 64, 70])
def test_the_contrast_of_many_is_that_of_each_to_the_last_bit(thumbnails, count):
    found = similarity._local_contrast(thumbnails[:count])
    expected = np.stack([alone(thumbnail) for thumbnail in thumbnails[:count]])
    np.testing.assert_array_equal(found, expected)


def test_patches_are_those_of_each_alone(thumbnails):
    expected = np.concatenate([similarity.patches(thumbnails[i : i + 1]) for i in range(70)])
    np.testing.assert_array_equal(similarity.patches(thumbnails), expected)


def test_a_window_lies_where_its_place_says(thumbnails):
    contrasts = similarity._local_contrast(thumbnails[:3])
    windows = similarity._coarse_windows(contrasts)
    assert windows.shape == (3, 122, 144)
    for number, (size, top, left) in enumerate(similarity._PLACES):
        shrink = similarity._shrink(similarity._SIDES[size]).astype(np.float64)
        row, column = top // 2, left // 2
        for picture, found in zip(contrasts, windows[:, number], strict=True):
            half = shrink @ picture @ shrink.T
            expected = half[row : row + 12, column : column + 12]
            np.testing.assert_allclose(found.reshape(12, 12), expected, atol=1e-5)


def test_the_best_place_is_that_of_the_largest_correlation(thumbnails):
    """The oracle: numpy's own correlation of every window with every middle."""
    rng = np.random.default_rng(0)
    firsts = np.sort(rng.integers(0, 20, 90))
    pairs = np.column_stack([firsts, rng.integers(20, 70, 90), rng.integers(0, 2, 90)])
    contrasts = similarity._local_contrast(thumbnails)
    patches = similarity.patches(thumbnails)
    fits, places = similarity._coarse_contrast_fits(contrasts[:20], pairs, patches)
    windows = similarity._coarse_windows(contrasts[:20]).astype(np.float64)
    for (this, that, mirrored), fit, place in zip(pairs, fits, places, strict=True):
        middle = patches[that].reshape(12, 12)
        middle = (middle[:, ::-1] if mirrored else middle).ravel()
        expected = [np.corrcoef(window, middle)[0, 1] for window in windows[this]]
        assert fit == pytest.approx(max(expected), abs=1e-5)
        assert expected[place] == pytest.approx(max(expected), abs=1e-5)
