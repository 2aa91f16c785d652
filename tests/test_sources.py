import io
import zipfile

import pytest
from made import folder_of, zip_of

from mien.data.sources import SOURCES, Archive
from mien.data.sources.archive import is_picture
from mien.errors import BadDataError, BadImageError

RAFDB = [
    ("test/2/test_0001_aligned.jpg", "fear", "test"),
    ("train/1/train_00001_aligned.jpg", "surprise", "train"),
    ("train/3/a.jpg", "disgust", "train"),
    ("train/4/a.jpg", "happiness", "train"),
    ("train/5/a.jpg", "sadness", "train"),
    ("train/6/a.jpg", "anger", "train"),
    ("train/7/a.jpg", "neutral", "train"),
]
FER2013 = [
    ("test/angry/PrivateTest_1.jpg", "anger", "test"),
    ("test/disgust/PublicTest_2.jpg", "disgust", "test"),
    ("train/fear/Training_3.jpg", "fear", "train"),
    ("train/happy/Training_4.jpg", "happiness", "train"),
    ("train/neutral/Training_5.jpg", "neutral", "train"),
    ("train/sad/Training_6.jpg", "sadness", "train"),
    ("train/surprise/Training_7.jpg", "surprise", "train"),
]
AFFECTNET = [
    ("anger/image1.jpg", "anger", "train"),
    ("disgust/image1.png", "disgust", "train"),
    ("fear/image1.jpg", "fear", "train"),
    ("happy/ffhq_1.jpg", "happiness", "train"),
    ("sad/image1.JPG", "sadness", "train"),
    ("surprise/image1.jpg", "surprise", "train"),
]
LAYOUTS = {"rafdb": RAFDB, "fer2013": FER2013, "affectnet": AFFECTNET}
BESIDES = ["train_labels.csv", "train/8/a.jpg", "extra/a.jpg", "valid/contempt/a.jpg", "a.jpg"]


def listing(source, path):
    with Archive(path) as archive:
        return [(item.original, item.label, item.split) for item in SOURCES[source](archive)]


@pytest.mark.parametrize("make", [zip_of, folder_of], ids=["zip", "folder"])
@pytest.mark.parametrize("above", ["", "DATASET/", "download/of/2020/"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_database_is_listed_at_any_depth_and_nothing_else(tmp_path, source, above, make):
    wanted = LAYOUTS[source]
    names = [name for name, _, _ in wanted] + BESIDES
    names += [f"__MACOSX/{name}" for name in names] + ["train/4/._a.jpg", "fear/.a.jpg"]
    archive = make(tmp_path / "given", {above + name: b"" for name in reversed(names)})
    assert listing(source, archive) == [(above + name, *rest) for name, *rest in wanted]


@pytest.mark.parametrize("source", SOURCES)
def test_another_database_is_refused_with_what_was_looked_for_and_found(tmp_path, source):
    files = {f"songs/{i}/a.mp3": b"" for i in range(8)}
    path = zip_of(tmp_path / "x.zip", files)
    with pytest.raises(BadDataError) as caught:
        listing(source, path)
    assert "x.zip does not look like" in caught.value.message
    assert "looked for " in caught.value.message
    assert "found 8 files in songs/0, songs/1, " in caught.value.message
    assert caught.value.message.endswith("songs/5 ...")


@pytest.mark.parametrize(("source", "name"), [("rafdb", "4"), ("fer2013", "fear")])
def test_a_split_that_is_neither_train_nor_test_is_not_listed(tmp_path, source, name):
    files = {f"{split}/{name}/a.jpg": b"" for split in ("train", "test", "val", "Test2")}
    listed = listing(source, folder_of(tmp_path, files))
    assert [split for _, _, split in listed] == ["test", "train"]


def test_an_empty_folder_is_refused_as_holding_nothing(tmp_path):
    with pytest.raises(BadDataError, match="found 0 files in nothing"):
        listing("rafdb", tmp_path)


def test_a_truncated_zip_is_refused(tmp_path):
    path = zip_of(tmp_path / "cut.zip", {"train/1/a.jpg": bytes(1000)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(BadDataError, match=r"cut.zip is no whole .zip.*\n  try: download it again"):
        Archive(path)


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(BadDataError, match=r"no such file or folder: .*gone\.zip"):
        Archive(tmp_path / "gone.zip")


@pytest.mark.parametrize("make", [zip_of, folder_of], ids=["zip", "folder"])
def test_the_bytes_of_a_file_are_returned_whole(tmp_path, make):
    with Archive(make(tmp_path / "given", {"a/b.jpg": b"one", "c.jpg": b"two"})) as archive:
        assert archive.names == ["a/b.jpg", "c.jpg"]
        assert [archive.read(name) for name in archive.names] == [b"one", b"two"]


def test_a_file_damaged_inside_a_whole_zip_is_named(tmp_path):
    path = zip_of(tmp_path / "x.zip", {"train/1/a.jpg": b"these are the bytes"})
    path.write_bytes(path.read_bytes().replace(b"these are", b"those are"))
    damaged = r"damaged in the archive: train/1/a\.jpg"
    with Archive(path) as archive, pytest.raises(BadImageError, match=damaged):
        archive.read("train/1/a.jpg")


def test_a_zip_behind_a_password_says_what_to_do(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", b"secret")
    data = bytearray(buffer.getvalue())
    for signature, offset in [(b"PK\3\4", 6), (b"PK\1\2", 8)]:
        data[data.index(signature) + offset] |= 1  # the flag of an encrypted file
    (tmp_path / "locked.zip").write_bytes(data)
    locked = r"locked in the archive.*\n  try: unpack it"
    with Archive(tmp_path / "locked.zip") as archive, pytest.raises(BadImageError, match=locked):
        archive.read("a.jpg")


def test_a_file_gone_from_a_folder_is_named(tmp_path):
    with Archive(folder_of(tmp_path, {"a.jpg": b""})) as archive:
        (tmp_path / "a.jpg").unlink()
        with pytest.raises(BadImageError, match=r"a\.jpg"):
            archive.read("a.jpg")


def test_pictures_are_known_by_their_suffix_and_hidden_files_are_none():
    names = ["a.jpg", "x/b.JPEG", "c.png", "d.txt", "jpg", ".e.jpg", ".x/f.jpg", "__MACOSX/g.jpg"]
    assert [name for name in names if is_picture(name)] == ["a.jpg", "x/b.JPEG", "c.png"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "file", "train", "test"),
    [
        ("rafdb", "rafdb.zip", 9747, 2388),
        ("fer2013", "fer2013.zip", 23742, 5945),
        ("affectnet", "affectnet-subset.zip", 21045, 0),
    ],
)
def test_the_real_databases_have_the_published_counts(data_dir, source, file, train, test):
    splits = [split for _, _, split in listing(source, data_dir / file)]
    assert (splits.count("train"), splits.count("test")) == (train, test)
