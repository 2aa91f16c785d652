import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.data import manifest
from mien.errors import BadDataError
from mien.labels import LABELS
from mien.train.data import load_data
from tests.support.own_classes import write_own
from tests.support.prepared_folder import row_of, striped, write_crop, write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


def originals(crops):
    return {(row.source, row.original) for row in crops.rows}


def add(folder, copies):
    """Write more crops into a prepared folder: {row: crop}."""
    rows = [write_crop(folder, crop, row) for row, crop in copies.items()]
    manifest.write([*manifest.read(folder), *rows], folder)


def pixels_of(crops):
    return {gray.numpy().tobytes() for gray in crops.gray}


def test_about_the_share_is_held_out_and_nothing_is_lost(tmp_path):
    folder = write_crops(tmp_path / "a", train=40)
    data = load_data(settings_for(folder, hold_out=0.25))
    assert len(data.train) + len(data.held) == 280
    assert not originals(data.train) & originals(data.held)
    assert 45 < len(data.held) < 95  # 70, and three standard deviations
    assert (data.test_copies, data.held_copies) == (0, 0)


def test_another_draw_holds_out_others(tmp_path):
    folder = write_crops(tmp_path / "a", train=20)
    one, same, other = (originals(load_data(settings_for(folder, draw=s)).held) for s in (1, 1, 2))
    assert one == same
    assert len(one - other) > 5


def test_two_framings_of_one_picture_are_on_one_side(tmp_path):
    folder = write_crops(tmp_path / "a", train=10)
    framed = {
        row_of(row.label, "train", row.original, framing="framed"): striped(row.label, 500 + i)
        for i, row in enumerate(manifest.read(folder))
    }
    add(folder, framed)
    data = load_data(settings_for(folder, hold_out=0.5))
    assert len(data.train) + len(data.held) == 140
    assert not originals(data.train) & originals(data.held)


def test_test_pictures_are_never_trained_on_nor_held_out(tmp_path):
    folder = write_crops(tmp_path / "a", train=10, test=10)
    data = load_data(settings_for(folder))
    assert {row.split for row in data.train.rows + data.held.rows} == {"train"}
    assert len(data.train) + len(data.held) == 70


def test_copies_of_test_pictures_of_any_folder_are_dropped_and_counted(tmp_path):
    a = write_crops(tmp_path / "a", train=10)
    b = write_crops(tmp_path / "b", train=1, test=3, source="other", seed=200)
    tests = [row for row in manifest.read(b) if row.split == "test"][:5]
    planted = {}
    for i, row in enumerate(tests):
        seed = int(row.original.removesuffix(".png"))
        planted[row_of(row.label, "train", f"leak{i}.png")] = striped(row.label, seed)[:, ::-1]
    add(a, {row: np.ascontiguousarray(crop) for row, crop in planted.items()})
    data = load_data(settings_for(a, b))
    assert data.test_copies == 5
    found = {original for _, original in originals(data.train) | originals(data.held)}
    assert not [original for original in found if original.startswith("leak")]
    assert len(found) == 77


def test_copies_of_held_out_pictures_in_another_database_are_dropped_and_counted(tmp_path):
    a = write_crops(tmp_path / "a", train=10)
    b = write_crops(tmp_path / "b", train=10, source="other")  # the same seeds: all are copies
    data = load_data(settings_for(a, b, hold_out=0.5))
    assert data.held_copies > 10
    assert len(data.train) + len(data.held) + data.held_copies == 140
    assert not pixels_of(data.train) & pixels_of(data.held)


def test_neutral_is_the_seventh_target_or_left_out(tmp_path):
    folder = write_crops(tmp_path / "a", train=10)
    seven = load_data(settings_for(folder, neutral=True, hold_out=0.2))
    assert set(seven.train.targets.tolist()) == {0, 1, 2, 3, 4, 5, 6}
    six = load_data(settings_for(folder, neutral=False, hold_out=0.2))
    assert set(six.train.targets.tolist() + six.held.targets.tolist()) == {0, 1, 2, 3, 4, 5}
    assert len(six.train) + len(six.held) == 60


