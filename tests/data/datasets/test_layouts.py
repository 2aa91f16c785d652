"""Pictures are found by the name that a table gives them, and splits by that of a folder."""

import time
import unicodedata

import pytest

from mien.data.datasets import Archive
from mien.data.datasets.layouts import PictureIndex, split_in_name, split_of
from tests.support.dataset_listings import items_in, listing_of, problems_in
from tests.support.pictures import folder_of, zip_of


def index_of(tmp_path, *names):
    return PictureIndex(Archive(zip_of(tmp_path / "a.zip", dict.fromkeys(names, b""))))


NAMES = {  # as a table has it: as the archive has it
    "IMG_1.JPG": "pics/img_1.jpg",
    "Pics\\img_1.jpg": "pics/img_1.jpg",
    "/home/ann/PICS/IMG_1.jpg": "pics/img_1.jpg",
    "Müller/1.jpg": unicodedata.normalize("NFD", "all/Müller/1.jpg"),
    unicodedata.normalize("NFD", "müller/1.JPG"): "Müller/1.jpg",
    "x/y/1.jpg": "1.jpg",
    "1.jpg": "1.jpg",
    "./1.jpg": "x/1.jpg",
    "2.jpg": None,
    "y/1.jpg": None,
    "": None,
    "/": None,
}


@pytest.mark.parametrize(("written", "name"), NAMES.items())
def test_case_and_the_way_accents_are_stored_do_not_count(tmp_path, written, name):
    names = [name] if name else ["x/1.jpg", "z/y/3.jpg"]
    assert index_of(tmp_path, *names).find(written) == ([name] if name else [])


def test_a_name_as_it_is_written_comes_first(tmp_path):
    index = index_of(tmp_path, "x/a.jpg", "x/A.jpg", "x/b/A.JPG", "y/c.JPG", "y/C.jpg")
    assert index.find("A.jpg") == ["x/A.jpg"]
    assert index.find("a.jpg", "x") == ["x/a.jpg"]
    assert index.find("d/x/a.jpg") == ["x/a.jpg"]
    assert sorted(index.find("c.jpg")) == ["y/C.jpg", "y/c.JPG"]  # which of the two?


def test_a_table_of_a_mac_or_of_windows_names_its_pictures(tmp_path):
    rows = "path,label\nMüller 1.JPG,sad\nmüller 2.jpg,joy\n"
    names = [unicodedata.normalize("NFD", f"sub/Müller {n}.jpg") for n in (1, 2)]
    folder_of(tmp_path / "in", {**dict.fromkeys(names, b""), "a.csv": rows.encode()})
    listing = listing_of("folder", tmp_path / "in")
    assert items_in(listing) == [(names[0], "sadness", "train"), (names[1], "happiness", "train")]
    assert listing.problems == []


def test_a_thousand_folders_with_the_same_names_take_no_longer_each(tmp_path):
    def seconds(clips):
        names = [f"set/clips/{clip}/frame1.jpg" for clip in range(clips)]
        index = index_of(tmp_path, *names)
        index.find("0/frame1.jpg")  # indexes
        asked = range(0, clips, clips // 20)
        start = time.process_time()
        for clip in asked:
            assert index.find(f"{clip}/frame1.jpg") == [f"set/clips/{clip}/frame1.jpg"]
        return time.process_time() - start

    assert seconds(4000) < 20 * seconds(20)  # 200 times, if all are looked at for each


SPLITS = {
    "train": "Train training TRAIN_SET TrainData train_dataset train-images train_2017 01_train",
    "valid": "val valid Validation dev val_set ValidationSplit eval evaluation_set val-2017",
    "test": "test Testing PublicTest Private_Test test_dataset TestDataSet test-images images_test "
    "TestSplit test_48x48 test_aligned_100x100 hold-out held_out TEST(1) 2-test_faces",
    "": "latest contest attest fastest trainer trainval train_test value developer 48x48 1 set x "
    "images extra _ tests data test2 2test train2017",
}


@pytest.mark.parametrize(
    ("word", "split"), [(word, split) for split, words in SPLITS.items() for word in words.split()]
)
def test_a_split_is_known_by_any_usual_name(word, split):
    assert split_of(word) == split


def test_a_folder_of_test_images_is_never_trained_on(tmp_path):
    folders = ("train_dataset", "test_dataset", "Test Images (2)", "eval")
    files = {
        f"{folder}/{word}/{n}.png": b"" for folder in folders for n, word in enumerate(["sad"])
    }
    listing = listing_of("folder", folder_of(tmp_path, files))
    assert items_in(listing) == [
        ("Test Images (2)/sad/0.png", "sadness", "test"),
        ("eval/sad/0.png", "sadness", "valid"),
        ("test_dataset/sad/0.png", "sadness", "test"),
        ("train_dataset/sad/0.png", "sadness", "train"),
    ]
    assert split_in_name("my-TestImages.csv") == "test"


def test_a_picture_that_two_tables_or_labels_name_is_listed_once(tmp_path):
    table = b"1.jpg,0\n2.jpg,5\n"
    both = {"valid_labels.csv": table, "valid/valid_labels.csv": table + b"1.jpg,3\n"}
    files = dict.fromkeys(["valid/1.jpg", "valid/2.jpg"], b"") | both
    listing = listing_of("gimefive", folder_of(tmp_path / "g", files))
    assert items_in(listing) == [
        ("valid/1.jpg", "happiness", "valid"),
        ("valid/2.jpg", "fear", "valid"),
    ]
    details = [(problem.original, problem.reason, problem.detail) for problem in listing.problems]
    assert details == [
        ("valid/1.jpg", "repeated name", "also labelled anger"),
        ("valid/1.jpg", "repeated name", "also labelled happiness"),
        ("valid/2.jpg", "repeated name", "also labelled fear"),
    ]
    labels = {f"{above}Emotion/S005_001_1_emotion.txt": b" 3.0" for above in ("", "copy/")}
    listing = listing_of("ckplus", folder_of(tmp_path / "c", {"x/S005_001_1.png": b""} | labels))
    assert items_in(listing) == [("x/S005_001_1.png", "disgust", "train")]
    assert problems_in(listing) == [("x/S005_001_1.png", "repeated name")]
