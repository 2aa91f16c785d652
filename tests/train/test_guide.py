"""Class maps are drawn to the regions of the true expression, by numbers worked out by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace

from mien.errors import BadSettingError
from mien.faces.regions import REGIONS, divide, expected
from mien.labels import LABELS
from mien.models import zoo
from mien.train import trainer
from mien.train.augment import OFF, Augment, Strength
from mien.train.config import TrainConfig
from mien.train.data import load_data
from mien.train.dataset import Crops
from mien.train.guide import Guide, WithFeatures, expected_places, guidance_loss, is_aligned
from tests.support.prepared_folder import row_of, write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch


def test_crops_are_aligned_that_were_framed_or_come_aligned():
    rows = [
        row_of("fear", "train", "1", "fer2013", "as-is"),
        row_of("fear", "train", "2", "fer2013", "framed"),
        row_of("fear", "train", "3", "rafdb", "as-is"),
        row_of("fear", "train", "4", "rafdb", "unframed"),
    ]
    assert is_aligned(rows).tolist() == [False, True, True, False]


@pytest.mark.parametrize("shift", [0, 1])
def test_an_expression_is_expected_in_the_regions_of_its_action_units(shift):
    places = expected_places(64, shift).numpy()
    names = np.array(REGIONS)[divide()]
    for number, label in enumerate(LABELS):
        seen = LABELS[(number + shift) % 6]
        inside = np.isin(names, expected(seen))
        np.testing.assert_array_equal(places[number], inside, err_msg=label)
    assert not places[6].any()


def test_places_of_another_side_are_the_same_share_of_the_crop():
    shares = expected_places(64).mean(dim=(1, 2))
    for side in (32, 88):
        places = expected_places(side)
        assert places.shape == (7, side, side)
        torch.testing.assert_close(places.mean(dim=(1, 2)), shares, atol=0.01, rtol=0)


def test_the_distance_worked_by_hand():
    features = torch.tensor([[[[3.0, 0], [0, 4]]], [[[1.0, 1], [1, -9]]], [[[5.0, 5], [5, 5]]]])
    weights = torch.tensor([[1.0], [2.0]])
    places = torch.zeros(3, 1, 4, 4)
    places[0, 0, :2, :2] = 1  # the upper left quarter alone: cosine 3 / 5
    places[1, 0, :, :2] = 1  # the left half: cosine 2 / (sqrt 3 sqrt 2); what is negative is 0
    guided = torch.tensor([0, 1, -1])
    found = guidance_loss(features, weights, guided, places)
    assert float(found) == pytest.approx(((1 - 3 / 5) + (1 - 2 / np.sqrt(6))) / 2)
    none = torch.full((3,), -1)
    assert float(guidance_loss(features, weights, none, places)) == 0


def test_crops_on_whose_label_the_teachers_do_not_agree_are_not_guided():
    network, settings = tiny(7, 0.0), settings_for("a", guide=2.0)
    with torch.no_grad():
        network.last.weight.fill_(1)
    guide = Guide(network, settings, torch.device("cpu"))
    features = torch.zeros(2, 16, 2, 2)
    features[0, :, 0, 0], features[1, :, 1, 1] = 1, 1
    places = torch.zeros(2, 1, 64, 64)
    places[0, 0, :32, :32] = 1  # the first map lies there, so its distance is 0
    places[1, 0, :32, :32] = 1  # the second does not: 1
    guided = torch.tensor([3, 3])
    assert guide.loss(features, None, guided, places).item() == pytest.approx(2 * 0.5)
    agreed = torch.eye(7)[[3, 4]]
    assert guide.loss(features, agreed, guided, places).item() == pytest.approx(0)
    assert guide.mean_distance() == pytest.approx(0.25)


def test_places_move_as_the_crop_moves():
    dot = torch.zeros(8, 1, 64, 64)
    dot[:, :, 12:22, 40:50] = 1
    moving = replace(OFF, flip=0.5, rotate=30, shift=0.1, scale=0.2, crop=0.3, perspective=0.2)
    torch.manual_seed(1)
    crops, places = Augment(moving).with_places(dot, dot.clone())
    assert not torch.allclose(crops, dot, atol=0.5)
    torch.testing.assert_close(places, crops)


def test_light_and_noise_leave_places_alone_and_the_crop_is_what_it_is_without_places():
    torch.manual_seed(2)
    batch, places = torch.rand(4, 3, 64, 64), torch.rand(4, 1, 64, 64)
    strength = Strength(noise=1.0, colour=0.2)
    torch.manual_seed(3)
    alone = Augment(strength)(batch)
    torch.manual_seed(3)
    crops, _ = Augment(strength).with_places(batch, places)
    torch.testing.assert_close(crops, alone)
    still = replace(OFF, light=0.5, noise=1.0, erase=1.0, blur=1.0)
    torch.testing.assert_close(Augment(still).with_places(batch, places)[1], places)


def test_training_draws_the_maps_to_their_places(tmp_path):
    folder = write_crops(tmp_path / "data", train=12, source="rafdb")
    settings = settings_for(folder, epochs=6, guide=4.0, rate=0.3)
    history = trainer.train(settings, tmp_path / "run")
    distances = [row["map_distance"] for row in history]
    assert distances[-1] < distances[0] - 0.1
    free = trainer.train(settings_for(folder, epochs=1), tmp_path / "free")
    assert "map_distance" not in free[0]


def test_the_classes_that_are_guided_are_those_of_aligned_crops_of_the_six(tmp_path):
    one = write_crops(tmp_path / "one", train=2, source="rafdb")
    other = write_crops(tmp_path / "other", train=2, source="fer2013", seed=99)
    crops = load_data(settings_for(one, other, hold_out=0.0)).train
    wanted = [
        int(target) if row.source == "rafdb" and target < 6 else -1
        for row, target in zip(crops.rows, crops.targets, strict=True)
    ]
    assert crops.guided().tolist() == wanted


def test_of_shuffled_labels_those_are_guided_that_are_learned():
    rows = [row_of(label, "train", label, "rafdb") for label in ("happiness", "neutral", "fear")]
    crops = Crops(rows, torch.zeros(3, 64, 64, dtype=torch.uint8), torch.tensor([6, 0, 5]))
    assert crops.guided().tolist() == [-1, 0, 5]  # a map for neutral has no place to be drawn to


@pytest.mark.parametrize("name", ["cnn13", "vgg16-bn"])
def test_a_network_whose_maps_are_not_in_its_features_is_not_guided(name):
    with pytest.raises(BadSettingError, match="more than one linear layer"):
        WithFeatures(zoo.build(name, 6, 0.5))


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_mixed_crops_are_not_guided(mixing):
    with pytest.raises(BadSettingError, match="two faces lie in one crop"):
        TrainConfig(data=("a",), guide=1.0, **{mixing: 0.1})
