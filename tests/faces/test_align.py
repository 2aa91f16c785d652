import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from mien.faces import align
from tests.support.pictures import texture

SCATTERED = [np.random.default_rng(seed).uniform(0, 500, (5, 2)) for seed in range(20)]


@pytest.mark.parametrize("landmarks", SCATTERED)
def test_similarity_equals_the_one_of_scikit_image(landmarks):
    expected = SimilarityTransform.from_estimate(landmarks, align.TEMPLATE).params[:2]
    made = align.similarity(landmarks.astype(np.float32))
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_similarity_worked_by_hand():
    template = np.array([[0, 0], [2, 0], [0, 2], [2, 2], [1, 1]], dtype=np.float32)
    turned = np.array([[5, 5], [5, 9], [1, 5], [1, 9], [3, 7]], dtype=np.float32)
    # doubled, turned by +90 degrees, moved by (5, 5); so back: x = (v - 5) / 2, y = (5 - u) / 2
    made = align.similarity(turned, template)
    np.testing.assert_allclose(made, [[0, 0.5, -2.5], [-0.5, 0, 2.5]], atol=1e-6)


def test_mirrored_landmarks_are_never_met_by_a_mirror_image():
    mirrored = align.TEMPLATE * (-1, 1) + (64, 0)
    assert np.linalg.det(align.similarity(mirrored.astype(np.float32))[:, :2]) > 0


def test_landmarks_in_one_point_fix_no_scale():
    with pytest.raises(ValueError, match="one point"):
        align.similarity(np.full((5, 2), 7, dtype=np.float32))


def test_the_template_is_the_one_that_the_weights_were_trained_with():
    expected = [[16.6, 21.5], [46.7, 21.5], [31.6, 35.7], [17.9, 48.7], [45.3, 48.7]]
    np.testing.assert_array_equal(align.TEMPLATE, np.float32(expected))


def dotted(points, radius, shape):
    """A black picture with a soft white dot about each point."""
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    dots = [np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * radius**2)) for x, y in points]
    return (255 * np.sum(dots, axis=0)).clip(0, 255).astype(np.uint8)


def centre_near(picture, point, reach):
    """Centre of the light within `reach` pixels of a point."""
    ys, xs = np.mgrid[: picture.shape[0], : picture.shape[1]]
    light = picture * (np.hypot(xs - point[0], ys - point[1]) < reach)
    return np.array([(xs * light).sum(), (ys * light).sum()]) / light.sum()


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize(
    ("scale", "degrees"), [(0.6, -25), (1, 0), (1.3, 10), (2.5, 40), (4, 180), (9.7, -70)]
)
def test_a_turned_scaled_and_shifted_face_comes_to_lie_on_the_template(scale, degrees, side):
    turn = SimilarityTransform(scale=scale, rotation=np.deg2rad(degrees))
    landmarks = turn(align.TEMPLATE)
    landmarks += 10 * scale - landmarks.min(axis=0)
    shape = np.ceil(landmarks.max(axis=0) + 10 * scale).astype(int)[::-1]
    picture = dotted(landmarks, 2.2 * scale, shape)
    made = align.crop(picture, align.framing(landmarks.astype(np.float32), side), side)
    # with pixel centres at whole numbers, x of 64 becomes (x + 0.5) * zoom - 0.5
    expected = (align.TEMPLATE + 0.5) * side / 64 - 0.5
    found = [centre_near(made, point, 6 * side / 64) for point in expected]
    np.testing.assert_allclose(found, expected, atol=0.15 * side / 64)


def identity(scale=1.0, right=0.0, down=0.0):
    return np.array([[scale, 0, right], [0, scale, down]], dtype=np.float32)


def test_the_identity_returns_the_picture_bit_for_bit():
    np.testing.assert_array_equal(align.crop(texture(1), identity()), texture(1))


def test_a_shift_by_whole_pixels_moves_them_unchanged():
    made = align.crop(texture(1, 100), identity(right=-20, down=-7))
    np.testing.assert_array_equal(made, texture(1, 100)[7:71, 20:84])


def test_shrinking_by_four_gives_the_means_of_blocks():
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    # the middle of block 0 is pixel 1.5: 1.5 / 4 - 0.375 = 0
    made = align.crop(noise, identity(0.25, -0.375, -0.375))
    blocks = noise.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(made, blocks, atol=1)


def test_beyond_the_edge_the_last_pixels_are_repeated():
    made = align.crop(texture(1), identity(right=32))  # the left half lies outside
    np.testing.assert_array_equal(made[:, 32:], texture(1)[:, :32])
    np.testing.assert_array_equal(made[:, :32], np.repeat(texture(1)[:, :1], 32, axis=1))


def test_a_grey_picture_gives_a_grey_crop():
    gray = texture(1, 80)[..., 0].copy()
    np.testing.assert_array_equal(align.crop(gray, identity()), gray[:64, :64])


@pytest.mark.parametrize("wide", [True, False])
def test_a_picture_longer_than_opencv_allows_is_cut_like_a_part_of_it(wide):
    strip = np.zeros((70, 40_000, 3), dtype=np.uint8)
    strip[:, 35_000:35_100] = texture(1, 100)[:70]
    part, matrix = strip[:, 34_950:35_150], identity(0.7, 3.5, 8)
    there = matrix.copy()
    there[0, 2] -= 0.7 * 34_950
    if not wide:
        strip, part = strip.transpose(1, 0, 2).copy(), part.transpose(1, 0, 2).copy()
        matrix, there = matrix[[1, 0]][:, [1, 0, 2]], there[[1, 0]][:, [1, 0, 2]]
    expected = align.crop(part, matrix).astype(int)
    assert np.ptp(expected) > 100
    np.testing.assert_allclose(align.crop(strip, there), expected, atol=2)
