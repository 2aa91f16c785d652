"""A source that has changed since a folder was made of it is noticed, and no picture is read."""

import json
import shutil

import pytest

from mien.data.datasets import Archive
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, own_files, texture, zip_of

TABLE = "path,label,split,subject\na.png,sad,train,ann\nb.png,angry,train,bob\n"


@pytest.fixture
def lab(tmp_path):
    """Two pictures in tmp_path/photos, their labels beside it, and what was made of them."""
    files = {f"{name}.png": encode(texture(n), "PNG") for n, name in enumerate("ab")}
    folder_of(tmp_path / "photos", files)
    (tmp_path / "labels.csv").write_text(TABLE)
    make(tmp_path)
    return tmp_path


def make(root, photos="photos"):
    """Prepare the folder, or find that it is prepared."""
    options = {"labels": str(root / "labels.csv")}
    return prepare(Settings("folder", str(root / photos), options=options), root / "out")


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OTHER_LABELS = {
    "label": ("sad", "fear"),
    "split": ("sad,train", "sad,test"),
    "person": ("ann", "eve"),
}


@pytest.mark.parametrize("change", OTHER_LABELS.values(), ids=OTHER_LABELS)
def test_a_table_of_labels_that_was_corrected_is_noticed(lab, change):
    before = files_in(lab / "out")
    (lab / "labels.csv").write_text(TABLE.replace(*change))
    with pytest.raises(BadDataError, match=r"another .*photos: other labels, splits or") as caught:
        make(lab)
    assert caught.value.fix == "choose another --out, or remove that folder"
    assert files_in(lab / "out") == before
    (lab / "labels.csv").write_text(TABLE)
    assert not make(lab).fresh


def test_pictures_that_came_are_noticed_whether_a_table_names_them_or_not(lab):
    folder_of(lab / "photos", {f"new{n}.png": encode(texture(9 + n), "PNG") for n in range(5)})
    with pytest.raises(BadDataError, match="photos: other names of pictures, or others that are"):
        make(lab)
    (lab / "labels.csv").write_text(TABLE + "".join(f"new{n}.png,joy,,\n" for n in range(5)))
    with pytest.raises(BadDataError, match="photos: 2 pictures then, 7 now"):
        make(lab)


def test_another_folder_of_the_same_last_name_is_noticed(lab):
    folder_of(lab / "other" / "photos", {f"{n}.png": encode(texture(0, 70), "PNG") for n in "ab"})
    with pytest.raises(BadDataError, match=r"another .*other/photos: files of other sizes\n"):
        make(lab, "other/photos")
    assert not make(lab).fresh


def test_the_same_source_elsewhere_and_of_another_time_is_the_same(lab, monkeypatch):
    shutil.copytree(lab / "photos", lab / "moved" / "photos", copy_function=shutil.copyfile)
    (lab / "moved" / "photos" / "notes.txt").write_text("no picture")
    lines = TABLE.splitlines()
    (lab / "labels.csv").write_text("\n".join([lines[0], *lines[:0:-1]]))  # in another order
    monkeypatch.setattr(Archive, "read", None)  # no picture is read to find that out
    assert not make(lab, "moved/photos").fresh


def test_a_folder_of_an_earlier_version_or_without_its_source_is_taken_as_it_is(lab):
    shutil.move(lab / "photos", lab / "gone")
    assert not make(lab).fresh
    shutil.move(lab / "gone", lab / "photos")
    record = json.loads((lab / "out" / "prepare.json").read_text())
    del record["report"]["contents"]
    (lab / "out" / "prepare.json").write_text(json.dumps(record))
    (lab / "labels.csv").write_text(TABLE.replace("sad", "fear"))
    assert not make(lab).fresh


@pytest.mark.parametrize("value", [None, [], {}, {"pictures": 2}, {"pictures": "2"}])
def test_a_damaged_record_of_the_source_is_one_error(lab, value):
    record = json.loads((lab / "out" / "prepare.json").read_text())
    record["report"]["contents"] = value
    (lab / "out" / "prepare.json").write_text(json.dumps(record))
    with pytest.raises(BadDataError, match=r"prepare\.json is damaged"):
        make(lab)


def test_rows_of_a_table_are_known_by_the_size_of_the_table(tmp_path):
    def made(pixels):
        rows = "".join(f"{n},{pixels},Training\n" for n in (3, 4))
        files = {"fer2013.csv": f"emotion,pixels,Usage\n{rows}".encode()}
        archive = zip_of(tmp_path / "fer2013.zip", files)
        return prepare(Settings("fer2013", str(archive), side=48), tmp_path / "out")

    pixels = " ".join(map(str, texture(1, 48)[..., 0].ravel()))
    assert made(pixels).fresh
    assert not made(pixels).fresh
    with pytest.raises(BadDataError, match=r"fer2013\.zip: files of other sizes"):
        made(pixels + " ")


def test_the_command_ends_with_one_message(tmp_path):
    photos = folder_of(tmp_path / "photos", own_files(1))
    words = ["prepare", "folder", photos, "--out", tmp_path / "out"]
    assert mien(*words).exit_code == 0
    again = mien(*words)
    assert (again.exit_code, "nothing to do" in again.stdout) == (0, True)
    folder_of(photos, {f"sad/new{n}.png": encode(texture(90 + n), "PNG") for n in range(5)})
    changed = mien(*words)
    assert changed.exit_code == 1
    assert "6 pictures then, 11 now\n  try: choose another --out" in changed.stderr
