"""Pictures are found by the name that a table gives them, however that is written."""

import time
import unicodedata

import pytest

from mien.data.datasets import Archive
from mien.data.datasets.layouts import PictureIndex
from tests.support.dataset_listings import items_in, listing_of
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
