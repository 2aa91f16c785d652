import io
import itertools

import cv2
import numpy as np
import pytest
from PIL import Image

from mien.data.dedup import candidates, similarity
from mien.data.dedup import duplicates as finder
from mien.errors import MissingExtraError
from tests.support.pictures import encode, texture


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
    return np.stack([finder.thumbnail(picture) for picture in pictures])


def test_a_picture_is_a_perfect_copy_of_itself(pictures):
    those = thumbnails(pictures)
    copies = finder.find_copies(those[::-1], those)
    assert [(copy.this, copy.that) for copy in copies] == [(i, 40 - i) for i in range(41)]
    assert all(copy.similarity > 0.999 and not copy.mirrored for copy in copies)


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_a_changed_copy_is_found_with_its_original(pictures, change):
    copies = finder.find_copies(thumbnails(map(change, pictures)), thumbnails(pictures))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]
    assert not any(copy.mirrored for copy in copies)


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_a_mirrored_and_changed_copy_is_found_as_mirrored(pictures, change):
    mirrored = [change(picture[:, ::-1].copy()) for picture in pictures]
    copies = finder.find_copies(thumbnails(mirrored), thumbnails(pictures))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]
    assert all(copy.mirrored for copy in copies)


def test_an_original_is_found_by_its_cropped_copy_too(pictures):
    copies = finder.find_copies(thumbnails(pictures), thumbnails(map(cropped, pictures)))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]


def test_a_picture_that_shares_half_with_another_is_no_copy(pictures):
    mixed = [0.7 * a + 0.7 * b - 51 for a, b in itertools.pairwise(pictures[1:])]  # r about 0.7
    shares = [mixture.clip(0, 255).astype(np.uint8) for mixture in mixed]
    assert finder.find_copies(thumbnails(shares), thumbnails(pictures)) == []


def test_a_symmetric_picture_needs_no_mirror_to_match():
    half = texture(1)[:, :32]
    whole = thumbnails([np.concatenate([half, half[:, ::-1]], axis=1)])
    [copy] = finder.find_copies(whole, whole)
    assert not copy.mirrored


def test_of_a_pair_that_fits_either_way_the_better_way_is_told():
    half = texture(1)[:, :32]
    nearly = np.concatenate([half, half[:, ::-1]], axis=1) * 0.85 + texture(2) * 0.15
    one, other = thumbnails([nearly.astype(np.uint8), nearly[:, ::-1].astype(np.uint8)])
    assert 0.85 < compared(one, other, mirrored=0) < 0.99
    [within] = finder.find_pairs(np.stack([one, other]))
    [across] = finder.find_across(one[None], other[None])
    for copy in (within, across):
        assert copy.mirrored
        assert copy.similarity > 0.999


def test_different_pictures_are_no_copies(portrait, pictures):
    others = [texture(seed, 96) for seed in range(100, 300)]
    elsewhere = [portrait[y : y + 130, x : x + 130] for y in (0, 100, 250, 380) for x in (0, 300)]
    assert finder.find_copies(thumbnails(others + elsewhere), thumbnails(pictures)) == []


def test_a_face_is_no_copy_of_itself_turned_or_from_further_away(portrait):
    face = thumbnails([portrait[60:190, 160:290]])
    turn = cv2.getRotationMatrix2D((225, 125), 25, 1)
    turned = cv2.warpAffine(portrait, turn, (512, 512))[60:190, 160:290]
    assert finder.find_copies(thumbnails([turned, portrait[:260, 95:355]]), face) == []


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_matches_nothing_not_even_itself(pictures, value):
    faint = np.random.default_rng(0).integers(0, 2, (64, 64), dtype=np.uint8)
    blank = thumbnails([np.full((64, 64), value, dtype=np.uint8), faint])
    assert finder.find_copies(blank, blank) == []
    assert finder.find_copies(blank, thumbnails(pictures)) == []
    assert finder.find_copies(thumbnails(pictures), blank) == []


def test_a_blank_picture_in_a_frame_is_no_copy_of_another():
    framed = np.zeros((64, 64), dtype=np.uint8)
    framed[4:-4, 4:-4] = 128
    assert finder.find_copies(thumbnails([framed]), thumbnails([framed])) == []


def test_of_several_copies_the_nearest_is_named():
    one = texture(5, 96)
    those = thumbnails([texture(6), blurred(recoded(one)), one, cropped(one)])
    [copy] = finder.find_copies(thumbnails([one]), those)
    assert copy.that == 2


def coarse(small):
    """What signatures see of a thumbnail."""
    spectrum = cv2.dct(small.astype(np.float32))
    spectrum[8:], spectrum[:, 8:] = 0, 0
    return cv2.idct(spectrum)


