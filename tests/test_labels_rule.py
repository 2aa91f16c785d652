import json

import numpy as np
import pytest
from PIL import Image

from mien import Recognizer
from mien.faces.boxes import Detection
from mien.labels import LABELS, SIX, USUAL, Rule
from mien.show.style import COLOURS
from tests.support.commands import mien
from tests.support.onnx_files import channels_model

SURE = (0.05, 0.05, 0.7, 0.1, 0.05, 0.05)
UNSURE = (0.2, 0.1, 0.3, 0.15, 0.15, 0.1)


@pytest.mark.parametrize(
    ("rule", "values", "neutral", "label"),
    [
        (USUAL, SURE, 0.2, "sadness"),
        (USUAL, UNSURE, 0.5, "sadness"),  # exactly as calm as not
        (USUAL, SURE, 0.51, "neutral"),
        (Rule(certain_from=0.4), UNSURE, 0.2, "uncertain"),
        (Rule(certain_from=0.4), UNSURE, 0.9, "neutral"),  # calm is known, whatever it resembles
        (Rule(certain_from=0.3), UNSURE, 0.2, "sadness"),  # exactly as sure as is asked for
        (Rule(neutral_above=0.8), SURE, 0.7, "sadness"),
        (SIX, SURE, 1.0, "sadness"),
        (SIX, UNSURE, 1.0, "sadness"),
    ],
)
def test_scores_become_the_word_that_the_rule_says(rule, values, neutral, label):
    assert rule.label(values, neutral) == label


def test_every_word_has_a_colour():
    assert set(COLOURS) == {*LABELS, "neutral", "uncertain", "no face"}


@pytest.fixture
def doubtful(tmp_path):
    """A model file that asks for a confidence of 0.4; bright crops are all but equally likely."""
    path = tmp_path / "doubtful.onnx"
    path.write_bytes(channels_model(temperature=2.0, uncertain={"below": 0.4}))
    return path


def test_the_card_says_below_which_confidence_a_face_is_uncertain(doubtful, recognizer, portrait):
    [found] = recognizer.read(portrait).faces
    detection = Detection(found.box, found.landmarks, 0.9)
    [face] = Recognizer(doubtful, threads=1).read_faces(portrait, [detection])
    assert face.values.max() < 0.4
    assert (face.label, face.confidence) == ("uncertain", float(face.values.max()))
    assert face.sentence.startswith(f"uncertain, most likely {face.expression} 0.")
    [six] = Recognizer(doubtful, threads=1, six=True).read_faces(portrait, [detection])
    assert (six.label, six.confidence) == (face.expression, face.confidence)
    np.testing.assert_array_equal(six.values, face.values)


def test_a_model_whose_card_asks_for_nothing_is_never_uncertain(tmp_path):
    path = tmp_path / "plain.onnx"
    path.write_bytes(channels_model())
    assert Recognizer(path, threads=1).rule == USUAL


def test_predict_says_so_unless_asked_for_one_of_the_six(doubtful, portrait, tmp_path):
    path = tmp_path / "portrait.png"
    Image.fromarray(portrait).save(path)
    words = ("predict", path, "--json", "--no-heatmap", "--model", doubtful)
    [doubt], [six] = (json.loads(mien(*words, *more).stdout)["faces"] for more in ((), ("--six",)))
    assert (doubt["label"], six["label"]) == (
        "uncertain",
        max(six["scores"], key=six["scores"].get),
    )
    assert doubt["scores"] == six["scores"]


def test_predict_and_scores_look_at_the_mirror_image_if_asked(portrait, recognizer, tmp_path):
    path = tmp_path / "portrait.png"
    Image.fromarray(portrait).save(path)
    found = json.loads(mien("predict", path, "--json", "--no-heatmap", "--flip").stdout)
    [face] = Recognizer(threads=1, flip=True).read(portrait).faces
    assert found["faces"][0]["scores"] == face.record()["scores"]
    assert face.record()["scores"] != recognizer.read(portrait).faces[0].record()["scores"]
    mien("scores", tmp_path, "--out", tmp_path / "s.csv", "--full", "--flip")
    row = (tmp_path / "s.csv").read_text().splitlines()[1].split(",")[1:]
    expected = Recognizer(threads=1, flip=True).classify([portrait])[0]
    np.testing.assert_allclose([float(value) for value in row], expected, atol=1e-6)


@pytest.mark.parametrize("share", [-0.1, 1.1, 48, float("nan")])
def test_a_rule_of_what_is_no_probability_is_refused(share):
    for name in ("neutral_above", "certain_from"):
        with pytest.raises(ValueError, match="probabilities are from 0 to 1"):
            Rule(**{name: share})
