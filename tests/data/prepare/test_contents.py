"""A source that has changed since a folder was made of it is noticed; few files are read for it."""

import json
import os
import shutil
import tarfile
from dataclasses import replace

import pytest

from mien.data import manifest
from mien.data.datasets import Archive
from mien.data.prepare.contents import held_out_in
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings, origin_of
from mien.errors import BadDataError
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, own_files, texture, zip_of
from tests.support.prepared_folder import row_of

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
    assert not make(lab, "moved/photos").fresh
    real, opened = Archive.open, []
    monkeypatch.setattr(Archive, "open", lambda own, name: opened.append(name) or real(own, name))
    monkeypatch.setattr(Archive, "read", None)
    make(lab, "moved/photos")
    assert sorted(opened) == ["a.png", "b.png"]  # as their times are others
    opened.clear()
    make(lab)
    assert opened == []


def changed(data):
    """A file of the same size that holds something else."""
    return data[:-1] + bytes([data[-1] ^ 1])


def packed(path, files):
    """Write a .tar of {name: bytes}."""
    folder = folder_of(path.with_name("loose"), files)
    with tarfile.open(path, "w") as ball:
        for name in files:
            ball.add(folder / name, name)
    return path


@pytest.mark.parametrize(
    ("write", "name"), [(folder_of, "photos"), (zip_of, "photos.zip"), (packed, "photos.tar")]
)
def test_other_contents_of_the_same_size_are_noticed(tmp_path, write, name):
    files = own_files(2)
    one = next(iter(files))
    source = write(tmp_path / name, {**files, "sad/broken.png": b"no picture"})
    settings = Settings("folder", str(source), neutral=False, test=0.5)
    report = prepare(settings, tmp_path / "out", workers=2)
    assert list(report.unreadable) == ["sad/broken.png"]
    write(source, {**files, "sad/broken.png": b"no picture"})  # of another time
    assert not prepare(settings, tmp_path / "out").fresh
    write(source, {**files, one: changed(files[one]), "sad/broken.png": b"no picture"})
    with pytest.raises(BadDataError, match=f"another .*{name}: files of the same sizes that hold"):
        prepare(settings, tmp_path / "out")


def test_nothing_of_a_zip_is_read_to_find_that_out(tmp_path, monkeypatch):
    settings = Settings("folder", str(zip_of(tmp_path / "photos.zip", own_files(1))))
    prepare(settings, tmp_path / "out")
    monkeypatch.setattr(Archive, "open", None)
    monkeypatch.setattr(Archive, "read", None)
    assert not prepare(settings, tmp_path / "out").fresh


def test_a_file_that_was_replaced_by_an_older_one_is_noticed(lab):
    picture = lab / "photos" / "a.png"
    picture.write_bytes(changed(picture.read_bytes()))
    os.utime(picture, (1, 1))
    with pytest.raises(BadDataError, match="files of the same sizes that hold something else"):
        make(lab)


def held_out_folder(root, *seeds):
    """A prepared folder with a test picture of each seed."""
    files = {f"test/sad/{n}.png": encode(texture(n), "PNG") for n in seeds}
    settings = Settings("folder", str(folder_of(root / "held", files)))
    return str(prepare(settings, root / "data").folder)


def test_other_held_out_pictures_of_against_are_noticed(tmp_path):
    against = held_out_folder(tmp_path / "one", 50, 51)
    photos = folder_of(tmp_path / "photos", own_files(1))
    settings = Settings("folder", str(photos), against=(against,))
    prepare(settings, tmp_path / "out")
    shutil.copytree(against, tmp_path / "copy" / "data")
    moved = replace(settings, against=(str(tmp_path / "copy" / "data"),))
    assert not prepare(moved, tmp_path / "out").fresh
    other = replace(settings, against=(held_out_folder(tmp_path / "other", 50, 0),))
    with pytest.raises(BadDataError, match=r"compared with other held-out .* in .*other/data"):
        prepare(other, tmp_path / "out")
    shutil.rmtree(tmp_path / "other")
    assert not prepare(other, tmp_path / "out").fresh


