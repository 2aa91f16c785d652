from itertools import pairwise

import numpy as np
import pytest

from mien.show.picture_grid import FigureRow, contact_sheet, figure, figure_pixels, write_figure
from mien.show.style import DARK, text_width
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


TILE = np.zeros((192, 192, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("names", "captions"),
    [
        (["face", "a class with quite a long name 96%", "fear 2%"], ["", "", ""]),
        (["face", "fear 2%", "a class with quite a long name, the last one 96%"], ["", "", ""]),
        (["face"], ["happiness", "channel 1023: -1.25e+03 to 3.25e+03", "channel 7: 0 to 1"]),
        (["face", "activations of a layer with a name that goes on over the others"], ["", "", ""]),
    ],
)
def test_no_word_of_a_figure_runs_into_the_next_or_over_the_edge(names, captions):
    page = figure("title", names, [FigureRow("", [TILE] * 3, captions)] * 2, "legend")
    lines = {}
    for left, middle, text, size, _ in page.words:
        lines.setdefault(middle, []).append((left, left + text_width(text, size), text))
    for line in lines.values():
        ends = sorted(one for one in line if one[2])
        assert all(a[1] < b[0] for a, b in pairwise(ends)), ends
        assert all(end <= page.width for _, end, _ in ends)
    lefts = sorted({left for left, _, tile in page.pictures if tile is TILE})
    assert len(lefts) == 3
    heads = [left for left, _, text, *_ in page.words if text in names]
    assert heads == lefts[: len(names)]  # each above its tile


def test_a_figure_is_twice_as_fine_in_a_pdf_as_on_the_screen(tmp_path):
    page = figure("warm", ["face"], [FigureRow("", [TILE])], "")
    write_figure(page, tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    assert f"/Width {2 * page.width}".encode() in data
    once, twice = figure_pixels(page), figure_pixels(page, 2)
    enlarged = once.repeat(2, axis=0).repeat(2, axis=1)
    [(left, top, _)] = page.pictures
    tiles = (slice(2 * top, 2 * top + 384), slice(2 * left, 2 * left + 384))
    np.testing.assert_array_equal(twice[tiles], enlarged[tiles])
    title = (slice(0, 100), slice(0, 160))
    assert (twice[title] != enlarged[title]).any()  # its letters are drawn anew
    ink, coarse = (255.0 - picture[title].mean() for picture in (twice, enlarged))
    assert ink == pytest.approx(coarse, rel=0.05)  # and are as large
