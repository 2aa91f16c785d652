import io
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kornia.augmentation import (
    RandomAffine,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomGamma,
    RandomGaussianBlur,
    RandomHorizontalFlip,
    RandomPerspective,
)
from made import encode, texture
from PIL import Image

from mien import pixels
from mien.data.augment import OFF, Augment, Strength
from mien.errors import BadSettingError
from mien.train.config import TrainConfig

pytestmark = pytest.mark.torch

ONE_EACH = {
    "flip": 0.5,
    "rotate": 20.0,
    "shift": 0.2,
    "scale": 0.3,
    "light": 0.5,
    "blur": 0.5,
    "erase": 0.5,
    "crop": 0.5,
    "perspective": 0.5,
    "gamma": 0.5,
    "coarse": 0.7,
    "noise": 0.5,
    "jpeg": 0.7,
}
each = pytest.mark.parametrize(("name", "value"), ONE_EACH.items())


def grey(count=16):
    """Textures from black to white, shape (N, 1, 64, 64), in [0, 1]."""
    pictures = [Image.fromarray(texture(seed)).convert("L") for seed in range(count)]
    batch = np.stack([np.asarray(picture) for picture in pictures])[:, None].astype(np.float32)
    low, high = batch.min(axis=(2, 3), keepdims=True), batch.max(axis=(2, 3), keepdims=True)
    return torch.from_numpy((batch - low) / (high - low))


def changed(batch, seed=0, **strength):
    torch.manual_seed(seed)
    return Augment(replace(OFF, **strength))(batch)


def moved(batch, out):
    """Which crops of a batch changed."""
    return ((out - batch).abs().amax(dim=(1, 2, 3)) > 1e-3).tolist()


def test_without_strength_a_batch_is_left_as_it_is():
    batch = grey()
    assert torch.equal(changed(batch), batch)


@each
def test_each_change_alone_changes_crops(name, value):
    assert sum(moved(grey(), changed(grey(), **{name: value}))) >= 4


@each
def test_each_change_stays_between_black_and_white(name, value):
    strongest = {"rotate": 180.0, "scale": 0.99, "crop": 0.9}.get(name, 1.0)
    for strength in (value, strongest):
        out = changed(grey(32), **{name: strength})
        assert out.shape == (32, 1, 64, 64)
        assert out.dtype == torch.float32
        assert out.min() >= 0
        assert out.max() <= 1


@each
def test_crops_of_one_batch_are_changed_each_on_its_own(name, value):
    batch = grey(1).repeat(16, 1, 1, 1)
    out = changed(batch, **{name: value})
    assert len({crop.numpy().tobytes() for crop in out}) > 1