def test_a_folder_of_an_earlier_version_or_without_its_source_is_taken_as_it_is(lab):
    shutil.move(lab / "photos", lab / "gone")
    assert not make(lab).fresh
    shutil.move(lab / "gone", lab / "photos")
    record = json.loads((lab / "out" / "prepare.json").read_text())
    del record["report"]["contents"]
    (lab / "out" / "prepare.json").write_text(json.dumps(record))
    (lab / "labels.csv").write_text(TABLE.replace("sad", "fear"))
    assert not make(lab).fresh


OTHER_HELD = {
    "pixels": {"sha256": "0" * 64},
    "name": {"original": "test/sad/new.png"},
    "split": {"split": "valid"},
    "person": {"subject": "ann"},
    "database": {"source": "lab"},
}


@pytest.mark.parametrize("change", OTHER_HELD.values(), ids=OTHER_HELD)
@pytest.mark.parametrize("split", ["test", "valid"])
def test_any_change_of_what_is_held_out_is_noticed_and_none_of_what_is_not(tmp_path, change, split):
    row, train = row_of("sadness", split, "test/sad/1.png"), row_of("sadness", "train", "2.png")
    more = replace(row, original="test/sad/0.png")
    manifest.write([train, row, more], tmp_path)
    before = held_out_in([tmp_path])
    manifest.write([more, replace(train, **change | {"split": "train"}), row], tmp_path)
    assert held_out_in([tmp_path]) == before  # in whatever order
    other = {"split": "test" if split == "valid" else "valid"} if "split" in change else change
    manifest.write([train, replace(row, **other), more], tmp_path)
    assert held_out_in([tmp_path]) != before


def test_folders_of_pictures_of_the_same_sizes_are_told_apart_by_their_names(tmp_path):
    data = encode(texture(1), "PNG")
    origins = set()
    for number, name in enumerate("ab"):
        photos = folder_of(tmp_path / name / "photos", {f"sad/{name}.png": data})
        made = prepare(Settings("folder", str(photos)), tmp_path / f"out{number}")
        origins.add(origin_of(made.folder))
    assert len(origins) == 2


def test_two_pictures_of_one_size_that_changed_places_are_noticed(lab):
    one = (lab / "photos" / "a.png").read_bytes()
    folder_of(lab / "photos", {"a.png": one, "b.png": changed(one)})
    shutil.rmtree(lab / "out")
    make(lab)
    folder_of(lab / "photos", {"a.png": changed(one), "b.png": one})  # which are sad, and angry
    with pytest.raises(BadDataError, match="files of the same sizes that hold something else"):
        make(lab)


def test_other_votes_are_noticed_though_the_majority_is_the_same(tmp_path):
    header = "image,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    files = {f"train/sad/{name}.png": encode(texture(n), "PNG") for n, name in enumerate("ab")}
    archive = folder_of(tmp_path / "fer", files)
    settings = Settings("ferplus", str(archive), options={"labels": str(tmp_path / "votes.csv")})
    for sad in (7, 8):
        votes = f"a.png,{10 - sad},0,0,{sad},0,0,0,0,0,0\nb.png,0,9,0,0,0,0,0,0,0,0\n"
        (tmp_path / "votes.csv").write_text(header + votes)
        if sad == 7:
            assert prepare(settings, tmp_path / "out").fresh
            assert not prepare(settings, tmp_path / "out").fresh
    with pytest.raises(BadDataError, match="other labels, splits or persons"):
        prepare(settings, tmp_path / "out")


def test_classes_in_another_order_are_noticed(tmp_path):
    photos = folder_of(tmp_path / "photos", own_files(1, labels=["sad", "fear"]))
    classes = tmp_path / "classes.toml"
    settings = Settings("folder", str(photos), options={"classes": str(classes)})
    classes.write_text('names = ["sad", "fear"]')
    prepare(settings, tmp_path / "out")
    classes.write_text('names = ["fear", "sad"]')
    with pytest.raises(BadDataError, match="other labels, splits or persons"):
        prepare(settings, tmp_path / "out")


