"""The page where little is as usual: broken loading, odd names, paper, forced colours, keys.

The engine is a stand-in without networks, `made_faces.js`, which finds the faces that a test wants.
"""

import re

import pytest

from mien.serve.page_files import page_files
from tests.serve.test_page_faces import GREY, HAPPY, PATIENCE, STAND_IN, page, show
from tests.serve.test_page_failures import PICTURE, TEXT, give, lit, says, shown
from tests.support.browser import opened
from tests.support.video_files import clip

__all__ = ["STAND_IN", "page"]  # for the fixtures

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NOT_LOADED = "The page is loading. If it stays so, reload it, in a current browser."
ACTIONS = "() => ['choose', 'camera', 'sample'].map((id) => document.getElementById(id).disabled)"
# All that the status says, also where another text follows at once.
HEARD = """() => {
  window.heard = [];
  document.addEventListener("readystatechange", () => { // before the modules run
    const status = document.querySelector("#status");
    new MutationObserver((changes) => changes.forEach(({ addedNodes }) =>
      addedNodes.forEach((node) => heard.push(node.data)))).observe(status, { childList: true });
  }, { once: true });
}"""
STYLE = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"


def named(name, data=GREY):
    return {"name": name, "mimeType": "image/png", "buffer": data}


def test_a_page_of_which_a_file_does_not_come_says_so_and_offers_nothing(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/stage.js", lambda route: route.abort())
    page.goto(address)
    assert page.inner_text("#status") == NOT_LOADED
    assert page.evaluate(ACTIONS) == [True] * 3
    context.close()


def test_a_worker_that_does_not_come_is_said_though_the_networks_come_later(browser, address):
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.route("**/mien.js", lambda route: route.fulfill(content_type="text/javascript", body=OWN))
    page.route("**/worker.js", lambda route: route.abort())
    page.goto(address)
    says(page, "the worker could not be started")
    assert page.evaluate("() => document.querySelector('#loading').hidden")
    context.close()


def test_what_loads_is_offered_and_says_every_tenth_part_alone(browser, address):
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.add_init_script(f"({HEARD})()")
    page.route(
        "**/mien.js", lambda route: route.fulfill(content_type="text/javascript", body=LOADS)
    )
    page.goto(address)
    page.wait_for_selector("#loading", state="hidden", timeout=PATIENCE)
    assert page.evaluate(ACTIONS) == [False] * 3
    heard = page.evaluate("() => heard.filter(Boolean)")
    assert heard == [f"Loading the networks: {tens}0%".replace(" 00%", " 0%") for tens in range(11)]
    context.close()


OWN = page_files()["mien.js"].decode()  # not the stand-in
LOADS = STAND_IN.decode().replace(
    "static async open() {",
    "static async open(progress) {\n    for (let i = 0; i <= 200; i++) progress(i / 200);",
)


def test_what_was_chosen_before_the_page_was_left_is_not_shown_as_if_chosen_now(page):
    show(page, HAPPY)
    page.uncheck("#boxes")
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector("#loading", state="hidden", timeout=PATIENCE)
    assert page.is_checked("#boxes")


def test_a_name_turns_no_sentence_around_and_widens_no_page(page):
    page.set_viewport_size({"width": 320, "height": 640})
    give(page, named("x\u202egnp.jpg", b"no picture"))
    says(page, "xgnp.jpg could not be read. Use JPEG")
    give(page, named("\u05d0\u05d1.jpg", b"no picture"), named("a" * 200 + ".jpg", b"no picture"))
    says(page, "Pictures read: 0.")
    assert "\u2068\u05d0\u05d1.jpg\u2069, aaa" in page.inner_text("#status")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320


def test_of_several_pictures_it_is_said_how_far_the_reading_is(page):
    page.evaluate("""() => {
      window.heard = [];
      new MutationObserver(() => heard.push(document.querySelector("#status").textContent))
        .observe(document.querySelector("#status"), { childList: true });
    }""")
    give(page, PICTURE, TEXT, named("c.png"))
    says(page, "Could not be read: words.txt")
    heard = [text for text in page.evaluate("() => heard") if text.startswith("Reading")]
    assert heard == ["Reading grey.png (1/3)", "Reading words.txt (2/3)", "Reading c.png (3/3)"]


def test_a_picture_that_is_too_large_for_the_browser_is_not_called_unreadable(page):
    page.evaluate("""() => Object.defineProperty(window, "wanted", {
      get() { throw new RangeError("picture too large"); },
    })""")
    give(page, PICTURE)
    says(page, "grey.png has too many pixels for this browser. Make the picture smaller.")
    assert shown(page) == []


def test_a_picture_that_is_gone_from_the_disk_leaves_nothing_of_the_one_before(page, tmp_path):
    page.evaluate("(faces) => { window.wanted = faces; }", [HAPPY])
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(GREY)
    page.set_input_files("#files", [tmp_path / "a.png", tmp_path / "b.png"])
    says(page, "Pictures read: 2.")
    (tmp_path / "b.png").unlink()
    page.click("#pictures button >> nth=1")
    says(page, "b.png could not be read")
    assert lit(page)[0].startswith("b.png")
    assert shown(page) == ["#exports"]  # the tables still have it


def test_the_list_of_pictures_is_one_stop_of_the_tab_key(page):
    page.evaluate("(faces) => { window.wanted = faces; }", [HAPPY])
    give(page, *(named(f"{n}.png") for n in range(30)))
    says(page, "Pictures read: 30.")
    page.focus("#png")
    page.keyboard.press("Tab")
    at = "() => document.activeElement.innerText.split('\\n')[0]"
    assert page.evaluate(at) == "0.png"
    for key, name in (("ArrowRight", "1.png"), ("End", "29.png"), ("ArrowLeft", "28.png")):
        page.keyboard.press(key)
        assert page.evaluate(at) == name
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "head"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(at) == "28.png"


def test_a_film_without_a_frame_could_not_be_read(page, tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "sound.webm"), "w") as container:
        stream = container.add_stream("libopus", rate=48_000)
        for number in range(150):  # three seconds, which nobody should wait for
            frame = av.AudioFrame(format="flt", layout="mono", samples=960)
            frame.sample_rate, frame.pts = 48_000, 960 * number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    page.set_input_files("#files", tmp_path / "sound.webm")
    says(page, "sound.webm could not be read")
    assert shown(page) == []


