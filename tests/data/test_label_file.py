import json

import pytest

from mien.data.label_file import labels_of, labels_of_all, write_labels
from mien.errors import BadDataError
from mien.labels import AFFECTNET, PAPER, LabelSet


def test_a_folder_without_the_file_has_the_classes_of_the_paper(tmp_path):
    assert labels_of(tmp_path) == labels_of(tmp_path / "absent") == PAPER


@pytest.mark.parametrize(
    "labels", [PAPER, AFFECTNET, LabelSet(("zwei", "öde", "\u4e09"), "öde", ("#000000",) * 3)]
)
def test_classes_are_read_back_in_the_order_in_which_they_were_written(labels, tmp_path):
    assert write_labels(tmp_path, labels) == tmp_path / "labels.json"
    assert labels_of(tmp_path) == labels


def test_the_file_is_plain_json(tmp_path):
    path = write_labels(tmp_path, LabelSet(("no", "yes"), "rest"))
    expected = {"names": ["no", "yes"], "calm": "rest", "colours": []}
    assert json.loads(path.read_text(encoding="utf-8")) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot read .*labels.json"),
        ("[]", "no set of classes"),
        ("{}", "no set of classes"),
        ('{"names": ["a"], "order": 1}', "no set of classes"),
        ('{"names": "ab"}', "no lists of texts"),
        ('{"names": ["a", 1]}', "no lists of texts"),
        ('{"names": ["a"], "calm": 3}', "no lists of texts"),
        ('{"names": ["a", "A"]}', "twice"),
        ('{"names": ["a/b"]}', "no slash"),
        ('{"names": ["a"], "calm": ".."}', "no slash"),
        ('{"names": [" a"]}', "no space"),
    ],
)
def test_a_file_that_is_none_of_ours_is_named(text, told, tmp_path):
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(BadDataError, match=told) as caught:
        labels_of(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_classes_that_cannot_be_read_are_not_taken_for_the_papers(tmp_path):
    (tmp_path / "labels.json").mkdir()  # there, and no file, as one that may not be opened
    with pytest.raises(BadDataError, match="cannot read"):
        labels_of(tmp_path)


def test_folders_of_which_one_alone_has_a_calm_class_are_not_mixed(tmp_path):
    for name, labels in (("a", LabelSet(("x", "y", "z"))), ("b", LabelSet(("x", "y"), "z"))):
        (tmp_path / name).mkdir()
        write_labels(tmp_path / name, labels)
    with pytest.raises(BadDataError, match="use folders of the same classes"):
        labels_of_all([tmp_path / "a", tmp_path / "b"])


def test_folders_of_other_classes_are_never_mixed(tmp_path):
    for name, names in (("a", ("x", "y")), ("b", ("y", "x")), ("c", ("x", "y"))):
        (tmp_path / name).mkdir()
        write_labels(tmp_path / name, LabelSet(names))
    assert labels_of_all([tmp_path / "a", tmp_path / "c"]).names == ("x", "y")
    with pytest.raises(BadDataError, match=r"a has the classes x, y; .*b has y, x"):
        labels_of_all([tmp_path / "a", tmp_path / "b"])
