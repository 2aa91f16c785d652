import pytest

from mien.data.datasets import Archive, read_listing
from mien.errors import BadDataError
from tests.support.pictures import folder_of

PICTURES = dict.fromkeys(["pics/a.jpg", "pics/b.png", "pics/c.jpg", "pics/d.jpg"], b"")


def listing_of(path, **options):
    with Archive(path) as archive:
        return read_listing("folder", archive, options)


def items_in(listing):
    return [(item.original, item.label, item.split) for item in listing.items]


def problems_in(listing):
    return [(problem.original, problem.reason) for problem in listing.problems]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "path,label\npics/a.jpg,happy\npics/b.png,Angry\npics/c.jpg,Fear\n"),
        ("pics/any.csv", "image,emotion\na.jpg,joy\nb.png,3_anger\nc.jpg,afraid\n"),
        ("labels.csv", "Label;File\nhappiness;a.jpg\nANGRY;b.png\n5;c.jpg\n0;gone.jpg\n"),
        ("labels.tsv", "filename\tclass\nx/pics/a.jpg\t0\nC:\\x\\pics\\b.png\t3\nc.jpg\t5\n"),
        ("labels.csv", "\ufeffpath,label\r\n\r\npics/a.jpg , happy\r\nb.png,anger\r\nc.jpg,fear"),
        ("labels.csv", "a.jpg,happiness\nb.png,anger\nc.jpg,fear\n"),
    ],
    ids=["plain", "beside", "semicolons", "tabs", "excel", "no header"],
)
def test_a_csv_is_understood_however_it_is_written(tmp_path, name, text):
    listing = listing_of(folder_of(tmp_path, {**PICTURES, name: text.encode()}))
    assert items_in(listing) == [
        ("pics/a.jpg", "happiness", "train"),
        ("pics/b.png", "anger", "train"),
        ("pics/c.jpg", "fear", "train"),
    ]
    assert ("pics/d.jpg", "no label") in problems_in(listing)


def test_splits_and_people_come_from_their_columns(tmp_path):
    text = (
        "path,label,split,subject\na.jpg,happy,Train,ann\nb.png,sad,val,bob\n"
        "c.jpg,sad,TEST,\nd.jpg,sad,party,ann\n"
    )
    listing = listing_of(folder_of(tmp_path, {**PICTURES, "labels.csv": text.encode()}))
    assert [(item.split, item.subject) for item in listing.items] == [
        ("train", "ann"), ("valid", "bob"), ("test", ""),
    ]  # fmt: skip
    assert problems_in(listing) == [("pics/d.jpg", "unknown split")]


def test_without_a_column_the_split_is_in_the_tables_name(tmp_path):
    files = {
        "train_labels.csv": b"image,label\na.jpg,happy\n",
        "labels_test.csv": b"image,label\nb.png,happy\n",
        "more/valid.csv": b"image,label\nc.jpg,happy\n",
        "notes.csv": b"what,ever\n1,2\n",
    }
    listing = listing_of(folder_of(tmp_path, {**PICTURES, **files}))
    assert [item.split for item in listing.items] == ["train", "test", "valid"]


def test_without_a_split_in_the_table_the_folder_tells(tmp_path):
    files = {"Val/1/a.jpg": b"", "b.jpg": b"", "labels.csv": b"path,label\na.jpg,sad\nb.jpg,sad\n"}
    listing = listing_of(folder_of(tmp_path, files))
    assert [(item.original, item.split) for item in listing.items] == [
        ("Val/1/a.jpg", "valid"),
        ("b.jpg", "train"),
    ]


def test_two_tables_complete_each_other_and_contradict_each_other(tmp_path):
    files = {
        "1.csv": b"path,label\na.jpg,sad\nb.jpg,sad\n",
        "2.csv": b"path,label,subject\na.jpg,sad,ann\nb.jpg,fear,ann\n",
        "3.csv": b"path,label\na.jpg,sad\n",
    }
    listing = listing_of(folder_of(tmp_path, {"a.jpg": b"", "b.jpg": b"", **files}))
    assert [(item.original, item.subject) for item in listing.items] == [("a.jpg", "ann")]
    assert problems_in(listing) == [("b.jpg", "contradictory labels")]


