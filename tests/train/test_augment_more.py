import io

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kornia.augmentation import RandomGamma, RandomPerspective
from PIL import Image

from mien import pixels
from tests.support.augmented_batches import augmented, grey_batch, which_changed
from tests.support.pictures import encode, texture

pytestmark = pytest.mark.torch


def test_a_perspective_leaves_no_black_wedge_and_keeps_a_flat_crop_flat():
    flat = torch.full((16, 1, 64, 64), 0.5)
    torch.testing.assert_close(augmented(flat, perspective=0.6), flat)


def test_a_perspective_is_the_one_that_opencv_warps_and_its_corners_move_inwards():
    batch = grey_batch()
    found = augmented(batch, 4, perspective=0.4)
    torch.manual_seed(4)
    drawn = RandomPerspective(0.4, p=1)
    drawn(batch)
    starts, ends = (drawn._params[f"{name}_points"].numpy() for name in ("start", "end"))
    inwards = (ends - starts) * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    assert inwards.min() >= 0
    assert 10 < inwards.max() <= 0.4 * 32
    for crop, warped, start, end in zip(batch[:, 0], found[:, 0], starts, ends, strict=True):
        matrix = cv2.getPerspectiveTransform(start.astype(np.float32), end.astype(np.float32))
        expected = cv2.warpPerspective(
            crop.numpy(), matrix, (64, 64), borderMode=cv2.BORDER_REPLICATE
        )
        assert np.abs(expected - warped.numpy()).max() < 0.02  # OpenCV's steps are 1/32 pixel


def test_a_crop_is_a_square_part_enlarged():
    ramp = torch.linspace(0, 1, 64).expand(64, 1, 64, 64)
    across, down = (augmented(r, 5, crop=0.5) for r in (ramp, ramp.transpose(2, 3).contiguous()))
    slopes = (across[..., -1] - across[..., 0]).mean(dim=(1, 2))
    torch.testing.assert_close(slopes, (down[:, :, -1] - down[:, :, 0]).mean(dim=(1, 2)))
    sides = (0.5**0.5 * 64, 63)  # of the part, in pixels; a part has one step less than pixels
    assert (slopes * 63 + 1).min() > sides[0] - 1
    assert slopes.min() < 0.78
    assert slopes.max() > 0.9
    curvature = across.diff(dim=3).diff(dim=3).abs().max()
    assert curvature < 1e-5  # nothing but enlarged


def test_gamma_is_a_power_between_the_strength_and_its_inverse():
    out = augmented(torch.full((256, 1, 64, 64), 0.5), gamma=0.6)
    powers = torch.log(out[:, 0, 0, 0]) / np.log(0.5)
    assert 1 / 1.6 - 1e-4 <= powers.min() < 0.7
    assert 1.5 < powers.max() <= 1.6 + 1e-4
    torch.manual_seed(9)
    expected = RandomGamma((1 / 1.6, 1.6), p=1)(grey_batch())
    assert torch.equal(augmented(grey_batch(), 9, gamma=0.6), expected)


def test_noise_has_a_spread_of_its_own_for_each_crop_and_no_mean():
    flat = torch.full((400, 1, 64, 64), 0.5)
    difference = augmented(flat, noise=1) - flat
    spreads = difference.std(dim=(1, 2, 3))
    assert spreads.max() == pytest.approx(0.2, rel=0.03)
    assert spreads.mean() == pytest.approx(0.1, rel=0.1)  # evenly from none to the most
    assert spreads.min() < 0.005
    assert difference.mean().abs() < 0.001


def test_lost_contrast_brings_pixels_nearer_to_the_crops_own_mean():
    batch = grey_batch(200)
    found = augmented(batch, contrast=1)
    torch.testing.assert_close(found.mean(dim=(1, 2, 3)), batch.mean(dim=(1, 2, 3)))
    kept = found.std(dim=(1, 2, 3)) / batch.std(dim=(1, 2, 3))
    assert 0.25 - 1e-4 < kept.min() < 0.3
    assert 0.95 < kept.max() <= 1 + 1e-4
    middle = batch.mean(dim=(1, 2, 3), keepdim=True)
    torch.testing.assert_close(found, middle + kept[:, None, None, None] * (batch - middle))


def test_a_jpeg_is_the_one_that_pillow_writes():
    crop = texture(3)[..., 0]
    batch = torch.from_numpy(crop.copy())[None, None].float().expand(12, 1, 64, 64) / 255
    qualities = []
    for found in augmented(batch, jpeg=1).numpy()[:, 0] * 255:
        errors = [
            np.abs(np.asarray(Image.open(encode_jpeg(crop, q)), dtype=float) - found).mean()
            for q in range(10, 90)
        ]
        qualities.append(10 + int(np.argmin(errors)))
        assert min(errors) < 2.5  # of 255; its rounding is a smooth one
    assert 13 <= min(qualities) < 35
    assert 60 < max(qualities) <= 82


def encode_jpeg(crop, quality):
    return io.BytesIO(encode(crop, "JPEG", quality=quality))


def test_a_coarse_crop_was_small_and_is_enlarged():
    batch = grey_batch(24)
    sides = []
    for before, after in zip(batch[:, 0].numpy(), augmented(batch, coarse=1)[:, 0], strict=True):
        made = {side: small_and_back(before, side) for side in range(20, 54)}
        errors = {side: np.abs(crop - after.numpy()).max() for side, crop in made.items()}
        sides.append(min(errors, key=errors.get))
        assert errors[sides[-1]] < 1e-4
    assert set(sides) == {24, 32, 40, 48}


def small_and_back(crop, side):
    """Pillow's own way down and up."""
    small = Image.fromarray(crop).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((64, 64), Image.Resampling.BILINEAR))


def coloured(count):
    """Crops of a red, a green and a blue third, shape (N, 3, 64, 64)."""
    batch = torch.zeros(count, 3, 64, 64)
    for channel in range(3):
        batch[:, channel, 20 * channel : 20 * channel + 20] = 1
    return batch


def test_colour_becomes_grey_as_serving_does_it():
    rgb = texture(1)
    batch = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255
    found = augmented(batch)
    assert found.shape == (1, 1, 64, 64)
    np.testing.assert_allclose(found[0, 0].numpy() * 255, pixels.to_gray(rgb), atol=0.51)


def test_colours_weigh_differently_within_their_share_and_sum_to_one():
    out = augmented(coloured(400), colour=0.5)
    weights = out[:, 0, [0, 20, 40], 0]  # of red, green and blue, as their pixels became
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(400))
    odds = weights[:, 0] / weights[:, 1] / (0.299 / 0.587)
    assert 1 / 3 - 1e-4 <= odds.min() < 0.45  # 0.5 / 1.5
    assert 2.2 < odds.max() <= 3 + 1e-4  # 1.5 / 0.5


def test_weights_of_colours_leave_a_grey_crop_as_it_is():
    batch = grey_batch()
    torch.testing.assert_close(augmented(batch.expand(-1, 3, -1, -1), colour=1), batch)
    assert torch.equal(augmented(batch, colour=1), batch)


def test_a_jpeg_is_made_of_about_as_many_crops_as_its_chance():
    batch = grey_batch(4).repeat(50, 1, 1, 1)
    assert (
        26 < sum(which_changed(batch, augmented(batch, jpeg=0.2))) < 58
    )  # 40, and three deviations
