from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image

from mien import pixels
from mien.data import manifest
from mien.errors import BadDataError, BadImageError
from mien.labels import LABELS
from mien.train import dataset
from mien.train.leakage import drop_leaks
from tests.support.pictures import texture
from tests.support.prepared_folder import SEVEN, row_of, striped, write_crop, write_crops

pytestmark = pytest.mark.torch


def crops_of(pictures, **changes):
    """Crops in memory, numbered; changes go to their rows."""
    rows = [replace(row_of("fear", "train", f"{i}.png"), **changes) for i in range(len(pictures))]
    gray = torch.from_numpy(np.stack([pixels.to_gray(picture) for picture in pictures]))
    return dataset.Crops(rows, gray, torch.full((len(pictures),), 5))


def numbered(count):
    """Crops whose pixels and target are their number."""
    gray = torch.arange(count, dtype=torch.uint8)[:, None, None].expand(-1, 64, 64)
    rows = [row_of("fear", "train", f"{i}.png") for i in range(count)]
    return dataset.Crops(rows, gray, torch.arange(count))


def order(count, size, seed=0):
    """The targets of each batch."""
    stream = dataset.batches(numbered(count), size, torch.Generator().manual_seed(seed))
    return [targets.tolist() for _, targets in stream]


def test_training_and_serving_see_the_same_numbers():
    every_gray = np.arange(4096, dtype=np.uint16).astype(np.uint8).reshape(64, 64)
    gray = torch.from_numpy(np.stack([every_gray, every_gray.T]))[:, None].float() / 255
    expected = pixels.to_batch([every_gray, every_gray.T])
    np.testing.assert_allclose(dataset.normalise(gray).numpy(), expected, atol=1e-6, rtol=0)


def test_a_loaded_crop_is_what_serving_makes_of_its_file(tmp_path):
    large = np.asarray(Image.fromarray(striped("fear", 1)).resize((100, 80)))
    row = write_crop(tmp_path, large, row_of("fear", "train", "a.png"))
    manifest.write([row], tmp_path)
    crops = dataset.load_crops([tmp_path], "train")
    served = dataset.normalise(crops.gray[:, None].float() / 255)
    np.testing.assert_allclose(served[0].numpy(), pixels.to_input(large), atol=1e-6, rtol=0)


def test_a_split_of_several_folders_is_read_in_their_order(tmp_path):
    write_crops(tmp_path / "a", train=1, test=1)
    write_crops(tmp_path / "b", train=2, source="other", seed=100)
    crops = dataset.load_crops([tmp_path / "b", tmp_path / "a"], "train")
    assert [row.source for row in crops.rows] == ["other"] * 14 + ["made"] * 7
    assert crops.targets.tolist() == [0, 1, 2, 3, 4, 5, 6] * 3
    expected = pixels.to_gray(striped("disgust", 5))  # the fifth of a, after fourteen of b
    np.testing.assert_array_equal(crops.gray[18].numpy(), expected)
    assert len(dataset.load_crops([tmp_path / "a"], "test")) == 7


def test_a_split_without_pictures_is_refused_with_the_folders(tmp_path):
    write_crops(tmp_path / "a", train=1)
    with pytest.raises(BadDataError, match=r"no test pictures in .*a\n  try: "):
        dataset.load_crops([tmp_path / "a"], "test")


def test_a_crop_that_is_gone_is_named(tmp_path):
    row = row_of("fear", "train", "gone.png")
    manifest.write([row], tmp_path)
    with pytest.raises(BadImageError, match=r"gone\.png"):
        dataset.load_crops([tmp_path], "train")


def test_a_mask_chooses_rows_pixels_and_targets_alike():
    crops = numbered(4).where(np.array([False, True, False, True]))
    assert [row.original for row in crops.rows] == ["1.png", "3.png"]
    assert crops.gray[:, 0, 0].tolist() == crops.targets.tolist() == [1, 3]


def test_a_batch_is_made_of_its_crops_between_zero_and_one():
    [(gray, targets)] = dataset.batches(numbered(200), 200, torch.Generator().manual_seed(0))
    assert gray.shape == (200, 1, 64, 64)
    torch.testing.assert_close(gray[:, 0, 7, 9], targets / 255)


