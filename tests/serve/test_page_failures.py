"""What the page shows when something could not be read or opened: nothing old as if current.

The engine is a stand-in without networks, `made_faces.js`, which finds the faces that a test wants.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.serve.test_page_faces import (
    GREY,
    HAPPY,
    PATIENCE,
    STAND_IN,
    UNSURE,
    page,
    show,
)
from tests.support.video_files import clip

__all__ = ["STAND_IN", "page"]  # for the fixtures

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TEXT = {"name": "words.txt", "mimeType": "text/plain", "buffer": b"no picture"}
PICTURE = {"name": "grey.png", "mimeType": "image/png", "buffer": GREY}
PARTS = ("#stage", "#tools", "#exports", "#right", "#timeline")
# A camera that fails with an error of this name, as browsers call it.
NO_CAMERA = """(name) => {
  navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException("Requested device not found", name);
  };
}"""


def shown(page):
    return [part for part in PARTS if page.is_visible(part)]


def lit(page):
    return page.locator("#pictures button[aria-pressed=true]").all_inner_texts()


def saved(page, button):
    with page.expect_download(timeout=PATIENCE) as started:
        page.click(button)
    return Path(started.value.path()).read_text(encoding="utf-8")


def give(page, *files):
    page.set_input_files("#files", list(files))


def says(page, text):
    page.wait_for_selector(f"#status >> text={text}", timeout=PATIENCE)


def test_after_a_file_that_cannot_be_read_the_old_picture_is_gone(page):
    show(page, HAPPY)
    assert shown(page) == ["#stage", "#tools", "#exports", "#right"]
    give(page, TEXT)
    says(page, "words.txt could not be read")
    assert shown(page) == []
    assert page.locator(".face").count() == 0
    give(page, PICTURE)
    page.wait_for_selector(".face", timeout=PATIENCE)
    assert shown(page) == ["#stage", "#tools", "#exports", "#right"]
    assert len(list(csv.reader(saved(page, "#csv").splitlines()))) == 2


def test_a_file_in_the_list_that_could_not_be_read_is_lit_alone(page):
    page.evaluate("(faces) => { window.wanted = faces; }", [HAPPY])
    give(page, PICTURE, TEXT)
    page.wait_for_selector("#pictures button >> nth=1", timeout=PATIENCE)
    assert lit(page)[0].startswith("grey.png")
    assert "#stage" in shown(page)
    page.click("#pictures button >> nth=1")
    assert lit(page)[0].startswith("words.txt")
    says(page, "words.txt could not be read")
    assert shown(page) == ["#exports"]  # the tables have both files
    assert page.is_hidden("#png")
    lines = [json.loads(line) for line in saved(page, "#json").splitlines()]
    assert [("error" in line, line["path"]) for line in lines] == [
        (False, "grey.png"),
        (True, "words.txt"),
    ]
    page.click("#pictures button >> nth=0")
    page.wait_for_selector(".face", timeout=PATIENCE)
    assert shown(page) == ["#stage", "#tools", "#exports", "#right"]
    assert page.is_visible("#png")


def test_after_several_files_those_that_could_not_be_read_are_named(page):
    page.evaluate("(faces) => { window.wanted = faces; }", [HAPPY])
    give(page, TEXT, PICTURE, PICTURE | {"name": "more.png"})
    says(page, "Pictures read: 2. Could not be read: words.txt")
    page.select_option("#language", "it")
    says(page, "Immagini lette: 2. Impossibile leggere: words.txt")
    give(page, PICTURE, PICTURE)
    says(page, "Immagini lette: 2.")


def test_why_a_film_could_not_be_read_on_stays_said(page, tmp_path):
    pictures = [np.full((48, 64, 3), 128, np.uint8)] * 5
    film = clip(tmp_path / "f.webm", pictures, rate=10, sound=None, codec="libvpx").read_bytes()
    page.evaluate("() => { window.wantedAt = () => { throw new Error('out of memory'); }; }")
    give(page, {"name": "f.webm", "mimeType": "video/webm", "buffer": film})
    says(page, "Reading has stopped: out of memory")
    page.wait_for_timeout(500)
    assert page.inner_text("#status") == "Reading has stopped: out of memory"
    assert page.is_hidden("#stop")


def test_a_portrait_that_does_not_come_is_said(page):
    page.context.set_offline(True)
    page.click("#sample")
    says(page, "Reading has stopped: ")


def test_of_files_that_all_cannot_be_read_there_is_nothing_to_save(page):
    give(page, TEXT, TEXT | {"name": "more.txt"})
    page.wait_for_selector("#pictures button >> nth=1", timeout=PATIENCE)
    page.click("#pictures button >> nth=0")
    says(page, "words.txt could not be read")
    assert shown(page) == []


@pytest.mark.parametrize("name", ["NotFoundError", "OverconstrainedError"])
def test_without_a_camera_the_old_picture_is_gone_and_what_to_do_is_said(page, name):
    show(page, HAPPY)
    page.evaluate(NO_CAMERA, name)
    page.click("#camera")
    says(page, "No camera was found. Connect one, or choose a picture or a film.")
    assert shown(page) == []
    page.select_option("#language", "fr")
    says(page, "Aucune caméra trouvée.")


def test_a_camera_that_is_not_allowed_says_how_to_allow_it(page):
    show(page, HAPPY)
    page.evaluate(NO_CAMERA, "NotAllowedError")
    page.click("#camera")
    says(page, "Allow it in the browser")
    assert shown(page) == []


def test_a_film_that_cannot_be_played_leaves_nothing_of_the_film_before_it(page, tmp_path):
    pictures = [np.full((48, 64, 3), 128, np.uint8)] * 5
    film = clip(tmp_path / "f.webm", pictures, rate=10, sound=None, codec="libvpx").read_bytes()
    give(page, {"name": "f.webm", "mimeType": "video/webm", "buffer": film})
    says(page, "Stopped after")
    assert "#timeline" in shown(page)
    give(page, {"name": "bad.webm", "mimeType": "video/webm", "buffer": b"no film"})
    says(page, "bad.webm could not be read")
    assert shown(page) == []
    assert page.is_hidden("#stop")


def test_what_is_clear_in_a_picture_shows_white_and_not_the_picture_before_it(page):
    from tests.support.pictures import encode

    show(page, HAPPY)
    page.evaluate("() => { window.wanted = []; }")
    clear = encode(np.zeros((240, 860, 4), np.uint8), "PNG")
    give(page, {"name": "clear.png", "mimeType": "image/png", "buffer": clear})
    says(page, "No face was found.")
    pixel = "() => [...canvas.getContext('2d').getImageData(400, 100, 1, 1).data]"
    assert page.evaluate(pixel) == [255, 255, 255, 255]


def test_a_picture_that_was_left_meanwhile_is_not_shown_after_all(page):
    """The second picture's bitmap takes long; the first is chosen again before it has come."""
    page.evaluate("(faces) => { window.wanted = faces; }", [HAPPY])
    give(page, PICTURE, TEXT)
    page.wait_for_selector("#pictures button >> nth=1", timeout=PATIENCE)
    page.evaluate(
        """() => {
      const make = window.createImageBitmap;
      window.createImageBitmap = async (...given) => {
        await new Promise((resolve) => setTimeout(resolve, 700));
        return make(...given);
      };
    }"""
    )
    page.click("#pictures button >> nth=0")
    page.click("#pictures button >> nth=1")
    page.wait_for_timeout(1500)
    assert shown(page) == ["#exports"]
    assert lit(page)[0].startswith("words.txt")


def test_the_camera_that_was_chosen_keeps_the_focus(page):
    """The list of cameras is hidden for a moment while another one is opened."""
    page.context.grant_permissions(["camera"])
    page.evaluate("(faces) => { window.wantedAt = () => faces; }", [HAPPY | {"track": 1}, UNSURE])
    page.click("#camera")
    page.wait_for_selector("#timeline:visible", timeout=PATIENCE)
    page.focus("#device")
    page.evaluate("() => device.dispatchEvent(new Event('change'))")
    page.wait_for_selector("#timeline", state="hidden", timeout=PATIENCE)
    page.wait_for_selector("#timeline:visible", timeout=PATIENCE)
    assert page.evaluate("() => document.activeElement.id") == "device"
    page.click("#stop")
