"""The engine in Chromium gives what Python gives."""

import numpy as np
import pytest

from mien import Recognizer
from mien.faces.align import rescale
from mien.faces.regions import named_shares
from mien.pixels import SIDE, to_gray, to_heat
from mien.recognize.video import Choice, VideoRecognizer
from mien.serve.page_files import page_files
from tests.support.browser import chromium, engine, picture_address, served
from tests.support.onnx_files import channels_model, network, sealed
from tests.support.rendered_scenes import SCENES, frames

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SIDES = ("left", "top", "right", "bottom")


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page(browser):
    with engine(browser, page_files()) as opened:
        yield opened


def assert_same(ours, theirs):
    """A face from the browser, and one from Python."""
    assert ours["label"] == theirs.label
    np.testing.assert_allclose(ours["scores"], theirs.values, atol=1e-3)
    assert ours["neutral"] == pytest.approx(theirs.neutral, abs=1e-3)
    assert ours["confidence"] == pytest.approx(theirs.confidence, abs=1e-3)
    box = [getattr(theirs.box, side) for side in SIDES]
    np.testing.assert_allclose([ours["box"][side] for side in SIDES], box, atol=0.02)
    np.testing.assert_allclose(ours["landmarks"], theirs.landmarks, atol=0.02)


def test_fifty_made_faces(page, recognizer):
    count = 0
    for rgb, *_ in frames(SCENES["crowd"], zoom=2.1, rate=1.25):
        expected = recognizer.read(rgb).faces
        faces, _ = page.read(rgb)
        assert len(faces) == len(expected)
        for ours, theirs in zip(faces, expected, strict=True):
            assert_same(ours, theirs)
            np.testing.assert_allclose(
                ours["maps"], theirs.maps.ravel(), atol=0.01 * np.abs(theirs.maps).max()
            )
            assert ours["regions"] == pytest.approx(theirs.regions, abs=1e-3)
        count += len(faces)
    assert count >= 50


def test_the_portrait_at_its_own_size_and_larger_and_smaller(page, recognizer, portrait):
    for rgb in (
        portrait,
        np.repeat(np.repeat(portrait, 3, 0), 3, 1),
        portrait[::3, ::3],
        portrait[60:200, 150:290],
    ):
        [theirs] = recognizer.read(rgb).faces
        [ours], _ = page.read(np.ascontiguousarray(rgb))
        assert_same(ours, theirs)
        gray = to_gray(theirs.crop).ravel().astype(int)
        assert np.abs(np.array(ours["gray"]) - gray).mean() < 0.05  # a level here and there


EVIDENCE = """async (address) => {
  const { evidenceFor } = await import("/regions.js"), { Mien } = await import("/mien.js");
  const mien = await Mien.open();
  const { faces: [face] } = await mien.read(await (await fetch(address)).blob());
  const all = mien.card.labels.map((label) => [label, evidenceFor(label, face, mien.card)]);
  return Object.fromEntries(all);
}"""


def test_the_evidence_for_every_label_lies_where_python_finds_it(browser, recognizer, portrait):
    [face] = recognizer.read(portrait).faces
    landmarks = face.landmarks @ face.to_crop[:, :2].T + face.to_crop[:, 2]
    on_grid = rescale(landmarks, SIDE / len(face.crop))
    with served(page_files() | {"empty.html": b"<!doctype html>"}) as (address, _):
        page = browser.new_page()
        page.goto(f"{address}/empty.html")
        found = page.evaluate(EVIDENCE, picture_address(portrait))
        page.close()
    assert list(found) == list(face.scores)
    for ours, own in zip(found.values(), face.maps, strict=True):
        assert ours == pytest.approx(named_shares(to_heat(own, SIDE), on_grid), abs=2e-3)


def test_a_picture_without_a_face_and_a_tiny_one(page):
    assert page.read(np.full((90, 120, 3), 128, dtype=np.uint8))[0] == []
    assert page.read(np.zeros((1, 1, 3), dtype=np.uint8))[0] == []


def test_a_picture_above_the_limit_of_the_browser_is_refused_and_not_read_as_empty(page, portrait):
    """A canvas of more than 65,535 pixels across stays clear in Chromium."""
    with pytest.raises(Exception, match="picture too large for this browser: 70000x8"):
        page.read(np.full((8, 70_000, 3), 128, dtype=np.uint8))
    [face], _ = page.read(portrait)
    assert face["label"] == "happiness"


@pytest.mark.parametrize(
    ("scene", "rate"),
    [("alone", 8), ("crossing", 8), ("cut", 8), ("replaced", 12)],
)
def test_a_films_faces_keep_the_numbers_and_smoothed_scores_of_python(
    page, recognizer, scene, rate
):
    page.restart()
    video = VideoRecognizer(recognizer, Choice())
    for number, (rgb, time_s, _) in enumerate(frames(SCENES[scene], rate=rate)):
        expected = video.read(number, time_s, rgb).faces
        faces, _ = page.read(rgb, time_s)
        assert [face["track"] for face in faces] == [face.track for face in expected], time_s
        for ours, theirs in zip(faces, expected, strict=True):
            assert ours["label"] == theirs.label
            np.testing.assert_allclose(ours["scores"], theirs.values, atol=1e-3)
            assert ours["neutral"] == pytest.approx(theirs.neutral, abs=1e-3)


def test_another_model_without_maps_and_with_another_rule(browser, portrait, tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(channels_model(uncertain={"below": 0.99}))
    [theirs] = Recognizer(path).read(portrait).faces
    with engine(browser, page_files(path)) as page:
        [ours], _ = page.read(portrait)
    assert (theirs.label, ours["label"]) == ("uncertain", "uncertain")
    assert (ours["maps"], ours["regions"]) == (None, {})
    np.testing.assert_allclose(ours["scores"], theirs.values, atol=1e-3)


def test_a_model_of_another_side_needs_no_other_page(browser, portrait, tmp_path):
    nodes = [
        ("ReduceMean", ["crops", "places"], "means", {"keepdims": 0}),
        ("MatMul", ["means", "six"], "logits", {}),
        ("Slice", ["crops", "first", "last"], "part", {}),
        ("Concat", ["part", "part"], "maps", {"axis": 1}),  # of three channels each: six classes
    ]
    six = np.arange(18, dtype=np.float32).reshape(3, 6) / 9
    weights = {"places": np.array([2, 3]), "six": six}
    weights |= {"first": np.array([0, 0, 8, 8]), "last": np.array([64, 3, 20, 24])}
    outputs = [("logits", ["N", 6]), ("maps", ["N", 6, 12, 16])]
    own = network(nodes, [("crops", ["N", 3, 40, 40])], outputs, weights)
    path = tmp_path / "small.onnx"
    card = (
        '{"format": 1, "labels": LABELS, "temperature": 2, "input": {"side": 40}, "sha256": ZEROS}'
    )
    path.write_bytes(sealed(own, card))
    [theirs] = Recognizer(path).read(portrait).faces
    with engine(browser, page_files(path)) as page:
        [ours], _ = page.read(portrait)
    assert_same(ours, theirs)
    gray = to_gray(theirs.crop).ravel().astype(int)
    assert gray.shape == (1600,)
    assert np.abs(np.array(ours["gray"]) - gray).mean() < 0.05
    assert ours["regions"] == pytest.approx(theirs.regions, abs=2e-3)
