import numpy as np
import pytest

from mien.faces.regions import REGIONS, TEMPLATE, divide, named_shares, region_shares, words


def spots(*places):
    """A map that is 0 but for these (x, y, value)."""
    heatmap = np.zeros((64, 64), dtype=np.float32)
    for x, y, value in places:
        heatmap[y, x] = value
    return heatmap


@pytest.mark.parametrize("moved", [0, 6], ids=["template", "moved"])
def test_each_landmark_lies_in_its_region(moved):
    landmarks = TEMPLATE + np.float32(moved)
    for (x, y), region in zip(landmarks, ["eyes", "eyes", "nose", "mouth", "mouth"], strict=True):
        spot = spots((round(float(x)), round(float(y)), 1))
        assert named_shares(spot, landmarks if moved else None)[region] == 1


@pytest.mark.parametrize(
    ("x", "y", "region"),
    [
        (16, 10, "brows"), (46, 10, "brows"), (31, 20, "nose"), (12, 36, "cheeks"),
        (52, 36, "cheeks"), (10, 45, "cheeks"), (31, 2, "forehead"), (31, 60, "chin"),
        (1, 1, "outside"), (62, 62, "outside"), (0, 30, "outside"),
    ],
)  # fmt: skip
def test_brows_are_above_the_eyes_and_cheeks_beside_nose_and_mouth(x, y, region):
    assert named_shares(spots((x, y, 3)))[region] == 1


def test_shares_are_the_sums_worked_by_hand():
    # 8 in all: mouth 1 + 3, nose 2, left eye 1, the corner 1; what is negative does not count
    heatmap = spots((32, 50, 1), (20, 45, 3), (32, 35, 2), (16, 21, 1), (0, 63, 1), (46, 21, -9))
    expected = dict.fromkeys(REGIONS, 0.0)
    expected |= {"eyes": 0.125, "nose": 0.25, "mouth": 0.5, "outside": 0.125}
    assert named_shares(heatmap) == expected


def test_an_even_map_is_shared_by_area():
    # wholly inside the oval: mouth 36 x 14, nose 8 x 12 and 16 x 14 of 4096 places; the oval has
    # an area of pi * 30 * 34 less its caps below row 0 (0.2 % of the crop)
    found = named_shares(np.full((64, 64), 7, dtype=np.float32))
    assert found["mouth"] == pytest.approx(36 * 14 / 4096, abs=1e-4)
    assert found["nose"] == pytest.approx((8 * 12 + 16 * 14) / 4096, abs=1e-4)
    oval = 1 - np.pi * 30 * 34 / 4096
    assert found["outside"] == pytest.approx(oval, abs=0.02)
    assert sum(found.values()) == pytest.approx(1, abs=5e-4)


def test_the_regions_are_mirror_images():
    np.testing.assert_array_equal(divide(), divide()[:, ::-1])


def test_landmarks_at_the_template_divide_as_the_template_does():
    np.testing.assert_array_equal(divide(TEMPLATE), divide())


def test_a_face_half_as_large_has_regions_half_as_large():
    small = 32 + (TEMPLATE - 32) / 2  # about the crop's middle
    found = divide(small)
    np.testing.assert_array_equal(found[16:48, 16:48], divide()[::2, ::2])
    assert (found[:16] == REGIONS.index("outside")).all()


def test_a_nose_moved_aside_takes_its_region_along():
    turned = TEMPLATE.copy()
    turned[:, 0] = 20 + (TEMPLATE[:, 0] - 20) * 0.6  # squeezed sideways, not downwards
    x, y = np.rint(turned[2]).astype(int)
    nose = REGIONS.index("nose")
    assert divide(turned)[y, x] == nose
    assert 0.5 < (divide(turned) == nose).sum() / (divide() == nose).sum() < 0.7


def test_many_maps_are_shared_like_one():
    maps = np.random.default_rng(0).normal(size=(3, 64, 64)).astype(np.float32)
    for one, row in zip(maps, region_shares(maps, divide()), strict=True):
        assert list(named_shares(one).values()) == pytest.approx(row.tolist(), abs=1e-4)


@pytest.mark.parametrize("value", [0, -1])
def test_a_map_without_evidence_has_no_shares(value):
    found = named_shares(np.full((64, 64), value, dtype=np.float32))
    assert found == dict.fromkeys(REGIONS, 0.0)
    assert words(found) == "no place speaks for it"


def test_a_map_or_landmarks_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"expected a \(64, 64\) map, got \(8, 8\)"):
        named_shares(np.ones((8, 8), dtype=np.float32))
    with pytest.raises(ValueError, match=r"expected a \(64, 64\) map, got \(64, 8\)"):
        named_shares(np.ones((64, 8), dtype=np.float32))
    with pytest.raises(ValueError, match=r"must have shape \(5, 2\), got \(4, 2\)"):
        divide(TEMPLATE[:4])


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"mouth": 0.61, "cheeks": 0.22, "eyes": 0.17},
         "61 % of the evidence on the mouth, 22 % on the cheeks, 17 % on the eyes"),
        ({"outside": 0.4, "eyes": 0.3, "nose": 0.2, "chin": 0.1},
         "40 % of the evidence outside the face, 30 % on the eyes, 20 % on the nose"),
        ({"brows": 0.9, "mouth": 0.1}, "90 % of the evidence on the brows, 10 % on the mouth"),
        ({"brows": 0.095, "mouth": 0.905}, "90 % of the evidence on the mouth"),
        (dict.fromkeys("abcdefghijkl", 1 / 12), "8 % of the evidence on the a"),
    ],
)  # fmt: skip
def test_words_name_the_largest_shares_first(found, sentence):
    assert words(found) == sentence


@pytest.mark.parametrize("landmarks", [None, TEMPLATE * 2 + 0.5])
def test_a_crop_of_another_side_has_the_same_regions_and_shares(landmarks):
    """Of twice the side, where pixel i of 64 covers pixels 2i and 2i + 1."""
    np.testing.assert_array_equal(divide(landmarks, 128)[::2, ::2], divide())
    np.testing.assert_array_equal(divide(landmarks, 128)[1::2, 1::2], divide())
    heatmap = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    large = heatmap.repeat(2, axis=0).repeat(2, axis=1)
    assert named_shares(large, landmarks) == pytest.approx(named_shares(heatmap), abs=1e-4)
