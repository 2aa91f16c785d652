"""A plot and a figure are in the format that their name ends in, whole, and the same each time."""

import re

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from PIL import Image

from mien.errors import OutputError
from mien.show.picture_grid import Page, write_figure
from mien.show.plot_files import FORMATS, refuse_format
from mien.show.plots import effects
from mien.show.timeline import Timeline
from mien.show.timeline_plot import draw_timeline
from tests.support.commands import mien
from tests.support.full_disk import full_disk

BEGINS = {
    ".png": b"\x89PNG",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".webp": b"RIFF",
    ".svg": b"<?xml",
    ".pdf": b"%PDF",
}
PLOTS = {
    "effects": lambda path: effects([({"rate": 0.1}, 0.5), ({"rate": 0.2}, 0.7)], path),
    "timeline": lambda path: draw_timeline(Timeline(), path),
}


def test_every_format_has_its_first_bytes_here():
    assert BEGINS.keys() == FORMATS.keys()


@pytest.mark.parametrize("suffix", [*BEGINS, ".PDF"])
@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_is_in_the_format_of_its_name_and_the_same_each_time(tmp_path, plot, suffix):
    PLOTS[plot](tmp_path / f"one{suffix}")
    PLOTS[plot](tmp_path / f"two{suffix}")
    data = (tmp_path / f"one{suffix}").read_bytes()
    assert data.startswith(BEGINS[suffix.lower()])
    assert data == (tmp_path / f"two{suffix}").read_bytes()
    if suffix == ".svg":
        assert data.rstrip().endswith(b"</svg>")
    elif suffix.lower() == ".pdf":
        assert data.rstrip().endswith(b"%%EOF")
    else:
        with Image.open(tmp_path / f"one{suffix}") as image:
            assert image.size[0] > 300
            assert np.ptp(np.asarray(image.convert("L"))) > 100


@pytest.mark.parametrize("name", ["fig.gif", "fig.txt", "fig", ".png"])
def test_a_format_that_cannot_be_written_is_an_error_that_names_those_that_can(tmp_path, name):
    with pytest.raises(OutputError, match=r"no plot format ends in .*\n  try: .*\.svg, \.pdf"):
        PLOTS["effects"](tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    refuse_format(None)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_plot_on_a_full_disk_is_one_error(tmp_path, suffix):
    with full_disk(), pytest.raises(OutputError, match=r"cannot write .*\n  try: .*free space"):
        PLOTS["effects"](tmp_path / f"fig{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_plot_is_looked_at_before_the_work(tmp_path, clean_folder):
    result = mien("stats", clean_folder, "--plot", tmp_path / "fig.gif")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no plot format ends in '.gif'" in result.stderr


def test_the_title_of_a_pdf_is_its_name_and_it_is_the_same_each_time(tmp_path):
    page = Page(width=40, height=30, words=[], pictures=[])
    write_figure(page, tmp_path / "why.pdf")
    first = (tmp_path / "why.pdf").read_bytes()
    write_figure(page, tmp_path / "why.pdf")
    assert first == (tmp_path / "why.pdf").read_bytes()
    title = re.search(rb"/Title \((.*?)\)", first)[1]
    assert title.removeprefix(b"\xfe\xff").replace(b"\0", b"") == b"why"
    assert b"part" not in first
