"""What tells the people of a scene apart."""

import cv2
import numpy as np
import pytest

from mien.faces.association import appearance
from mien.faces.boxes import Box, Detection
from tests.support.rendered_people import person


def shown(kind, astonished=0.0, gain=1.0, turn=0.0):
    """One of the ten before a gray wall."""
    who = person(kind, astonished)
    size = who.rgba.shape[1::-1]
    matrix = cv2.getRotationMatrix2D((size[0] / 2, 120), turn, 1.0)
    rgba = cv2.warpAffine(who.rgba, matrix, size).astype(np.float32)
    alpha = rgba[..., 3:] / 255
    return (gain * (rgba[..., :3] * alpha + 110 * (1 - alpha))).clip(0, 255).astype(np.uint8)


def seen(rgb, detector):
    [face] = detector.find(rgb)
    return appearance(rgb, face)


def test_a_look_has_length_one_and_is_like_itself(detector):
    own = seen(shown(0), detector)
    assert own @ own == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(own, seen(shown(0), detector))


def test_the_same_face_changed_is_more_alike_than_any_other(detector):
    own = seen(shown(0), detector)
    same = [
        own @ seen(shown(0, **change), detector)
        for change in ({"astonished": 1.0}, {"gain": 0.9}, {"turn": 8.0})
    ]
    others = [own @ seen(shown(kind), detector) for kind in range(1, 10)]
    assert min(same) > max(others) + 0.05


def test_brightness_is_no_part_of_the_pattern(detector):
    rgb = shown(0)
    [face] = detector.find(rgb)
    pattern = slice(0, 64)  # 8 x 8
    dark = (rgb // 2).astype(np.uint8)
    np.testing.assert_allclose(
        appearance(dark, face)[pattern], appearance(rgb, face)[pattern], atol=0.01
    )


def test_clothes_are_seen_below_the_chin():
    face = Detection(
        Box(40, 20, 80, 70),
        np.array([[50, 40], [70, 40], [60, 50], [52, 60], [68, 60]], dtype=np.float32),
        0.9,
    )
    looks = []
    for channel in range(3):
        rgb = np.full((200, 120, 3), 100, dtype=np.uint8)
        rgb[85:140, 40:80] = 255 * np.eye(3, dtype=np.uint8)[channel]  # 1.3 to 2.4 heights below
        looks.append(appearance(rgb, face))
    # a third of each look is the clothes: red, green and blue have no colour in common
    np.testing.assert_allclose(np.dot(looks, np.transpose(looks)), (2 + np.eye(3)) / 3, atol=0.01)


@pytest.mark.parametrize(
    "box", [Box(-50, -60, -10, -5), Box(95, 190, 140, 260), Box(10.2, 5.1, 10.4, 5.3)]
)
def test_a_face_at_or_beyond_the_edge_does_no_harm(box):
    rgb = np.full((200, 120, 3), 100, dtype=np.uint8)
    five = np.array([[1, 1], [3, 1], [2, 2], [1, 3], [3, 3]], dtype=np.float32)
    found = appearance(rgb, Detection(box, five, 0.9))
    assert np.isfinite(found).all()
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