@each
def test_the_same_seed_is_the_same_change_and_another_seed_another(name, value):
    one, same, other = (changed(grey(), seed, **{name: value}) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_batch_that_was_changed_is_a_new_one():
    batch = grey()
    before = batch.clone()
    changed(batch, **ONE_EACH)
    assert torch.equal(batch, before)


def test_a_flip_is_the_mirror_image():
    batch = grey()
    assert torch.equal(changed(batch, flip=1), batch.flip(3))


def test_a_flip_by_halves_mirrors_about_half_of_the_crops():
    batch = grey(4).repeat(50, 1, 1, 1)
    flipped = moved(batch, changed(batch, flip=0.5))
    assert 75 < sum(flipped) < 125  # 100, and three and a half standard deviations


def test_a_shift_moves_by_no_more_than_its_share_and_repeats_the_border():
    batch = torch.zeros(64, 1, 64, 64)
    batch[:, :, 28:36, 28:36] = 1
    batch[:, :, :, :4] = 0.5  # a border that is repeated, not filled with black
    out = changed(batch, shift=0.1)
    columns = torch.arange(64.0)
    spot = (out > 0.75).float()
    middles = (spot.sum(dim=2) * columns).sum(dim=2) / spot.sum(dim=(2, 3))
    shifts = middles.flatten() - 31.5
    assert shifts.abs().max() <= 7  # 6.4 pixels, and rounding
    assert shifts.max() > 3
    assert shifts.min() < -3
    assert (out[:, 0, 5:-5, 0] >= 0.49).all(dim=1)[shifts > 0].all()


def test_light_changes_a_flat_crop_and_leaves_it_flat():
    flat = torch.full((64, 1, 64, 64), 0.5)
    out = changed(flat, light=0.3)
    assert (out.amax(dim=(1, 2, 3)) - out.amin(dim=(1, 2, 3))).max() < 1e-5
    assert out.min() < 0.35
    assert out.max() > 0.65
    assert out.min() >= 0.2 * 0.7 - 1e-6  # 0.3 darker, then 0.3 of the contrast less
    assert out.max() <= 0.8 * 1.3


def test_an_erased_part_is_grey_and_within_its_size():
    batch = torch.zeros(64, 1, 64, 64)
    out = changed(batch, erase=1)
    assert set(out.unique().tolist()) == {0.0, 0.5}
    share = (out > 0).float().mean(dim=(1, 2, 3))
    assert share.min() > 0.01
    assert share.max() < 0.22


def test_a_blur_evens_out_and_keeps_the_mean():
    batch = torch.zeros(32, 1, 64, 64)
    batch[:, :, 32, 32] = 1
    out = changed(batch, blur=1)
    torch.testing.assert_close(out.sum(dim=(1, 2, 3)), torch.ones(32), atol=1e-4, rtol=0)
    peaks = out[:, 0, 32, 32]
    # a Gaussian's middle, by its sums over five pixels at sigma 0.4 and 1.6
    assert peaks.max() < 0.851
    assert peaks.min() > 0.076
    assert peaks.max() - peaks.min() > 0.1


@pytest.mark.parametrize(
    "name", [f.name for f in fields(Strength) if f.name not in {"rotate", "crop"}]
)
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused_with_its_name(name, value):
    with pytest.raises(BadSettingError, match=rf"{name} is {value}\n  try: .*\[0, 1\]"):
        replace(OFF, **{name: value})


@pytest.mark.parametrize("value", [-1.0, 181.0])
def test_degrees_out_of_range_are_refused(value):
    with pytest.raises(BadSettingError, match=rf"rotate is {value}\n  try: .*\[0, 180\]"):
        replace(OFF, rotate=value)


@pytest.mark.parametrize("value", [-0.01, 0.91])
def test_a_crop_of_almost_nothing_is_refused(value):
    with pytest.raises(
        BadSettingError, match=rf"crop is {value}\n  try: give a crop in \[0, 0.9\]"
    ):
        replace(OFF, crop=value)


def test_the_settings_of_a_run_hold_every_strength_with_its_default():
    assert Strength.of(TrainConfig(data=("a",))) == Strength()
    odd = {f.name: 0.01 * (i + 1) for i, f in enumerate(fields(Strength))}
    assert Strength.of(TrainConfig(data=("a",), **odd)) == Strength(**odd)


def test_what_is_new_is_off_unless_said():
    old = {"flip", "rotate", "shift", "scale", "light", "blur", "erase"}
    assert {f.name for f in fields(Strength) if f.default} == old


def test_the_defaults_are_what_the_shipped_model_was_trained_with():
    oracle = torch.nn.Sequential(
        RandomHorizontalFlip(p=0.5),
        RandomAffine(14.0, (0.08, 0.08), (0.85, 1.15), padding_mode="border", p=1),
        RandomBrightness((0.7, 1.3), p=1),
        RandomContrast((0.7, 1.3), p=1),
        RandomGaussianBlur((5, 5), (0.4, 1.6), p=0.15),
        RandomErasing((0.02, 0.2), value=0.5, p=0.2),
    )
    torch.manual_seed(3)
    found, left = Augment(Strength())(grey(32)), torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(found, oracle(grey(32)))
    assert torch.equal(left, torch.rand(1))  # nothing more was drawn


def test_a_perspective_leaves_no_black_wedge_and_keeps_a_flat_crop_flat():
    flat = torch.full((16, 1, 64, 64), 0.5)
    torch.testing.assert_close(changed(flat, perspective=0.6), flat)


def test_a_perspective_is_the_one_that_opencv_warps_and_its_corners_move_inwards():
    batch = grey()
    found = changed(batch, 4, perspective=0.4)
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
    across, down = (changed(r, 5, crop=0.5) for r in (ramp, ramp.transpose(2, 3).contiguous()))
    slopes = (across[..., -1] - across[..., 0]).mean(dim=(1, 2))
    torch.testing.assert_close(slopes, (down[:, :, -1] - down[:, :, 0]).mean(dim=(1, 2)))
    sides = (0.5**0.5 * 64, 63)  # of the part, in pixels; a part has one step less than pixels
    assert (slopes * 63 + 1).min() > sides[0] - 1
    assert slopes.min() < 0.78
    assert slopes.max() > 0.9
    curvature = across.diff(dim=3).diff(dim=3).abs().max()
    assert curvature < 1e-5  # nothing but enlarged


def test_gamma_is_a_power_between_the_strength_and_its_inverse():
    out = changed(torch.full((256, 1, 64, 64), 0.5), gamma=0.6)
    powers = torch.log(out[:, 0, 0, 0]) / np.log(0.5)
    assert 1 / 1.6 - 1e-4 <= powers.min() < 0.7
    assert 1.5 < powers.max() <= 1.6 + 1e-4
    torch.manual_seed(9)
    expected = RandomGamma((1 / 1.6, 1.6), p=1)(grey())
    assert torch.equal(changed(grey(), 9, gamma=0.6), expected)


def test_noise_has_its_standard_deviation_and_no_mean():
    flat = torch.full((40, 1, 64, 64), 0.5)
    difference = changed(flat, noise=1) - flat
    assert difference.std() == pytest.approx(0.05, rel=0.02)
    assert difference.mean().abs() < 0.001


def test_a_jpeg_is_the_one_that_pillow_writes():
    crop = texture(3)[..., 0]
    batch = torch.from_numpy(crop.copy())[None, None].float().expand(12, 1, 64, 64) / 255
    qualities = []
    for found in changed(batch, jpeg=1).numpy()[:, 0] * 255:
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
    batch = grey(24)
    sides = []
    for before, after in zip(batch[:, 0].numpy(), changed(batch, coarse=1)[:, 0], strict=True):
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
    found = changed(batch)
    assert found.shape == (1, 1, 64, 64)
    np.testing.assert_allclose(found[0, 0].numpy() * 255, pixels.to_gray(rgb), atol=0.51)


def test_colours_weigh_differently_within_their_share_and_sum_to_one():
    out = changed(coloured(400), colour=0.5)
    weights = out[:, 0, [0, 20, 40], 0]  # of red, green and blue, as their pixels became
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(400))
    odds = weights[:, 0] / weights[:, 1] / (0.299 / 0.587)
    assert 1 / 3 - 1e-4 <= odds.min() < 0.45  # 0.5 / 1.5
    assert 2.2 < odds.max() <= 3 + 1e-4  # 1.5 / 0.5


def test_weights_of_colours_leave_a_grey_crop_as_it_is():
    batch = grey()
    torch.testing.assert_close(changed(batch.expand(-1, 3, -1, -1), colour=1), batch)
    assert torch.equal(changed(batch, colour=1), batch)


def test_a_jpeg_is_made_of_about_as_many_crops_as_its_chance():
    batch = grey(4).repeat(50, 1, 1, 1)
    assert 26 < sum(moved(batch, changed(batch, jpeg=0.2))) < 58  # 40, and three deviations