def test_a_folder_is_the_same_by_its_name_and_from_within(lab, monkeypatch):
    of = origin_of(lab / "out")
    monkeypatch.chdir(lab / "photos")
    for number, photos in enumerate((".", "../photos/.")):
        settings = Settings("folder", photos, options={"labels": str(lab / "labels.csv")})
        assert not prepare(settings, lab / "out").fresh
        assert origin_of(prepare(settings, lab / f"out{number}").folder) == of
    (lab / "photos" / "deep").mkdir()
    monkeypatch.chdir(lab / "photos" / "deep")
    assert not prepare(replace(settings, archive=".."), lab / "out").fresh


def test_a_folder_that_an_earlier_version_made_from_within_is_known(lab, monkeypatch):
    record = json.loads((lab / "out" / "prepare.json").read_text())
    (lab / "out" / "prepare.json").write_text(json.dumps(record | {"archive": ""}))
    monkeypatch.chdir(lab / "photos")
    settings = Settings("folder", ".", options={"labels": str(lab / "labels.csv")})
    assert not prepare(settings, lab / "out").fresh


def test_a_folder_that_has_lost_its_manifest_is_not_said_to_be_prepared(lab):
    (lab / "out" / "manifest.csv").unlink()
    with pytest.raises(BadDataError, match=r"out was prepared, and its manifest\.csv is gone\n"):
        make(lab)


def test_what_an_earlier_version_did_not_record_is_not_asked_for(lab):
    record = json.loads((lab / "out" / "prepare.json").read_text())
    for name in ("times", "source", "checksum", "held_out"):
        del record["report"]["contents"][name]
    (lab / "out" / "prepare.json").write_text(json.dumps(record))
    picture = lab / "photos" / "a.png"
    picture.write_bytes(changed(picture.read_bytes()))
    assert not make(lab).fresh
    assert origin_of(lab / "out") == "photos"


def test_own_folders_of_one_last_name_are_told_apart_and_framings_are_not(tmp_path):
    def made(name, start, **options):
        photos = folder_of(tmp_path / name / "photos", own_files(1, start=start))
        settings = Settings("folder", str(photos), **options)
        return origin_of(prepare(settings, tmp_path / f"out{len(list(tmp_path.iterdir()))}").folder)

    first = made("a", 0)
    assert first.startswith("photos ")
    assert made("a", 0, frame=True, options={"classes": "sad,fear"}) == first
    assert made("copy", 0, side=48) == first
    assert made("b", 30) != first


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
    with pytest.raises(BadDataError, match=r"fer2013\.zip: files of the same sizes that hold"):
        made(pixels[::-1])


def test_rows_of_a_table_in_a_folder_are_known_by_what_it_holds(tmp_path):
    pixels = " ".join(map(str, texture(1, 48)[..., 0].ravel()))
    rows = "".join(f"{n},{pixels},Training\n" for n in (3, 4))
    table = folder_of(tmp_path / "fer", {"fer2013.csv": b""}) / "fer2013.csv"
    settings = Settings("fer2013", str(table.parent), side=48)
    for text in (rows, rows, rows.replace(pixels, pixels[::-1], 1)):
        table.write_text(f"emotion,pixels,Usage\n{text}")
        if text == rows:
            prepare(settings, tmp_path / "out")
    with pytest.raises(BadDataError, match="files of the same sizes that hold something else"):
        prepare(settings, tmp_path / "out")


def test_the_command_ends_with_one_message(tmp_path):
    photos = folder_of(tmp_path / "photos", own_files(1))
    words = ["prepare", "folder", photos, "--out", tmp_path / "out"]
    assert mien(*words).exit_code == 0
    again = mien(*words)
    assert (again.exit_code, "nothing to do" in again.stderr) == (0, True)
    folder_of(photos, {f"sad/new{n}.png": encode(texture(90 + n), "PNG") for n in range(5)})
    changed = mien(*words)
    assert changed.exit_code == 1
    assert "6 pictures then, 11 now\n  try: choose another --out" in changed.stderr
