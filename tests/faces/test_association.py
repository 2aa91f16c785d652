"""Numbers of faces, without pictures: boxes that move and looks that are given."""

import itertools
import sys

import numpy as np
import pytest

from mien.errors import MissingExtraError
from mien.faces.association import Observation, Tracks, difference
from mien.faces.boxes import Box, Detection, overlap

LOOKS = np.eye(8, dtype=np.float32)
FIVE = np.array([[-15, -10], [15, -10], [0, 0], [-10, 15], [10, 15]], dtype=np.float32)


def sight(x, y=100.0, who=0, side=60.0, crowded=False):
    box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return Observation(Detection(box, FIVE + np.float32([x, y]), 0.9), LOOKS[who], crowded)


def numbers(tracks):
    return {round(float(t.detection.landmarks[2, 0])): t.number for t in tracks.seen()}


def test_overlap_is_the_common_area_over_the_whole():
    a = Box(0, 0, 4, 4)
    assert overlap(a, a) == 1
    assert overlap(a, Box(2, 2, 6, 6)) == pytest.approx(4 / 28)
    assert overlap(a, Box(4, 0, 8, 4)) == 0
    assert overlap(a, Box(9, 9, 10, 10)) == 0


def test_the_same_place_and_look_cost_nothing_and_the_rest_adds_up():
    tracks = Tracks()
    tracks.update([sight(100)], 0.0)
    [track] = tracks.tracks
    assert difference(track, sight(100), 0.0) == 0
    # 21 of the 0.7 x 60 = 42 pixels that it may be off: half the reach, 0.5 x 0.5
    assert difference(track, sight(121), 0.0) == pytest.approx(0.25)
    # twice as large: ln 2 / 0.7 x 0.2
    assert difference(track, sight(100, side=120), 0.0) == pytest.approx(0.2 * np.log(2) / 0.7)
    assert difference(track, sight(100, who=1), 0.2) == pytest.approx(1.5)  # a wholly other look
    assert difference(track, sight(100, who=1), 0.1) == 1000  # and from one frame to the next
    assert difference(track, sight(150), 0.0) == 1000  # beyond its reach
    assert difference(track, sight(100, side=200), 0.0) == 1000  # no face grows so fast
    # hidden for long it may be off by 3 x 60 = 180 pixels, and by no more
    assert difference(track, sight(271), 60.0) == pytest.approx(0.5 * 171 / 180)
    assert difference(track, sight(281), 60.0) == 1000


def test_the_pattern_of_a_face_is_made_once_for_all_its_comparisons():
    face = sight(100, who=3)
    assert face.pattern is face.pattern
    np.testing.assert_array_equal(face.pattern, LOOKS[3])


@pytest.mark.parametrize(
    ("pattern", "elapsed_s", "same"),
    [(0, 0.04, True), (1, 0.04, False), (1, 0.2, True)],
    ids=["as before", "another face in the next frame", "frames far apart"],
)
def test_another_face_in_the_place_of_one_has_another_number(pattern, elapsed_s, same):
    def seen(number):  # the same wall and clothes: alike by 1.69 of 2.69
        look = np.zeros(192, dtype=np.float32)
        look[number], look[100] = 1, 1.3
        face = sight(100)
        return Observation(face.detection, look / np.linalg.norm(look))

    tracks = Tracks()
    tracks.update([seen(0)], 0.0)
    tracks.update([seen(pattern)], elapsed_s)
    assert [t.number for t in tracks.seen()] == [0 if same else 1]


def test_a_look_that_has_changed_much_is_the_same_person_if_it_is_like_enough():
    def seen(number):  # alike by 4 of 5
        look = np.zeros(192, dtype=np.float32)
        look[number], look[100] = 1, 2
        return Observation(sight(100).detection, look / np.linalg.norm(look))

    tracks = Tracks()
    tracks.update([seen(0)], 0.0)
    tracks.update([seen(1)], 0.04)
    assert [t.number for t in tracks.seen()] == [0]


def test_numbers_follow_the_faces_whatever_their_order():
    tracks = Tracks()
    for i in range(20):
        faces = [sight(100 + 4 * i, who=0), sight(500 - 4 * i, 300, who=1)]
        tracks.update(faces[:: 1 if i % 2 else -1], i / 25)
        assert len(tracks.tracks) == 2
    assert numbers(tracks) == {176: 1, 424: 0}


def test_the_whole_assignment_is_the_cheapest_not_the_nearest_first():
    # a row of faces moves by almost its spacing: the nearest partner is the neighbour's for all
    # but one, and only the assignment of all at once leaves nobody over
    tracks = Tracks()
    tracks.update([sight(100 + 50 * i, who=0) for i in range(4)], 0.0)
    before = {t.number: float(t.detection.landmarks[2, 0]) for t in tracks.tracks}
    tracks.update([sight(130 + 50 * i, who=0) for i in range(4)], 0.0)
    after = {t.number: float(t.detection.landmarks[2, 0]) for t in tracks.seen()}
    assert after == {number: x + 30 for number, x in before.items()}


def test_the_assignment_equals_trying_all_of_them():
    rng = np.random.default_rng(0)
    for _ in range(30):
        tracks = Tracks()
        looks = rng.normal(size=(8, 5))
        looks /= np.linalg.norm(looks, axis=1, keepdims=True)
        places = rng.uniform(100, 180, (8, 2))
        faces = [
            Observation(sight(*place).detection, look.astype(np.float32), True)
            for place, look in zip(places, looks, strict=True)
        ]
        tracks.update(faces[:4], 0.0)
        old = list(tracks.tracks)
        cost = np.array([[difference(t, f, 0.04) for t in old] for f in faces[4:]])
        partners = tracks._assign(faces[4:], 0.04)
        # being left over costs half the limit for the face and half for the track
        chosen = sum(1.2 if p is None else cost[i, old.index(p)] for i, p in enumerate(partners))
        best = min(
            sum(min(cost[i, j], 1.2) for i, j in enumerate(order))
            for order in itertools.permutations(range(4))
        )
        assert chosen == pytest.approx(best)


