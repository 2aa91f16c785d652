import io
import zipfile

import pytest

from mien.data.datasets import DATASETS, Archive, read_listing
from mien.data.datasets.archive import is_picture
from mien.errors import BadDataError, BadImageError
from tests.support.pictures import folder_of, zip_of

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
CKPLUS = [
    ("CK+48/anger/S010_004_00000017.png", "anger", "train"),
    ("CK+48/happy/S999_001_00000014.png", "happiness", "train"),
    ("CK+48/sadness/S010_004_00000018.png", "sadness", "train"),
]
TFEID = [
    ("f01_dfh_ax.jpg", "anger", "train"),
    ("f01_dfh_dx.jpg", "disgust", "train"),
    ("f01_dfh_fx.jpg", "fear", "train"),
    ("f02_dfh_hx.jpg", "happiness", "train"),
    ("m03_dfs_n.jpg", "neutral", "train"),
    ("m03_dfs_px.jpg", "surprise", "train"),
    ("m20_dfh_sx.jpg", "sadness", "train"),
]
FOLDER = [
    ("Test/Sad/a.jpg", "sadness", "test"),
    ("joy/a.jpg", "happiness", "train"),
    ("photos/3_anger/2020/May/a.jpg", "anger", "train"),
    ("surprised/validation/a.png", "surprise", "valid"),
    ("train/0_neutral/a.jpg", "neutral", "train"),
]
LAYOUTS = {
    "affectnet": AFFECTNET,
    "ckplus": CKPLUS,
    "fer2013": FER2013,
    "folder": FOLDER,
    "rafdb": RAFDB,
    "tfeid": TFEID,
}
VOTES_OF_ONE = (
    b"Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    b"gone.png,0,10,0,0,0,0,0,0,0,0\n"
)
BESIDES = ["train_labels.csv", "train/8/a.jpg", "extra/a.jpg", "valid/contempt/a.jpg", "a.jpg"]


def listing(source, path):
    with Archive(path) as archive:
        items = read_listing(source, archive, {}).items
        return [(item.original, item.label, item.split) for item in items]


@pytest.mark.parametrize("make", [zip_of, folder_of], ids=["zip", "folder"])
@pytest.mark.parametrize("above", ["", "DATASET/", "download/of/2020/"])
@pytest.mark.parametrize("source", LAYOUTS)
def test_a_database_is_listed_at_any_depth_and_nothing_else(tmp_path, source, above, make):
    wanted = LAYOUTS[source]
    names = [name for name, _, _ in wanted] + BESIDES
    names += [f"__MACOSX/{name}" for name in names] + ["train/4/._a.jpg", "fear/.a.jpg"]
    archive = make(tmp_path / "given", {above + name: b"" for name in reversed(names)})
    assert listing(source, archive) == [(above + name, *rest) for name, *rest in wanted]


@pytest.mark.parametrize("source", DATASETS)
def test_another_database_is_refused_with_what_was_looked_for_and_found(tmp_path, source):
    files = {f"songs/{i}/a.mp3": b"" for i in range(8)}
    if source == "ferplus":  # it looks for votes first
        files["songs/0/votes.csv"] = VOTES_OF_ONE
    path = zip_of(tmp_path / "x.zip", files)
    with pytest.raises(BadDataError) as caught:
        listing(source, path)
    assert "x.zip does not look like" in caught.value.message
    assert "looked for " in caught.value.message
    found = f"found {len(files)} files in songs/0, songs/1, songs/2, songs/3, songs/4, songs/5 ..."
    assert found in caught.value.message


@pytest.mark.parametrize(("source", "name"), [("rafdb", "4"), ("fer2013", "fear")])
def test_every_usual_name_of_a_split_is_read_and_any_other_is_named(tmp_path, source, name):
    words = ("Train", "training", "val", "valid", "Validation", "dev", "test", "Test2", "extra")
    words += ("train_set", "val-data", "TestSet")
    path = folder_of(tmp_path, {f"{word}/{name}/a.jpg": b"" for word in words})
    with Archive(path) as archive:
        listed = read_listing(source, archive, {})
    assert {item.original.split("/")[0]: item.split for item in listed.items} == {
        "Train": "train",
        "training": "train",
        "val": "valid",
        "valid": "valid",
        "Validation": "valid",
        "dev": "valid",
        "test": "test",
        "train_set": "train",
        "val-data": "valid",
        "TestSet": "test",
    }
    assert [(p.original, p.reason, p.detail) for p in listed.problems] == [
        (f"Test2/{name}/a.jpg", "unknown split", "Test2"),
        (f"extra/{name}/a.jpg", "unknown split", "extra"),
    ]


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("affectnet", "happy/a.jpg"),
        ("ckplus", "happy/S010_004_00000017.png"),
        ("folder", "happy/a.jpg"),
        ("tfeid", "f01_dfh_hx.jpg"),
    ],
)
def test_folders_that_name_a_split_are_believed_where_the_dataset_has_none(tmp_path, source, file):
    words = {"train": "train", "Val": "valid", "dev": "valid", "test": "test", "x": "train"}
    path = folder_of(tmp_path, {f"{word}/{file}": b"" for word in words})
    assert {name.split("/")[0]: split for name, _, split in listing(source, path)} == words


def test_an_empty_folder_is_refused_as_holding_nothing(tmp_path):
    with pytest.raises(BadDataError, match="found 0 files in nothing"):
        listing("rafdb", tmp_path)


def test_what_a_reader_leaves_out_is_named_with_the_reason(tmp_path):
    files = {
        "rafdb": ["train/4/a.jpg", "train/8/b.jpg"],
        "fer2013": ["train/happy/a.jpg", "test/contempt/b.jpg"],
        "affectnet": ["happy/a.jpg", "contempt/b.jpg"],
        "tfeid": ["f01_dfh_hx.jpg", "f01_dfh_zx.jpg"],
        "folder": ["happy/a.jpg", "happy/contempt/b.jpg"],
    }
    for source, (good, bad) in files.items():
        path = folder_of(tmp_path / source, {good: b"", bad: b""})
        with Archive(path) as archive:
            listing = read_listing(source, archive, {})
        assert [item.original for item in listing.items] == [good]
        reason = "contempt" if source == "affectnet" else "unknown label"
        assert [(p.original, p.reason) for p in listing.problems] == [(bad, reason)]


def test_people_are_known_where_the_names_tell(tmp_path):
    for source, layout in [("ckplus", CKPLUS), ("tfeid", TFEID)]:
        path = folder_of(tmp_path / source, {name: b"" for name, _, _ in layout})
        with Archive(path) as archive:
            subjects = [item.subject for item in read_listing(source, archive, {}).items]
        expected = {
            "ckplus": ["S010", "S999", "S010"],
            "tfeid": ["f01", "f01", "f01", "f02", "m03", "m03", "m20"],
        }
        assert subjects == expected[source]


def test_a_name_that_a_zip_holds_twice_is_listed_once_and_noted(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.jpg", b"one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.jpg", b"two")
    with Archive(tmp_path / "x.zip") as archive:
        assert archive.names == ["a.jpg"]
        assert [(p.original, p.reason) for p in archive.left_out] == [("a.jpg", "repeated name")]
        assert archive.read("a.jpg") == b"two"


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
        ("ckplus", "ckplus.zip", 309, 0),
        ("tfeid", "tfeid.zip", 229, 0),
    ],
)
def test_the_real_databases_have_the_published_counts(data_dir, source, file, train, test):
    splits = [split for _, _, split in listing(source, data_dir / file)]
    assert (splits.count("train"), splits.count("test")) == (train, test)
