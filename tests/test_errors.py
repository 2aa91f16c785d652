import pickle

import pytest

from mien import errors
from mien.labels import LABELS


def test_a_wrong_name_is_answered_with_the_nearest_one():
    error = errors.UnknownNameError("database", "rafbd", ["fer2013", "rafdb"])
    assert str(error) == "no database called 'rafbd'\n  try: use rafdb"


def test_a_name_like_no_other_is_answered_with_all_of_them_sorted():
    error = errors.UnknownNameError("database", "zzz", ["rafdb", "fer2013"])
    assert error.fix == "use fer2013, rafdb"


def test_a_missing_part_names_the_command_that_installs_it():
    error = errors.MissingExtraError("mien video", "video")
    assert str(error) == 'mien video needs the video extra\n  try: pip install "mien[video]"'


def test_every_error_is_caught_as_a_mien_error():
    kinds = [getattr(errors, name) for name in errors.__all__]
    assert len(kinds) == 8
    assert all(issubclass(kind, errors.MienError) for kind in kinds)


def test_every_error_travels_between_processes():
    for error in (
        errors.BadDataError("gone", fix="look"),
        errors.UnknownNameError("model", "cnn51", ["cnn15"]),
        errors.MissingExtraError("mien video", "video"),
    ):
        found = pickle.loads(pickle.dumps(error))
        assert (type(found), str(found), found.fix) == (type(error), str(error), error.fix)
        assert found == error
        assert hash(found) == hash(error)


def test_errors_are_equal_if_kind_and_text_are_so_that_failures_can_be_compared():
    error = errors.BadDataError("gone", fix="look")
    others = [errors.BadDataError("gone", fix="ask"), errors.BadModelError("gone", fix="look")]
    assert error not in [*others, "gone"]
    assert len({error, *others, errors.BadDataError("gone", fix="look")}) == 3


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("happy", "happiness"), ("Sad", "sadness"), ("ANGRY", "anger"), ("surprised", "surprise")],
)
def test_an_everyday_word_is_near_the_name_of_its_expression(typed, meant):
    assert errors.UnknownNameError("expression", typed, LABELS).fix == f"use {meant}"
