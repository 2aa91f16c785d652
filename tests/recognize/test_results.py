from dataclasses import replace

import cv2
import numpy as np
import pytest

from mien.errors import UnknownNameError
from mien.faces.boxes import Box, Detection
from mien.faces.regions import REGIONS, TEMPLATE
from mien.labels import LABELS, NEUTRAL, PAPER, LabelSet, Rule
from mien.recognize.results import (
    CSV_HEADER,
    REGIONS_HEADER,
    Face,
    Picture,
    probability_columns,
)

POINTS = np.array([[1, 2], [3, 4], [5, 6.25], [7, 8], [9, 10]], dtype=np.float32)
SCORES = np.array([0.1, 0.05, 0.5, 0.2, 0.1, 0.05], dtype=np.float32)


def face(values=SCORES, neutral=0.25, maps=None):
    detection = Detection(Box(10, 20, 110.04, 220.06), POINTS, 0.98765)
    crop, to_crop = np.zeros((64, 64, 3), dtype=np.uint8), np.eye(2, 3, dtype=np.float32)
    return Face(detection, values, neutral, crop, to_crop, maps)


def test_a_box_knows_its_sides_and_rounds_to_a_tenth():
    box = Box(-1.26, 2, 10.74, 7.5)
    assert (box.width, box.height) == (12, 5.5)
    assert box.as_list() == [-1.3, 2, 10.7, 7.5]


@pytest.mark.parametrize("sides", [(5, 0, 5, 9), (6, 0, 5, 9), (0, 9, 5, 9), (0, 0, np.nan, 9)])
def test_a_box_without_area_is_refused(sides):
    with pytest.raises(ValueError, match="left < right and top < bottom"):
        Box(*sides)


def test_landmarks_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(5, 2\), got \(2, 5\)"):
        Detection(Box(0, 0, 1, 1), POINTS.T, 0.9)


def test_the_strongest_score_names_the_face():
    read = face()
    assert (read.label, read.expression) == ("sadness", "sadness")
    assert read.confidence == pytest.approx(0.5)
    assert list(read.scores) == list(LABELS)
    assert read.scores["anger"] == pytest.approx(0.2)


def test_a_face_more_calm_than_not_is_neutral_and_keeps_its_expression():
    read = face(neutral=0.75)
    assert (read.label, read.expression, read.confidence) == ("neutral", "sadness", 0.75)


def test_a_face_exactly_as_calm_as_not_shows_its_expression():
    assert face(neutral=0.5).label == "sadness"


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(ValueError, match=r"sum to 1, got 6.0000: apply softmax"):
        face(np.ones(6, dtype=np.float32))
    with pytest.raises(ValueError, match=r"shape \(6,\), got \(7,\)"):
        face(np.full(7, 1 / 7, dtype=np.float32))


def test_a_heat_map_is_the_coarse_map_enlarged_as_opencv_does():
    coarse = np.random.default_rng(0).uniform(0.1, 5, (6, 7, 7)).astype(np.float32)
    for number, label in enumerate(LABELS):
        large = cv2.resize(coarse[number], (64, 64), interpolation=cv2.INTER_LINEAR)
        expected = large / large.max()
        np.testing.assert_allclose(face(maps=coarse).heatmap(label), expected, atol=1e-5)


def test_a_heat_map_shows_the_expression_unless_told_otherwise():
    maps = np.zeros((6, 2, 2), dtype=np.float32)
    maps[2] = [[1, 0], [0, 0]]  # sadness, upper left
    shown = face(maps=maps, neutral=0.9).heatmap()
    assert shown[0, 0] == 1
    assert shown[63, 63] == 0


def test_evidence_against_an_expression_is_not_shown():
    maps = np.full((6, 3, 3), -4, dtype=np.float32)
    assert not face(maps=maps).heatmap("fear").any()


