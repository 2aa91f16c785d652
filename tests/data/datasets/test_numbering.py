import pytest

from mien.data.datasets.numbering import is_order, number_of, order_of
from mien.errors import BadDataError, BadSettingError


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("0", "0"),
        ("007", "7"),
        ("[3]", "3"),
        ("(12) ", "12"),
        ("3.0", "3"),
        ("3.5", None),
        ("-1", None),  # unlabelled, in many tables
        ("3_anger", None),
        ("1" * 5000, None),
        ("", None),
    ],
)
def test_what_is_a_number(word, number):
    assert number_of(word) == number


@pytest.mark.parametrize(
    ("written", "numbers", "order"),
    [
        ("sad,happy", {"0", "1"}, {"0": "sad", "1": "happy"}),
        ("sad,happy", {"1", "2"}, {"1": "sad", "2": "happy"}),
        ("sad, happy,angry", {"0"}, {"0": "sad", "1": "happy", "2": "angry"}),
        ("7=sad,9=happy", {"9"}, {"7": "sad", "9": "happy"}),
    ],
)
def test_names_with_commas_are_an_order(written, numbers, order):
    assert order_of(written, numbers, "folders number") == order


def test_numbers_that_may_count_from_0_or_from_1_are_refused():
    with pytest.raises(BadSettingError, match=r"1, 2 may count from 0 or from 1\n.*1=a,2=\.\.\."):
        order_of("a,b,c", {"1", "2"}, "folders number")


@pytest.mark.parametrize("written", ["a,a", "a,", "1=a,1=b", "1=a,2=a", "1=a,01=b"])
def test_a_number_or_name_that_is_there_twice_or_empty_is_refused(written):
    with pytest.raises(BadSettingError, match="twice, or is empty"):
        order_of(written, {"0", "1"}, "folders number")


def test_numbers_of_nobody_show_whose_they_may_be_and_what_each_begins_with():
    with pytest.raises(BadDataError) as caught:
        order_of("", {"1", "7"}, "folders number")
    assert caught.value.message == "folders number expressions 1, 7: an order of its own?"
    assert caught.value.fix == (
        "write names, or say whose numbers they are: --labels affectnet (0 neutral, ...) or "
        "ckplus (0 neutral, ...) or rafdb (1 surprise, ...) (--numbering beside a file of "
        "labels), or --labels NAME,NAME,... of your own"
    )


def test_what_is_an_order_and_what_a_file():
    written = ["rafdb", "a,b", "1=a,2=b", "labels.csv", "a,b.csv", "votes", ""]
    assert [is_order(value) for value in written] == [True, True, True, False, False, False, False]
