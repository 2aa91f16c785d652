import cv2
import numpy as np
import pytest

from mien.faces import align
from mien.faces.align import reframe
from tests.support.pictures import texture


@pytest.fixture(scope="module")
def framed(portrait, detector):
    """The portrait's face as recognition frames it."""
    [face] = detector.find(portrait)
    return align.crop(portrait, align.similarity(face.landmarks))


@pytest.mark.parametrize("room", [0, 20, 60])
def test_a_tight_crop_is_framed_as_the_photograph_is(portrait, detector, framed, room):
    tight = np.ascontiguousarray(portrait[62 - room : 178 + room, 170 - room : 280 + room])
    inner = np.s_[12:54, 10:54]  # brows to mouth: the tight crop has nothing beyond
    difference = np.abs(reframe(tight, detector)[inner].astype(int) - framed[inner])
    assert difference.mean() < 8
    moved = np.abs(np.roll(framed, 2, axis=1)[inner].astype(int) - framed[inner])
    assert moved.mean() > 12  # what two pixels off would give


def test_a_small_crop_is_framed_from_its_own_pixels(portrait, detector, framed):
    small = cv2.resize(portrait[52:188, 160:290], (64, 64), interpolation=cv2.INTER_AREA)
    inner = np.s_[12:54, 10:54]
    assert np.abs(reframe(small, detector)[inner].astype(int) - framed[inner]).mean() < 10


def test_of_two_faces_the_one_nearest_to_the_middle_counts(portrait, detector, framed):
    small = cv2.resize(portrait[40:200, 140:300], (120, 120), interpolation=cv2.INTER_AREA)
    crop = np.full((400, 400, 3), 90, dtype=np.uint8)
    crop[140:260, 100:220], crop[:160, 240:] = small, portrait[40:200, 140:300, ::-1]
    # the larger face, in the corner, has red and blue exchanged
    made = reframe(crop, detector)[12:54, 10:54].astype(int)
    to_middle, to_corner = (
        np.abs(made - face[12:54, 10:54]).mean() for face in (framed, framed[..., ::-1])
    )
    assert to_middle < to_corner / 2


def test_the_side_wanted_is_the_side_given(portrait, detector):
    assert reframe(portrait, detector, side=96).shape == (96, 96, 3)


def test_where_no_face_is_nothing_is_framed(detector):
    assert reframe(texture(3), detector) is None
    assert reframe(np.zeros((1, 200, 3), dtype=np.uint8), detector) is None
