import pytest

from mien import labels


def test_the_order_of_the_classes_is_the_published_one():
    expected = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
    assert expected == labels.LABELS
    assert [labels.index(label) for label in expected] == [0, 1, 2, 3, 4, 5]


def test_neutral_is_the_seventh_target_and_none_of_the_six():
    assert labels.index("neutral") == labels.NEUTRAL_INDEX == 6
    assert "neutral" not in labels.LABELS


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("", None),
        ("7", None),
        ("contempt", None),
        ("3_contempt", None),
        ("angry", "anger"),
        ("DISGUST", "disgust"),
        (" fear\n", "fear"),
        ("Happy", "happiness"),
        ("0_happiness", "happiness"),
        ("sad", "sadness"),
        ("Surprise", "surprise"),
        ("neutral", "neutral"),
    ],
)
def test_a_database_word_becomes_our_label(word, label):
    assert labels.parse(word) == label


def test_folders_are_numbered_in_class_order_but_neutral_is_not():
    folders = [labels.folder(label) for label in (*labels.LABELS, labels.NEUTRAL)]
    assert folders == [
        "0_happiness", "1_surprise", "2_sadness", "3_anger", "4_disgust", "5_fear", "neutral",
    ]  # fmt: skip


@pytest.mark.parametrize("label", [*labels.LABELS, labels.NEUTRAL])
def test_a_folder_name_is_read_back_as_its_label(label):
    assert labels.parse(labels.folder(label)) == label


def test_a_word_that_is_no_label_has_no_index():
    with pytest.raises(ValueError, match="not in tuple"):
        labels.index("joy")
