"""Results are equal when their values are, travel between processes, and become dictionaries."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from mien import Face, Picture, VideoFrame
from mien.faces.boxes import Box, Detection


def a_face():
    """A face whose numbers are simple; every call makes arrays of its own."""
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    return Face(
        detection=Detection(Box(1, 2, 30, 40), points, 0.5),
        values=np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1], dtype=np.float32),
        neutral=0.25,
        crop=np.full((64, 64, 3), 7, dtype=np.uint8),
        to_crop=np.eye(2, 3, dtype=np.float32),
        maps=np.ones((6, 2, 2), dtype=np.float32),
        track=3,
    )


def results():
    face = a_face()
    rgb = np.zeros((4, 6, 3), dtype=np.uint8)
    return [face.detection, face, Picture("a.jpg", 6, 4, (face,)), VideoFrame(2, 0.5, (face,), rgb)]


@pytest.mark.parametrize("number", range(4), ids=["Detection", "Face", "Picture", "VideoFrame"])
def test_results_made_apart_are_equal_and_have_one_hash(number):
    one, other = results()[number], results()[number]
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1
    assert one != "something else"
    assert [one == result for result in results()] == [n == number for n in range(4)]


@pytest.mark.parametrize("number", range(4), ids=["Detection", "Face", "Picture", "VideoFrame"])
def test_results_come_back_from_another_process_equal(number):
    result = results()[number]
    assert pickle.loads(pickle.dumps(result)) == result


def one_point_moved(face):
    points = face.landmarks.copy()
    points[4, 1] += 0.5
    return replace(face, detection=replace(face.detection, landmarks=points))


@pytest.mark.parametrize(
    "change",
    [
        one_point_moved,
        lambda face: replace(face, neutral=0.5),
        lambda face: replace(face, maps=None),
        lambda face: replace(face, maps=face.maps * 2),
        lambda face: replace(face, crop=face.crop[:32]),
        lambda face: replace(face, track=None),
    ],
    ids=["landmark", "neutral", "no maps", "maps", "crop", "track"],
)
def test_one_value_that_differs_makes_results_differ(change):
    changed = change(a_face())
    assert changed != a_face()
    assert Picture("a.jpg", 6, 4, (changed,)) != Picture("a.jpg", 6, 4, (a_face(),))


def test_what_is_no_number_equals_itself():
    holed = replace(a_face(), maps=np.full((6, 2, 2), np.nan, dtype=np.float32))
    assert pickle.loads(pickle.dumps(holed)) == holed


def test_a_dictionary_of_a_result_is_its_record_and_json():
    for result in results()[1:]:
        assert result.to_dict() == result.record()
        assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    assert results()[2].to_dict()["faces"][0]["scores"]["happiness"] == 0.5
