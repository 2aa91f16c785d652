"""FER2013 as Kaggle sends it: a .tar.gz, two tables of the same rows, a table without Usage."""

import numpy as np
import pytest

from mien.data.datasets import Archive, read_listing
from mien.errors import BadDataError
from tests.data.datasets.test_tarball import tar_of
from tests.support.dataset_listings import (
    fer2013_csv,
    items_in,
    listing_of,
    pixels_text,
    problems_in,
)
from tests.support.pictures import folder_of, texture

FACES = [texture(seed, 48)[..., 0] for seed in range(7)]
LABELS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]


def test_kaggles_tar_gz_is_read_row_by_row(tmp_path):
    files = {"fer2013/fer2013.csv": fer2013_csv(FACES), "fer2013/README": b"", "fer2013/a.bib": b""}
    with Archive(tar_of(tmp_path / "fer2013.tar.gz", files)) as archive:
        listing = read_listing("fer2013", archive, {})
        assert [item.label for item in listing.items] == LABELS
        assert [item.split for item in listing.items[:3]] == ["train", "test", "test"]
        for item, face in zip(reversed(listing.items), reversed(FACES), strict=True):
            np.testing.assert_array_equal(item.picture(), face)


def test_a_second_table_of_the_same_rows_is_named_and_not_read_again(tmp_path):
    other = ["emotion, Usage, pixels"]  # as in icml_face_data.csv
    for line in fer2013_csv(FACES).decode().splitlines()[1:]:
        emotion, pixels, usage = line.split(",")
        other.append(f"{emotion}, {usage}, {pixels}")
    files = {
        "fer2013/fer2013.csv": fer2013_csv(FACES),
        "icml_face_data.csv": "\n".join(other).encode(),
    }
    files["train.csv"] = b"emotion,pixels\n3,1 2 3 4\n"
    listing = listing_of("fer2013", folder_of(tmp_path, files))
    assert len(listing.items) == 7
    assert problems_in(listing) == [("icml_face_data.csv", "repeated table")]
    assert listing.unused == ["train.csv has the columns emotion, pixels; missing: usage"]
    changed = fer2013_csv(FACES).replace(b"Training", b"PublicTest")
    both = listing_of("fer2013", folder_of(tmp_path, {"icml_face_data.csv": changed}))
    assert (len(both.items), problems_in(both)) == (14, [])


@pytest.mark.parametrize(
    ("name", "split"), [("train.csv", "train"), ("faces_test.csv", "test"), ("faces.csv", "train")]
)
def test_a_table_without_usage_has_its_split_in_its_name(tmp_path, name, split):
    text = f"emotion,pixels\n3,{pixels_text(FACES[0])}\n"
    listing = listing_of("fer2013", folder_of(tmp_path, {name: text.encode()}))
    assert items_in(listing) == [(f"{name}/fer0000000", "happiness", split)]


def test_a_table_without_expressions_says_what_it_lacks(tmp_path):
    path = folder_of(tmp_path, {"test.csv": b"pixels\n1 2 3 4\n"})
    with pytest.raises(
        BadDataError, match=r"test\.csv has the columns pixels; missing: emotion, usage"
    ):
        listing_of("fer2013", path)
