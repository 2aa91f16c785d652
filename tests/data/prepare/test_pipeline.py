import errno
import io
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from mien.data import manifest
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, OutputError, UnknownNameError
from mien.media import images
from tests.support.pictures import encode, folder_of, texture, zip_of
from tests.support.tables import rows_of

LABELS = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]


def rafdb_files():
    """A database of two training and one test picture for each of the seven numbers."""
    files = {}
    for number in range(1, 8):
        for name in ("train/{}/train_1.jpg", "train/{}/train_2.jpg", "test/{}/test_1.jpg"):
            files["DATASET/" + name.format(number)] = encode(texture(len(files)))
    return files


@pytest.fixture
def make(tmp_path):
    """Prepare a database of {name: bytes} as tmp_path/out."""

    def run(files, out="out", source="rafdb", **settings):
        archive = zip_of(tmp_path / f"{source}-{out}.zip", files)
        return prepare(Settings(source, str(archive), **settings), tmp_path / out)

    return run


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_database_becomes_a_folder_a_class_with_every_picture_in_the_manifest(make):
    report = make(rafdb_files())
    rows = manifest.read(report.folder)
    assert len(rows) == 21
    names = {row.path: (row.label, row.split, row.original) for row in rows}
    assert names["train/0_happiness/train_2.jpg"] == (
        "happiness", "train", "DATASET/train/4/train_2.jpg",
    )  # fmt: skip
    assert names["test/neutral/test_1.jpg"] == ("neutral", "test", "DATASET/test/7/test_1.jpg")
    assert {(row.source, row.subject, row.framing) for row in rows} == {("rafdb", "", "as-is")}
    on_disk = {path.relative_to(report.folder).as_posix() for path in report.folder.rglob("*.jpg")}
    assert on_disk == set(names)


def test_the_report_counts_what_was_kept(make):
    report = make(rafdb_files())
    expected = {("train", label): 2 for label in LABELS} | {("test", label): 1 for label in LABELS}
    assert report.kept == expected
    assert (report.leaked, report.unreadable, report.unframed) == (Counter(), {}, 0)
    assert report.fresh


def test_the_hash_of_every_crop_is_that_of_its_decoded_pixels(make):
    report = make({**rafdb_files(), "train/1/big.png": encode(texture(50, 100), "PNG")})
    rows = manifest.read(report.folder)
    hashes = [manifest.hash_pixels(pixels_of(report.folder / row.path)) for row in rows]
    assert hashes == [row.sha256 for row in rows]
    assert len(set(hashes)) == 22


def test_a_jpeg_of_the_right_size_is_kept_byte_for_byte(make):
    files = rafdb_files()
    report = make(files)
    kept = (report.folder / "train/5_fear/train_1.jpg").read_bytes()
    assert kept == files["DATASET/train/2/train_1.jpg"]


def test_other_pictures_are_resized_and_stay_grey_if_they_were(make):
    gray = texture(51, 100)[..., 0].copy()
    files = {
        "train/1/rgb.png": encode(texture(50, 100), "PNG"),
        "train/1/gray.png": encode(gray, "PNG"),
    }
    folder = make(files).folder / "train/1_surprise"
    small = np.asarray(Image.fromarray(texture(50, 100)).resize((64, 64))).astype(int)
    assert np.abs(pixels_of(folder / "rgb.jpg") - small).mean() < 3
    small = np.asarray(Image.fromarray(gray).resize((64, 64))).astype(int)
    assert np.abs(pixels_of(folder / "gray.jpg") - small).mean() < 2


def test_every_crop_has_the_side_asked_for(make):
    folder = make(rafdb_files(), side=48).folder
    assert {pixels_of(path).shape for path in folder.rglob("*.jpg")} == {(48, 48, 3)}


def test_a_turned_picture_of_the_right_size_is_stored_upright(make):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = encode(texture(1), exif=exif, quality=95)
    folder = make({"train/1/a.jpg": data}).folder
    stored = pixels_of(folder / "train/1_surprise/a.jpg").astype(int)
    assert np.abs(stored - images.decode_rgb(data)).mean() < 2


def test_a_cmyk_picture_of_the_right_size_is_stored_as_rgb(make):
    data = encode(Image.new("CMYK", (64, 64), (0, 255, 255, 0)))
    folder = make({"train/1/a.jpg": data}).folder
    stored = pixels_of(folder / "train/1_surprise/a.jpg")
    np.testing.assert_allclose(stored.mean(axis=(0, 1)), [255, 0, 0], atol=3)


