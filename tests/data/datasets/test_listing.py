import pytest

from mien.data.datasets.listing import InOrder
from mien.errors import BadDataError, BadImageError


@pytest.fixture
def opened():
    return []


@pytest.fixture
def parts(opened):
    """Streams of the parts 0, 1, 3 and 4; that of the name ``bad`` is damaged after them."""

    def stream(name):
        opened.append(name)
        yield from ((number, f"{name}{number}") for number in (0, 1, 3, 4))
        if name == "bad":
            raise BadDataError("damaged", fix="download it again")

    return InOrder(stream)


def test_parts_in_their_order_are_read_from_one_stream(parts, opened):
    assert [parts.at("a", number) for number in (0, 3, 4)] == ["a0", "a3", "a4"]
    assert opened == ["a"]


def test_an_earlier_part_and_another_stream_open_one_again(parts, opened):
    assert [parts.at("a", 3), parts.at("a", 3), parts.at("a", 1)] == ["a3", "a3", "a1"]
    assert [parts.at("b", 1), parts.at("a", 4)] == ["b1", "a4"]
    assert opened == ["a", "a", "a", "b", "a"]


def test_a_part_that_is_lacking_is_named_and_the_next_is_found(parts):
    with pytest.raises(BadImageError, match="a has no number 2"):
        parts.at("a", 2)
    assert [parts.at("a", 3), parts.at("a", 4)] == ["a3", "a4"]


@pytest.mark.parametrize("name", ["a", "bad"])
def test_beyond_the_end_of_a_stream_that_is_cut_short_it_is_not_read_again(parts, opened, name):
    assert parts.at(name, 4) == f"{name}4"
    for number in range(5, 9):
        with pytest.raises(BadDataError if (name, number) == ("bad", 5) else BadImageError):
            parts.at(name, number)
    assert opened == [name]
    assert parts.at(name, 0) == f"{name}0"
