import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.damage import KINDS, STRENGTHS, corrupt
from mien.errors import UnknownNameError
from mien.faces import align


@pytest.fixture(scope="module")
def crops(portrait, detector):
    """Twelve upright crops of the portrait's face, of many sizes and turns."""
    [face] = detector.find(portrait)
    middle = face.landmarks.mean(axis=0)
    made = []
    for turn in np.exp(1j * np.linspace(-0.2, 0.2, 12)) * np.linspace(0.9, 1.2, 12):
        points = (face.landmarks - middle) @ np.array([1, 1j]) * turn
        five = middle + np.stack([points.real, points.imag], axis=1)
        made.append(align.crop(portrait, align.similarity(five.astype(np.float32))))
    return made


def distance(a, b):
    return np.abs(a.astype(float) - b).mean()


def test_there_are_the_fifteen_kinds_and_two_more():
    assert len(KINDS) == 17
    assert list(STRENGTHS) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_more_strength_is_more_change(kind, crops):
    means = [
        np.mean([distance(corrupt(crop, kind, strength, i), crop) for i, crop in enumerate(crops)])
        for strength in STRENGTHS
    ]
    assert means[0] > 0.5  # grey levels
    assert (np.diff(means) > 0).all(), means


@pytest.mark.parametrize("kind", KINDS)
def test_shape_type_and_the_crop_itself_stay(kind, crops):
    for crop in (crops[0], crops[0][..., 0], crops[0][:40, :50], crops[0][:33, :, 1]):
        before = crop.copy()
        found = corrupt(crop, kind, 3)
        assert (found.shape, found.dtype) == (crop.shape, np.uint8)
        np.testing.assert_array_equal(crop, before)
        assert found.std() > 1  # not a blank


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_repeats_itself(kind, crops):
    first, again = (corrupt(crops[0], kind, 4, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first, again)


DRAWN = set(KINDS) - {"defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg"}


@pytest.mark.parametrize("kind", sorted(DRAWN))
def test_other_seeds_draw_otherwise(kind, crops):
    drawn = {corrupt(crops[0], kind, 4, seed).tobytes() for seed in range(8)}
    assert len(drawn) >= 2


@pytest.mark.parametrize("kind", ["brightness", "contrast", "gamma", "snow", "frost", "fog"])
def test_what_light_and_weather_do_to_a_grey_crop_leaves_it_grey(kind, crops):
    gray = np.repeat(crops[0][..., :1], 3, axis=2)
    assert np.ptp(corrupt(gray, kind, 4).astype(int), axis=2).max() == 0


def test_contrast_is_the_formula_worked_by_hand():
    crop = np.array([[[0] * 3, [100] * 3]], dtype=np.uint8)
    # mean 50, a tenth of the distance left at strength 4
    assert corrupt(crop, "contrast", 4)[0, :, 0].tolist() == [45, 55]


def test_brightness_adds_to_the_largest_channel_and_keeps_the_colour():
    crop = np.array([[[200, 100, 0], [0, 0, 0]]], dtype=np.uint8)
    # 200 + 0.1 * 255 = 225.5, 12.75 % more; black becomes grey
    assert corrupt(crop, "brightness", 1)[0].tolist() == [[226, 113, 0], [26, 26, 26]]


def test_gamma_is_a_power_or_its_inverse():
    crop = np.full((8, 8), 64, dtype=np.uint8)
    values = {int(corrupt(crop, "gamma", 3, seed)[0, 0]) for seed in range(20)}
    # (64 / 255) ** 2 * 255 = 16.06 and (64 / 255) ** 0.5 * 255 = 127.7
    assert values == {16, 128}


def test_noise_has_the_spread_that_is_said():
    crop = np.full((256, 256, 3), 128, dtype=np.uint8)
    gauss = corrupt(crop, "gaussian_noise", 2).astype(float) - 128
    assert gauss.std() == pytest.approx(0.08 * 255, rel=0.02)
    shots = corrupt(crop, "shot_noise", 3).astype(float) - 128  # variance = mean / photons
    assert shots.std() == pytest.approx(255 * np.sqrt(128 / 255 / 50), rel=0.02)
    impulses = corrupt(crop, "impulse_noise", 5)
    assert (impulses != 128).mean() == pytest.approx(0.14, rel=0.05)
    assert set(np.unique(impulses)) == {0, 128, 255}


@pytest.mark.parametrize("kind", ["defocus_blur", "motion_blur", "zoom_blur", "glass_blur"])
def test_blurs_and_glass_take_detail_away_and_keep_the_light(kind, crops):
    def detail(picture):
        return sum(np.abs(np.diff(picture.astype(float), axis=axis)).mean() for axis in (0, 1))

    found = corrupt(crops[0], kind, 5)
    assert detail(found) < 0.8 * detail(crops[0])
    assert abs(found.mean() - crops[0].mean()) < 10


def test_a_defocused_point_is_a_disk():
    crop = np.zeros((64, 64), dtype=np.uint8)
    crop[32, 32] = 255
    found = corrupt(crop, "defocus_blur", 5)  # radius 3
    rows, columns = np.nonzero(found)
    distances = np.hypot(rows - 32, columns - 32)
    # of the pixel at (3, 2) 2 % lie inside: less than half a grey level
    assert distances.max() == pytest.approx(np.hypot(3, 1))
    assert found[32, 32] == round(255 / (np.pi * 9))


def test_pixelated_is_made_of_blocks():
    crop = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64) % 251
    found = corrupt(crop.astype(np.uint8), "pixelate", 3)  # 32 pixels a side
    blocks = found.reshape(32, 2, 32, 2)
    assert (blocks == blocks[:, :1, :, :1]).all()


def test_jpeg_is_what_pillow_stores(crops):
    file = io.BytesIO()
    Image.fromarray(crops[0]).save(file, "JPEG", quality=25)
    np.testing.assert_array_equal(corrupt(crops[0], "jpeg", 5), np.asarray(Image.open(file)))


def test_what_is_before_the_face_covers_a_quarter_at_most():
    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    for seed in range(10):
        covered = (corrupt(crop, "occlusion", 5, seed) == 128).all(axis=2)
        assert covered.mean() == pytest.approx(0.25, abs=0.01)


def test_a_wrong_kind_or_strength_is_refused(crops):
    with pytest.raises(UnknownNameError, match="use motion_blur"):
        corrupt(crops[0], "motion_blurr", 1)
    with pytest.raises(ValueError, match="strength must be one of"):
        corrupt(crops[0], "fog", 6)
