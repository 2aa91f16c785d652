"""What the page says and draws of faces: names, heat maps and what they mean, lanes over time.

The engine is a stand-in without networks, `made_faces.js`, which finds the faces that a test wants.
"""

import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from mien.faces.boxes import Box, Detection
from mien.labels import LABELS, Rule
from mien.recognize.face import Face
from mien.serve.page_files import page_files
from mien.show import heatmap
from mien.show.placement import label_text
from mien.show.writing import Writing
from mien.words import LANGUAGES
from tests.support.browser import PATIENCE, opened, violations
from tests.support.pictures import encode
from tests.support.video_files import clip

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STAND_IN = Path(__file__).with_name("made_faces.js").read_bytes()
HAPPY = {"scores": [0.9, 0.02, 0.02, 0.02, 0.02, 0.02], "neutral": 0.04}
CALM = {"scores": [0.6, 0.1, 0.1, 0.1, 0.05, 0.05], "neutral": 0.93}
UNSURE = {"scores": [0.2, 0.1, 0.4, 0.1, 0.1, 0.1], "neutral": 0.44}  # 0.224 is less than 0.44
FOGGY = {"scores": [0.2, 0.1, 0.1, 0.1, 0.1, 0.4], "neutral": 0.1}
AFRAID = {"scores": [0.02, 0.02, 0.02, 0.02, 0.02, 0.9], "neutral": 0.1}
GROUP = [HAPPY, CALM, UNSURE, FOGGY, AFRAID, HAPPY]
SPY = """() => {
  window.drawn = {}; // the texts on each canvas since it was cleared
  const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
    if (this.canvas.id) (drawn[this.canvas.id] ??= []).push(text);
    return fillText.call(this, text, ...more);
  };
  CanvasRenderingContext2D.prototype.clearRect = function (...more) {
    drawn[this.canvas.id] = [];
    return clearRect.apply(this, more);
  };
}"""
# The colour of a face in the middle of the part of the map that speaks for a label.
PLACE = """([face, label]) => {
  const canvas = document.querySelector("#canvas"), x = 80 + 140 * face, y = 60 + 20 * label + 10;
  return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
}"""


@contextmanager
def spied(browser, address, **options):
    """The page, which notes what is drawn."""
    options = {"viewport": {"width": 1280, "height": 900}} | options
    with opened(browser, address, **options) as page:
        page.evaluate(SPY)
        yield page


@pytest.fixture
def page(browser, address):
    with spied(browser, address) as page:
        yield page


GREY = encode(np.full((240, 860, 3), 128, np.uint8), "PNG")


def show(page, *faces, name="grey.png"):
    """Give the page a grey picture, in which these faces are found."""
    page.evaluate("(faces) => { window.wanted = faces; }", list(faces))
    page.set_input_files("#files", [{"name": name, "mimeType": "image/png", "buffer": GREY}])
    page.wait_for_selector(f".face >> nth={len(faces) - 1}", timeout=PATIENCE)


def is_warm(page, face, label):
    red, _, blue, _ = page.evaluate(PLACE, [face, LABELS.index(label)])
    return abs(red - blue) > 20


def card(page, number):
    return page.inner_text(f".face >> nth={number}").replace("\xa0", " ")


def plates(page):
    """What is written over the picture."""
    return [text.replace("\xa0", " ") for text in page.evaluate("() => drawn.canvas")]


def evidence(page, number):
    return page.inner_text(f".face >> nth={number} >> p >> nth=1")


def test_words_beside_the_colours_say_what_they_mean(page):
    show(page, HAPPY)
    said = page.inner_text("#legend")
    assert "speaks for the expression that the face’s card names" in said
    assert "compare places, not strengths" in said
    described = page.get_attribute("#heat", "aria-describedby")
    assert page.inner_text(f"#{described}") == said  # which a screen reader reads out
    page.select_option("#heat", "fear")
    assert "speaks for fear" in page.inner_text("#legend")
    page.select_option("#heat", "")
    assert page.is_hidden("#legend")
    page.select_option("#heat", "best")
    assert page.locator("#heat option:checked").inner_text() == "likeliest expression but neutral"
    seen = set()
    for language in LANGUAGES:
        page.select_option("#language", language)
        seen |= {page.inner_text("#legend"), page.locator("#heat option:checked").inner_text()}
    assert len(seen) == 2 * len(LANGUAGES)


