"""Databases whose labels lie in tables and text files: official layouts."""

from collections import Counter

import numpy as np
import pytest

from mien.data.datasets import DATASETS, Archive, read_listing
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, BadImageError
from tests.support.dataset_listings import (
    fer2013_csv,
    items_in,
    listing_of,
    pixels_text,
    problems_in,
    saved,
)
from tests.support.pictures import encode, folder_of, texture, zip_of


def test_the_official_rafdb_joins_its_list_with_the_aligned_pictures(tmp_path):
    lines = "test_0001.jpg 7\ntrain_00001.jpg 5\r\ntrain_00002.jpg 4\ntrain_00003.jpg 9\n"
    files = {
        "basic/EmoLabel/list_patition_label.txt": lines.encode(),
        "basic/Image/aligned/train_00001_aligned.jpg": b"",
        "basic/Image/aligned/test_0001_aligned.jpg": b"",
        "basic/Image/aligned/train_00077_aligned.jpg": b"",
        "basic/Image/original/train_00002.jpg": b"",
    }
    listing = listing_of("rafdb", folder_of(tmp_path, files))
    assert items_in(listing) == [
        ("basic/Image/aligned/test_0001_aligned.jpg", "neutral", "test"),
        ("basic/Image/aligned/train_00001_aligned.jpg", "sadness", "train"),
    ]
    assert problems_in(listing) == [
        ("train_00002.jpg", "missing file"),
        ("train_00003.jpg", "unknown label"),
        ("basic/Image/aligned/train_00077_aligned.jpg", "no label"),
    ]


def test_rafdbs_class_folders_and_table_must_agree(tmp_path):
    table = b"image,label\na.jpg,4\nb.jpg,4\ngone.jpg,5\n"
    names = ["D/train/4/a.jpg", "D/train/5/b.jpg", "D/train/6/c.jpg", "D/test/1/a.jpg"]
    files = {"D/train_labels.csv": table, **dict.fromkeys(names, b"")}
    listing = listing_of("rafdb", folder_of(tmp_path, files))
    assert items_in(listing) == [
        ("D/test/1/a.jpg", "surprise", "test"),
        ("D/train/4/a.jpg", "happiness", "train"),
    ]
    assert problems_in(listing) == [
        ("gone.jpg", "missing file"),
        ("D/train/5/b.jpg", "contradictory labels"),
        ("D/train/6/c.jpg", "no label"),
    ]


@pytest.fixture
def faces():
    return [texture(seed, 48)[..., 0] for seed in range(7)]


@pytest.mark.parametrize("make", [zip_of, folder_of], ids=["zip", "folder"])
def test_the_original_fer2013_csv_is_read_row_by_row(tmp_path, faces, make):
    path = make(tmp_path / "x", {"fer2013/fer2013.csv": fer2013_csv(faces)})
    with Archive(path) as archive:
        items = DATASETS["fer2013"](archive).items
        assert [(i.original, i.label, i.split) for i in items][:4] == [
            ("fer2013/fer2013.csv/fer0000000", "anger", "train"),
            ("fer2013/fer2013.csv/fer0000001", "disgust", "test"),
            ("fer2013/fer2013.csv/fer0000002", "fear", "test"),
            ("fer2013/fer2013.csv/fer0000003", "happiness", "train"),
        ]
        assert [i.label for i in items][4:] == ["sadness", "surprise", "neutral"]
        for number in (2, 5, 6, 0):  # in order, with gaps, and back again
            np.testing.assert_array_equal(items[number].picture(), faces[number])


def test_the_other_spelling_of_the_fer2013_csv_is_read_too(tmp_path, faces):
    rows = [f"{i}, Training,{pixels_text(face)}" for i, face in enumerate(faces)]
    text = "\n".join(["emotion, Usage, pixels", *rows])
    path = folder_of(tmp_path, {"icml_face_data.csv": text.encode()})
    with Archive(path) as archive:
        items = DATASETS["fer2013"](archive).items
        np.testing.assert_array_equal(items[3].picture(), faces[3])
    assert len(items) == 7


@pytest.mark.parametrize(
    ("row", "message"),
    [("1 2 3", "has 3 pixels"), ("1 2 3 300", "is no picture"), ("1 2 x 4", "is no picture")],
)
def test_a_row_that_is_no_picture_is_named(tmp_path, row, message):
    path = folder_of(tmp_path, {"f.csv": f"emotion,pixels,Usage\n3,{row},Training\n".encode()})
    with Archive(path) as archive:
        [item] = DATASETS["fer2013"](archive).items
        with pytest.raises(BadImageError, match=f"row 0 of f.csv {message}"):
            item.picture()


