"""Which classes are wanted, what a word means among them, and what becomes of all others."""

import pytest

from mien.data.datasets.classes import class_of, sort_into, wanted_classes
from mien.data.datasets.listing import Item, Listing
from mien.errors import BadDataError, BadSettingError
from mien.labels import AFFECTNET, FER2013, PAPER, RAFDB, LabelSet
from tests.support.dataset_listings import items_in, problems_in


def listing_with(*labels):
    return Listing([Item(f"{n}.jpg", label, "train") for n, label in enumerate(labels)])


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("", PAPER),
        ("mien", PAPER),
        ("affectnet", AFFECTNET),
        ("fer2013", FER2013),
        ("rafdb", RAFDB),
        ("own", None),
        ("yes, no", LabelSet(("yes", "no"))),
        ("b,a,Ruhig", LabelSet(("b", "a", "Ruhig"))),
        ("sad,Calm", LabelSet(("sad", "Calm"), "Calm")),
        ("neutral,calm", LabelSet(("neutral", "calm"))),  # which is the calm one is not said
    ],
)
def test_the_wanted_classes_stay_in_the_order_they_were_written_in(written, labels):
    assert wanted_classes(written) == labels


def test_classes_come_from_a_file_too(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('names = ["pain", "none of it"]\ncalm = "none of it"\n')
    assert wanted_classes(str(path)) == LabelSet(("pain", "none of it"), "none of it")
    path.write_text("names = 3\n")
    with pytest.raises(BadSettingError, match="no lists of texts"):
        wanted_classes(str(path))
    with pytest.raises(BadSettingError, match=r"cannot read .*gone\.toml"):
        wanted_classes(str(tmp_path / "gone.toml"))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("happy", "one class alone"),
        ("fer2031", "one class alone.*\n.*affectnet, fer2013, mien, rafdb, or own"),
        ("a,A", "a class is there twice: a"),
        ("a,,b", "a class named ''"),
        ("a,no/b", "no slash"),
    ],
)
def test_classes_that_cannot_be_are_refused(written, message):
    with pytest.raises(BadSettingError, match=message):
        wanted_classes(written)


def test_a_word_means_the_class_that_is_most_like_it():
    own = LabelSet(("Joy", "happy", "grade 1", "grade 2", "wütend"))
    words = ["JOY", "01-happy", "glücklich", "grade 2", "grade_2", "Grade", "angry", "fear"]
    assert [class_of(word, own) for word in words] == [
        "Joy", "happy", None, "grade 2", None, None, "wütend", None,
    ]  # fmt: skip


def test_pictures_of_other_classes_are_left_out_by_their_name_and_whatever_else_was_noted():
    listing = listing_with("anger", "contempt", "joy")
    listing.leave_out("1.jpg", "unusable face box")
    listing.leave_out("gone.jpg", "missing file")
    sorted_ = sort_into(listing, "")
    assert items_in(sorted_) == [("0.jpg", "anger", "train"), ("2.jpg", "happiness", "train")]
    assert problems_in(sorted_) == [("gone.jpg", "missing file"), ("1.jpg", "contempt")]
    assert sorted_.labels == PAPER


def test_classes_with_other_words_take_what_the_dataset_means():
    listing = sort_into(listing_with("anger", "contempt", "fear"), "Wut,Verachtung")
    assert items_in(listing) == [("0.jpg", "Wut", "train"), ("1.jpg", "Verachtung", "train")]
    assert problems_in(listing) == [("2.jpg", "fear")]


def test_own_classes_are_all_that_are_there_by_number_and_name():
    labels = ["b10", "a", "b2", "A", "neutral"]
    listing = sort_into(listing_with(*labels), "own")
    assert listing.labels == LabelSet(("a", "b2", "b10", "neutral"), "neutral")
    assert [item.label for item in listing.items] == ["b10", "a", "b2", "a", "neutral"]
    ordered = sort_into(listing_with(*labels), "own", ["neutral", "b10"])
    assert ordered.labels.names == ("neutral", "b10", "a", "b2")


def test_a_class_without_pictures_is_named_with_what_is_there():
    with pytest.raises(BadDataError) as caught:
        sort_into(listing_with("anger", "anger", "fear"), "anger,joy,awe")
    assert caught.value.message == (
        "no picture of joy, awe, of the classes anger, joy, awe; found anger 2, fear 1"
    )
    with pytest.raises(BadDataError, match="found contempt 1"):
        sort_into(listing_with("contempt"), "")


def test_one_class_alone_is_refused_where_all_that_are_there_were_asked_for():
    with pytest.raises(BadDataError, match="one class alone: anger"):
        sort_into(listing_with("anger", "Anger"), "own")