def test_the_card_says_where_the_evidence_for_the_chosen_map_is(page):
    """The map of happiness lies on the forehead here, and that of fear on the chin."""
    show(page, HAPPY)
    assert evidence(page, 0).startswith("Evidence for happiness: ")
    first = evidence(page, 0).split(": ")[1]
    page.click(".bars button >> text=fear")
    assert evidence(page, 0).startswith("Evidence for fear: ")
    assert evidence(page, 0).split(": ")[1] != first
    assert is_warm(page, 0, "fear")
    assert not is_warm(page, 0, "happiness")
    assert plates(page) == ["0  happiness 86%", "Heat map: fear"]
    page.click(".bars button >> text=fear")
    assert plates(page) == ["0  happiness 86%"]


def test_where_nothing_speaks_for_an_expression_the_card_says_so(page):
    page.evaluate("() => { window.nothingFor = 5; }")
    show(page, HAPPY)
    page.select_option("#heat", "fear")
    assert evidence(page, 0) == "Evidence for fear: nowhere"
    assert not is_warm(page, 0, "fear")


def test_of_several_a_calm_face_has_a_map_only_where_its_card_names_it(page):
    show(page, *GROUP)
    best = ["happiness", "happiness", "sadness", "fear", "fear", "happiness"]
    assert [is_warm(page, *face) for face in enumerate(best)] == [True] + 3 * [False] + 2 * [True]
    page.click(".head >> nth=1")
    warm = [is_warm(page, *face) for face in enumerate(best)]
    assert warm == [True, True, False, False, True, True]
    assert evidence(page, 1).startswith("Evidence for happiness")
    page.select_option("#heat", "anger")  # asked for, and named under the picture
    assert all(is_warm(page, number, "anger") for number in range(len(GROUP)))
    page.select_option("#heat", "")
    assert not any(is_warm(page, *face) for face in enumerate(best))


def test_a_few_calm_faces_have_open_cards_that_name_their_maps(page):
    show(page, CALM, UNSURE | {"at": 4})
    both = "1  uncertain: sadness 22%, neutral 44%"  # which names the map's expression, too
    assert plates(page) == ["0  neutral 93%", "Heat map: happiness", both]
    assert is_warm(page, 0, "happiness")
    assert evidence(page, 0).startswith("Evidence for happiness")
    assert evidence(page, 1).startswith("Evidence for sadness")


def test_an_uncertain_face_is_named_with_what_its_number_belongs_to(page):
    show(page, UNSURE, FOGGY | {"at": 4})
    both, one = "uncertain: sadness 22%, neutral 44%", "uncertain: fear 36%"
    assert card(page, 0).startswith(f"{both}\n")
    assert card(page, 1).startswith(f"{one}\n")
    assert "Not clear: no expression is likely enough." in card(page, 0)
    assert plates(page) == [f"0  {both}", f"1  {one}"]
    assert page.get_attribute("#canvas", "aria-label") == f"Face 0: {both}; Face 1: {one}"
    lit = page.locator(".face >> nth=0 >> .said").all_inner_texts()
    assert [text.split()[0] for text in lit] == ["sadness", "neutral"]
    take = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": GREY} for n in range(2)]
    page.set_input_files("#files", take)
    page.wait_for_selector("#pictures button >> nth=1", timeout=PATIENCE)
    assert page.locator("#pictures .note").all_inner_texts() == [f"{both}; {one}"] * 2
    page.select_option("#language", "de")
    notes = page.locator("#pictures .note").all_inner_texts()
    assert notes == ["unsicher: Trauer 22\xa0%, neutral 44\xa0%; unsicher: Angst 36\xa0%"] * 2


