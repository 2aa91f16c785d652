"""Reports and pages of pairs: what a browser of a phone needs, and names that stay whole."""

import re

import numpy as np
import pytest
from PIL import Image

from mien.show.html import ExplainedCrop, Pair, Section, write_pairs, write_report
from tests.support.browser import chromium, violations
from tests.support.pictures import texture

VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
NAME = "test/0_happiness/a<b>_0001.jpg"


def test_both_pages_are_as_wide_as_a_phone_and_have_a_margin(tmp_path):
    write_report("title", "note", [Section("Data")], tmp_path / "r.html")
    write_pairs("title", "summary", [], tmp_path / "p.html")
    for name in ("r.html", "p.html"):
        text = (tmp_path / name).read_text()
        assert VIEWPORT in text
        body = re.search(r"^body \{(.*?)\}", text, re.DOTALL | re.MULTILINE)[1]
        assert "padding: 0 16px" in body


def test_a_file_name_breaks_behind_its_slashes_alone(tmp_path):
    crop = np.zeros((8, 8, 3), dtype=np.uint8)
    section = Section("Inspection", crops=(ExplainedCrop(crop, crop, ("called fear", NAME)),))
    write_report("title", "note", [section], tmp_path / "r.html")
    picture = tmp_path / "a.png"
    pair = Pair((picture,), (NAME,), "similarity 0.98")
    write_pairs("title", "summary", [("Leaks", [pair])], tmp_path / "p.html")
    for name in ("r.html", "p.html"):
        assert "test/<wbr>0_happiness/<wbr>a&lt;b&gt;_0001.jpg" in (tmp_path / name).read_text()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report with a wide and a narrow plot, and pairs below a table in one kind of letters."""
    folder = tmp_path_factory.mktemp("pages")
    Image.fromarray(texture(0, 100)).save(folder / "a.png")
    for name, size in (("wide", (1440, 400)), ("narrow", (560, 480))):
        Image.new("RGB", size, "navy").save(folder / f"{name}.png")
    plots = tuple(folder / f"{name}.png" for name in ("wide", "narrow"))
    crop = texture(1)
    shown = ExplainedCrop(crop, crop, ("labelled fear, called fear", "fear 98%", NAME * 3))
    sections = [Section("Data", ("w " * 90,), (("a", "b"),), plots, (shown,) * 3)]
    write_report("title", "note", sections, folder / "r.html")
    pair = Pair((folder / "a.png",) * 2, (NAME * 3, NAME), "similarity 0.98", stressed=True)
    write_pairs("title", "x" * 120 + "\nrow", [("Leaks", [pair] * 4)], folder / "p.html")
    return folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


_SEEN = """() => {
  const box = (element) => element.getBoundingClientRect();
  const words = [...document.querySelectorAll("body *")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const parts = [...document.querySelectorAll("main, p, pre, nav, table, .plot, figure")];
  return {
    wide: document.documentElement.scrollWidth,
    letters: Math.min(...words.map((element) => parseFloat(getComputedStyle(element).fontSize))),
    left: Math.min(...parts.map((part) => box(part).left)),
    right: Math.max(...parts.map((part) => box(part).right)),
    plots: [...document.querySelectorAll(".plot img")].map((image) =>
      [box(image).width / image.naturalWidth, box(image).width / box(image).height]),
  };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["r.html", "p.html"])
def test_in_a_browser_nothing_is_cut_and_all_words_can_be_read(browser, pages, name, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((pages / name).as_uri())
    seen = page.evaluate(_SEEN)
    assert seen["wide"] <= width  # the page does not move sideways; wide parts do, in their frame
    assert seen["letters"] >= 13
    assert min(seen["left"], width - seen["right"]) >= 16
    for scale, shape in seen["plots"]:
        assert 0.79 <= scale <= 1
        assert min(abs(shape - 1440 / 400), abs(shape - 560 / 480)) < 0.01
    assert len(seen["plots"]) == (2 if name == "r.html" else 0)
    if width == 390:  # the same elements at any width
        assert violations(page) == []
    page.close()
