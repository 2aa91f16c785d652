from dataclasses import fields, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image

from mien import pixels
from mien.errors import BadDataError
from mien.faces.align import reframe
from mien.labels import LABELS
from mien.train import preview
from mien.train.augment import OFF, Strength
from tests.support.commands import mien
from tests.support.prepared_folder import striped, write_crops

pytestmark = pytest.mark.torch

NAMES = [field.name for field in fields(Strength)]


def crops_of_labels(count=3):
    return np.stack([striped(label, i) for i, label in enumerate(LABELS[:count])])


def strips(strength, everything=False, crops=None, draws=4):
    return preview.strips(
        strength, crops_of_labels() if crops is None else crops, draws, 0, everything
    )


def test_each_change_that_is_on_has_a_strip_and_all_together_the_last():
    found = strips(replace(OFF, flip=1.0, noise=0.5))
    assert [(s.name, s.note) for s in found[:-1]] == [
        ("flip", "chance 1"),
        ("noise", "chance 0.5"),
    ]
    assert found[-1].name == "all together"


def test_everything_shows_what_is_off_and_says_so():
    found = strips(replace(OFF, flip=0.5), everything=True)
    assert [s.name for s in found] == [*NAMES, "all together"]
    notes = {s.name: s.note for s in found}
    assert notes["flip"] == "chance 0.5"
    assert notes["rotate"] == "off; drawn at 20"


def test_a_strip_starts_with_its_original_and_crops_take_turns():
    crops = crops_of_labels()
    for number, strip in enumerate(strips(Strength(), crops=crops)):
        assert (strip.pictures.shape, strip.pictures.dtype) == ((5, 64, 64), np.uint8)
        expected = pixels.to_gray(np.ascontiguousarray(crops[number % 3]))
        np.testing.assert_array_equal(strip.pictures[0], expected)


def test_a_strip_shows_its_own_change_alone():
    for flip in strips(replace(OFF, flip=1.0)):  # alone, and all together on the next crop
        for drawn in flip.pictures[1:]:
            np.testing.assert_allclose(drawn, flip.pictures[0][:, ::-1].astype(int), atol=1)


def test_every_change_can_be_seen():
    for strip in strips(OFF, everything=True)[:-1]:
        difference = np.abs(strip.pictures[1:].astype(int) - strip.pictures[0])
        assert difference.max() > 12, strip.name
        assert set(map(bytes, strip.pictures[1:])) != {bytes(strip.pictures[1])} or (
            strip.name in {"flip", "coarse"}  # the strongest is always the same
        ), strip.name


def test_a_rare_change_shows_in_every_cell_and_a_gentle_one_near_its_strength():
    rare = Strength(**dict.fromkeys(NAMES, 0.1) | {"rotate": 5.0})
    for strip in strips(rare, draws=6)[:-1]:
        changed = np.abs(strip.pictures[1:].astype(int) - strip.pictures[0]).mean(axis=(1, 2))
        assert changed.min() > 1.0, strip.name  # grey levels on average; 0 where nothing was drawn
    [light, _] = strips(replace(OFF, light=0.4), crops=np.full((1, 64, 64, 3), 100, np.uint8))
    levels = light.pictures[1:, 32, 32].astype(int)
    # brightness and contrast multiply by 0.6 to 1.4 each; the strongest of eight is far from 1
    assert (np.abs(levels / 100 - 1) > 0.25).all()


def test_mixed_crops_say_how_much_is_another():
    white_and_black = np.stack([np.full((64, 64, 3), v, dtype=np.uint8) for v in (255, 0)])
    for name in ("mixup", "cutmix"):
        [strip, _] = strips(replace(OFF, **{name: 1.0}), crops=white_and_black)
        assert strip.captions[0] == ""
        for picture, caption in zip(strip.pictures[1:], strip.captions[1:], strict=True):
            share = 1 - picture.mean() / 255
            assert int(caption.removesuffix("% of another")) == pytest.approx(100 * share, abs=0.8)


def test_crops_are_one_of_each_expression_from_the_first_folder_that_has_it(tmp_path):
    first = write_crops(tmp_path / "a", train=1, labels=("fear", "neutral"))
    second = write_crops(tmp_path / "b", train=1, test=1, labels=LABELS[:2], seed=50)
    crops = preview.crops_of([str(tmp_path / "gone"), str(first), str(second)])
    expected = [striped("happiness", 51), striped("surprise", 52), striped("fear", 1)]
    np.testing.assert_array_equal(crops, np.stack(expected))
    assert len(preview.crops_of([str(tmp_path / "gone")])) == 0


def test_a_folder_that_was_not_prepared_is_an_error(tmp_path):
    with pytest.raises(BadDataError, match=r"no manifest\.csv"):
        preview.crops_of([str(tmp_path)])


def test_the_portrait_shows_its_face_and_its_dark_mirror_image(detector):
    face, mirror = preview.portrait()
    assert face.shape == (64, 64, 3)
    assert reframe(face, detector) is not None
    np.testing.assert_array_equal(mirror, face[:, ::-1] // 2)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_the_command_writes_a_sheet_of_the_configs_data(tmp_path):
    folder = write_crops(tmp_path / "data", train=1)
    config = write(tmp_path / "c.toml", f'data = ["{folder.as_posix()}"]\nrotate = 0\n')
    result = mien("show-augmentation", config, "--out", tmp_path / "s.png", "--draws", 2)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"wrote {tmp_path / 's.png'}\n"
    with Image.open(tmp_path / "s.png") as image:
        sheet = np.asarray(image)
    original = np.kron(pixels.to_gray(striped("happiness", 1)), np.ones((2, 2)))
    assert (sheet[64 : 64 + 128, :, 0] == original[:, :1]).all(axis=0).any()  # the first row's
    # flip, shift, scale, light, blur, erase and all together
    assert sheet.shape[0] == 64 + 7 * (128 + 8) + 16


@pytest.mark.parametrize("text", ["", 'data = ["nowhere"]\naugment = false\n'])
def test_without_data_the_command_shows_the_portrait_and_says_so(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    result = mien("show-augmentation", write(tmp_path / "c.toml", text), "--draws", 1)
    assert result.exit_code == 0
    assert "showing the portrait" in result.stderr
    assert (tmp_path / "augmentation.png").is_file()


def test_the_same_seed_is_the_same_sheet(tmp_path):
    config = write(tmp_path / "c.toml", 'data = ["nowhere"]\n')
    seeds = {"a": 1, "b": 1, "c": 2}
    for name, seed in seeds.items():
        out = tmp_path / f"{name}.png"
        mien("show-augmentation", config, "--out", out, "--draws", 1, "--seed", seed)
    a, b, c = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in seeds)
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_a_typo_in_the_config_is_named(tmp_path):
    result = mien("show-augmentation", write(tmp_path / "c.toml", "jpg = 0.5\n"))
    assert result.exit_code == 1
    assert "use jpeg" in result.stderr
