"""Following faces through rendered scenes; the truth is known in every frame."""

import cv2
import numpy as np
import pytest

from mien.faces import tracker
from mien.faces.boxes import Box, Detection
from mien.faces.tracker import Follower, is_cut, moved_with
from tests.support import mot_metrics
from tests.support.rendered_scenes import RATE, SCENES, Actor, Shot, between, frames, walk

SQUARE = np.array([[10, 10], [30, 10], [20, 20], [12, 30], [28, 30]], dtype=np.float32)


def textured(seed, shape=(360, 640)):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 10, 3)).astype(np.uint8)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def thumbnail(rgb):
    return tracker._thumbnail(rgb)


def test_a_box_moves_and_grows_as_the_landmarks_do():
    face = Detection(Box(5, 0, 35, 40), SQUARE, 0.8)
    moved = moved_with(face, SQUARE * 2 + np.float32([100, 50]))
    # x to 2x + 100 and y to 2y + 50
    np.testing.assert_allclose(moved.box.as_list(), [110, 50, 170, 130], atol=0.1)
    assert moved.confidence == 0.8


def test_a_box_stays_upright_when_the_head_tilts():
    face = Detection(Box(0, 0, 40, 40), SQUARE - SQUARE.mean(axis=0) + np.float32([20, 20]), 0.8)
    turned = (face.landmarks - 20) @ np.float32([[0, 1], [-1, 0]]) + 20  # by a right angle
    np.testing.assert_allclose(moved_with(face, turned).box.as_list(), [0, 0, 40, 40], atol=0.1)


def test_another_shot_is_a_cut():
    assert is_cut(thumbnail(textured(0)), thumbnail(textured(1)))
    assert is_cut(thumbnail(np.zeros((360, 640, 3), np.uint8)), thumbnail(textured(0)))


def test_the_same_shot_is_no_cut_whatever_the_light_and_the_noise():
    rgb = textured(0)
    noise = np.random.default_rng(0).normal(0, 20, rgb.shape)
    for other in (rgb, rgb // 2, np.clip(rgb + noise, 0, 255), np.clip(rgb * 1.3, 0, 255)):
        assert not is_cut(thumbnail(rgb), thumbnail(np.asarray(other, np.uint8)))
    black = np.zeros_like(rgb)
    assert not is_cut(thumbnail(black), thumbnail(black))


def test_a_turning_camera_is_no_cut():
    wide = textured(0, (360, 760))
    assert not is_cut(thumbnail(wide[:, :640].copy()), thumbnail(wide[:, 40:680].copy()))


@pytest.mark.parametrize(
    "name",
    ["crossing", "another", "replaced", "cut"]
    + [
        pytest.param(name, marks=pytest.mark.slow)
        for name in SCENES
        if name not in {"crossing", "another", "replaced", "cut"}
    ],
)
def test_everybody_keeps_one_number_and_nobody_shares_it(name, detector):
    verdict = mot_metrics.against_truth(frames(SCENES[name]), Follower(detector))
    assert verdict.switches == 0
    assert verdict.idf1 > 0.98
    assert verdict.mota > 0.97


def test_a_quiet_scene_is_searched_in_one_frame_of_six(detector):
    follower = Follower(detector)
    verdict = mot_metrics.against_truth(frames(SCENES["alone"]), follower)
    assert (verdict.faces, verdict.misses, verdict.false) == (100, 0, 0)
    assert follower.searched == 17
    assert follower.glanced <= 17


def test_between_searches_the_boxes_are_those_of_a_search(detector, recognizer):
    pictures = [(rgb, time_s) for rgb, time_s, _ in frames(SCENES["shaking"])][:50]
    found = mot_metrics.against_detection(pictures, Follower(detector), detector, recognizer)
    assert found.faces == 50
    assert found.kept == 50
    assert found.extra == 0
    assert found.same >= 49


def test_somebody_new_is_seen_within_three_frames(detector):
    came = 20
    actors = (
        Actor(0, walk(150, 150, 170, 150, width=70)),
        Actor(3, between(walk(450, 160, 450, 160, width=70), came / RATE, 4)),
    )
    follower, first = Follower(detector), {}
    for number, (rgb, time_s, _) in enumerate(frames((Shot(actors, 1.2),))):
        for face in follower.follow(rgb, time_s):
            first.setdefault(face.track, number)
    assert first[0] == 0
    assert came <= first[1] <= came + 3
    assert len(first) == 2


def test_a_face_that_left_is_gone_at_once(detector):
    gone = 10
    actors = (Actor(0, between(walk(300, 150, 320, 150), 0, gone / RATE)),)
    shots = (Shot(actors, 0.8, place=2),)
    follower = Follower(detector)
    counts = [len(follower.follow(rgb, t)) for rgb, t, _ in frames(shots)]
    assert counts == [1] * gone + [0] * (20 - gone)


def test_after_a_cut_the_same_person_in_the_same_place_has_a_new_number(detector):
    actor = Actor(0, walk(300, 150, 310, 150))
    shots = (Shot((actor,), 0.4, place=1), Shot((actor,), 0.4, place=2))
    follower = Follower(detector)
    numbers = [[f.track for f in follower.follow(rgb, t)] for rgb, t, _ in frames(shots)]
    assert numbers == [[0]] * 10 + [[1]] * 10


def test_a_film_without_faces_has_none(detector):
    follower = Follower(detector)
    for i in range(12):
        assert follower.follow(textured(i // 6), i / 25) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (64, 3), (33, 40)])
def test_a_tiny_or_narrow_film_does_no_harm(detector, shape):
    follower = Follower(detector)
    rng = np.random.default_rng(0)
    for i in range(8):
        rgb = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
        assert follower.follow(rgb, i / 25) == []


def test_time_may_stand_still_or_leap(portrait, detector):
    follower = Follower(detector)
    found = [follower.follow(portrait, t) for t in (0, 0, 0, 0.5, 0.5, 900, 900.04, 900.04)]
    assert [len(faces) for faces in found] == [1] * 8
    assert all(f.detection.box.left > 150 for faces in found for f in faces)