def test_a_plate_that_would_cover_another_says_less(page):
    show(page, HAPPY, UNSURE, UNSURE, HAPPY)
    names = ["0  happiness", "1", "2", "3  happiness 86%"]
    assert plates(page) == names  # of "1  uncertain" the map would have to be named below
    page.select_option("#heat", "")
    assert plates(page) == ["0  happiness", "1  uncertain", "2  uncertain", "3  happiness 86%"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_faces_are_named_as_drawings_name_them(page, language):
    made = [HAPPY, CALM, UNSURE, FOGGY]
    show(page, *made)
    page.select_option("#language", language)
    rule = Rule(certain_from=0.4812)
    for number, face in enumerate(made):
        where = Detection(Box(0, 0, 9, 9), np.zeros((5, 2), np.float32), 0.9)
        values = np.array(face["scores"], dtype=np.float32)
        crop, to_crop = np.zeros((64, 64, 3), np.uint8), np.eye(2, 3, dtype=np.float32)
        theirs = Face(where, values, face["neutral"], crop, to_crop, rule=rule)
        ours = page.inner_text(f".face >> nth={number} >> strong")
        expected = re.sub(r"\s", "", label_text(theirs, Writing(language)))
        ours = re.sub(r"%(\d+)", r"\1%", re.sub(r"\s", "", ours))  # Turkish writes %86
        assert ours == expected


def test_a_class_written_from_right_to_left_keeps_its_number(page):
    named = """async () => {
      const { titled } = await import("./view.js");
      return titled({ label: "غضب", named: [["غضب", 0.55]] }, { uncertain: "uncertain" });
    }"""
    assert page.evaluate(named) == "غضب \u200e55%"


def test_heat_is_drawn_with_the_numbers_of_the_package():
    text = (Path(page_files.__code__.co_filename).parent / "page" / "draw.js").read_text("utf-8")
    found = dict(re.findall(r"^const (OPACITY|FADE) = ([\d. /]+);", text, re.MULTILINE))
    over, under = map(float, found["FADE"].split(" / "))
    assert over / under == heatmap._FADE == 1 / 32
    assert float(found["OPACITY"]) == heatmap._OPACITY


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    pictures = [np.full((240, 320, 3), 128, np.uint8)] * 20
    path = tmp_path_factory.mktemp("film") / "grey.webm"
    return clip(path, pictures, rate=10, sound=None, codec="libvpx").read_bytes()


FACES_AT = """([early, late, other]) => {
  const one = (time) => ({ ...(time < 0.95 ? early : late), track: 1 });
  window.wantedAt = (time) => [one(time), { ...other, track: 2 }];
}"""


def test_lanes_have_a_key_and_are_said_in_words(page, film):
    page.evaluate(FACES_AT, [HAPPY, UNSURE, CALM])
    page.set_input_files("#files", [{"name": "f.webm", "mimeType": "video/webm", "buffer": film}])
    page.wait_for_selector("text=Stopped after", timeout=PATIENCE)
    assert page.locator("#key li").all_inner_texts() == ["happiness", "neutral", "uncertain"]
    assert page.locator("#key .unclear").inner_text() == "uncertain"
    said = page.get_attribute("#lanes", "aria-label")
    assert "happiness 0.0 to 1.0 s; uncertain 1.0 to 1.9 s" in said
    page.click(".head >> nth=1")
    assert "neutral 0.0 to 1.9 s" in page.get_attribute("#lanes", "aria-label")
    page.select_option("#language", "es")
    assert page.locator("#key li").all_inner_texts() == ["alegría", "neutral", "incierto"]
    colours = page.evaluate(
        """() => {
      const lanes = document.querySelector("#lanes"), scale = devicePixelRatio;
      const y = (92 + 2 * 10 + 7) * scale; // the middle of the first lane
      const all = lanes.getContext("2d").getImageData(0, y, lanes.width, 1).data;
      const at = (from, to) => Array.from({ length: 80 }, (_, i) =>
        all[4 * Math.round(lanes.width * (from + ((to - from) * i) / 80)) + 3]);
      return [at(0.15, 0.4), at(0.65, 0.9)];
    }"""
    )
    certain, unsure = colours
    assert min(certain) == 255
    assert min(unsure) < 100 < max(unsure)  # hatched


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_axe_finds_nothing_wrong_with_what_is_said(browser, address, film, scheme, width):
    size = {"width": width, "height": 900}
    options = {"color_scheme": scheme, "viewport": size, "bypass_csp": True}
    with spied(browser, address, **options) as page:
        show(page, *GROUP)
        assert violations(page) == []
        page.evaluate(FACES_AT, [HAPPY, UNSURE, CALM])
        file = {"name": "f.webm", "mimeType": "video/webm", "buffer": film}
        page.set_input_files("#files", [file])
        page.wait_for_selector("text=Stopped after", timeout=PATIENCE)
        assert violations(page) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
