"""The page in Chromium with a model of other classes: their names, order, bars and tables."""

import csv
import json
import re

import numpy as np
import pytest

import mien
from mien.labels import LabelSet
from mien.recognize.columns import picture_header
from mien.serve.page_files import CARD_FILE, POLICY, page_files
from tests.support.browser import chromium, served
from tests.support.onnx_files import three_classes
from tests.support.pictures import encode
from tests.support.rendered_scenes import SCENES, frames

PATIENCE = 120_000  # ms
# Some are called as texts of the page, as columns, or as what JavaScript has on every object.
OWN = LabelSet(("open", "best", "left"), "toString", ("#ff0000", "#00aa00", "#0000ff"))
AMONG = LabelSet(("open", "calm", "left"), "calm")


@pytest.mark.parametrize("labels", [OWN, AMONG], ids=["beside", "among"])
def test_the_card_of_the_page_has_the_classes_of_the_model(tmp_path, labels):
    card = json.loads(page_files(three_classes(tmp_path / "own.onnx", labels))[CARD_FILE])
    assert tuple(card["labels"]) == labels.names
    beside = labels.calm_beside
    assert (card["neutral"], card["calm"]) == (("toString", "") if beside else ("", "calm"))
    assert tuple(card["picture_header"]) == picture_header(labels)
    assert {*labels.targets, "uncertain"} <= card["colours"].keys()
    if labels.colours:
        assert [card["colours"][name] for name in labels.names] == list(labels.colours)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("labels", [OWN, AMONG], ids=["beside", "among"])
def test_the_page_names_saves_and_draws_them_as_the_library_does(tmp_path, labels):
    path = three_classes(tmp_path / "own.onnx", labels)
    [(rgb, *_)] = [next(frames(SCENES["walks"], zoom=1.5))]
    expected = mien.Recognizer(path, threads=1).read(rgb)
    with chromium() as browser, served(page_files(path), POLICY) as (address, _asked):
        page = browser.new_context(locale="de-DE", accept_downloads=True).new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#loading", state="hidden", timeout=PATIENCE)
        picture = {"name": "a.png", "mimeType": "image/png", "buffer": encode(rgb, "PNG")}
        page.set_input_files("#files", [picture])
        page.wait_for_selector(".face >> nth=2", timeout=PATIENCE)
        shown = page.locator(".face >> nth=0 >> .bars li").all_inner_texts()
        assert [re.sub(r"\s*\d+\s*%$", "", text) for text in shown] == list(labels.targets)
        assert page.inner_text(".face >> nth=0").startswith(expected.faces[0].label)
        # one of these faces is calmer than its label is probable, and yet not called calm
        assert max(len(face.named) for face in expected.faces) == 1 + labels.calm_beside
        for number, face in enumerate(expected.faces):
            title = page.inner_text(f".face >> nth={number} >> strong").replace("\xa0", " ")
            assert [*re.findall(r"(\w+) \d+ %", title)] == list(face.named)
            shares = [float(part) for part in re.findall(r"\d+", title)]
            assert shares == pytest.approx([100 * part for part in face.named.values()], abs=0.8)
        with page.expect_download(timeout=PATIENCE) as started:
            page.click("#csv")
        with open(started.value.path(), newline="") as file:  # noqa: PTH123
            header, *rows = csv.reader(file)
        with page.expect_download(timeout=PATIENCE) as started:
            page.click("#json")
        with open(started.value.path()) as file:  # noqa: PTH123
            record = json.load(file)
        assert faults == []
    assert tuple(header) == picture_header(labels)
    for row, theirs in zip(rows, expected.rows(), strict=True):
        assert row[7] == theirs[7]
        np.testing.assert_allclose([float(v) for v in row[8:]], theirs[8:], atol=2e-3)
    for found, theirs in zip(record["faces"], expected.record()["faces"], strict=True):
        assert found["scores"] == pytest.approx(theirs["scores"], abs=2e-3)
        assert found["probabilities"] == pytest.approx(theirs["probabilities"], abs=2e-3)
        assert found["neutral"] == pytest.approx(theirs["neutral"], abs=2e-3)
