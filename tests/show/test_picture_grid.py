import numpy as np
import pytest

from mien.show.picture_grid import contact_sheet
from mien.show.style import DARK
from mien.show.tables import as_markdown, as_text


def rows(*captions):
    """A row of two pictures for each caption: black, then one white pixel at row 1, column 2."""
    pictures = np.zeros((2, 8, 8), dtype=np.uint8)
    pictures[1, 1, 2] = 255
    return [(f"name {i}", "note", pictures, (caption, "")) for i, caption in enumerate(captions)]


def blocks(sheet):
    """Tops and lefts of the places where a black square of 16 pixels starts."""
    black = (sheet == 0).all(axis=2)
    starts = []
    for top, left in np.argwhere(black):
        square = black[top : top + 16, left : left + 16]
        if square.shape == (16, 16) and square.sum() >= 252 and not black[top - 1, left - 1]:
            starts.append((int(top), int(left)))
    return starts


def test_each_picture_is_shown_twice_its_size_with_hard_pixels():
    sheet = contact_sheet("T", ["original"], rows(""))
    (top, left), (_, second) = blocks(sheet)
    assert second - left == 16 + 8
    tile = sheet[top : top + 16, second : second + 16, 0]
    expected = np.zeros((8, 8), dtype=np.uint8)
    expected[1, 2] = 255
    np.testing.assert_array_equal(tile, np.kron(expected, np.ones((2, 2))))


def test_rows_follow_each_other_and_one_with_a_caption_takes_more_room():
    tops = sorted({top for top, _ in blocks(contact_sheet("T", [], rows("", "x", "", "")))})
    assert np.diff(tops).tolist() == [24, 46, 24]


def test_title_names_and_notes_are_written_dark_to_the_left_of_the_pictures():
    sheet = contact_sheet("A long title of a sheet that is wider than its pictures", [], rows(""))
    [(top, left), _] = blocks(sheet)
    dark = (sheet <= np.array(DARK) + 8).all(axis=2)
    assert dark[:40].any()
    assert dark[top : top + 16, 16 : left - 16].any()
    assert not dark[:, :15].any()
    assert not dark[:, -15:].any()


@pytest.mark.parametrize(("cells", "text"), [([["a", 5]], "n  x\na  5"), ([], "n  x")])
def test_a_table_of_few_rows(cells, text):
    assert as_text(["n", "x"], cells) == text


def test_numbers_stand_to_the_right_with_thousands_and_nothing_is_a_dash():
    text = as_text(["name", "count", "much"], [["a", 1234, ""], ["longer", 5, 6]])
    assert text.splitlines() == [
        "name    count  much",
        "a       1,234     -",
        "longer      5     6",
    ]


def test_a_markdown_table_escapes_the_bar():
    assert as_markdown(["a"], [["x|y"], [""]]) == "| a |\n| --- |\n| x\\|y |\n| - |\n"
