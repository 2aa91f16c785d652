from dataclasses import replace

import pytest

from mien.data import manifest
from mien.evaluate.learned import TEST, VALID, may_have_learned, split_digests
from tests.support.own_classes import write_own


@pytest.fixture
def folder(tmp_path):
    return write_own(tmp_path / "own", train=4, test=2)


def card_of(folder):
    valid, test = (split_digests([folder], split) for split in ("valid", "test"))
    return {"data": {VALID: valid, TEST: test}}


def resplit(folder, path_of_test):
    rows = [
        replace(row, split="test" if path_of_test(row.path) else "train")
        for row in manifest.read(folder)
    ]
    manifest.write(rows, folder)


def test_the_same_split_has_not_been_learned(folder):
    assert may_have_learned(card_of(folder), folder, "test") == []
    assert may_have_learned(card_of(folder), folder, "train") == []


def test_another_test_split_may_have_been_learned(folder):
    card = card_of(folder)
    resplit(folder, lambda path: path.endswith("1.png"))
    assert may_have_learned(card, folder, "test") == ["own"]
    assert may_have_learned({}, folder, "test") == []  # a card that does not say it


def test_what_was_all_trained_on_has_been_learned(folder):
    resplit(folder, lambda _: False)
    card = card_of(folder)
    resplit(folder, lambda path: path.startswith("test"))
    assert may_have_learned(card, folder, "test") == ["own"]


@pytest.mark.parametrize("nest", ["start", "earlier", "members"])
def test_what_a_model_was_made_of_is_asked_too(folder, nest):
    first = card_of(folder)
    resplit(folder, lambda path: path.endswith("1.png"))
    own = card_of(folder)
    if nest == "start":
        own["data"]["start"] = first["data"]
    elif nest == "earlier":
        own["data"]["earlier"] = [first["data"]]
    else:
        own["members"] = [first]
    assert may_have_learned(own, folder, "test") == ["own"]
