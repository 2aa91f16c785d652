"""Faces that one look misses, against places known from Pillow's own turning and pasting."""

import pickle
from itertools import chain

import numpy as np
import pytest
from PIL import Image

from mien.errors import UnknownNameError
from mien.faces.boxes import Box, Detection, overlap
from mien.faces.detect import Detector
from mien.faces.second_look import Copy, full_size, merge, turned
from mien.recognize.recognizer import Recognizer


@pytest.fixture(scope="module")
def thorough():
    return Detector(search=["turned", "small"])


def face_at(left, top, side=10.0, confidence=0.9):
    return Detection(
        Box(left, top, left + side, top + side), np.zeros((5, 2), np.float32), confidence
    )


@pytest.mark.parametrize("angle", [90, 135, 180, -100])
def test_a_turned_face_is_found_with_the_landmarks_of_the_upright_one(
    portrait, detector, thorough, angle
):
    [upright] = detector.find(portrait)
    image = Image.fromarray(portrait).rotate(angle, Image.Resampling.BICUBIC)  # same centre, size
    [face] = thorough.find(np.asarray(image))
    # Pillow turns counter-clockwise as it is seen, about the middle of the picture
    turn = np.exp(-1j * np.radians(angle))
    centred = (upright.landmarks - 255.5) @ np.array([1, 1j]) * turn
    expected = np.stack([centred.real, centred.imag], axis=1) + 255.5
    np.testing.assert_allclose(face.landmarks, expected, atol=7)
    centre = [(face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2]
    np.testing.assert_allclose(centre, expected.mean(axis=0), atol=15)
    assert face.box.width == pytest.approx(upright.box.width, rel=0.2)


def test_a_face_upside_down_is_read_as_the_upright_one(portrait, recognizer):
    upright = recognizer.read(portrait).faces[0]
    [face] = Recognizer(threads=1, search=["turned"]).read(np.rot90(portrait, 2).copy()).faces
    assert face.label == "happiness"
    correlation = np.corrcoef(face.crop.ravel().astype(float), upright.crop.ravel())[0, 1]
    assert correlation > 0.95  # the crop is upright


def test_turned_copies_are_not_searched_where_the_faces_are_surely_upright(portrait, monkeypatch):
    detector = Detector(search=["turned"])
    monkeypatch.setattr("mien.faces.second_look.turned", pytest.fail)
    assert len(detector.find(portrait)) == 1


def test_one_surely_upright_face_does_not_hide_that_another_is_turned(portrait, detector, thorough):
    both = np.hstack([portrait, np.rot90(portrait, 2)])
    upright, over_head = detector.find(portrait)[0], thorough.find(both)[0]
    assert over_head.box.left > 512
    expected = (1023, 511) - upright.landmarks
    np.testing.assert_allclose(over_head.landmarks, expected, atol=7)


def test_a_face_of_another_look_has_plain_numbers_as_any_other(portrait, recognizer):
    thorough = Recognizer(threads=1, search=["turned"])
    for reader, picture in ((recognizer, portrait), (thorough, np.rot90(portrait, 2).copy())):
        [record] = reader.read(picture).record()["faces"]
        numbers = [*record["box"], *chain(*record["landmarks"]), record["detection"]]
        assert {type(number) for number in numbers} == {float}


def test_a_second_look_finds_the_small_faces_beside_the_large_one(portrait, detector, thorough):
    """A wide picture is shrunk by 5: a face of 38 pixels has 8 of them then."""
    picture = np.full((800, 3200, 3), 110, np.uint8)
    picture[:512, :512] = portrait
    small = Image.fromarray(portrait[:256, 128:384]).resize((110, 110), Image.Resampling.LANCZOS)
    places = [(900 + 450 * n, 300) for n in range(5)]
    for left, top in places:
        picture[top : top + 110, left : left + 110] = np.asarray(small)
    assert len(detector.find(picture)) < 6
    faces = thorough.find(picture)
    assert len(faces) == 6
    expected = sorted((180 - 128) * 110 / 256 + left for left, _ in places)
    got = sorted(face.box.left for face in faces[1:])
    np.testing.assert_allclose(got, expected, atol=8)
    assert faces[0] == detector.find(picture)[0]  # what the first look found stays as it was


def test_a_picture_smaller_than_the_second_look_is_enlarged():
    copy = full_size(np.zeros((100, 200, 3), np.uint8))
    assert copy.rgb.shape == (640, 1280, 3)
    assert full_size(np.zeros((1, 9000, 3), np.uint8)).rgb.shape == (1, 3840, 3)


def test_a_point_of_a_copy_is_led_back_to_where_it_was():
    rgb = np.zeros((101, 201, 3), np.uint8)
    rgb[20:23, 150:153] = 255
    for copy in [*turned(rgb, 201), Copy.of(rgb, 402), Copy.of(rgb, 301, 33)]:
        y, x = np.argwhere(copy.rgb[..., 0] > 100).mean(axis=0)
        np.testing.assert_allclose(copy.back @ (x, y, 1), (151, 21), atol=0.8)


def test_a_face_found_twice_is_kept_once_and_the_earlier_look_stays():
    first, doubtful = face_at(0, 0, confidence=0.7), face_at(1, 1, confidence=0.99)
    other, near = face_at(50, 50, 20, 0.8), face_at(52, 52, 20, 0.9)
    merged = merge([[first], [doubtful, other, near]])
    assert merged == [near, first]
    assert overlap(first.box, doubtful.box) > 0.6


def test_a_face_found_again_as_a_small_part_of_itself_is_kept_once():
    whole = face_at(0, 0, 100, 0.8)
    nose, beside = face_at(40, 50, 20), face_at(94, 50, 20)  # of this, 6 of 20 lie in the first
    assert merge([[whole], [nose, beside]]) == [whole, beside]


def test_a_search_that_is_none_is_named(recognizer):
    with pytest.raises(UnknownNameError, match="'tiny'"):
        Recognizer(search=["tiny"])


def test_a_detector_travels_with_its_search(thorough):
    assert pickle.loads(pickle.dumps(thorough)).search == ("small", "turned")
