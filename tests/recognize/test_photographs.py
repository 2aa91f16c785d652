"""Whole photographs that were given as face crops are noticed, and crops are not taken for them."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mien.faces.boxes import Box
from mien.recognize.photographs import LOOKED, Looked, is_photograph, look_at
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, texture

FACE = (170, 60, 280, 210)  # left, top, right, bottom in the portrait, about


def framed(portrait, wider, side):
    """A square about the face, `wider` times as high as it, as people cut out a head."""
    left, top, right, bottom = FACE
    half = wider * (bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    cut = portrait[max(0, round(y - half)) : round(y + half), round(x - half) : round(x + half)]
    return cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)


def photograph(portrait, size=(960, 1280), side=300):
    """The portrait somewhere in a large grey room."""
    rgb = np.full((*size, 3), 120, dtype=np.uint8)
    rgb[100 : 100 + side, 200 : 200 + side] = cv2.resize(portrait, (side, side))
    return rgb


@pytest.mark.parametrize("side", [48, 64, 130, 200, 480])
@pytest.mark.parametrize("wider", [1.0, 1.5, 2.0])
def test_a_crop_of_any_size_and_framing_is_none(detector, portrait, wider, side):
    assert not is_photograph(detector, framed(portrait, wider, side))


def test_a_photograph_is_one_and_a_wall_may_be_either(detector, portrait):
    assert is_photograph(detector, photograph(portrait)) is True
    assert is_photograph(detector, photograph(portrait, (600, 500), 300)) is True
    assert is_photograph(detector, texture(3, 200)) is None


def test_two_large_faces_make_a_photograph_and_a_small_one_behind_does_not(detector, portrait):
    near = framed(portrait, 1.4, 300)
    assert is_photograph(detector, np.hstack([near, near])) is True
    behind = near.copy()
    behind[:70, :70] = framed(portrait, 1.4, 70)
    assert len(detector.boxes(behind)) == 2
    assert is_photograph(detector, behind) is False


@pytest.mark.parametrize("height", [32, 33])
def test_a_face_must_fill_a_third_of_the_shorter_side(height):
    found = SimpleNamespace(boxes=lambda rgb: [(Box(0, 0, 30, height), 0.9)])
    for size in ((100, 300), (300, 100)):
        assert is_photograph(found, np.zeros((*size, 3), np.uint8)) is (height < 33)


def test_small_pictures_cost_no_detection(portrait, tmp_path):
    (tmp_path / "a.png").write_bytes(encode(framed(portrait, 1.0, 127), "PNG"))
    assert look_at(None, [tmp_path / "a.png"]) == Looked(1, 0, 1)


@pytest.mark.parametrize(
    ("photographs", "faces", "are"),
    [(0, 0, False), (1, 1, True), (1, 2, False), (2, 3, True), (6, 12, False), (7, 12, True)],
)
def test_most_of_those_with_a_face_must_be_photographs(photographs, faces, are):
    assert Looked(12, photographs, faces).are_photographs is are


def test_only_the_first_few_are_looked_at_and_damaged_ones_passed_over(
    detector, portrait, tmp_path
):
    data = encode(photograph(portrait), "PNG")
    names = {f"{n:02}.png": data for n in range(2)} | {"02.png": b"text"}
    names |= {f"{n:02}.png": encode(framed(portrait, 1.0, 64), "PNG") for n in range(3, 20)}
    files = sorted(folder_of(tmp_path, names).glob("*.png"))
    assert look_at(detector, files) == Looked(LOOKED - 1, 2, LOOKED - 1)
    assert look_at(detector, files[:3], max_pixels=1000) == Looked(0, 0, 0)


def test_scores_says_so_in_one_line_and_scores_them_all_the_same(portrait, recognizer, tmp_path):
    rgb = photograph(portrait)
    folder = folder_of(tmp_path / "in", {"a.png": encode(rgb, "PNG"), "b.png": encode(rgb, "PNG")})
    result = mien("scores", folder, "--out", tmp_path / "s.csv", "--full")
    said, wrote = result.stderr.splitlines()
    assert said == (
        "mien: 2 of the first 2 pictures look like whole photographs: each is scored as one face "
        "crop; mien predict finds the faces in photographs"
    )
    assert (result.exit_code, wrote) == (0, f"wrote {tmp_path / 's.csv'}: 2 pictures")
    row = (tmp_path / "s.csv").read_text().splitlines()[1].split(",")[1:]
    np.testing.assert_allclose(list(map(float, row)), recognizer.classify([rgb])[0], atol=1e-6)


def test_scores_of_crops_say_nothing_of_photographs(portrait, tmp_path):
    crops = {f"{n}.png": encode(framed(portrait, 1 + n / 4, 160), "PNG") for n in range(4)}
    result = mien("scores", folder_of(tmp_path / "in", crops), "--out", tmp_path / "s.csv")
    assert result.stderr == f"wrote {tmp_path / 's.csv'}: 4 pictures\n"


def test_scores_without_a_detector_are_written_and_the_look_is_left_out(
    portrait, tmp_path, monkeypatch
):
    monkeypatch.setenv("MIEN_DETECTOR", str(tmp_path / "gone"))
    folder = folder_of(tmp_path / "in", {"a.png": encode(framed(portrait, 1.0, 200), "PNG")})
    result = mien("scores", folder, "--out", tmp_path / "s.csv")
    assert result.exit_code == 0
    assert "mien: not looked whether these are face crops: " in result.stderr
    assert (tmp_path / "s.csv").read_text().count("\n") == 2