def test_an_expression_without_training_picture_is_named(tmp_path):
    folder = write_crops(tmp_path / "a", train=5, labels=("anger", "fear", "surprise", "sadness"))
    missing = r"no training picture of disgust, happiness\n  try: check data"
    with pytest.raises(BadDataError, match=missing):
        load_data(settings_for(folder))


def test_holding_everything_out_leaves_a_message_and_no_crash(tmp_path):
    folder = write_crops(tmp_path / "a", train=1, labels=LABELS)
    with pytest.raises(BadDataError, match="no training picture of anger, disgust, fear"):
        load_data(settings_for(folder, hold_out=0.9999))


def test_a_limit_that_held_out_pictures_use_up_is_named(tmp_path):
    folder = write_crops(tmp_path / "a", train=10, labels=LABELS)
    told = r"no training picture of fear\n  try: raise limit, 12, which counts held-out pictures"
    with pytest.raises(BadDataError, match=told):
        load_data(settings_for(folder, hold_out=0.5, limit=12))


def test_a_database_of_neutral_faces_alone_is_refused_where_neutral_is_left_out(tmp_path):
    folder = write_crops(tmp_path / "a", train=2, test=2, labels=("neutral",))
    with pytest.raises(BadDataError, match="no training picture"):
        load_data(settings_for(folder, neutral=False))


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(BadDataError, match=r"no manifest\.csv in .*gone"):
        load_data(settings_for(tmp_path / "gone"))


def moved(folder, split, count):
    """Move the first crops of each class of a prepared folder's training part to a split."""
    seen = Counter()
    rows = []
    for row in manifest.read(folder):
        seen[row.label] += row.split == "train"
        chosen = row.split == "train" and seen[row.label] <= count
        rows.append(replace(row, split=split) if chosen else row)
    manifest.write(rows, folder)
    return {(row.source, row.original) for row in rows if row.split == split}


def test_a_folders_own_validation_pictures_are_the_held_out_part(tmp_path):
    folder = write_crops(tmp_path / "a", train=10)
    valid = moved(folder, "valid", 3)
    data = load_data(settings_for(folder, hold_out=0.5))
    assert originals(data.held) == valid
    assert (len(data.held), len(data.train)) == (21, 49)
    assert (data.test_copies, data.held_copies) == (0, 0)


def test_of_databases_without_validation_pictures_a_share_is_drawn_beside_them(tmp_path):
    a = write_crops(tmp_path / "a", train=10)
    b = write_crops(tmp_path / "b", train=10, source="other", seed=500)
    valid = moved(a, "valid", 3)
    held = originals(load_data(settings_for(a, b, hold_out=0.5)).held)
    assert {pair for pair in held if pair[0] != "other"} == valid
    assert 20 < len(held - valid) < 50  # 35, and three and a half standard deviations


def test_copies_of_validation_pictures_leave_training_and_those_of_test_leave_both(tmp_path):
    folder = write_crops(tmp_path / "a", train=10, test=2)
    moved(folder, "valid", 3)
    rows = manifest.read(folder)
    valid, test = (next(row for row in rows if row.split == s) for s in ("valid", "test"))

    def copy_of(row):
        seed = int(row.original.removesuffix(".png"))
        return np.ascontiguousarray(striped(row.label, seed)[:, ::-1])

    copy = replace(row_of(test.label, "train", "of-test.png"), split="valid")
    planted = {row_of(valid.label, "train", "of-valid.png"): copy_of(valid), copy: copy_of(test)}
    add(folder, planted)
    data = load_data(settings_for(folder))
    names = {original for _, original in originals(data.train) | originals(data.held)}
    assert not names & {"of-valid.png", "of-test.png"}
    assert (data.test_copies, data.held_copies) == (1, 1)