def test_rows_with_unknown_labels_and_broken_rows_are_named(tmp_path):
    text = "emotion,pixels,Usage\n3,1 2 3 4,Training\n9,1,Training\n3,1,Holiday\n3\n"
    listing = listing_of("fer2013", folder_of(tmp_path, {"f.csv": text.encode()}))
    assert problems_in(listing) == [
        ("f.csv/fer0000001", "unknown label"),
        ("f.csv/fer0000002", "unknown label"),
        ("f.csv/fer0000003", "broken row"),
    ]


def test_the_official_ckplus_takes_the_labelled_frame_of_each_sequence(tmp_path):
    above = "extended-cohn-kanade-images/"
    files = {
        f"{above}cohn-kanade-images/S005/001/S005_001_00000010.png": b"",
        f"{above}cohn-kanade-images/S005/001/S005_001_00000011.png": b"",
        f"{above}cohn-kanade-images/S010/002/S010_002_00000014.png": b"",
        f"{above}cohn-kanade-images/S010/003/S010_003_00000009.png": b"",
        "Emotion/S005/001/S005_001_00000011_emotion.txt": b"   3.0000000e+00\n",
        "Emotion/S010/002/S010_002_00000014_emotion.txt": b"   7.0000000e+00\n",
        "Emotion/S010/003/S010_003_00000009_emotion.txt": b"   2.0000000e+00\n",
        "Emotion/S011/001/S011_001_00000016_emotion.txt": b"   1.0000000e+00\n",
        "Emotion/S012/001/S012_001_00000016_emotion.txt": b"   1.5\n",
    }
    listing = listing_of("ckplus", folder_of(tmp_path, files))
    assert [(i.original.rpartition("/")[2], i.label, i.subject) for i in listing.items] == [
        ("S005_001_00000011.png", "disgust", "S005"),
        ("S010_002_00000014.png", "surprise", "S010"),
    ]
    assert Counter(reason for _, reason in problems_in(listing)) == {
        "contempt": 1, "missing file": 1, "unknown label": 1,
    }  # fmt: skip


def test_every_number_of_ckplus_means_its_expression(tmp_path):
    files = {}
    for number in range(8):
        files[f"Emotion/S00{number}_1_1_emotion.txt"] = f" {number}.0000000e+00".encode()
        files[f"images/S00{number}_1_1.png"] = b""
    labels = [item.label for item in listing_of("ckplus", folder_of(tmp_path, files)).items]
    assert labels == ["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"]


def test_contempt_is_left_out_and_counted(tmp_path):
    ckplus = {"anger/S001_1_1.png": b"", "contempt/S002_1_1.png": b""}
    listing = listing_of("ckplus", folder_of(tmp_path / "ckplus", ckplus))
    assert problems_in(listing) == [("contempt/S002_1_1.png", "contempt")]
    tfeid = {"f01_dfh_ax.jpg": b"", "f01_dfh_cx.jpg": b""}
    listing = listing_of("tfeid", folder_of(tmp_path / "tfeid", tfeid))
    assert problems_in(listing) == [("f01_dfh_cx.jpg", "contempt")]


AFFECTNET_HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,expression"


def test_the_official_affectnet_is_cut_out_by_its_boxes(tmp_path):
    photo = np.zeros((60, 80, 3), dtype=np.uint8)
    photo[10:30, 40:70] = 200
    lines = [f"{number}/p.png,40,10,30,20,{number}" for number in range(11)]
    training = "\n".join([AFFECTNET_HEADER, *lines, "gone/p.png,0,0,1,1,1"])
    validation = f"{AFFECTNET_HEADER}\n99/p.png,-5,-5,500,500,6"
    files = {f"Images/{n}/p.png": encode(photo, "PNG") for n in [*range(11), 99]}
    files |= {"training.csv": training.encode(), "validation.csv": validation.encode()}
    with Archive(folder_of(tmp_path, files)) as archive:
        listing = read_listing("affectnet", archive, {})
        assert items_in(listing) == [
            ("Images/0/p.png", "neutral", "train"),
            ("Images/1/p.png", "happiness", "train"),
            ("Images/2/p.png", "sadness", "train"),
            ("Images/3/p.png", "surprise", "train"),
            ("Images/4/p.png", "fear", "train"),
            ("Images/5/p.png", "disgust", "train"),
            ("Images/6/p.png", "anger", "train"),
            ("Images/99/p.png", "anger", "test"),
        ]
        face = listing.items[1].picture()
        assert (face.shape, face.min(), face.max()) == ((20, 30, 3), 200, 200)
        assert listing.items[-1].picture().shape == (60, 80, 3)  # a box over the edge
    assert problems_in(listing) == [
        ("8/p.png", "none of these"),
        ("9/p.png", "uncertain"),
        ("10/p.png", "no face"),
        ("gone/p.png", "missing file"),
        ("Images/7/p.png", "contempt"),
    ]


