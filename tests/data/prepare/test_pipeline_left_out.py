"""What prepare leaves out is what was asked for, and is counted once."""

import numpy as np
import pytest

from mien.data import manifest
from mien.data.prepare.leaks import held_out_of
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, BadSettingError
from tests.support.pictures import encode, folder_of, own_files, texture
from tests.support.prepared_folder import row_of
from tests.support.tables import rows_of


@pytest.fixture
def make(tmp_path):
    """Prepare {name: bytes} as tmp_path/OUT."""

    def run(files, out="out", **settings):
        archive = folder_of(tmp_path / f"{out} source", files)
        return prepare(Settings("folder", str(archive), **settings), tmp_path / out)

    return run


def test_what_cannot_be_listed_is_counted_with_the_rest(make, tmp_path):
    folder_of(tmp_path / "elsewhere", own_files(1))
    folder_of(tmp_path / "out source", own_files(1))
    (tmp_path / "out source" / "more").symlink_to(tmp_path / "elsewhere")
    report = make({"x.png": b""})
    assert report.skipped == {"unknown label": 1, "linked folder": 1}
    assert report.examples["linked folder"] == ["more"]
    assert make({}).skipped == report.skipped


def test_the_calm_class_of_ones_own_can_be_left_out_if_it_lies_beside_the_others(make, tmp_path):
    (tmp_path / "own.toml").write_text('names = ["open", "shut"]\ncalm = "resting"')
    files = own_files(2, labels=["open", "shut", "resting"])
    options = {"classes": str(tmp_path / "own.toml")}
    left = make(files, neutral=False, options=options)
    assert left.kept == {("train", "open"): 2, ("train", "shut"): 2}
    assert make(files, out="all", options=options).kept["train", "resting"] == 2


def test_a_calm_class_that_is_scored_with_the_others_cannot_be_left_out(make, tmp_path):
    files = own_files(1, labels=["neutral", "sad", "fear", "anger", "disgust", "joy", "surprise"])
    with pytest.raises(BadSettingError, match="--no-neutral leaves the class neutral of"):
        make(files, neutral=False, options={"classes": "rafdb"})
    assert not (tmp_path / "out").exists()


def test_a_copy_of_a_test_and_of_a_validation_picture_is_counted_once_as_that_of_the_test(make):
    one = encode(texture(1))
    files = {f"{split}/sad/{split}.jpg": one for split in ("train", "valid", "test")}
    blank = encode(np.full((64, 64, 3), 7, np.uint8))  # is left aside, and hides no name
    report = make(files | {"train/sad/new.jpg": encode(texture(2)), "test/sad/blank.jpg": blank})
    assert (report.leaked, report.near_valid) == ({"folder": 1}, 0)
    [row] = rows_of(report.folder / "excluded.csv")
    assert (row["reason"], row["detail"]) == ("copy of test", "folder:test/sad/test.jpg")


def test_validation_pictures_that_are_drawn_have_no_copy_held_out_elsewhere(make):
    held = {f"test/{name}": data for name, data in own_files(3).items()}
    other = make(held, out="other").folder
    files = own_files(3) | own_files(3, ["surprise", "fear"], start=100)
    report = make(files, valid=0.5, against=(str(other),))
    assert report.leaked == {"folder": 18 - 6}
    assert report.kept[("valid", "fear")] > 0
    assert {label for _, label in report.kept} == {"surprise", "fear"}


def test_whole_pictures_are_not_compared_with_framed_ones_though_some_had_no_face(tmp_path):
    rows = [row_of("fear", "test", "1.png", framing=kind) for kind in ("unframed", "framed")]
    manifest.write(rows, tmp_path)
    with pytest.raises(BadDataError, match=r"was framed\n  try: name the folder prepared --as-is"):
        next(held_out_of(tmp_path))


def test_another_seed_is_another_test_set(make):
    held = [
        {row.original for row in manifest.read(made.folder) if row.split == "test"}
        for made in (make(own_files(4), f"{seed}", test=0.5, seed=seed) for seed in (3, 4))
    ]
    assert len(held[0]) == len(held[1]) == 12
    assert held[0] != held[1]


def test_a_copy_that_is_left_out_is_not_among_the_kept_pictures_without_a_face(make):
    one, two = (encode(texture(seed, 100), "PNG") for seed in (1, 2))
    files = {"train/sad/a.png": one, "test/sad/a.png": one, "train/sad/b.png": two}
    report = make(files, frame=True)
    assert (report.unframed, report.leaked) == (2, {"folder": 1})
    again = make(files, frame=True)
    assert (again.unframed, again.fresh) == (2, False)