def test_a_table_outside_is_named_by_an_option(tmp_path):
    (tmp_path / "x.csv").write_text("path,label\na.jpg,sad\n")
    path = folder_of(tmp_path / "mine", {"happy/a.jpg": b""})
    assert items_in(listing_of(path, labels=str(tmp_path / "x.csv"))) == [
        ("happy/a.jpg", "sadness", "train")
    ]


def test_of_pictures_of_one_name_the_table_means_the_nearest(tmp_path):
    names = ["a.jpg", "x/a.jpg", "x/y/a.jpg", "z/a.jpg"]
    files = dict.fromkeys(names, b"") | {
        "labels.csv": b"path,label\na.jpg,sad\n",
        "x/labels.csv": b"path,label\na.jpg,fear\ny/a.jpg,anger\n",
    }
    listing = listing_of(folder_of(tmp_path, files))
    assert [(item.original, item.label) for item in listing.items] == [
        ("a.jpg", "sadness"),
        ("x/a.jpg", "fear"),
        ("x/y/a.jpg", "anger"),
    ]
    assert problems_in(listing) == [("z/a.jpg", "no label")]


def test_what_is_wrong_in_a_table_is_named_and_left_out(tmp_path):
    text = (
        "path,label\npics/a.jpg,happy\npics/a.jpg,happy\npics/gone.jpg,happy\npics/b.png,bored\n"
        "pics/c.jpg,happy\npics/c.jpg,sad\nsame.jpg,fear\n"
    )
    files = {**PICTURES, "1/same.jpg": b"", "2/same.jpg": b"", "labels.csv": text.encode()}
    listing = listing_of(folder_of(tmp_path, files))
    assert items_in(listing) == [("pics/a.jpg", "happiness", "train")]
    assert problems_in(listing) == [
        ("pics/gone.jpg", "missing file"),
        ("pics/b.png", "unknown label"),
        ("pics/c.jpg", "contradictory labels"),
        ("same.jpg", "ambiguous name"),
        ("pics/d.jpg", "no label"),
    ]


@pytest.mark.parametrize("numbers", [(1, 2), (0, 7), (1, 6)])
def test_numbers_in_another_order_are_refused_rather_than_misread(tmp_path, numbers):
    text = "path,label\na.jpg,{}\nb.png,{}\n".format(*numbers)
    path = folder_of(tmp_path, {**PICTURES, "labels.csv": text.encode()})
    with pytest.raises(BadDataError, match=r"order of its own\?\n  try: write names"):
        listing_of(path)


def test_a_table_without_the_columns_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    path = folder_of(tmp_path / "mine", {"happy/a.jpg": b""})
    with pytest.raises(BadDataError, match="has no columns path,label"):
        listing_of(path, labels=str(tmp_path / "x.csv"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"path,label\na.jpg,\xff\xfe\n", "is no table"),
        (b'path,label\n"' + b"x" * 200_000, "table"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, data, message):
    path = folder_of(tmp_path, {**PICTURES, "labels.csv": data})
    with pytest.raises(BadDataError, match=message):
        listing_of(path)


def test_the_nearest_folder_that_names_an_expression_counts(tmp_path):
    names = [
        "sad/happy/a.jpg",
        "fear/2020/may/a.jpg",
        "happy/contempt/a.jpg",
        "happy/unknown/a.jpg",
    ]
    names += ["holiday/a.jpg", "a.jpg"]
    listing = listing_of(folder_of(tmp_path, dict.fromkeys(names, b"")))
    assert items_in(listing) == [
        ("fear/2020/may/a.jpg", "fear", "train"),
        ("sad/happy/a.jpg", "happiness", "train"),
    ]
    assert [(p.original, p.detail) for p in listing.problems] == [
        ("a.jpg", ""),
        ("happy/contempt/a.jpg", "contempt"),
        ("happy/unknown/a.jpg", "unknown"),
        ("holiday/a.jpg", "holiday"),
    ]


def test_labels_that_are_all_unknown_are_shown(tmp_path):
    path = folder_of(tmp_path, {"bored/a.jpg": b"", "tired/b.jpg": b""})
    with pytest.raises(
        BadDataError, match=r"left out 2, the first: bored/a.jpg, unknown label bored"
    ):
        listing_of(path)
