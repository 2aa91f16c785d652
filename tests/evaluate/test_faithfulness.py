import numpy as np
import pytest

ndimage = pytest.importorskip("scipy.ndimage")

from mien.evaluate.faithfulness import (
    GRAY,
    METRICS,
    area,
    curves,
    drop,
    endpoints,
    measure,
    rank_pixels,
    road,
)
from mien.evaluate.maps import CONTROLS

PATCH = (slice(48, 60), slice(4, 28))  # rows and columns that the stand-in looks at, off the middle


def random():
    return np.random.default_rng(0)


def contrast(crops, numbers):
    """Stand-in network: how much light and dark differ within one patch, in (0, 1)."""
    patch = crops[:, *PATCH].astype(np.float32)
    return 0.02 + 0.96 * np.tanh(patch.std(axis=(1, 2)) / 60)


@pytest.fixture(scope="module")
def crops():
    return random().integers(0, 256, (12, 64, 64), dtype=np.uint8)


def map_on(rows, columns, count=12):
    maps = np.zeros((count, 64, 64), dtype=np.float32)
    maps[:, rows, columns] = 1
    return maps


def test_the_strongest_place_is_first():
    maps = np.array([[[0.1, 0.9], [-3, 0.5]]], dtype=np.float32)
    assert rank_pixels(maps, random()).tolist() == [[[2, 0], [3, 1]]]


def test_equal_pixels_are_in_random_order_and_not_in_raster_order():
    ranks = rank_pixels(np.zeros((200, 4, 4), dtype=np.float32), random())
    assert np.sort(ranks.reshape(200, -1)).tolist() == [list(range(16))] * 200
    assert ranks[:, 0, 0].mean() == pytest.approx(7.5, abs=1.2)  # 3.7 standard errors


def upper_left(crops, numbers):
    """Stand-in network on 2x2 crops: the upper left pixel's light."""
    return crops[:, 0, 0].astype(np.float32) / 255


@pytest.mark.parametrize(
    ("best", "shown", "taken"),
    [
        # 255 among three zeros; blurred it is about 64 as everything else; grey is 117
        ([[3, 2], [1, 0]], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]),
        ([[0, 2], [1, 3]], [0, 0, 0, 0, 1], [1, 1, 1, 1, 0]),
        ([[2, 0], [1, 3]], [0, 0, 1, 1, 1], [1, 1, 0, 0, 0]),
    ],
)
def test_curves_are_those_worked_by_hand(best, shown, taken):
    crops = np.array([[[255, 0], [0, 0]]], dtype=np.uint8)
    maps = np.array([best], dtype=np.float32)
    found = curves(
        upper_left, crops, rank_pixels(maps, random()), endpoints(upper_left, crops), steps=4
    )
    soft, gray = found[0][0, 0], GRAY / 255
    assert 0.2 < soft < 0.35
    expected = np.where(shown, 1, soft), np.where(taken, 1, gray)
    np.testing.assert_allclose(np.stack(found)[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("side", [64, 128])
def test_insertion_starts_from_the_same_blur_of_the_face_whatever_the_side(side):
    crops = random().integers(0, 256, (1, side, side), dtype=np.uint8)
    shown = []

    def score(changed, numbers):
        shown.extend(changed)
        return np.ones(len(changed), dtype=np.float32)

    endpoints(score, crops)
    expected = ndimage.gaussian_filter(crops[0].astype(float), 6 * side / 64, mode="mirror")
    np.testing.assert_allclose(shown[1], expected, atol=1.5)


def test_the_area_is_by_trapezia():
    curve = np.array([[0, 1, 1, 0.5, 0.5]], dtype=np.float32)
    assert area(curve)[0] == pytest.approx((0.5 + 1 + 0.75 + 0.5) / 4)


def test_drop_is_the_share_of_the_score_lost_where_the_map_is_dark():
    crops = np.array([[[217, 0], [0, 0]]], dtype=np.uint8)
    maps = np.array([[[0.5, 2], [-1, 0]]], dtype=np.float32)
    # the pixel's strength is 0.25: 117 + 0.25 * 100 = 142 of 217 is left
    lost, rose = drop(upper_left, crops, maps, endpoints(upper_left, crops))
    assert lost[0] == pytest.approx(1 - 142 / 217)
    assert rose[0] == 0

    def dark(changed, numbers):
        return 1 - upper_left(changed, numbers)

    lost, rose = drop(dark, crops, maps, endpoints(dark, crops))
    assert (lost[0], rose[0]) == (0, 1)


def test_an_empty_map_shows_only_grey():
    crops = np.array([[[217, 0], [0, 0]]], dtype=np.uint8)
    lost, _ = drop(
        upper_left, crops, np.zeros((1, 2, 2), dtype=np.float32), endpoints(upper_left, crops)
    )
    assert lost[0] == pytest.approx(1 - GRAY / 217)


def test_road_rewards_keeping_what_the_network_sees(crops):
    right, wrong = map_on(*PATCH), map_on(slice(0, 12), slice(20, 44))
    good, bad = (road(contrast, crops, rank_pixels(m, random()), random()) for m in (right, wrong))
    # 7 % of the pixels: removed first or kept at each of the three levels
    assert good.min() > 0.2
    assert bad.max() < 0.05


def test_road_of_the_reverse_order_is_its_negative(crops):
    ranks = rank_pixels(CONTROLS["random"](crops, random()), random())
    forth = road(contrast, crops, ranks, random())
    back = road(contrast, crops, 4095 - ranks, random())
    np.testing.assert_allclose(forth, -back, atol=0.02)  # the noise differs


def measured(crops, maps, score=contrast):
    return measure(score, crops, maps, endpoints(score, crops), random())


def test_the_map_of_what_is_looked_at_beats_every_control_and_a_wrong_one_loses(crops):
    right = measured(crops, map_on(*PATCH))
    wrong = measured(crops, 1 - map_on(*PATCH))
    assert set(right) == set(METRICS)
    for name, control in CONTROLS.items():
        found = measured(crops, control(crops, random()))
        for metric in ("insertion", "deletion", "road"):
            ahead = METRICS[metric] * (right[metric] - found[metric])
            assert ahead.min() > 0, f"{metric} against {name}"
            behind = METRICS[metric] * (found[metric] - wrong[metric])
            assert behind.min() > 0, f"{metric} of the wrong map against {name}"


def test_each_score_is_asked_for_the_picture_it_belongs_to(crops):
    seen = []

    def note(changed, numbers):
        seen.append(numbers)
        return np.full(len(changed), 0.5, dtype=np.float32)

    measured(crops, CONTROLS["random"](crops, random()), note)
    for numbers in seen:
        assert np.bincount(numbers, minlength=12).tolist() == [len(numbers) // 12] * 12
