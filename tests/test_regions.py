import numpy as np
import pytest

from mien.explain.regions import REGIONS, shares
from mien.faces.align import TEMPLATE


def spots(*places):
    """A map that is 0 but for these (x, y, value)."""
    heatmap = np.zeros((64, 64), dtype=np.float32)
    for x, y, value in places:
        heatmap[y, x] = value
    return heatmap


def test_each_landmark_of_the_template_lies_in_its_region():
    named = zip(TEMPLATE, ["eyes", "eyes", "nose", "mouth", "mouth"], strict=True)
    for (x, y), region in named:
        assert shares(spots((round(float(x)), round(float(y)), 1)))[region] == 1


@pytest.mark.parametrize(
    ("x", "y", "region"),
    [(16, 10, "brows"), (46, 10, "brows"), (12, 36, "cheeks"), (52, 36, "cheeks"), (1, 1, "rest")],
)
def test_brows_are_above_the_eyes_and_cheeks_beside_the_nose(x, y, region):
    assert shares(spots((x, y, 3)))[region] == 1


def test_shares_are_the_sums_worked_by_hand():
    # 8 in all: mouth 1 + 3, nose 2, left eye 1, the corner 1; what is negative does not count
    heatmap = spots((32, 50, 1), (20, 45, 3), (32, 35, 2), (16, 21, 1), (0, 63, 1), (46, 21, -9))
    assert shares(heatmap) == {
        "brows": 0,
        "eyes": 0.125,
        "nose": 0.25,
        "mouth": 0.5,
        "cheeks": 0,
        "rest": 0.125,
    }


def test_an_even_map_is_shared_by_area():
    # of 4096 places: brows 54 x 10, eyes 2 x 23 x 12, nose 16 x 14, mouth 36 x 16,
    # cheeks 2 x 21 x 14, which leaves 1616
    places = {"brows": 540, "eyes": 552, "nose": 224, "mouth": 576, "cheeks": 588, "rest": 1616}
    expected = {name: count / 4096 for name, count in places.items()}
    assert shares(np.full((64, 64), 7, dtype=np.float32)) == pytest.approx(expected, abs=1e-4)


def test_no_place_belongs_to_two_regions():
    covered = np.zeros((64, 64), dtype=int)
    for left, top, right, bottom in (box for boxes in REGIONS.values() for box in boxes):
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1


def test_the_regions_are_mirror_images():
    for boxes in REGIONS.values():
        covered = np.zeros((64, 64), dtype=bool)
        for left, top, right, bottom in boxes:
            covered[top:bottom, left:right] = True
        np.testing.assert_array_equal(covered, covered[:, ::-1])


def test_no_share_is_negative_however_the_rest_is_rounded():
    inside = np.concatenate([
        np.stack(np.mgrid[left:right, top:bottom], axis=-1).reshape(-1, 2)
        for boxes in REGIONS.values()
        for left, top, right, bottom in boxes
    ])
    random = np.random.default_rng(0)
    for _ in range(50):
        heatmap = np.zeros((64, 64), dtype=np.float32)
        heatmap[inside[:, 1], inside[:, 0]] = random.random(len(inside))
        found = shares(heatmap)
        assert min(found.values()) >= 0
        assert sum(found.values()) == pytest.approx(1, abs=5e-4)


@pytest.mark.parametrize("value", [0, -1])
def test_a_map_without_evidence_has_no_shares(value):
    found = shares(np.full((64, 64), value, dtype=np.float32))
    assert set(found) == {*REGIONS, "rest"}
    assert set(found.values()) == {0}


def test_a_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"expected a \(64, 64\) map, got \(8, 8\)"):
        shares(np.ones((8, 8), dtype=np.float32))
