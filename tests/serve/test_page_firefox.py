"""The page in Firefox, which tells of frames in a way of its own: the engine and its frames."""

import csv

import numpy as np
import pytest

from mien import Recognizer
from mien.media.images import PORTRAIT, read_rgb
from mien.serve.page_files import POLICY, page_files
from tests.serve.test_page_frames import STAND_IN
from tests.support.browser import served
from tests.support.firefox import firefox
from tests.support.video_files import clip

pytestmark = [pytest.mark.slow, pytest.mark.browser]

READY = """() => document.querySelector("#loading").hidden
  && document.querySelector("#status").textContent === "" """
ENDED = "() => document.querySelector('#status').textContent.startsWith('Stopped')"
# The table that a button saves, without the browser's downloads.
TABLE = """async () => {
  const make = URL.createObjectURL.bind(URL);
  let saved;
  URL.createObjectURL = (blob) => make((saved = blob));
  document.querySelector("#csv").click();
  URL.createObjectURL = make;
  return saved.text();
}"""
RATE, STEP, COUNT = 10, 8, 24  # frames a second; grey levels from one to the next
NOTING = STAND_IN.replace(
    b"async frame(picture) {",
    b"async frame(picture, time) {\n    (window.times ??= []).push(time);",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with firefox(tmp_path_factory.mktemp("firefox")) as started:
        yield started


def test_pictures_and_films_are_read_as_in_python(browser, tmp_path):
    """The portrait, then a film of it that moves: found, followed, and shown, in every frame."""
    portrait = read_rgb(PORTRAIT)
    [face] = Recognizer().read(portrait).faces
    with served(page_files(), POLICY) as (address, asked):
        browser.goto(address)
        browser.until(READY)
        browser.give("#files", PORTRAIT)
        browser.until("() => document.querySelectorAll('.face').length")
        [row] = csv.DictReader(browser.evaluate(TABLE).splitlines())
        assert row["label"] == face.label
        assert float(row["happiness"]) == pytest.approx(face.scores["happiness"], abs=0.02)
        pictures = [np.ascontiguousarray(portrait[:400, n : n + 400]) for n in range(0, 32, 4)]
        clip(tmp_path / "f.webm", pictures, rate=6, sound=None, codec="libvpx")
        browser.give("#files", tmp_path / "f.webm")
        browser.until(ENDED)
        rows = list(csv.DictReader(browser.evaluate(TABLE).splitlines()))
        assert [row["label"] for row in rows] == ["happiness"] * len(rows)
        assert {row["track"] for row in rows} == {"0"}
        assert len(rows) >= 6  # all 8, unless the browser is too busy even to step back
    assert {method for method, _ in asked} == {"GET"}
    assert browser.faults == []


def test_each_frame_is_the_picture_that_belongs_to_its_time(browser, tmp_path):
    pictures = [np.full((48, 64, 3), 16 + STEP * n, np.uint8) for n in range(COUNT)]
    clip(tmp_path / "grey.webm", pictures, rate=RATE, sound=None, codec="libvpx")
    with served(page_files() | {"mien.js": NOTING}, POLICY) as (address, _asked):
        browser.goto(address)
        browser.until(READY)
        browser.give("#files", tmp_path / "grey.webm")
        browser.until(ENDED)
        times, levels = browser.evaluate("() => [times, levels]")
    numbers = [round(time * RATE) for time in times]
    assert [round((level - 16) / STEP) for level in levels] == numbers
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= COUNT - 3
    assert browser.faults == []