def test_a_copy_in_a_crowd_that_looks_alike_from_afar_is_found_from_its_side():
    small, copy = thumbnails([texture(5, 96), cropped(texture(5, 96))])
    speckles = np.random.default_rng(0).normal(0, 50, (100, *small.shape)).astype(np.float32)
    details = np.stack([speckle - coarse(speckle) for speckle in speckles])
    crowd = (coarse(small) + details).clip(0, 255).astype(np.uint8)
    those = np.stack([*crowd, copy])
    assert finder.finder(those)(small[None], lambda _: True) == []  # from its side alone
    [found] = finder.find_copies(small[None], those)
    assert (found.this, found.that) == (0, 100)
    [found] = finder.find_copies(those, small[None])
    assert (found.this, found.that) == (100, 0)


def test_without_pictures_there_are_no_copies(pictures):
    none = np.empty((0, 32, 32), dtype=np.uint8)
    assert finder.find_copies(none, thumbnails(pictures)) == []
    assert finder.find_copies(thumbnails(pictures), none) == []


def test_more_pictures_than_one_block_are_all_compared(monkeypatch, pictures):
    monkeypatch.setattr(finder, "_BLOCK", 5)
    monkeypatch.setattr(finder, "_PAIRS", 7)
    monkeypatch.setattr(candidates, "_BLOCK", 2 * 41)
    copies = finder.find_copies(thumbnails(pictures), thumbnails(pictures))
    assert [(copy.this, copy.that) for copy in copies] == [(i, i) for i in range(41)]


