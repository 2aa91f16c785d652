import re

import numpy as np
import pytest
from PIL import Image

from mien import pixels
from mien.errors import BadImageError
from tests.support.pictures import texture


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_gray_is_bit_equal_to_pillow():
    rgb = noise(64, 61, 3)
    expected = np.asarray(Image.fromarray(rgb).convert("L"))
    np.testing.assert_array_equal(pixels.to_gray(rgb), expected)


def test_gray_weighs_green_most_and_blue_least():
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    # BT.601: 255 times 0.299, 0.587 and 0.114
    assert pixels.to_gray(primaries).tolist() == [[76, 150, 29]]


def test_gray_reads_a_picture_through_any_strides():
    rgb = noise(9, 7, 3)
    turned = pixels.to_gray(rgb[::-1, ::2])
    np.testing.assert_array_equal(turned, pixels.to_gray(rgb)[::-1, ::2])


def test_grey_stays_as_it_is():
    gray = noise(5, 6)
    np.testing.assert_array_equal(pixels.to_gray(gray), gray)


@pytest.mark.parametrize(
    ("crop", "got"),
    [
        (np.zeros((64, 64, 3), dtype=np.float32), r"\(64, 64, 3\) float32"),
        (np.zeros((64, 64), dtype=np.int64), r"\(64, 64\) int64"),
        (np.zeros((64, 64, 4), dtype=np.uint8), r"\(64, 64, 4\) uint8"),
        (np.zeros((3, 64, 64), dtype=np.uint8), r"\(3, 64, 64\) uint8"),
        (np.zeros((0, 64, 3), dtype=np.uint8), r"\(0, 64, 3\) uint8"),
        (np.zeros(64, dtype=np.uint8), r"\(64,\) uint8"),
        ([[1, 2], [3, 4]], "list"),
    ],
)
def test_what_is_no_crop_is_refused_with_what_was_got_and_the_next_step(crop, got):
    message = rf"got {got}\n  try: (read the picture with mien.media.read_rgb|put the|give crop)"
    for door in (pixels.to_gray, pixels.to_input, lambda x: pixels.to_batch([x])):
        with pytest.raises(BadImageError, match=message):
            door(crop)


@pytest.mark.parametrize("shape", [(3, 64, 64), (64, 64, 4), (64, 64, 1)])
def test_a_crop_of_other_channels_is_told_how_it_becomes_one(shape):
    crop = noise(*shape)
    with pytest.raises(BadImageError) as caught:
        pixels.to_gray(crop)
    code = re.search(r"crop[\w.]*[\[(][^)\]]*[)\]]", caught.value.fix)[0]
    assert pixels.to_gray(eval(code)).shape == (64, 64)  # what is advised works


def test_a_crop_of_numbers_in_0_to_1_is_told_how_it_becomes_bytes():
    crop = np.linspace(0, 1, 12).reshape(2, 2, 3)
    with pytest.raises(BadImageError) as caught:
        pixels.to_gray(crop)
    code = caught.value.fix.rpartition(": ")[2]
    assert eval(code).tolist() == (255 * crop).round().tolist()  # what is advised works
    pixels.to_gray(eval(code))


def test_a_picture_that_numpy_can_read_is_told_so():
    crop = Image.fromarray(noise(9, 7))
    with pytest.raises(BadImageError, match=r"got Image\n  try: give numpy.asarray\(crop\)"):
        pixels.to_batch([crop])
    assert pixels.to_batch([np.asarray(crop)]).shape == (1, 3, 64, 64)  # what is advised works


def test_resizing_is_bit_equal_to_pillow():
    gray = noise(100, 37)
    expected = Image.fromarray(gray).resize((64, 64), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(pixels.to_side(gray), np.asarray(expected))


def test_shrinking_averages_the_pixels_under_each_other():
    edge = np.repeat([[0, 200]], 64, axis=1).repeat(128, axis=0).astype(np.uint8)  # (128, 128)
    # a triangle of weights 1/8, 3/8, 3/8, 1/8: one eighth reaches over the edge
    assert pixels.to_side(edge)[32, 29:35].tolist() == [0, 0, 25, 175, 200, 200]


def test_a_crop_of_the_right_size_is_not_touched():
    gray = noise(64, 64)
    np.testing.assert_array_equal(pixels.to_side(gray), gray)


def test_input_equals_plain_arithmetic():
    gray = noise(64, 64)
    for channel, (mean, std) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        expected = (gray.astype(np.float64) / 255 - mean) / std
        np.testing.assert_allclose(pixels.to_input(gray)[channel], expected, atol=1e-6)


def test_input_is_float32_in_one_piece():
    made = pixels.to_input(texture(1, 90))
    assert (made.shape, made.dtype) == ((3, 64, 64), np.float32)
    assert made.flags.c_contiguous


def test_a_colour_crop_enters_as_its_grey():
    rgb = noise(50, 70, 3)
    expected = pixels.to_input(np.asarray(Image.fromarray(rgb).convert("L")))
    np.testing.assert_array_equal(pixels.to_input(rgb), expected)


def test_a_batch_equals_its_stacked_inputs_in_order():
    crops = [noise(64, 64), texture(1, 90), texture(2, 64)[:30], noise(5, 7)]
    expected = np.stack([pixels.to_input(crop) for crop in crops])
    np.testing.assert_array_equal(pixels.to_batch(crops), expected)


def test_a_batch_may_come_as_one_array():
    crops = np.stack([texture(seed) for seed in range(3)])
    np.testing.assert_array_equal(pixels.to_batch(crops), pixels.to_batch(list(crops)))


def test_no_crops_make_an_empty_batch():
    assert pixels.to_batch([]).shape == (0, 3, 64, 64)
    assert pixels.to_batch(np.zeros((0, 64, 64, 3), dtype=np.uint8)).dtype == np.float32


def test_one_colour_crop_is_not_taken_for_a_batch_of_its_rows():
    with pytest.raises(BadImageError, match=r"one of \(64, 64, 3\)\n  try: pass \[crop\]"):
        pixels.to_batch(texture(1))
