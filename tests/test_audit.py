import io
import itertools

import cv2
import numpy as np
import pytest
from made import encode, texture
from PIL import Image

from mien.data import audit


def recoded(picture):
    with Image.open(io.BytesIO(encode(picture, quality=40))) as image:
        return np.asarray(image)


def resized(picture):
    return cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)


def cropped(picture):
    cut = round(0.05 * len(picture))  # from every side
    return picture[cut:-cut, cut:-cut].copy()


def brightened(picture):
    return (picture * 0.6 + 90).astype(np.uint8)


def blurred(picture):
    return cv2.GaussianBlur(picture, (0, 0), 1)


def washed_out(picture):
    return (picture * 0.2 + 200).astype(np.uint8)


CHANGES = [recoded, resized, cropped, brightened, washed_out, blurred]


@pytest.fixture(scope="module")
def pictures(portrait):
    """The portrait's face and 40 textures."""
    return [portrait[60:190, 160:290], *(texture(seed, 96) for seed in range(40))]


def thumbnails(pictures):
    return np.stack([audit.thumbnail(picture) for picture in pictures])


def test_a_picture_is_a_perfect_copy_of_itself(pictures):
    those = thumbnails(pictures)
    copies = audit.find_copies(those[::-1], those)
    assert [(copy.this, copy.that) for copy in copies] == [(i, 40 - i) for i in range(41)]
    assert all(copy.similarity > 0.999 and not copy.mirrored for copy in copies)


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_a_changed_copy_is_found_with_its_original(pictures, change):
    copies = audit.find_copies(thumbnails(map(change, pictures)), thumbnails(pictures))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]
    assert not any(copy.mirrored for copy in copies)


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_a_mirrored_and_changed_copy_is_found_as_mirrored(pictures, change):
    mirrored = [change(picture[:, ::-1].copy()) for picture in pictures]
    copies = audit.find_copies(thumbnails(mirrored), thumbnails(pictures))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]
    assert all(copy.mirrored for copy in copies)


def test_an_original_is_found_by_its_cropped_copy_too(pictures):
    copies = audit.find_copies(thumbnails(pictures), thumbnails(map(cropped, pictures)))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]


def test_a_picture_that_shares_two_thirds_with_another_is_no_copy(pictures):
    mixed = [0.8 * a + 0.6 * b - 51 for a, b in itertools.pairwise(pictures[1:])]  # r about 0.8
    shares = [mixture.clip(0, 255).astype(np.uint8) for mixture in mixed]
    assert audit.find_copies(thumbnails(shares), thumbnails(pictures)) == []


def test_a_symmetric_picture_needs_no_mirror_to_match():
    half = texture(1)[:, :32]
    whole = thumbnails([np.concatenate([half, half[:, ::-1]], axis=1)])
    [copy] = audit.find_copies(whole, whole)
    assert not copy.mirrored


def test_different_pictures_are_no_copies(portrait, pictures):
    others = [texture(seed, 96) for seed in range(100, 300)]
    elsewhere = [portrait[y : y + 130, x : x + 130] for y in (0, 100, 250, 380) for x in (0, 300)]
    assert audit.find_copies(thumbnails(others + elsewhere), thumbnails(pictures)) == []


def test_a_face_is_no_copy_of_itself_turned_or_from_further_away(portrait):
    face = thumbnails([portrait[60:190, 160:290]])
    turn = cv2.getRotationMatrix2D((225, 125), 25, 1)
    turned = cv2.warpAffine(portrait, turn, (512, 512))[60:190, 160:290]
    assert audit.find_copies(thumbnails([turned, portrait[:260, 95:355]]), face) == []


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_matches_nothing_not_even_itself(pictures, value):
    faint = np.random.default_rng(0).integers(0, 2, (64, 64), dtype=np.uint8)
    blank = thumbnails([np.full((64, 64), value, dtype=np.uint8), faint])
    assert audit.find_copies(blank, blank) == []
    assert audit.find_copies(blank, thumbnails(pictures)) == []
    assert audit.find_copies(thumbnails(pictures), blank) == []


def test_a_blank_picture_in_a_frame_is_no_copy_of_another():
    framed = np.zeros((64, 64), dtype=np.uint8)
    framed[4:-4, 4:-4] = 128
    assert audit.find_copies(thumbnails([framed]), thumbnails([framed])) == []


def test_of_several_copies_the_nearest_is_named():
    one = texture(5, 96)
    those = thumbnails([texture(6), blurred(recoded(one)), one, cropped(one)])
    [copy] = audit.find_copies(thumbnails([one]), those)
    assert copy.that == 2


def test_without_pictures_there_are_no_copies(pictures):
    none = np.empty((0, 32, 32), dtype=np.uint8)
    assert audit.find_copies(none, thumbnails(pictures)) == []
    assert audit.find_copies(thumbnails(pictures), none) == []


def test_more_pictures_than_one_block_are_all_compared(monkeypatch, pictures):
    monkeypatch.setattr(audit, "_BLOCK", 7)
    copies = audit.find_copies(thumbnails(pictures), thumbnails(pictures))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]


def test_a_thumbnail_is_the_grey_picture_in_small():
    rgb = texture(1, 128)
    expected = Image.fromarray(rgb).convert("L").resize((32, 32), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(audit.thumbnail(rgb), np.asarray(expected))