def test_a_heat_map_that_does_not_exist_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"read\(\.\.\., heatmap=True\)"):
        face().heatmap()
    read = face(maps=np.zeros((6, 2, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="none for neutral"):
        read.heatmap("neutral")


@pytest.mark.parametrize("name", ["happy", "hapiness", "", "contempt", "\0", 3, ("fear",)])
def test_an_unknown_heat_map_names_the_six(name):
    maps = np.zeros((6, 2, 2), dtype=np.float32)
    with pytest.raises(UnknownNameError) as caught:
        face(maps=maps).heatmap(name)
    assert all(label in str(caught.value) for label in LABELS)
    assert "\n  try: use " in str(caught.value)


def test_what_is_no_face_has_no_expression_and_no_confidence_in_one():
    read = replace(face(neutral=0.75), is_face=False)
    assert (read.label, read.confidence, read.sentence) == ("no face", 0.0, "no face")
    assert read.record()["label"] == "no face"
    assert read.row()[5:7] == ["no face", 0.0]


def test_a_face_becomes_the_documented_record():
    assert face().record() == {
        "box": [10, 20, 110, 220.1],
        "landmarks": [[1, 2], [3, 4], [5, 6.2], [7, 8], [9, 10]],
        "detection": 0.9877,
        "label": "sadness",
        "confidence": 0.5,
        "scores": {
            "happiness": 0.1,
            "surprise": 0.05,
            "sadness": 0.5,
            "anger": 0.2,
            "disgust": 0.1,
            "fear": 0.05,
        },
        "neutral": 0.25,
        "regions": {},
        "probabilities": {  # three quarters of the scores, and neutral
            "happiness": 0.075,
            "surprise": 0.0375,
            "sadness": 0.375,
            "anger": 0.15,
            "disgust": 0.075,
            "fear": 0.0375,
            "neutral": 0.25,
        },
    }


def test_a_picture_has_one_row_a_face_under_the_documented_header():
    header = "path,face,left,top,right,bottom,detection,label,confidence,neutral"
    assert ",".join(CSV_HEADER) == header + ",happiness,surprise,sadness,anger,disgust,fear"
    rows = Picture("a.jpg", 640, 480, (face(), face(neutral=0.75))).rows()
    scores = [0.1, 0.05, 0.5, 0.2, 0.1, 0.05]
    assert rows == [
        ["a.jpg", 0, 10, 20, 110, 220.1, 0.9877, "sadness", 0.5, 0.25, *scores],
        ["a.jpg", 1, 10, 20, 110, 220.1, 0.9877, "neutral", 0.75, 0.75, *scores],
    ]


def test_a_picture_without_faces_is_a_record_and_no_row():
    picture = Picture("", 640, 480)
    assert picture.record() == {"path": "", "width": 640, "height": 480, "faces": []}
    assert picture.rows() == []


def mouth_face(**changes):
    """A face whose evidence for sadness lies at the lower edge of an 8x8 map, in the middle."""
    maps = np.zeros((6, 8, 8), dtype=np.float32)
    maps[2, 6, 3:5] = 1
    return face(maps=maps, **changes)


def at(landmarks):
    """The same face with landmarks elsewhere in its crop."""
    read = mouth_face()
    found = Detection(read.box, landmarks.astype(np.float32), 0.9)
    return Face(found, read.values, 0.25, read.crop, read.to_crop, read.maps)


def test_regions_follow_the_landmarks_of_the_face():
    as_template = at(TEMPLATE).regions
    assert as_template["mouth"] > 0.6
    assert at(TEMPLATE + np.array([0, 14])).regions["nose"] > 0.6  # where the nose has moved to
    assert list(as_template) == list(REGIONS)


def test_landmarks_are_carried_into_the_crop_before_they_divide_it():
    read = at(TEMPLATE)
    double = Detection(read.box, read.landmarks * 2 + 6, 0.9)
    to_crop = np.array([[0.5, 0, -3], [0, 0.5, -3]], dtype=np.float32)
    same = Face(double, read.values, 0.25, read.crop, to_crop, read.maps)
    assert same.regions == read.regions


def test_a_sentence_names_the_expression_and_where_its_evidence_lies():
    read = at(TEMPLATE)
    share = read.regions["mouth"]
    assert read.sentence.startswith(f"sadness 0.38: {share:.0%}".replace("%", " % of the evidence"))
    assert "on the mouth" in read.sentence
    assert face().sentence == "sadness 0.38"
    calm = mouth_face(neutral=0.75).sentence
    assert calm.startswith("neutral 0.75, sadness 0.12: ")
    assert calm.endswith("100 % of the evidence for sadness outside the face")
    empty = face(maps=np.zeros((6, 8, 8), dtype=np.float32)).sentence
    assert empty == "sadness 0.38: no place speaks for it"
    unsure = replace(face(), rule=Rule(certain_from=0.6)).sentence
    assert unsure == "uncertain, most likely sadness 0.38"


def test_probabilities_put_the_six_and_neutral_on_one_scale():
    read = face(neutral=0.6)
    expected = [0.04, 0.02, 0.2, 0.08, 0.04, 0.02, 0.6]  # 0.4 of the scores, then neutral
    assert list(read.probabilities) == [*LABELS, NEUTRAL]
    assert list(read.probabilities.values()) == pytest.approx(expected, abs=1e-6)
    assert sum(read.probabilities.values()) == pytest.approx(1)
    assert (read.label, read.probability) == (NEUTRAL, 0.6)
    assert (read.confidence, read.scores["sadness"]) == (0.6, 0.5)  # as they were


def test_the_probability_is_of_the_label_whatever_that_is():
    assert face(neutral=0.2).probability == pytest.approx(0.4)  # of sadness: 0.8 of 0.5
    unsure = replace(face(neutral=0.2), rule=Rule(certain_from=0.6))
    assert (unsure.label, unsure.probability) == ("uncertain", pytest.approx(0.4))
    assert replace(face(), is_face=False).probability == 0.0


def test_a_label_below_neutral_is_named_with_it():
    """0.55 of 0.5 is 0.275, and neutral has 0.45: both are shown, and the label stays."""
    read = face(neutral=0.45)
    assert (read.label, read.confidence) == ("sadness", pytest.approx(0.5))
    assert read.named == {"sadness": pytest.approx(0.275), "neutral": 0.45}
    assert list(read.named) == ["sadness", "neutral"]
    assert read.sentence == "sadness 0.28, neutral 0.45"
    assert "<td>sadness (neutral 0.45)</td>" in read._repr_html_()
    unsure = replace(read, rule=Rule(certain_from=0.6))
    assert list(unsure.named) == ["uncertain", "neutral"]
    assert unsure.sentence == "uncertain, most likely neutral 0.45, sadness 0.28"


@pytest.mark.parametrize(
    "read",
    [
        face(neutral=0.3),  # 0.35 is more than 0.3
        face(neutral=0.51),  # called neutral
        replace(face(neutral=0.45), rule=Rule(neutral_above=1.0)),  # as --six asks
        replace(face(neutral=0.45), is_face=False),
        replace(face(neutral=0.45), labels=LabelSet(LABELS, "fear")),  # calm is one of the six
    ],
)
def test_else_a_face_is_named_by_its_label_alone(read):
    assert read.named == {read.label: read.probability}


@pytest.mark.parametrize("calm", ["sadness", ""])
def test_where_no_calm_class_lies_beside_them_the_scores_are_the_probabilities(calm):
    read = replace(face(neutral=0.5), labels=LabelSet(LABELS, calm))
    assert read.probabilities == read.scores
    assert read.probability == pytest.approx(0.5)


def test_rows_have_the_probabilities_if_asked_for():
    labels = LabelSet(("left", "right"), "straight")
    read = replace(face(neutral=0.5, values=SCORES), labels=PAPER)
    assert probability_columns(labels) == ("p_left", "p_right", "p_straight")
    [row] = Picture("a.jpg", 640, 480, (read,)).rows(probabilities=True)
    assert row[: len(CSV_HEADER)] == Picture("a.jpg", 640, 480, (read,)).rows()[0]
    assert row[len(CSV_HEADER) :] == [0.05, 0.025, 0.25, 0.1, 0.05, 0.025, 0.5]
    [both] = Picture("a.jpg", 640, 480, (read,)).rows(regions=True, probabilities=True)
    assert both == [*row[: len(CSV_HEADER)], *[""] * 8, *row[len(CSV_HEADER) :]]


def test_rows_have_the_regions_if_asked_for_and_nothing_where_there_are_none():
    assert tuple(f"on_{name}" for name in REGIONS) == REGIONS_HEADER
    read = at(TEMPLATE)
    rows = Picture("a.jpg", 640, 480, (read, face())).rows(regions=True)
    assert rows[0][-8:] == list(read.regions.values())
    assert rows[1][-8:] == [""] * 8
    assert [len(row) for row in rows] == [len(CSV_HEADER) + 8] * 2
