"""Reports and pages of pairs: what a browser of a phone needs, and names that stay whole."""

import re

import numpy as np

from mien.show.html import ExplainedCrop, Pair, Section, write_pairs, write_report

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
