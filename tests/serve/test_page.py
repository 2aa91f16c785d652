"""The page in Chromium: what a user does, sees, hears and saves; and what the network sees."""

import csv
import json
import re
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mien.recognize.results import CSV_HEADER, VIDEO_HEADER
from mien.serve.page_files import POLICY, page_as_one_file, page_files
from mien.words import LANGUAGES, called
from tests.support.browser import chromium, served, violations
from tests.support.pictures import encode
from tests.support.rendered_scenes import SCENES, Actor, Shot, frames
from tests.support.video_files import clip

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PATIENCE = 120_000  # ms; machines of tests may be slow


@pytest.fixture(scope="module")
def camera_film(tmp_path_factory):
    """Three people walking, as Chromium's camera wants a film; it is shown again and again."""
    av = pytest.importorskip("av")
    path = tmp_path_factory.mktemp("camera") / "walks.mjpeg"
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuvj420p"
        for number, (rgb, *_) in enumerate(frames(SCENES["walks"], rate=10)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def browser(camera_film):
    with chromium(f"--use-file-for-fake-video-capture={camera_film}") as started:
        yield started


@pytest.fixture(scope="module")
def site():
    with served(page_files(), POLICY) as served_site:
        yield served_site


@contextmanager
def opened(browser, address):
    """The page, ready, and the list of faults in its scripts."""
    context = browser.new_context(locale="en-US", permissions=["camera"], accept_downloads=True)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    ready(page)
    yield page, faults
    context.close()


@pytest.fixture(scope="module")
def used(browser, site):
    with opened(browser, site[0]) as page:
        yield page


@pytest.fixture
def page(used):
    """A page that other tests have used before; a fault in its scripts fails the test."""
    page, faults = used
    yield page
    assert faults == []


@pytest.fixture
def fresh(browser, site):
    """A page that was just opened; the list of what it asked for begins with it."""
    site[1].clear()
    with opened(browser, site[0]) as (page, faults):
        yield page
        assert faults == []


def ready(page):
    from playwright.sync_api import expect

    expect(page.locator("#loading")).to_be_hidden(timeout=PATIENCE)


def wait(page, selector, count):
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_have_count(count, timeout=PATIENCE)


def saved(page, button):
    """The text of the file that a button saves."""
    with page.expect_download(timeout=PATIENCE) as started:
        page.click(button)
    return Path(started.value.path()).read_bytes()


def take(page, *files):
    """Choose files, as (name, kind, bytes)."""
    page.set_input_files(
        "#files", [{"name": n, "mimeType": kind, "buffer": data} for n, kind, data in files]
    )


def png_of(rgb):
    return encode(rgb, "PNG")


def test_a_picture_gives_its_faces_and_tables_as_mien_predict_does(page, recognizer):
    [(rgb, *_)] = [next(frames(SCENES["walks"], zoom=1.5))]
    expected = recognizer.read(rgb)
    take(page, ("three.png", "image/png", png_of(rgb)))
    wait(page, ".face", 3)
    header, *rows = csv.reader(saved(page, "#csv").decode().splitlines())
    assert header == list(CSV_HEADER)
    for row, theirs in zip(rows, expected.rows(), strict=True):
        assert row[:2] == ["three.png", str(theirs[1])]
        assert row[7] == theirs[7]
        np.testing.assert_allclose([float(v) for v in row[2:7]], theirs[2:7], atol=0.11)
        np.testing.assert_allclose([float(v) for v in row[8:]], theirs[8:], atol=2e-3)
    [record] = map(json.loads, saved(page, "#json").splitlines())
    theirs = expected.record()
    assert record.keys() == theirs.keys()
    assert [face.keys() for face in record["faces"]] == [face.keys() for face in theirs["faces"]]
    bars = page.locator(".face").all()
    for shown, face, own in zip(bars, record["faces"], theirs["faces"], strict=True):
        assert face["probabilities"] == pytest.approx(own["probabilities"], abs=2e-3)
        parts = [float(text) for text in re.findall(r"(\d+)%", shown.inner_text())[:8]]
        label, *parts = parts  # the label's, then the bars', on one scale
        assert parts == pytest.approx([100 * v for v in own["probabilities"].values()], abs=0.8)
        assert label == parts[list(own["probabilities"]).index(own["label"])]
    assert saved(page, "#png")[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_file_that_is_no_picture_is_named_and_the_rest_goes_on(page, portrait):
    take(
        page, ("broken.png", "image/png", b"no picture"), ("=ok.png", "image/png", png_of(portrait))
    )
    wait(page, ".face", 1)
    wait(page, "#pictures button", 2)
    lines = [json.loads(line) for line in saved(page, "#json").splitlines()]
    assert lines[0]["path"] == "broken.png"
    assert lines[0]["error"]
    assert saved(page, "#csv").decode().splitlines()[1].startswith("'=ok.png,0,")
    page.click("#pictures button >> nth=0")
    assert "broken.png could not be read" in page.inner_text("#status")


def test_an_uncertain_face_is_shown_as_such(page, recognizer):
    """A smile on its way to astonishment."""
    between = Actor(0, lambda _: (320, 150, 150, 0), lambda _: 0.861)
    rgb, *_ = next(frames((Shot((between,), 1.0),)))
    [theirs] = recognizer.read(rgb).faces
    assert theirs.label == "uncertain"
    take(page, ("between.png", "image/png", png_of(rgb)))
    wait(page, ".face.unclear", 1)
    text = page.inner_text(".face")
    assert text.startswith(f"uncertain: {theirs.expression} {theirs.probability:.0%}")
    assert "Not clear: no expression is likely enough." in text


def test_a_film_is_read_frame_by_frame_and_ends(page, portrait, tmp_path):
    pictures = [np.ascontiguousarray(portrait[:400, n : n + 400]) for n in range(0, 48, 4)]
    film = clip(tmp_path / "film.webm", pictures, rate=6, sound=None, codec="libvpx")
    take(page, ("film.webm", "video/webm", film.read_bytes()))
    page.wait_for_selector("text=Stopped after", timeout=PATIENCE)
    header, *rows = csv.reader(saved(page, "#csv").decode().splitlines())
    assert header == list(VIDEO_HEADER)
    assert {row[2] for row in rows} == {"0"}
    assert {row[8] for row in rows} == {"happiness"}
    times = [float(row[0]) for row in rows]
    assert times == sorted(set(times))
    assert [int(row[1]) for row in rows] == [round(6 * time) for time in times]  # as mien video
    assert len(rows) >= 11  # all 12, unless the browser is too busy even to step back
    said = [int(number) for number in re.findall(r"\d+", page.inner_text("#status"))]
    assert said == ([12] if len(rows) == 12 else [len(rows), 12 - len(rows)])


def test_the_camera_is_followed_frozen_recorded_and_stopped(page):
    page.click("#camera")
    wait(page, ".face", 3)
    assert page.locator("#device option").count() >= 1
    page.select_option("#heat", "fear")
    assert page.locator(".bars button[aria-pressed=true]").all_inner_texts()[0].startswith("fear")
    page.click("#webm")
    page.wait_for_timeout(1500)
    assert saved(page, "#webm")[:4] == b"\x1a\x45\xdf\xa3"  # Matroska, of which WebM is a kind
    page.click("#freeze")
    frozen = settled(page)
    page.click("#freeze")
    page.wait_for_timeout(3000)
    assert len(saved(page, "#json").splitlines()) > len(frozen.splitlines())
    page.click("#stop")
    assert "Stopped after" in page.inner_text("#status")
    records = [json.loads(line) for line in saved(page, "#json").splitlines()]
    assert list(records[0]) == ["time_s", "frame", "faces"]
    labels = {face["label"] for record in records for face in record["faces"]}
    assert labels <= {"happiness", "surprise", "uncertain"}  # what these people show


def settled(page):
    """What is saved when no more frames come; the last may still be on its way for a while."""
    for _ in range(20):
        before = saved(page, "#json")
        page.wait_for_timeout(1500)
        if saved(page, "#json") == before:
            return before
    pytest.fail("frames still come")


def test_nothing_is_sent_and_nothing_is_asked_for_after_the_page_has_loaded(fresh, site, portrait):
    page, asked, seen = fresh, site[1], []
    page.on("request", lambda request: seen.append(request.url))
    page.on("websocket", lambda socket: seen.append(socket.url))
    loaded = list(asked)
    assert {method for method, _ in loaded} == {"GET"}
    assert {path.lstrip("/") or "index.html" for _, path in loaded} <= page_files().keys()
    take(page, ("portrait.png", "image/png", png_of(portrait)))
    wait(page, ".face", 1)
    page.click("#camera")
    wait(page, ".face", 3)
    page.click("#stop")
    saved(page, "#csv")
    assert [url for url in seen if not url.startswith("blob:")] == []
    assert asked == loaded
    assert page.context.cookies() == []


NOT_YET = """() => {
  const bitmap = window.createImageBitmap, video = document.querySelector("video");
  let early = true;
  Object.defineProperty(video, "readyState", { configurable: true, get: () => 1 });
  video.addEventListener("loadeddata", (event) => early && event.stopImmediatePropagation());
  window.createImageBitmap = async (source, ...more) => {
    if (early && source === video) throw new DOMException("not yet");
    return bitmap(source, ...more);
  };
  video.addEventListener("playing", () => setTimeout(() => {
    early = false;
    delete video.readyState;
    video.dispatchEvent(new Event("loadeddata"));
  }, 2000), { once: true });
}"""


def test_a_frame_that_is_shown_before_it_can_be_read_is_waited_for(browser, site):
    """Seen in Chromium: now and then the first frame of a camera is not usable yet."""
    with opened(browser, site[0]) as (page, faults):
        page.evaluate(NOT_YET)
        page.click("#camera")
        wait(page, ".face", 3)
        assert faults == []


def test_the_whole_page_is_used_with_the_keyboard(fresh):
    page = fresh

    def focus():
        return page.locator(":focus").get_attribute("id")

    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(focus())
    assert order == [None, "language", "choose", "camera", "sample"]
    page.keyboard.press("Enter")
    wait(page, ".face", 1)
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(focus())
    assert order[5:] == ["heat", "boxes", "csv", "json", "png"]
    page.keyboard.press("Tab")  # the face
    page.keyboard.press("Tab")  # its first bar
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(":focus").inner_text().startswith("surprise")
    assert page.locator("#heat").input_value() == "surprise"


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1440)])
def test_axe_finds_nothing_wrong(browser, site, scheme, width):
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US",
        permissions=["camera"], bypass_csp=True,
    )  # fmt: skip
    page = context.new_page()
    page.goto(site[0])
    ready(page)
    assert violations(page) == []
    page.click("#sample")
    wait(page, ".face", 1)
    assert violations(page) == []
    page.click("#camera")
    wait(page, ".face", 3)
    page.click("#freeze")
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()


def test_one_file_works_from_a_disk_in_every_language_and_without_a_network(browser, tmp_path):
    (tmp_path / "mien.html").write_bytes(page_as_one_file())
    context = browser.new_context(locale="de-DE", offline=True)
    page, seen = context.new_page(), []
    page.on("request", lambda request: seen.append(request.url))
    page.goto((tmp_path / "mien.html").as_uri(), timeout=PATIENCE)
    ready(page)
    page.click("#sample")
    wait(page, ".face", 1)
    words = []
    for language in LANGUAGES:
        page.select_option("#language", language)
        words.append(page.inner_text(".face strong"))
        assert page.get_attribute("html", "lang") == language
    for language, said in zip(LANGUAGES, words, strict=True):
        assert called("happiness", language) in said
    assert [url[:30] for url in seen if not url.startswith(("blob:", "file:"))] == []
    context.close()