def test_a_thumbnail_is_the_grey_picture_in_small():
    rgb = texture(1, 128)
    expected = Image.fromarray(rgb).convert("L").resize((32, 32), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(finder.thumbnail(rgb), np.asarray(expected))


def planted(pictures):
    """Thumbnails of 41 pictures, a changed copy of the first 5, a mirrored one of the next 5."""
    return thumbnails([
        *pictures,
        *map(recoded, pictures[:5]),
        *(cropped(picture[:, ::-1]) for picture in pictures[5:10]),
    ])


def test_every_pair_in_a_set_is_found_once(pictures):
    found = finder.find_pairs(planted(pictures))
    assert [(copy.this, copy.that) for copy in found] == [(i, 41 + i) for i in range(10)]
    assert [copy.mirrored for copy in found] == [False] * 5 + [True] * 5


def test_a_large_set_is_searched_through_the_index_with_the_same_result(pictures, monkeypatch):
    pytest.importorskip("faiss", reason="needs the data extra")
    others = [texture(seed, 32) for seed in range(1000, 3000)]
    everything = np.concatenate([planted(pictures), thumbnails(others)])
    exact = finder.find_pairs(everything)
    monkeypatch.setattr(finder, "_SMALL", 100)
    monkeypatch.setattr(candidates, "exact", None)
    assert finder.find_pairs(everything) == exact
    assert [(copy.this, copy.that) for copy in exact] == [(i, 41 + i) for i in range(10)]


def test_a_large_set_without_the_index_names_the_extra(pictures, monkeypatch):
    monkeypatch.setattr(finder, "_SMALL", 40)
    monkeypatch.setattr(candidates, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "mien\[data\]"'):
        finder.find_pairs(thumbnails(pictures))


def test_a_set_of_just_the_size_needs_no_index(pictures, monkeypatch):
    monkeypatch.setattr(finder, "_SMALL", 41)
    monkeypatch.setattr(candidates, "indexed", None)
    assert finder.find_pairs(thumbnails(pictures)) == []


def test_a_pair_of_just_the_least_similarity_counts(pictures):
    both = thumbnails([pictures[1], cropped(pictures[1])])
    [found] = finder.find_pairs(both)
    assert finder.find_pairs(both, least=found.similarity) == [found]
    assert finder.find_pairs(both, least=found.similarity + 1e-6) == []


@pytest.mark.parametrize(
    ("levels", "blank"),
    [
        ([100] * 512 + [107] * 512, True),
        ([100] * 512 + [108] * 512, False),
        ([0] * 51 + [100] * 922 + [255] * 51, True),  # a twentieth at either end
        ([0] * 52 + [100] * 972, False),
        ([100] * 972 + [255] * 52, False),
    ],
)
def test_a_blank_picture_has_no_contrast_but_for_its_ends(levels, blank):
    shuffled = np.random.default_rng(0).permutation(np.array(levels, dtype=np.uint8))
    assert finder.is_blank(shuffled.reshape(32, 32)) == blank


def test_of_a_crowd_every_pair_is_found(pictures):
    rng = np.random.default_rng(0)
    shades = [0.9 * pictures[1] + rng.normal(0, 2, pictures[1].shape) for _ in range(40)]
    crowd = thumbnails([shade.clip(0, 255).astype(np.uint8) for shade in shades])
    found = finder.find_pairs(np.concatenate([crowd, thumbnails(pictures[2:])]))
    assert [(c.this, c.that) for c in found] == list(itertools.combinations(range(40), 2))


def test_one_picture_and_none_have_no_pairs(pictures):
    assert finder.find_pairs(thumbnails(pictures[:1])) == []
    assert finder.find_pairs(np.empty((0, 32, 32), dtype=np.uint8)) == []


def test_the_least_similarity_can_be_chosen(pictures):
    mixed = [0.75 * a + 0.5 * b - 32 for a, b in itertools.pairwise(pictures[1:])]  # r about 0.83
    both = thumbnails([*(m.clip(0, 255).astype(np.uint8) for m in mixed), *pictures[1:]])
    loose, strict = (finder.find_pairs(both, least=least) for least in (0.8, 0.95))
    assert len(loose) > 20
    assert strict == []


def test_a_signature_does_not_see_brightness_and_contrast(pictures):
    plain = candidates.signatures(thumbnails(pictures))
    np.testing.assert_allclose(np.linalg.norm(plain, axis=1), 1, rtol=1e-5)
    faint = candidates.signatures((thumbnails(pictures) // 2 + 100).astype(np.uint8))
    assert (np.einsum("ij,ij->i", plain, faint) > 0.999).all()


def test_a_signature_is_the_cosine_transform_without_its_mean(pictures):
    small = thumbnails(pictures[:3])
    expected = [cv2.dct(picture.astype(np.float32))[:8, :8].ravel()[1:] for picture in small]
    expected = [row / np.linalg.norm(row) for row in expected]
    np.testing.assert_allclose(candidates.signatures(small), expected, atol=1e-5)


def test_mirroring_a_signature_is_mirroring_the_picture(pictures):
    small = thumbnails(pictures)
    mirrored = candidates.signatures(np.ascontiguousarray(small[:, :, ::-1]))
    np.testing.assert_allclose(candidates.mirror(candidates.signatures(small)), mirrored, atol=1e-5)


def test_a_faint_flicker_has_no_signature():
    faint = np.random.default_rng(0).integers(100, 102, (3, 32, 32), dtype=np.uint8)
    assert not candidates.signatures(faint).any()


def test_similarity_is_the_mean_of_two_correlations_worked_out_slowly(pictures):
    """The oracle: OpenCV template matching at every place and size, of both kinds of picture."""
    shifted = np.roll(pictures[1], -3, axis=0)  # by a pixel of the thumbnail
    one, *others = thumbnails([pictures[1], cropped(pictures[1]), blurred(pictures[1]), shifted])

    def local(thumbnail):
        gray = thumbnail.astype(np.float64)
        detail = gray - cv2.GaussianBlur(gray, (0, 0), 2)
        return (detail / np.sqrt(cv2.blur(detail**2, (9, 9)) + 4)).astype(np.float32)

    def fit(a, b):
        return cv2.matchTemplate(a, b[4:-4, 4:-4], cv2.TM_CCOEFF_NORMED)

    def slide(side, a, b):
        way = cv2.INTER_AREA if side < 32 else cv2.INTER_LINEAR
        plain, contrast = (cv2.resize(x, (side, side), interpolation=way) for x in (a, local(a)))
        return (fit(plain, b) + fit(contrast, local(b))).max() / 2

    one, *others = (thumbnail.astype(np.float32) for thumbnail in (one, *others))
    expected = [max(slide(side, one, b) for side in (29, 30, 32, 34, 35)) for b in others]
    one, others = one.astype(np.uint8), np.stack(others).astype(np.uint8)
    pairs = np.array([[0, number, 0] for number in range(3)])
    found = similarity.similarities(one[None], others, pairs, similarity.patches(others))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_of_a_mirrored_pair_the_other_is_turned(pictures):
    one, other = thumbnails([pictures[0], cropped(pictures[0])])
    [plain] = compared(one, other, mirrored=0)
    [turned] = compared(one, np.ascontiguousarray(other[:, ::-1]), mirrored=1)
    assert plain > 0.9
    assert turned == pytest.approx(plain, abs=1e-6)
    assert compared(one, other, mirrored=1) == 0


def compared(one, other, mirrored):
    pairs = np.array([[0, 0, mirrored]])
    return similarity.similarities(one[None], other[None], pairs, similarity.patches(other[None]))
