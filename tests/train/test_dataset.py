import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image
from torch.utils.data import DataLoader

from mien import pixels
from mien.data import manifest
from mien.errors import BadDataError, BadImageError
from mien.labels import LABELS
from mien.train.dataset import ExpressionDataset
from tests.support.prepared_folder import SEVEN, row_of, striped, write_crop, write_crops

pytestmark = pytest.mark.torch


def test_an_item_is_what_serving_makes_of_its_file_and_its_class_number(tmp_path):
    large = np.asarray(Image.fromarray(striped("fear", 1)).resize((100, 80)))
    row = write_crop(tmp_path, large, row_of("fear", "train", "a.png"))
    manifest.write([row], tmp_path)
    [(crop, target)] = ExpressionDataset(tmp_path, "train")
    assert target == 5
    assert (crop.shape, crop.dtype) == ((3, 64, 64), torch.float32)
    np.testing.assert_array_equal(crop.numpy(), pixels.to_input(large))


def test_items_are_the_rows_of_the_split_in_their_order(tmp_path):
    folder = write_crops(tmp_path, train=2, test=1)
    train, test = (ExpressionDataset(folder, split) for split in ("train", "test"))
    assert (len(train), len(test)) == (12, 6)
    assert [target for _, target in train] == [0, 1, 2, 3, 4, 5] * 2
    assert train.rows == [
        r for r in manifest.read(folder) if r.split == "train" and r.label in LABELS
    ]
    expected = pixels.to_input(striped("surprise", 16))  # the second of test, after 14 of train
    np.testing.assert_array_equal(test[1][0].numpy(), expected)


def test_neutral_pictures_are_there_when_asked_for(tmp_path):
    folder = write_crops(tmp_path, train=1)
    without, along = (ExpressionDataset(folder, neutral=neutral) for neutral in (False, True))
    assert (without.classes, along.classes) == (LABELS, SEVEN)
    assert [target for _, target in along] == [0, 1, 2, 3, 4, 5, 6]
    assert along[-1][1] == 6


def test_it_ends_like_a_list(tmp_path):
    dataset = ExpressionDataset(write_crops(tmp_path, train=1))
    with pytest.raises(IndexError):
        dataset[6]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_of_torch_batches_it(tmp_path, workers):
    dataset = ExpressionDataset(write_crops(tmp_path, train=1))
    batches = list(DataLoader(dataset, batch_size=4, num_workers=workers))
    assert [tuple(crops.shape) for crops, _ in batches] == [(4, 3, 64, 64), (2, 3, 64, 64)]
    assert torch.cat([targets for _, targets in batches]).tolist() == [0, 1, 2, 3, 4, 5]


def test_it_can_be_sent_to_another_process(tmp_path):
    dataset = ExpressionDataset(write_crops(tmp_path, train=1))
    assert torch.equal(pickle.loads(pickle.dumps(dataset))[3][0], dataset[3][0])


def test_a_split_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    folder = write_crops(tmp_path, train=1)
    with pytest.raises(BadDataError, match=r"split 'valid' of .*, which has train\n  try: "):
        ExpressionDataset(folder, "valid")


def test_a_folder_of_neutral_pictures_alone_says_how_to_have_them(tmp_path):
    folder = write_crops(tmp_path, train=1, labels=("neutral",))
    with pytest.raises(BadDataError, match="neutral=True"):
        ExpressionDataset(folder)
    assert len(ExpressionDataset(folder, neutral=True)) == 1


def test_a_crop_that_is_gone_is_named_when_it_is_asked_for(tmp_path):
    manifest.write([row_of("fear", "train", "gone.png")], tmp_path)
    dataset = ExpressionDataset(tmp_path)
    with pytest.raises(BadImageError, match=r"gone\.png"):
        dataset[0]
