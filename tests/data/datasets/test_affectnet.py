"""AffectNet as it is sent since 2021, and as numbered folders; the official tables: test_tables."""

import io

import numpy as np
import pytest

from mien.errors import BadDataError
from mien.labels import AFFECTNET
from tests.support.dataset_listings import items_in, listing_of, problems_in
from tests.support.pictures import folder_of, zip_of

# Written once more by hand, from the readme of the dataset.
ORDER = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]


def npy(value, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array(value), version)
    return buffer.getvalue()


def sent(values, split="train_set"):
    """A part of AffectNet as it is sent: a picture and four files about it for each value."""
    files = {}
    for number, value in enumerate(values):
        files[f"{split}/images/{number}.jpg"] = b""
        about = {"exp": npy(value), "val": npy("0.25"), "aro": npy("-0.5"), "lnd": npy([0.0] * 136)}
        for kind, data in about.items():
            files[f"{split}/annotations/{number}_{kind}.npy"] = data
    return files


KINDS = [str, int, np.uint8, np.float32, lambda n: b"%d" % n, lambda n: [n]]


@pytest.mark.parametrize("make", [zip_of, folder_of], ids=["zip", "folder"])
@pytest.mark.parametrize(
    "kind", [str, int, np.uint8, np.float32, lambda n: b"%d" % n, lambda n: [n]]
)
def test_every_annotation_names_the_expression_of_its_picture(tmp_path, make, kind):
    files = sent([kind(number) for number in range(8)]) | sent([kind(6)], "val_set")
    files["__MACOSX/train_set/annotations/._0_exp.npy"] = b"\0"
    listing = listing_of("affectnet", make(tmp_path / "x", files))
    assert items_in(listing) == [
        *[(f"train_set/images/{n}.jpg", ORDER[n], "train") for n in range(7)],
        ("val_set/images/0.jpg", "anger", "test"),
    ]
    assert problems_in(listing) == [("train_set/images/7.jpg", "contempt")]
    eight = listing_of("affectnet", tmp_path / "x", classes="affectnet")
    assert (len(eight.items), eight.labels, eight.problems) == (9, AFFECTNET, [])


def test_what_does_not_fit_together_is_named(tmp_path):
    files = sent([0, 1, 2, 8, 11])
    del files["train_set/images/1.jpg"], files["train_set/annotations/2_exp.npy"]
    listing = listing_of("affectnet", folder_of(tmp_path, files))
    assert items_in(listing) == [("train_set/images/0.jpg", "neutral", "train")]
    assert sorted(problems_in(listing)) == [
        ("train_set/annotations/1_exp.npy", "missing file"),
        ("train_set/images/2.jpg", "no label"),
        ("train_set/images/3.jpg", "none of these"),
        ("train_set/images/4.jpg", "unknown label"),
    ]


class Thief:
    def __reduce__(self):
        return (print, ("unpickled",))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"7",
        npy("1")[:-2],
        npy(["1", "2"]),
        npy(1.5),
        npy("x"),
        npy([0] * 5000),
        npy("1", (2, 0)),
        npy("1").replace(b"()", b"(9999999999999,)"),
        npy("1").replace(b"'<U1'", b"'|O8'"),
        npy("1").replace(b"'<U1'", b"'<f3'"),
        npy("1").replace(b"}", b"("),  # of which Python's parser says that it never ends
        npy("1")[:-4] + b"\xff\xff\xff\xff",  # no letter
    ],
    ids=range(13),
)
def test_an_annotation_that_is_no_number_is_an_unknown_label(tmp_path, data):
    files = sent([3, 4]) | {"train_set/annotations/0_exp.npy": data}
    listing = listing_of("affectnet", folder_of(tmp_path, files))
    assert items_in(listing) == [("train_set/images/1.jpg", "fear", "train")]
    assert problems_in(listing) == [("train_set/images/0.jpg", "unknown label")]


def test_an_annotation_is_never_unpickled(tmp_path, capsys):
    buffer = io.BytesIO()
    np.save(buffer, np.array(Thief(), dtype=object), allow_pickle=True)
    files = sent([3, 4]) | {"train_set/annotations/0_exp.npy": buffer.getvalue()}
    assert len(listing_of("affectnet", folder_of(tmp_path, files)).items) == 1
    assert capsys.readouterr().out == ""


def test_numbered_folders_are_numbered_as_affectnet_numbers(tmp_path):
    names = [f"train/{number}/a.jpg" for number in range(11)] + ["val/06/a.jpg", "train/11/a.jpg"]
    listing = listing_of("affectnet", folder_of(tmp_path, dict.fromkeys(names, b"")))
    assert items_in(listing) == [
        *[(f"train/{n}/a.jpg", ORDER[n], "train") for n in range(7)],
        ("val/06/a.jpg", "anger", "valid"),
    ]
    assert sorted(problems_in(listing)) == [
        ("train/10/a.jpg", "no face"),
        ("train/11/a.jpg", "unknown label"),
        ("train/7/a.jpg", "contempt"),
        ("train/8/a.jpg", "none of these"),
        ("train/9/a.jpg", "uncertain"),
    ]
    assert listing.taken["06", "anger"] == 1


def test_a_table_without_its_columns_says_which_it_lacks(tmp_path):
    files = {"training.csv": b"subDirectory_filePath,emotion\na.png,1\n"}
    with pytest.raises(BadDataError) as caught:
        listing_of("affectnet", folder_of(tmp_path, files))
    assert caught.value.message.endswith(
        "not read: training.csv has the columns subDirectory_filePath, emotion; missing: expression"
    )