def test_neutral_validation_pictures_are_left_out_where_neutral_is(tmp_path):
    folder = write_crops(tmp_path / "a", train=10)
    moved(folder, "valid", 3)
    assert len(load_data(settings_for(folder, neutral=False)).held) == 18


def test_a_limit_takes_part_of_train_with_its_held_out_pictures(tmp_path):
    folder = write_crops(tmp_path / "a", train=20, test=2, labels=LABELS)
    data = load_data(settings_for(folder, limit=60, hold_out=0.25))
    assert len(data.train) + len(data.held) == 60
    counts = Counter(row.label for row in data.train.rows + data.held.rows)
    assert counts == dict.fromkeys(LABELS, 10)
    whole = load_data(settings_for(folder, hold_out=0.25))
    assert originals(data.held) <= originals(whole.held)  # each is drawn by itself
    assert originals(data.train) <= originals(whole.train)


def own_folder(out, archive, train=10, seed=0):
    """A folder of one's own pictures, as `mien prepare folder` makes one."""
    folder = write_crops(out, train=train, source="folder", seed=seed)
    (folder / "prepare.json").write_text(json.dumps({"archive": archive}))
    return folder


def shifted(folder, by):
    """Give the crops of a folder the names of those that were numbered otherwise."""
    rows = manifest.read(folder)
    named = [replace(r, original=f"{int(r.original[:-4]) - by}.png") for r in rows]
    manifest.write(named, folder)
    return folder


def test_a_picture_of_the_same_name_in_another_own_folder_is_another(tmp_path):
    a = own_folder(tmp_path / "a", "A")
    b = shifted(own_folder(tmp_path / "b", "B", seed=500), by=500)  # names 1.png to 70.png again
    tests = write_crops(tmp_path / "c", test=10, source="other")  # copies of all of a's
    data = load_data(settings_for(a, b, tests))
    assert data.test_copies == 70
    assert len(data.train) + len(data.held) == 70
    assert {row.path for row in data.train.rows + data.held.rows} == {
        row.path for row in manifest.read(b)
    }


@pytest.mark.parametrize(("second", "held"), [("B", True), ("A", False)])
def test_an_own_folder_without_validation_pictures_is_held_out_beside_another(
    tmp_path, second, held
):
    a, b = own_folder(tmp_path / "a", "A"), own_folder(tmp_path / "b", second, seed=500)
    moved(a, "valid", 3)
    data = load_data(settings_for(a, b, hold_out=0.5))
    drawn = [row for row in data.held.rows if int(row.original[:-4]) > 500]
    assert len(data.held) == 21 + len(drawn)
    assert (20 < len(drawn) < 50) if held else not drawn  # framings of one source are one database


def test_altered_copies_of_own_pictures_are_of_their_folder(tmp_path):
    a, b = own_folder(tmp_path / "a", "A"), own_folder(tmp_path / "b", "B", seed=500)
    valid = {original for _, original in moved(a, "valid", 3)}
    copies = shifted(write_crops(tmp_path / "c", train=10, source="folder", seed=900), by=900)
    rows = [replace(r, framing=manifest.ALTERED) for r in manifest.read(copies)]
    manifest.write([row for row in rows if row.original not in valid], copies)
    data = load_data(settings_for(a, b, copies, hold_out=0.5))
    learned = [row for row in data.train.rows if row.framing == manifest.ALTERED]
    assert len(learned) == 49  # nothing is drawn of what brings its held-out part along
    assert 41 < len(data.held) < 71


def test_a_class_that_is_held_out_as_a_whole_is_told_so(tmp_path):
    folder = write_own(tmp_path / "own", train=4)
    parts = {"left": "valid", "open": "train", "asleep": "train"}
    manifest.write([replace(row, split=parts[row.label]) for row in manifest.read(folder)], folder)
    with pytest.raises(BadDataError, match="picture of left: all are held out") as error:
        load_data(settings_for(folder))
    assert error.value.fix.startswith("give folds, a smaller hold_out than")