def test_an_epoch_shows_each_crop_once_in_another_order():
    shown = order(12, 4)
    assert [len(batch) for batch in shown] == [4, 4, 4]
    assert sorted(n for batch in shown for n in batch) == list(range(12))
    assert shown == order(12, 4)
    assert shown != order(12, 4, seed=1)
    assert [n for batch in shown for n in batch] != list(range(12))


@pytest.mark.parametrize(
    ("count", "size", "lengths"),
    [(10, 4, [4, 4]), (3, 4, [3]), (4, 4, [4]), (5, 1, [1] * 5), (1, 1, [1])],
)
def test_a_smaller_last_batch_is_left_out_if_there_is_another(count, size, lengths):
    assert [len(batch) for batch in order(count, size)] == lengths


def test_a_copy_of_another_databases_test_picture_leaves_training_with_its_twin(tmp_path):
    folder = write_crops(tmp_path / "a", train=3)
    rows = manifest.read(folder)
    leak = striped("anger", 999)
    planted = row_of("anger", "train", "planted.png")
    twin = row_of("anger", "train", "planted.png", framing="framed")
    alike = row_of("anger", "train", "planted.png", source="third")  # by name alone
    write_crop(folder, leak, planted)
    write_crop(folder, np.ascontiguousarray(striped("fear", 500)), twin)  # no likeness left
    write_crop(folder, striped("anger", 501), alike)
    manifest.write([*rows[:5], planted, *rows[5:], twin, alike], folder)
    elsewhere = write_crops(tmp_path / "b", test=2, source="other", seed=300)
    copy = row_of("fear", "test", "x.png", source="other")
    write_crop(elsewhere, (255 - (255 - leak[:, ::-1]) * 0.8).astype(np.uint8), copy)  # mirrored
    manifest.write([*manifest.read(elsewhere), copy], elsewhere)

    train, test = dataset.load_crops([folder], "train"), dataset.load_crops([elsewhere], "test")
    kept, dropped = drop_leaks(train, test)
    assert dropped == 2
    assert kept.rows == [*rows, alike]
    assert len(kept.gray) == len(kept.targets) == 22


def test_generated_pictures_are_no_copies_of_each_other():
    some, others = ([striped(n, s + o) for n in SEVEN for s in range(20)] for o in (0, 50))
    _, dropped = drop_leaks(crops_of(some), crops_of(others))
    assert dropped == 0


def faces(*subjects, source="made"):
    """The same room again and again, each time with a little of another face: similar by 0.9."""
    room, rows = texture(1).astype(float), []
    for number, subject in enumerate(subjects):
        name = f"{source}-{number}.png"
        rows.append(replace(row_of("fear", "train", name, source), subject=subject))
    pictures = [(room * 0.8 + texture(9 + n) * 0.2).astype(np.uint8) for n in range(len(rows))]
    return replace(crops_of(pictures), rows=rows, databases=[source] * len(rows))


def test_another_person_before_the_same_wall_is_no_copy(tmp_path):
    ann, bob = (faces("ann", "bob").where(np.array([n == k for n in range(2)])) for k in range(2))
    assert drop_leaks(ann, bob)[1] == 0
    # where the persons are not told apart, or by two databases, they are one picture
    for one, other in ((("", ""), "made"), (("ann", ""), "made"), (("ann", "bob"), "third")):
        pair = faces(*one)
        database = replace(pair, databases=["made", other])
        halves = [database.where(np.array([n == k for n in range(2)])) for k in range(2)]
        assert drop_leaks(*halves)[1] == 1
    # a studio's nearest picture hides no copy that is less similar and of another database
    twin = faces("ann", "ann", "eve")
    third = replace(twin, databases=["made", "made", "third"])
    held = third.where(np.array([False, True, True]))
    assert drop_leaks(third.where(np.array([True, False, False])), held)[1] == 1


def test_one_picture_of_a_studio_twice_is_a_copy():
    crops = faces("ann", "bob")
    again = replace(crops, gray=crops.gray.clamp(1, 254))
    assert drop_leaks(crops, again)[1] == 2


@pytest.mark.parametrize(("train", "test"), [(0, 2), (2, 0)])
def test_without_pictures_on_one_side_nothing_leaks(train, test):
    crops = crops_of([striped(label, 1) for label in LABELS[:2]])
    some = {2: crops, 0: crops.where(np.zeros(2, dtype=bool))}
    kept, dropped = drop_leaks(some[train], some[test])
    assert (len(kept), dropped) == (train, 0)


