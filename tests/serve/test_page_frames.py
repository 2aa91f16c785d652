"""Films of the page in Chromium: every frame is read, once, as what it is, and has its number.

The engine is a stand-in without networks, which notes the grey level of what it is given.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.browser import PATIENCE, opened
from tests.support.video_files import clip

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STAND_IN = b"""
export const EXACT = {};
window.levels = []; // of the frames, in the order in which they were read
window.slow = 30; // ms for each
window.slowest = 0; // the one that takes a second, counted from 1
const nothing = { faces: [], ms: { find: 1, align: 1, classify: 1 } };
const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext("2d");
export class Mien {
  static async open() {
    return Object.assign(new Mien(), { card: await (await fetch("card.json")).json() });
  }
  async restart() {}
  async frame(picture) {
    context.drawImage(picture, 0, 0, 1, 1);
    levels.push(context.getImageData(0, 0, 1, 1).data[0]);
    const wait = levels.length === slowest ? 1000 : slow;
    await new Promise((resolve) => setTimeout(resolve, wait));
    return nothing;
  }
}
"""
RATE, STEP = 10, 8  # frames a second; grey levels from one to the next
# The browser does not tell of the frame at 0.5 s: the first time, or never.
UNTOLD = """(always) => {
  const ask = video.requestVideoFrameCallback.bind(video);
  let untold = true;
  video.requestVideoFrameCallback = (tell) => ask((now, frame) => {
    if (!untold || Math.abs(frame.mediaTime - 0.5) > 0.01) return tell(now, frame);
    untold = always;
    video.requestVideoFrameCallback(tell);
  });
}"""
# The video goes on for a while when it is told to wait, as on a busy machine.
SLOW_TO_WAIT = """() => {
  const pause = video.pause.bind(video);
  video.pause = () => setTimeout(pause, 250);
}"""
VISIBLE = """(visible) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => !visible });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def page(browser, address):
    with opened(browser, address) as page:
        yield page


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Makes a film of so many frames, each a little brighter."""
    folder = tmp_path_factory.mktemp("films")

    def made(count):
        pictures = [np.full((48, 64, 3), 16 + STEP * n, np.uint8) for n in range(count)]
        path = folder / f"{count}.webm"
        clip(path, pictures, rate=RATE, sound=None, codec="libvpx")
        return {"name": path.name, "mimeType": "video/webm", "buffer": path.read_bytes()}

    return made


def lines(page):
    """The frames that are saved: number and time."""
    with page.expect_download(timeout=PATIENCE) as started:
        page.click("#json")
    text = Path(started.value.path()).read_text(encoding="utf-8")
    return [(line["frame"], line["time_s"]) for line in map(json.loads, text.splitlines())]


def whole(count):
    return [(number, number / RATE) for number in range(count)]


def to_the_end(page):
    page.wait_for_selector("text=Stopped after", timeout=PATIENCE)
    return page.inner_text("#status")


def levels(page):
    """The number of each frame that was read, by its grey level."""
    return [round((level - 16) / STEP) for level in page.evaluate("() => levels")]


def test_the_count_is_said_when_the_last_frame_has_been_read(page, film):
    page.evaluate("() => { window.slowest = 6; }")
    page.set_input_files("#files", [film(6)])
    assert to_the_end(page) == "Stopped after 6 frames."
    assert lines(page) == whole(6)


def test_frames_that_come_while_one_is_read_are_read_after_it(page, film):
    """Each is the picture that belongs to its time, though the video has gone on."""
    page.evaluate(SLOW_TO_WAIT)
    page.evaluate("() => { window.slow = 150; }")
    page.set_input_files("#files", [film(24)])
    assert to_the_end(page) == "Stopped after 24 frames."
    assert lines(page) == whole(24)
    assert levels(page) == list(range(24))


def test_a_film_steps_back_to_a_frame_of_which_the_browser_has_not_told(page, film):
    page.evaluate(UNTOLD, False)
    page.set_input_files("#files", [film(12)])
    assert to_the_end(page) == "Stopped after 12 frames."
    assert lines(page) == whole(12)


def test_a_frame_that_is_never_told_of_is_counted_and_leaves_its_number_free(page, film):
    page.evaluate(UNTOLD, True)
    page.set_input_files("#files", [film(12)])
    said = [int(number) for number in re.findall(r"\d+", to_the_end(page))]
    rows = lines(page)
    assert said == [len(rows), 12 - len(rows)]  # a busy browser may skip one more on its way
    assert len(rows) >= 10
    assert [row for row in whole(12) if row in rows and row[0] != 5] == rows


def test_a_film_waits_while_its_page_is_hidden(page, film):
    page.set_input_files("#files", [film(20)])
    page.wait_for_function("() => levels.length > 4", timeout=PATIENCE)
    page.evaluate(VISIBLE, False)
    page.wait_for_timeout(1000)
    before = page.evaluate("() => [video.paused, levels.length]")
    page.wait_for_timeout(1000)
    assert page.evaluate("() => [video.paused, levels.length]") == before
    assert before[0]
    page.evaluate(VISIBLE, True)
    assert to_the_end(page) == "Stopped after 20 frames."
    assert lines(page) == whole(20)


def test_a_film_that_was_frozen_goes_on_where_it_was(page, film):
    page.set_input_files("#files", [film(20)])
    page.wait_for_function("() => levels.length > 4", timeout=PATIENCE)
    page.click("#freeze")
    page.wait_for_timeout(1000)
    held = lines(page)
    page.wait_for_timeout(1000)
    assert lines(page) == held
    page.click("#freeze")
    assert to_the_end(page) == "Stopped after 20 frames."
    assert lines(page) == whole(20)


NUMBERED = "async (times) => (await import('./frames.js')).numbered(times)"


@pytest.mark.parametrize("rate", [10, 24, 25, 30000 / 1001, 60, 240])
def test_frames_are_numbered_by_their_times_though_some_are_missing(page, rate):
    """Times in a WebM are whole milliseconds, and two hours do not add up to a frame too many."""
    numbers = [n for n in range(round(7200 * rate / 10)) if n % 17 != 5 and n % 1000 not in {1, 2}]
    found = page.evaluate(NUMBERED, [round(n / rate, 3) for n in numbers])
    assert found["numbers"] == numbers
    assert found["skipped"] == numbers[-1] + 1 - len(numbers)


@pytest.mark.parametrize(
    "times", [[], [0], [0, 0.04], [0, 0.033, 0.083, 0.1, 0.15, 0.183], [0, 1, 1.4, 3, 3.1]]
)
def test_where_frames_come_as_they_like_they_are_counted(page, times):
    assert page.evaluate(NUMBERED, times) == {"numbers": list(range(len(times) or 1)), "skipped": 0}
