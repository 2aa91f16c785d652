import re

import pytest

from mien.data import manifest
from mien.data.datasets import Archive, read_listing
from mien.errors import BadDataError
from tests.support.commands import mien
from tests.support.dataset_listings import items_in, problems_in, saved
from tests.support.pictures import encode, folder_of, texture

PICTURES = dict.fromkeys(["pics/a.jpg", "pics/b.png", "pics/c.jpg", "pics/d.jpg"], b"")


def listing_of(path, **options):
    with Archive(path) as archive:
        return read_listing("folder", archive, options)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "path,label\npics/a.jpg,happy\npics/b.png,Angry\npics/c.jpg,Fear\n"),
        ("pics/any.csv", "image,emotion\na.jpg,joy\nb.png,3_anger\nc.jpg,afraid\n"),
        ("labels.csv", "Label;File\nhappiness;a.jpg\nANGRY;b.png\nfear;c.jpg\njoy;gone.jpg\n"),
        (
            "labels.tsv",
            "filename\tclass\nx/pics/a.jpg\tjoy\nC:\\x\\pics\\b.png\t3_anger\nc.jpg\tfear",
        ),
        ("labels.csv", "\ufeffpath,label\r\n\r\npics/a.jpg , happy\r\nb.png,anger\r\nc.jpg,fear"),
        ("labels.csv", "a.jpg,happiness\nb.png,anger\nc.jpg,fear\n"),
        ("labels.csv", "sep=;\r\nfile;label;a,b,c\r\na.jpg;joy\r\nb.png;anger\r\nc.jpg;fear"),
        ("labels.csv", "sep=|\nfile|label|note\na.jpg|joy|a,b\nb.png|anger|\nc.jpg|fear|"),
        ("labels.csv", "a.jpg\t3.0\tann\nb.png\t0.0\tbob\nc.jpg\t2\tann\n"),
    ],
    ids=[
        "plain",
        "beside",
        "semicolons",
        "tabs",
        "excel",
        "no header",
        "sep",
        "bars",
        "third column",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_csv_is_understood_however_it_is_written(tmp_path, name, text, encoding):
    whose = {"labels": "fer2013"} if ".0" in text else {}
    files = {**PICTURES, name: saved(text, encoding)}
    listing = listing_of(folder_of(tmp_path, files), **whose)
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


def test_without_a_header_a_third_column_is_the_split_if_it_reads_like_one(tmp_path):
    text = "a.jpg,happy,test\nb.png,sad,Val\nc.jpg,sad,party\n"
    listing = listing_of(folder_of(tmp_path, {**PICTURES, "labels.csv": text.encode()}))
    assert [item.split for item in listing.items] == ["test", "valid"]
    assert problems_in(listing)[0] == ("pics/c.jpg", "unknown split")


def test_the_names_of_columns_can_be_told(tmp_path):
    text = "IMG,Mood,path,part\na.jpg,happy,no,test\nb.png,Wut,no,train\n"
    path = folder_of(tmp_path, {**PICTURES, "labels.csv": text.encode()})
    told = "path=img, label=Mood,split=part"
    assert items_in(listing_of(path, columns=told)) == [
        ("pics/a.jpg", "happiness", "test"),
        ("pics/b.png", "anger", "train"),
    ]
    with pytest.raises(BadDataError) as caught:
        listing_of(path, columns="path=IMG,label=feeling,split=set")
    assert caught.value.message.endswith(
        "labels.csv has the columns IMG, Mood, path, part; missing: label (or feeling), "
        "split (or set)"
    )
    assert "--columns path=NAME,label=NAME" in caught.value.fix


def test_a_table_of_something_else_is_named_where_nothing_else_is_found(tmp_path):
    path = folder_of(tmp_path, {**PICTURES, "notes.csv": b"what,ever\n1,2\n"})
    with pytest.raises(
        BadDataError, match=r"not read: notes\.csv has the columns what, ever; miss"
    ):
        listing_of(path)


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


def test_a_tables_name_that_names_two_splits_tells_none(tmp_path):
    table = b"path,label\ntrain/a.jpg,sad\ntest/b.jpg,sad\nval/c.jpg,sad\n"
    pictures = dict.fromkeys(["train/a.jpg", "test/b.jpg", "val/c.jpg"], b"")
    listing = listing_of(folder_of(tmp_path, {**pictures, "train_test_labels.csv": table}))
    assert {item.original: item.split for item in listing.items} == {
        "train/a.jpg": "train",
        "test/b.jpg": "test",
        "val/c.jpg": "valid",
    }


def test_what_is_no_picture_by_its_suffix_is_named(tmp_path):
    names = ["sad/a.jpg", "sad/b.TGA", "sad/c", "fear.zip", "sad/notes.csv", "sad/.d", "e.json"]
    listing = listing_of(folder_of(tmp_path, dict.fromkeys(names, b"")))
    assert [item.original for item in listing.items] == ["sad/a.jpg", "sad/b.TGA"]
    reason = "no picture by its suffix"
    assert sorted(problems_in(listing)) == [(n, reason) for n in ("e.json", "fear.zip", "sad/c")]


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


@pytest.mark.parametrize(
    ("labels", "fitting"),
    [
        ("12", "affectnet or ckplus or fer2013 or mien or rafdb"),
        ("07", "affectnet or ckplus"),
        ("06", "affectnet or ckplus or fer2013 or mien"),
        (["happy", "5"], "affectnet or ckplus or fer2013 or mien or rafdb"),
        (["8", "9"], "affectnet"),
    ],
)
def test_numbers_of_which_nobody_says_whose_they_are_are_refused(tmp_path, labels, fitting):
    text = "path,label\na.jpg,{}\nb.png,{}\n".format(*labels)
    path = folder_of(tmp_path, {**PICTURES, "labels.csv": text.encode()})
    with pytest.raises(BadDataError, match=r"order of its own\?\n  try: write names") as caught:
        listing_of(path)
    assert re.findall(r"(\w+) \(\d", caught.value.fix) == fitting.split(" or ")


def test_no_dataset_is_offered_for_numbers_that_none_has(tmp_path):
    files = {**PICTURES, "labels.csv": b"path,label\na.jpg,0\nb.png,99\n"}
    with pytest.raises(BadDataError, match=r"numbers expressions 0, 99") as caught:
        listing_of(folder_of(tmp_path, files))
    assert caught.value.fix.endswith("numbers they are: --labels NAME,NAME,... of your own")


ORDERS = {  # written once more by hand: the authors' own lists
    "affectnet": "neutral happiness sadness surprise fear disgust anger contempt",
    "ckplus": "neutral anger contempt disgust fear happiness sadness surprise",
    "fer2013": "anger disgust fear happiness sadness surprise neutral",
    "mien": "happiness surprise sadness anger disgust fear neutral",
    "rafdb": "- surprise fear disgust happiness sadness anger neutral",
}


@pytest.mark.parametrize("whose", ORDERS)
def test_numbers_mean_what_the_dataset_named_means_by_them(tmp_path, whose):
    wanted = {str(n): word for n, word in enumerate(ORDERS[whose].split()) if word != "-"}
    lines = "".join(f"{number}.jpg,{number}\n" for number in wanted)
    files = {f"{number}.jpg": b"" for number in wanted} | {
        "labels.csv": f"image,emotion\n{lines}".encode()
    }
    listing = listing_of(folder_of(tmp_path, files), numbering=whose)
    got = {item.original.removesuffix(".jpg"): item.label for item in listing.items}
    assert got == {number: word for number, word in wanted.items() if word != "contempt"}
    assert [p.reason for p in listing.problems] == ["contempt"] * (len(wanted) - len(got))


def test_numbers_outside_the_order_of_the_dataset_named_are_refused(tmp_path):
    files = {**PICTURES, "labels.csv": b"path,label\na.jpg,0\nb.png,3\n"}
    path = folder_of(tmp_path, files)
    with pytest.raises(BadDataError, match="0, 3: not the order of rafdb") as caught:
        listing_of(path, numbering="rafdb")
    assert re.findall(r"(\w+) \(\d", caught.value.fix) == ["affectnet", "ckplus", "fer2013", "mien"]


def test_our_own_numbers_are_read_where_the_folders_say_the_same_in_words(tmp_path):
    lines = "train/0_happiness/a.jpg,0\ntest/neutral/b.jpg,6\ntrain/5_fear/gone.jpg,5\n"
    files = {"train/0_happiness/a.jpg": b"", "test/neutral/b.jpg": b"", "sad/c.jpg": b""}
    told = folder_of(tmp_path / "told", files | {"l.csv": f"image,label\n{lines}".encode()})
    assert items_in(listing_of(told)) == [
        ("test/neutral/b.jpg", "neutral", "test"),
        ("train/0_happiness/a.jpg", "happiness", "train"),
    ]
    other = f"image,label\n{lines}sad/c.jpg,4\n".encode()  # 4 is disgust here, sadness in FER2013
    with pytest.raises(BadDataError, match="an order of its own"):
        listing_of(folder_of(tmp_path / "other", files | {"l.csv": other}))


def test_the_command_knows_whose_numbers_there_are(tmp_path):
    path = folder_of(
        tmp_path / "x", {"a.png": encode(texture(1), "PNG"), "l.csv": b"path,label\na.png,0\n"}
    )
    refused = mien("prepare", "folder", path, "--out", tmp_path / "out")
    assert (refused.exit_code, "--labels affectnet (0 neutral" in refused.stderr) == (1, True)
    assert not (tmp_path / "out").exists()
    words = ["prepare", "folder", path, "--out", tmp_path / "out", "--numbering"]
    assert mien(*words, "fer2031").exit_code == 2
    assert mien(*words, "fer2013").exit_code == 0
    assert [row.label for row in manifest.read(tmp_path / "out")] == ["anger"]


def test_a_table_without_the_columns_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    path = folder_of(tmp_path / "mine", {"happy/a.jpg": b""})
    with pytest.raises(
        BadDataError, match=r"x\.csv has the columns a, b; missing: path \(or image,"
    ):
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