def test_colours_are_kept_where_asked_for_and_go_along(tmp_path):
    large = np.asarray(Image.fromarray(striped("fear", 1)).resize((100, 80)))
    rows = [
        write_crop(tmp_path, large, row_of("fear", "train", "a.png")),
        write_crop(tmp_path, striped("anger", 2), row_of("anger", "train", "b.png")),
    ]
    manifest.write(rows, tmp_path)
    assert dataset.load_crops([tmp_path], "train").rgb is None
    crops = dataset.load_crops([tmp_path], "train", colour=True)
    expected = np.asarray(Image.fromarray(large).resize((64, 64), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(crops.rgb[0].numpy(), expected.transpose(2, 0, 1))
    assert torch.equal(crops.gray, dataset.load_crops([tmp_path], "train").gray)
    second = crops.where(np.array([False, True]))
    np.testing.assert_array_equal(second.rgb[0].numpy(), striped("anger", 2).transpose(2, 0, 1))
    [(batch, targets)] = dataset.batches(second, 8, torch.Generator().manual_seed(0))
    assert targets.tolist() == [3]
    np.testing.assert_allclose(batch.numpy() * 255, second.rgb.numpy(), atol=1e-4)


def of_two_databases():
    """Eight pictures of fear and two of anger in one database, two of fear in another."""
    rows = [row_of("fear", "train", f"{i}.png") for i in range(10)]
    rows += [replace(row_of("fear", "train", f"{i}.png"), source="other") for i in range(2)]
    targets = torch.tensor([5] * 8 + [3] * 2 + [5] * 2)
    gray = torch.arange(12, dtype=torch.uint8)[:, None, None].expand(-1, 64, 64)
    return dataset.Crops(rows, gray, targets)


def test_balance_raises_rare_classes_and_small_databases_by_the_formula():
    found = dataset.class_shares(of_two_databases(), 0.5)
    fear, anger, other = 8**0.5, 2**0.5, 2**0.5  # a class of n has n^(1 - 0.5) of its database
    first = 10**0.5 / (fear + anger)
    unscaled = [first * fear / 8] * 8 + [first * anger / 2] * 2 + [other / 2] * 2
    np.testing.assert_allclose(found.numpy(), 12 * np.array(unscaled) / np.sum(unscaled))
    assert float(found.sum()) == pytest.approx(12)


def test_two_folders_of_ones_own_are_two_databases_for_the_balance():
    crops = of_two_databases()
    rows = [replace(row, source="folder") for row in crops.rows]
    own = replace(crops, rows=rows, databases=[f"folder:{row.source}" for row in crops.rows])
    expected = dataset.class_shares(crops, 0.5)
    np.testing.assert_allclose(dataset.class_shares(own, 0.5), expected)
    one = dataset.class_shares(replace(own, databases=["folder"] * len(rows)), 0.5)
    assert not np.allclose(one, expected)


def test_without_balance_every_crop_is_taken_once():
    assert dataset.class_shares(of_two_databases(), 0.0).tolist() == pytest.approx([1] * 12)
    taken = torch.cat([y for _, y in balanced(0.0)])
    assert taken.bincount().tolist() == [0, 0, 0, 2, 0, 10]


def balanced(balance, seed=0):
    return dataset.batches(of_two_databases(), 3, torch.Generator().manual_seed(seed), balance)


def test_a_balanced_epoch_takes_each_crop_as_often_as_its_share_rounded_up_or_down():
    shares = dataset.class_shares(of_two_databases(), 0.9)
    times = torch.zeros(12)
    for seed in range(400):
        seen = torch.cat([(x[:, 0, 0, 0] * 255).round() for x, _ in balanced(0.9, seed)]).long()
        counts = seen.bincount(minlength=12)
        assert len(seen) == 12
        assert bool(((counts >= shares.floor()) & (counts <= shares.ceil())).all())
        times += counts
    torch.testing.assert_close(times / 400, shares.float(), atol=0.12, rtol=0)


def test_a_bad_batch_is_named_when_epochs_are_balanced():
    crops = of_two_databases()
    drawn = list(balanced(0.9, seed=3))[2][0][:, 0, 0, 0] * 255
    rows = dataset.batch_rows(crops, 3, torch.Generator().manual_seed(3), 0.9, 2)
    assert rows == [crops.rows[int(number)] for number in drawn.round()]
