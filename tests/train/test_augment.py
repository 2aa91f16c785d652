from dataclasses import fields, replace

import pytest

torch = pytest.importorskip("torch")

from kornia.augmentation import (
    RandomAffine,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomGaussianBlur,
    RandomHorizontalFlip,
)

from mien.errors import BadSettingError
from mien.train.augment import OFF, Augment, Strength
from mien.train.config import TrainConfig
from tests.support.augmented_batches import augmented, grey_batch, which_changed

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
    "contrast": 0.7,
    "gamma": 0.5,
    "coarse": 0.7,
    "noise": 0.5,
    "jpeg": 0.7,
}
each = pytest.mark.parametrize(("name", "value"), ONE_EACH.items())


def test_without_strength_a_batch_is_left_as_it_is():
    batch = grey_batch()
    assert torch.equal(augmented(batch), batch)


@each
def test_each_change_alone_changes_crops(name, value):
    assert sum(which_changed(grey_batch(), augmented(grey_batch(), **{name: value}))) >= 4


@each
def test_each_change_stays_between_black_and_white(name, value):
    strongest = {"rotate": 180.0, "scale": 0.99, "crop": 0.9}.get(name, 1.0)
    for strength in (value, strongest):
        out = augmented(grey_batch(32), **{name: strength})
        assert out.shape == (32, 1, 64, 64)
        assert out.dtype == torch.float32
        assert out.min() >= 0
        assert out.max() <= 1


@each
def test_crops_of_one_batch_are_changed_each_on_its_own(name, value):
    batch = grey_batch(1).repeat(16, 1, 1, 1)
    out = augmented(batch, **{name: value})
    assert len({crop.numpy().tobytes() for crop in out}) > 1


@each
def test_the_same_seed_is_the_same_change_and_another_seed_another(name, value):
    one, same, other = (augmented(grey_batch(), seed, **{name: value}) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_batch_that_was_changed_is_a_new_one():
    batch = grey_batch()
    before = batch.clone()
    augmented(batch, **ONE_EACH)
    assert torch.equal(batch, before)


def test_a_flip_is_the_mirror_image():
    batch = grey_batch()
    assert torch.equal(augmented(batch, flip=1), batch.flip(3))


def test_a_flip_by_halves_mirrors_about_half_of_the_crops():
    batch = grey_batch(4).repeat(50, 1, 1, 1)
    flipped = which_changed(batch, augmented(batch, flip=0.5))
    assert 75 < sum(flipped) < 125  # 100, and three and a half standard deviations


def test_a_shift_moves_by_no_more_than_its_share_and_repeats_the_border():
    batch = torch.zeros(64, 1, 64, 64)
    batch[:, :, 28:36, 28:36] = 1
    batch[:, :, :, :4] = 0.5  # a border that is repeated, not filled with black
    out = augmented(batch, shift=0.1)
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
    out = augmented(flat, light=0.3)
    assert (out.amax(dim=(1, 2, 3)) - out.amin(dim=(1, 2, 3))).max() < 1e-5
    assert out.min() < 0.35
    assert out.max() > 0.65
    assert out.min() >= 0.2 * 0.7 - 1e-6  # 0.3 darker, then 0.3 of the contrast less
    assert out.max() <= 0.8 * 1.3


def test_an_erased_part_is_grey_and_within_its_size():
    batch = torch.zeros(64, 1, 64, 64)
    out = augmented(batch, erase=1)
    assert set(out.unique().tolist()) == {0.0, 0.5}
    share = (out > 0).float().mean(dim=(1, 2, 3))
    assert share.min() > 0.01
    assert share.max() < 0.22


def test_a_blur_evens_out_and_keeps_the_mean():
    batch = torch.zeros(32, 1, 64, 64)
    batch[:, :, 32, 32] = 1
    out = augmented(batch, blur=1)
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
    found, left = Augment(Strength())(grey_batch(32)), torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(found, oracle(grey_batch(32)))
    assert torch.equal(left, torch.rand(1))  # nothing more was drawn