def test_training_copies_of_test_pictures_are_left_out_counted_and_listed(make):
    test = texture(70, 96)
    files = {
        **rafdb_files(),
        "DATASET/test/3/t.png": encode(test, "PNG"),
        "A/train/3/same.png": encode(test, "PNG"),
        "DATASET/train/1/mirrored.jpg": encode(test[:, ::-1].copy(), quality=40),
    }
    report = make(files)
    assert report.leaked == {"rafdb": 2}
    assert report.kept["train", "surprise"] == report.kept["train", "disgust"] == 2
    assert report.kept["test", "disgust"] == 2
    listed = rows_of(report.folder / "excluded.csv")
    a, b = ([row[name] for name in ("original", "split", "label")] for row in listed)
    assert a == ["A/train/3/same.png", "train", "disgust"]
    assert b == ["DATASET/train/1/mirrored.jpg", "train", "surprise"]
    assert {row["reason"] for row in listed} == {"copy of test"}
    assert {row["detail"] for row in listed} == {"rafdb:DATASET/test/3/t.png"}
    assert listed[0]["similarity"] == "1.000"
    assert not list(report.folder.rglob("same*")) + list(report.folder.rglob("mirrored*"))
    kept = {row.original for row in manifest.read(report.folder)}
    assert kept == {*rafdb_files(), "DATASET/test/3/t.png"}


def test_copies_inside_training_stay(make):
    twice = encode(texture(1))
    report = make({"train/1/a.jpg": twice, "train/2/b.jpg": twice})
    assert report.kept.total() == 2


def test_copies_of_another_databases_test_pictures_are_left_out_too(make):
    other = make(rafdb_files(), out="rafdb").folder
    copy = encode(texture(2), quality=60)  # of DATASET/test/1/test_1.jpg
    files = {"train/happy/copy.jpg": copy, "train/sad/new.jpg": encode(texture(90))}
    report = make(files, source="fer2013", against=(str(other),))
    assert report.leaked == {"rafdb": 1}
    assert [row.original for row in manifest.read(report.folder)] == ["train/sad/new.jpg"]
    [row] = rows_of(report.folder / "excluded.csv")
    assert row["detail"] == "rafdb:DATASET/test/1/test_1.jpg"


def test_a_folder_without_test_pictures_is_nothing_to_compare_against(make):
    other = make({"train/1/a.jpg": encode(texture(1))}, out="other").folder
    with pytest.raises(BadDataError, match=r"no test split\n  try: leave it out of --against"):
        make(rafdb_files(), against=(str(other),))


def test_an_unreadable_picture_is_skipped_counted_and_listed(make):
    files = {**rafdb_files(), "DATASET/train/4/cut.jpg": encode(texture(1))[:700]}
    report = make(files)
    assert list(report.unreadable) == ["DATASET/train/4/cut.jpg"]
    assert report.kept["train", "happiness"] == 2
    [row] = rows_of(report.folder / "excluded.csv")
    assert (row["original"], row["reason"]) == ("DATASET/train/4/cut.jpg", "unreadable")
    assert (row["split"], row["label"]) == ("train", "happiness")  # where it is counted as missing
    assert "damaged picture" in row["detail"]