def test_a_picture_that_affectnet_lists_twice_is_kept_once(tmp_path):
    text = f"{AFFECTNET_HEADER}\na.png,,,,,1.0\na.png,,,,,2\n"  # 1.0: as pandas writes it
    files = {"training.csv": text.encode(), "a.png": b""}
    listing = listing_of("affectnet", folder_of(tmp_path, files))
    assert items_in(listing) == [("a.png", "happiness", "train")]
    assert listing.items[0].picture is None  # no box: the whole picture
    assert problems_in(listing) == [("a.png", "repeated name")]


BOXES = {  # written: whether the face is cut out by it
    "40,10,30,20": True,
    "40.6,10.2,30.9,20.9": True,
    "-5,-5,500,500": True,  # over the edge
    "NULL,NULL,NULL,NULL": False,
    "nan,10,30,20": False,
    "NaN,NaN,NaN,NaN": False,
    "inf,10,30,20": False,
    "1e400,10,30,20": False,
    "40,10,-30,20": False,
    "40,10,30,0": False,
    "40,10,3,3": False,
    "40,,30,20": False,
    "40,10,30,9999999999999999999999": False,
    "4000,10,30,20": False,  # beside the picture
    "-50,10,30,20": False,
    "40,-50,30,20": False,
    "78,10,30,20": False,  # two pixels of it are in the picture
}


@pytest.mark.parametrize(("box", "used"), BOXES.items())
def test_a_box_that_is_none_is_not_used_and_counted(tmp_path, box, used):
    photo = texture(1, 80)[:60]
    files = {
        "training.csv": f"{AFFECTNET_HEADER}\np.png,{box},1\n".encode(),
        "p.png": encode(photo, "PNG"),
    }
    with Archive(folder_of(tmp_path, files)) as archive:
        listing = DATASETS["affectnet"](archive)
        [item] = listing.items
        face = item.picture() if item.picture else photo
    assert item.label == "happiness"
    if used:
        size = (60, 80, 3) if box.startswith("-") else (20, 30, 3)
        assert (face.shape, listing.problems) == (size, [])
        return
    assert face.shape == photo.shape
    assert problems_in(listing) == [("p.png", "unusable face box")]
    assert "picture" in listing.problems[0].detail


def test_a_box_that_is_not_used_is_counted_by_prepare_and_the_picture_kept(tmp_path):
    header, rest = AFFECTNET_HEADER, "NULL,NULL,NULL,NULL"
    text = f"{header}\na.png,{rest},1\nb.png,900,900,30,30,2\nc.png,10,10,30,30,3\n"
    files = {f"{name}.png": encode(texture(n), "PNG") for n, name in enumerate("abc")}
    path = folder_of(tmp_path / "x", files | {"training.csv": text.encode()})
    report = prepare(Settings("affectnet", str(path)), tmp_path / "out")
    assert (report.kept.total(), dict(report.skipped)) == (3, {"unusable face box": 2})
    assert report.examples == {"unusable face box": ["a.png", "b.png"]}


@pytest.mark.parametrize(
    ("table", "split"),
    [
        ("training.csv", "train"),
        ("automatically_annotated.csv", "train"),
        ("validation.csv", "test"),
        ("val.csv", "test"),
        ("AffectNetValidation.csv", "test"),
        ("affectnet_dev.csv", "test"),
        ("test.csv", "test"),
        ("valid2.csv", "test"),
        ("with_validation/training.csv", "train"),
    ],
)
def test_the_name_of_affectnets_table_tells_the_split(tmp_path, table, split):
    files = {table: f"{AFFECTNET_HEADER}\na.png,,,,,1\n".encode(), "a.png": b""}
    listing = listing_of("affectnet", folder_of(tmp_path, files))
    assert items_in(listing) == [("a.png", "happiness", split)]