def test_two_that_cross_keep_their_numbers_by_motion_and_look():
    tracks = Tracks()
    for i in range(25):
        a, b = 100 + 8 * i, 300 - 8 * i
        faces = [sight(a, who=0, crowded=abs(a - b) < 60)]
        if abs(a - b) >= 60:  # else the one hides the other
            faces.append(sight(b, who=1))
        tracks.update(faces, i / 25)
    assert numbers(tracks) == {292: 0, 108: 1}


def test_two_that_meet_and_turn_back_are_told_apart_by_their_looks():
    tracks = Tracks()
    for frame, i in enumerate([*range(10), *range(10, -1, -1)]):
        a, b = 100 + 8 * i, 270 - 8 * i
        hidden = i > 7
        faces = [sight(a, who=0)] if hidden else [sight(a, who=0), sight(b, who=1)]
        tracks.update(faces, frame / 25)
    assert numbers(tracks) == {100: 0, 270: 1}


def test_a_hidden_face_keeps_its_number_and_another_does_not_get_it():
    for who, expected in ((0, 0), (1, 1)):
        tracks = Tracks()
        for i in range(10):
            tracks.update([sight(100 + 5 * i, who=0)], i / 25)
        tracks.update([], 0.4)
        assert tracks.seen() == []
        tracks.update([sight(230, who=who)], 1.0)
        assert numbers(tracks) == {230: expected}


def test_a_face_in_a_crowd_may_look_like_another_when_it_comes_back():
    tracks = Tracks()
    halfway = Observation(
        sight(100).detection, LOOKS[:2].sum(axis=0) / np.float32(np.sqrt(2)), True
    )
    tracks.update([sight(100, who=0)], 0.0)
    tracks.update([], 0.04)
    blended = np.array([0.6, 0.8, 0, 0, 0, 0, 0, 0], dtype=np.float32)  # likeness 0.6 < 0.7
    clear = Observation(halfway.detection, blended)
    assert difference(tracks.tracks[0], clear, 0.1) == 1000
    crowded = Observation(halfway.detection, blended, crowded=True)
    assert difference(tracks.tracks[0], crowded, 0.1) == pytest.approx(1.5 * 0.4)


def test_a_face_goes_on_as_it_went_and_slowly_comes_to_rest():
    tracks = Tracks()
    for i in range(60):
        tracks.update([sight(100 + 2 * i)], i / 25)
    [track] = tracks.tracks
    assert track.velocity[0] == pytest.approx(50, rel=0.01)  # 2 pixels, 25 times a second
    assert track.shift(track.seen_s + 0.04)[0] == pytest.approx(2, rel=0.04)
    # all the way: speed times 0.7 s
    assert track.shift(track.seen_s + 60)[0] == pytest.approx(35, rel=0.01)


def test_numbers_are_never_given_twice():
    tracks = Tracks(memory_s=1.0)
    given = set()
    for shot in range(5):
        tracks.update([sight(100, who=shot), sight(400, who=shot + 1)], shot)
        new = set(numbers(tracks).values())
        assert not new & given
        given |= new
        tracks.end()
    assert given == set(range(10))


def test_a_face_hidden_longer_than_the_memory_is_new():
    for gap, expected in ((0.9, 0), (1.1, 1)):
        tracks = Tracks(memory_s=1.0)
        tracks.update([sight(100)], 0.0)
        tracks.update([], 0.01)
        tracks.update([sight(100)], gap)
        assert numbers(tracks) == {100: expected}


@pytest.mark.parametrize("gap", [0.5, 2.9, 4.0, 60.0])
def test_a_face_that_is_always_seen_keeps_its_number_however_far_apart_the_frames(gap):
    tracks = Tracks(memory_s=3.0)
    for i in range(5):
        tracks.update([sight(100), sight(400, who=1)], i * gap)
        assert numbers(tracks) == {100: 0, 400: 1}
    tracks.update([sight(100)], 5 * gap)  # the other is hidden from now on
    tracks.update([sight(100)], 6 * gap)
    tracks.update([sight(100), sight(400, who=1)], 7 * gap)
    # it was seen last three frames ago, and is remembered for 3 s
    assert numbers(tracks) == {100: 0, 400: 1 if 3 * gap <= 3 else 2}


def test_what_a_track_looks_like_is_learned_only_where_it_is_clear():
    tracks = Tracks()
    tracks.update([sight(100, who=0)], 0.0)
    mixed = np.array([0.8, 0.6, 0, 0, 0, 0, 0, 0], dtype=np.float32)
    tracks.update([Observation(sight(100).detection, mixed, crowded=True)], 0.04)
    np.testing.assert_array_equal(tracks.tracks[0].appearance, LOOKS[0])
    tracks.update([Observation(sight(100).detection, mixed)], 0.08)
    # a fifth of the way: (0.96, 0.12), made of length 1
    expected = np.array([0.96, 0.12]) / np.hypot(0.96, 0.12)
    np.testing.assert_allclose(tracks.tracks[0].appearance[:2], expected, atol=1e-6)


def test_without_lap_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "lap", None)
    with pytest.raises(MissingExtraError, match=r"video extra\n  try: pip install"):
        Tracks()