def test_the_speed_of_a_film_that_has_ended_is_said_in_the_language_chosen_then(page, tmp_path):
    import numpy as np

    pictures = [np.full((48, 64, 3), 128, np.uint8)] * 3
    film = clip(tmp_path / "f.webm", pictures, rate=10, sound=None, codec="libvpx")
    page.set_input_files("#files", film)
    says(page, "Stopped after")
    assert "frames a second" in page.inner_text("#speed")
    page.select_option("#language", "de")
    assert re.match(r"\d+ Bilder je Sekunde; Finden 1 ms", page.inner_text("#speed"))


def test_a_browser_that_cannot_record_is_not_asked_to(page):
    page.evaluate("() => { MediaRecorder.isTypeSupported = () => false; }")
    page.context.grant_permissions(["camera"])
    page.click("#camera")
    page.wait_for_selector("#stop:visible", timeout=PATIENCE)
    assert page.is_hidden("#webm")
    page.click("#stop")


def test_colours_that_mean_something_stay_where_the_system_chooses_its_own(browser, address):
    with opened(browser, address, forced_colors="active") as page:
        show(page, HAPPY)
        colour = page.evaluate(
            "() => getComputedStyle(document.querySelector('.bar i'))"
            ".getPropertyValue('--colour').trim()"
        )
        wanted = "rgb({}, {}, {})".format(*bytes.fromhex(colour.removeprefix("#")))
        assert page.evaluate(STYLE, [".bar i", "backgroundColor"]) == wanted
        assert page.evaluate(STYLE, ["#stage", "backgroundColor"]) == "rgb(14, 16, 20)"
        is_seen = page.evaluate("""() => {
          const [on, off] = [true, false].map((pressed) => {
            freeze.hidden = false;
            freeze.setAttribute("aria-pressed", pressed);
            return getComputedStyle(freeze).backgroundColor;
          });
          return on !== off;
        }""")
        assert is_seen


def test_on_paper_there_are_all_faces_their_colours_and_no_buttons(page):
    show(page, *[HAPPY] * 6)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(STYLE, ["#right", "overflow"]) == "visible"
    assert page.evaluate(STYLE, ["#right", "maxHeight"]) == "none"
    assert page.evaluate(STYLE, [".bar i", "printColorAdjust"]) == "exact"
    assert page.evaluate(STYLE, ["body", "color"]) == "rgb(22, 24, 29)"
    for part in (".actions", "#exports", ".language", "#tools label"):
        assert page.is_hidden(part)
    assert page.is_visible("#legend")
