"""Films and cameras of the page in Chromium, one after the other: what is shown, ends and is saved.

The engine is a stand-in without networks: it finds no faces, so that a test takes seconds.
"""

from pathlib import Path

import numpy as np
import pytest

from tests.support.browser import PATIENCE, opened
from tests.support.pictures import encode
from tests.support.video_files import clip

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STAND_IN = b"""
export const EXACT = {};
window.calls = []; // in the order in which the worker gets them
const nothing = { faces: [], ms: { find: 1, align: 1, classify: 1 } };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export class Mien {
  static async open() {
    return Object.assign(new Mien(), { card: await (await fetch("card.json")).json() });
  }
  async read(picture) {
    const { width, height } = await createImageBitmap(picture);
    return { width, height, ...nothing };
  }
  async restart() {
    calls.push("restart");
    await pause(300);
  }
  async frame({ width }) {
    await pause(90);
    calls.push(width);
    return nothing;
  }
}
"""
# The browser asks for the camera until the test calls what `asked` holds: with true to allow it.
SPY = """() => {
  Object.assign(window, { asked: [], tracks: [], revoked: [] });
  const media = navigator.mediaDevices, open = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted) => {
    const allowed = await new Promise((resolve) => asked.push(resolve));
    if (!allowed) throw new DOMException("Permission denied", "NotAllowedError");
    const stream = await open(wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };
  const revoke = URL.revokeObjectURL.bind(URL);
  URL.revokeObjectURL = (address) => revoked.push(address) && revoke(address);
}"""
CAMERAS = "() => tracks.map((track) => track.readyState).sort()"
WIDTH = "() => document.querySelector('#video').videoWidth"


@pytest.fixture
def page(browser, address):
    """The page, with a spy on cameras."""
    with opened(browser, address, permissions=["camera"]) as page:
        page.evaluate(SPY)
        yield page


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two films, by their width in pixels: the narrow one takes some seconds, the wide one 1."""
    folder, made = tmp_path_factory.mktemp("films"), {}
    for width, frames in ((64, 30), (96, 10)):
        pictures = [np.full((48, width, 3), 5 * n, np.uint8) for n in range(frames)]
        path = clip(folder / f"{width}.webm", pictures, rate=10, sound=None, codec="libvpx")
        made[width] = (path.name, "video/webm", path.read_bytes())
    return made


def take(page, file):
    """Choose a file, as (name, kind, bytes)."""
    page.set_input_files("#files", [dict(zip(("name", "mimeType", "buffer"), file, strict=True))])


def until(page, script, *wanted):
    """Wait until a script gives one of these values."""
    for _ in range(PATIENCE // 50):
        if (given := page.evaluate(script)) in wanted:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{script} gives {given}")


def ask_for_camera(page, times=1):
    page.click("#camera")
    until(page, "() => asked.length", times)


def is_read_to_its_end(page, width):
    """Wait for the end of the wide film, and look whether its frames were read."""
    until(page, WIDTH, width)
    page.wait_for_selector("text=Stopped after", timeout=PATIENCE)
    count = int(page.inner_text("#status").split()[2])
    return count in {9, 10}  # the browser may hold back a frame


def test_a_camera_that_is_allowed_when_a_picture_is_shown_is_turned_off(page):
    ask_for_camera(page)
    take(page, ("dark.png", "image/png", encode(np.zeros((48, 64, 3), np.uint8), "PNG")))
    page.wait_for_selector("text=No face was found", timeout=PATIENCE)
    page.evaluate("() => asked[0](true)")
    until(page, CAMERAS, ["ended"])
    assert page.evaluate("() => document.querySelector('#video').srcObject") is None
    assert page.inner_text("#status") == "No face was found."


@pytest.mark.parametrize("allowed", [True, False])
def test_a_film_goes_on_whether_a_camera_is_allowed_or_refused_meanwhile(page, films, allowed):
    ask_for_camera(page)
    take(page, films[96])
    until(page, WIDTH, 96)
    page.evaluate("(allowed) => asked[0](allowed)", allowed)
    assert is_read_to_its_end(page, 96)
    until(page, CAMERAS, ["ended"] if allowed else [])


def test_a_camera_that_was_asked_for_twice_runs_once_and_can_be_stopped(page):
    ask_for_camera(page)
    ask_for_camera(page, times=2)
    page.evaluate("() => asked.forEach((answer) => answer(true))")
    until(page, CAMERAS, ["ended", "live"])
    page.click("#stop", timeout=PATIENCE)
    until(page, CAMERAS, ["ended", "ended"])


def test_a_camera_that_was_asked_for_twice_in_a_moment_can_be_stopped(page):
    """The second time comes while the engine still begins anew for the first."""
    page.focus("#camera")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    until(page, "() => asked.length", 1, 2)
    page.wait_for_timeout(500)  # for the other, if it comes
    page.evaluate("() => asked.forEach((answer) => answer(true))")
    page.click("#stop", timeout=PATIENCE)
    until(page, CAMERAS, ["ended"], ["ended", "ended"])


def test_a_film_that_is_given_while_another_runs_is_read_to_its_end(page, films):
    take(page, films[64])
    until(page, WIDTH, 64)
    take(page, films[96])
    assert is_read_to_its_end(page, 96)
    assert len(page.evaluate("() => revoked")) == 2  # both films are let go


def test_a_frame_that_was_in_work_is_no_frame_of_the_next_film(page, films):
    take(page, films[64])
    until(page, "() => calls.length > 3", True)
    take(page, films[96])
    until(page, "() => calls.includes(96)", True)
    calls = page.evaluate("() => calls")
    [_, second] = [n for n, call in enumerate(calls) if call == "restart"]
    assert set(calls[1:second]) == {64}
    assert set(calls[second + 1 :]) == {96}


def test_a_film_that_is_given_while_the_camera_runs_is_read_to_its_end(page, films):
    ask_for_camera(page)
    page.evaluate("() => asked[0](true)")
    page.wait_for_selector("#stop", timeout=PATIENCE)
    take(page, films[96])
    assert is_read_to_its_end(page, 96)
    assert page.evaluate(CAMERAS) == ["ended"]


def test_a_film_that_is_stopped_is_let_go(page, films):
    take(page, films[64])
    until(page, WIDTH, 64)
    page.click("#stop")
    until(page, "() => revoked.length", 1)
    assert page.inner_text("#status").startswith("Stopped after")


def test_a_recording_is_saved_when_its_film_ends(page, films):
    take(page, films[64])
    until(page, WIDTH, 64)
    with page.expect_download(timeout=PATIENCE) as started:
        page.click("#webm")
        page.wait_for_selector("text=Stopped after", timeout=PATIENCE)
    assert Path(started.value.path()).read_bytes()[:4] == b"\x1a\x45\xdf\xa3"  # Matroska, or WebM
