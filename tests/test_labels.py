import pytest

from mien import labels
from mien.errors import BadSettingError


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


def test_a_set_numbers_its_classes_in_the_order_of_their_scores():
    six = labels.PAPER
    assert six.targets == (*labels.LABELS, "neutral")
    assert [six.index(name) for name in six.targets] == [0, 1, 2, 3, 4, 5, 6]
    assert [six.folder(name) for name in six.targets] == [
        labels.folder(name) for name in six.targets
    ]


def test_a_calm_class_among_the_scored_ones_is_numbered_with_them():
    assert labels.AFFECTNET.targets == labels.AFFECTNET.names
    assert labels.AFFECTNET.folder("neutral") == "0_neutral"
    assert labels.AFFECTNET.index("contempt") == 7
    assert labels.FER2013.index("surprise") == 5
    assert labels.RAFDB.folder("neutral") == "6_neutral"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "0 classes"),
        (("a", "A"), "twice: a"),
        (("a", " "), "' '"),
        (("a", "b\nc"), "printable"),
        (("a", "x" * 61), "one to 60"),
        (("a", ".."), "no slash"),  # it would be a folder
        (("a", "Uncertain"), "any face"),
        (tuple(map(str, range(1001))), "1001 classes"),
    ],
)
def test_a_set_that_cannot_be_told_apart_is_refused(names, told):
    with pytest.raises(BadSettingError, match=told):
        labels.LabelSet(names)


def test_a_calm_class_is_not_called_as_a_scored_one_in_other_letters():
    with pytest.raises(BadSettingError, match="twice: calm"):
        labels.LabelSet(("yes", "Calm"), calm="calm")


def test_colours_are_as_many_as_the_classes_and_written_in_hexadecimal():
    assert labels.LabelSet(("a", "b"), colours=("#e69f00", "#000000")).colours[0] == "#e69f00"
    with pytest.raises(BadSettingError, match="1 colours for 2"):
        labels.LabelSet(("a", "b"), colours=("#e69f00",))
    for wrong in ("red", "#e69f0", "#e69f000"):
        with pytest.raises(BadSettingError, match=f"the colour '{wrong}': expected #rrggbb"):
            labels.LabelSet(("a",), colours=(wrong,))


def test_a_set_of_a_list_is_that_of_a_tuple_and_one_text_is_no_set():
    assert hash(labels.LabelSet(["yes", "no"])) == hash(labels.LabelSet(("yes", "no")))
    assert labels.LabelSet(["yes", "no"]) == labels.LabelSet(("yes", "no"))
    for names in ("yes", (1, 2), {"yes", "no"}, None):
        with pytest.raises(BadSettingError, match=r"expected a tuple of texts\n  try: write"):
            labels.LabelSet(names)