def test_a_picture_that_no_table_of_affectnet_names_is_named(tmp_path):
    table = f"{AFFECTNET_HEADER}\na.png,,,,,1\nb.png,,,,,9\n".encode()
    files = {"training.csv": table, **dict.fromkeys(["a.png", "b.png", "x/c.png"], b"")}
    listing = listing_of("affectnet", folder_of(tmp_path, files))
    assert problems_in(listing) == [("b.png", "uncertain"), ("x/c.png", "no label")]


def test_a_line_that_never_ends_is_no_table(tmp_path):
    files = {"a.png": b"", "training.csv": AFFECTNET_HEADER.encode() + b"x" * 2**21}
    with pytest.raises(BadDataError, match=r"training\.csv is no table \(a line of 1,048,576"):
        listing_of("affectnet", folder_of(tmp_path, files))


@pytest.mark.parametrize("header", [b"", b"name,label\n", b"image,label\n"])
def test_the_600_of_gimefive_are_their_own_split(tmp_path, header):
    table = header + b"img2_fear.jpg,5\nimg1_happiness.jpg,0\nimg9_fear.jpg,5\nimg3_x.jpg,6\n"
    files = dict.fromkeys(["valid/img1_happiness.jpg", "valid/img2_fear.jpg"], b"")
    files |= {"valid/img3_x.jpg": b"", "valid/img4.jpg": b"", "valid_labels.csv": table}
    listing = listing_of("gimefive", folder_of(tmp_path, files))
    assert items_in(listing) == [
        ("valid/img1_happiness.jpg", "happiness", "valid"),
        ("valid/img2_fear.jpg", "fear", "valid"),
    ]
    assert problems_in(listing) == [
        ("img9_fear.jpg", "missing file"),
        ("img3_x.jpg", "unknown label"),
        ("valid/img4.jpg", "no label"),
    ]


@pytest.mark.data
def test_the_real_600_are_100_of_each(data_dir):
    listing = listing_of("gimefive", data_dir / "gimefive-valid.zip")
    assert set(Counter(i.label for i in listing.items).values()) == {100}
    assert (len(listing.items), listing.problems) == (600, [])
    # the labels are told by the names, too: an oracle
    assert all(item.original.endswith(f"_{item.label}.jpg") for item in listing.items)


@pytest.mark.data
def test_the_real_ckplus_has_the_peaks_of_106_people(data_dir):
    listing = listing_of("ckplus", data_dir / "ckplus.zip")
    assert Counter(item.label for item in listing.items) == {
        "surprise": 83, "happiness": 69, "disgust": 59, "anger": 45, "sadness": 28, "fear": 25,
    }  # fmt: skip
    assert len({item.subject for item in listing.items}) == 106


@pytest.mark.parametrize(
    "text",
    [
        "\ufefftest_0001.jpg 7\ntrain_00001.jpg 5\n",
        "test_0001.jpg\t7\r\ntrain_00001.jpg\t5\r\n",
        "test_0001.jpg 7 male\ntrain_00001.jpg  5\t\tfemale\n",
        "test_0001.jpg, 7\ntrain_00001.jpg, 5",
    ],
    ids=["mark", "tabs", "third column", "commas"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_rafdbs_list_is_read_however_it_was_saved(tmp_path, text, encoding):
    files = {
        "EmoLabel/list_patition_label.txt": saved(text, encoding),
        "Image/aligned/train_00001_aligned.jpg": b"",
        "Image/aligned/test_0001_aligned.jpg": b"",
    }
    listing = listing_of("rafdb", folder_of(tmp_path, files))
    assert (items_in(listing), listing.problems) == (
        [
            ("Image/aligned/test_0001_aligned.jpg", "neutral", "test"),
            ("Image/aligned/train_00001_aligned.jpg", "sadness", "train"),
        ],
        [],
    )


def test_a_label_of_ckplus_may_begin_with_a_mark(tmp_path):
    files = {"Emotion/S005_001_1_emotion.txt": "\ufeff 3.0".encode(), "x/S005_001_1.png": b""}
    assert [i.label for i in listing_of("ckplus", folder_of(tmp_path, files)).items] == ["disgust"]