def test_a_database_without_one_readable_picture_is_refused_and_leaves_nothing(make, tmp_path):
    with pytest.raises(BadDataError, match=r"the first: not a picture: train/1/a\.jpg"):
        make({"train/1/a.jpg": b"text"})
    assert [path.name for path in tmp_path.iterdir()] == ["rafdb-out.zip"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_name_may_hold_a_line_end(tmp_path, end):
    names = [f"happy/a{end}b.png", "happy/c.png"]
    files = {name: encode(texture(seed)) for seed, name in enumerate(names)}
    report = prepare(Settings("folder", str(folder_of(tmp_path / "in", files))), tmp_path / "out")
    assert report.kept == {("train", "happiness"): 2}
    rows = list(manifest.read(tmp_path / "out"))
    assert [row.original for row in rows] == names
    for row in rows:
        assert images.read_rgb(tmp_path / "out" / row.path).shape == (64, 64, 3)


def test_pictures_of_one_name_do_not_overwrite_each_other(make):
    names = ["a/train/1/x.jpg", "b/train/1/x.jpg", "c/train/1/x-2.jpg", "d/train/1/x.png"]
    pictures = [texture(seed) for seed in range(4)]
    files = {
        name: encode(picture, "PNG" if name.endswith("png") else "JPEG")
        for name, picture in zip(names, pictures, strict=True)
    }
    folder = make(files).folder
    rows = {row.original: row.path for row in manifest.read(folder)}
    assert len(set(rows.values())) == 4
    for name, picture in zip(names, pictures, strict=True):
        assert np.abs(pixels_of(folder / rows[name]).astype(int) - picture).mean() < 6


def test_a_second_run_changes_nothing_and_reports_the_same(make):
    copy = {"DATASET/train/3/copy.jpg": rafdb_files()["DATASET/test/3/test_1.jpg"]}
    files = {**rafdb_files(), **copy, "DATASET/train/1/bad.jpg": b""}
    first = make(files)
    before = contents(first.folder)
    second = make(files)
    assert contents(first.folder) == before
    assert not second.fresh
    for part in ("kept", "leaked", "unreadable", "unframed"):
        assert getattr(second, part) == getattr(first, part)


@pytest.mark.parametrize("change", [{"side": 48}, {"quality": 80}, {"frame": True}])
def test_a_folder_made_with_other_settings_is_refused_and_left_alone(make, change):
    before = contents(make(rafdb_files()).folder)
    with pytest.raises(BadDataError, match="not made with these settings") as caught:
        make(rafdb_files(), **change)
    assert "another --out" in caught.value.fix
    assert contents(make(rafdb_files()).folder) == before


@pytest.mark.parametrize("files", [{"mine.txt": b"x"}, {"prepare.json": b"[]"}])
def test_a_folder_that_holds_something_else_is_refused(make, tmp_path, files):
    folder_of(tmp_path / "out", files)
    with pytest.raises(BadDataError, match="not made with these settings"):
        make(rafdb_files())
    assert [path.name for path in (tmp_path / "out").iterdir()] == list(files)


def test_an_empty_folder_is_filled(make, tmp_path):
    (tmp_path / "out").mkdir()
    assert make(rafdb_files()).kept.total() == 21


def test_a_disk_that_is_mounted_at_the_folder_is_told_before_the_work(make, tmp_path, monkeypatch):
    def busy(_folder):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(Path, "rmdir", busy)
    with pytest.raises(OutputError, match=r"cannot write .*out: .*\n  try: .*such as one in"):
        make({"no.txt": b"of a dataset"})


def test_an_interrupted_run_leaves_nothing_and_the_next_completes(tmp_path, make):
    def interrupted(items):
        yield from items[:5]
        raise KeyboardInterrupt

    archive = zip_of(tmp_path / "rafdb-out.zip", rafdb_files())
    with pytest.raises(KeyboardInterrupt):
        prepare(Settings("rafdb", str(archive)), tmp_path / "out", interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["rafdb-out.zip"]
    folder_of(tmp_path / ".out.mien-0.part", {"train/stale.jpg": b"of a run that was killed"})
    report = make(rafdb_files())
    assert report.kept.total() == 21
    assert not list(tmp_path.rglob("*stale*")) + list(tmp_path.glob(".*.part"))


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    archive = zip_of(tmp_path / "rafdb.zip", rafdb_files())
    with pytest.raises(OutputError, match=r"cannot write .*rafdb.zip/out:"):
        prepare(Settings("rafdb", str(archive)), archive / "out")


def test_a_full_disk_is_reported_and_leaves_nothing(make, tmp_path, monkeypatch):
    def full(rows, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest, "write", full)
    with pytest.raises(OutputError, match="No space left"):
        make(rafdb_files())
    assert [path.name for path in tmp_path.iterdir()] == ["rafdb-out.zip"]


def test_zip_and_unpacked_folder_give_the_same_manifest(make, tmp_path):
    zipped = make(rafdb_files()).folder
    unpacked = folder_of(tmp_path / "unpacked", rafdb_files())
    prepare(Settings("rafdb", str(unpacked)), tmp_path / "other")
    assert manifest.read(tmp_path / "other") == manifest.read(zipped)


def test_an_unknown_database_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="try: use rafdb"):
        prepare(Settings("raf-db", "x.zip"), tmp_path / "out")


def test_faces_are_framed_and_pictures_without_one_are_kept_and_counted(make, portrait):
    files = {
        "train/4/face.png": encode(portrait[20:260, 100:340], "PNG"),
        "train/5/none.png": encode(texture(3, 100), "PNG"),
    }
    report = make(files, frame=True)
    assert report.unframed == 1
    assert [row.framing for row in manifest.read(report.folder)] == ["framed", "unframed"]
    with Image.open(io.BytesIO(files["train/5/none.png"])) as image:
        small = np.asarray(image.resize((64, 64))).astype(int)
    kept = pixels_of(report.folder / "train/2_sadness/none.jpg")
    assert np.abs(kept - small).mean() < 3


def test_a_framed_face_has_its_eyes_where_recognition_puts_them(make, portrait, detector):
    files = {"train/4/face.png": encode(portrait[20:260, 100:340], "PNG")}
    folder = make(files, frame=True, side=128).folder
    [face] = detector.find(pixels_of(folder / "train/0_happiness/face.jpg"))
    eyes = [[33.7, 43.5], [93.9, 43.5]]  # the template's, in a crop of 128
    np.testing.assert_allclose(face.landmarks[:2], eyes, atol=5)
