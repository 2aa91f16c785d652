import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.data import manifest
from mien.data.datasets import Archive, Item
from mien.data.dedup import duplicates
from mien.data.prepare import crop_store, crops
from tests.support.pictures import encode, texture, zip_of
from tests.support.prepared_folder import row_of


def test_what_is_put_in_comes_out_in_order_and_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(crop_store, "_BLOCK", 2)
    names = ['a,"b".png', "line\nbreak.png", "no\udcfetext.png"]
    rows = [
        row_of("fear", split, n) for split, n in zip(("test", "train", "valid"), names, strict=True)
    ]
    shown = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    with crop_store.store_in(tmp_path) as store:
        for row, thumbnail, soft in zip(rows, shown, (None, (0.25, 0.75), None), strict=True):
            crop = crops.Crop(b"", "", "as-is", thumbnail, bytes([len(store)]) * 32, 0)
            store.add(row, crop, soft)
        assert list(store.rows()) == [(rows[0], []), (rows[1], ["0.25", "0.75"]), (rows[2], [])]
        blocks = list(store.thumbnails())
        assert store.splits().tolist() == ["test", "train", "valid"]
        assert (len(store), store.soft) == (3, True)
        assert [store.equal(number) for number in range(3)] == [bytes([n]) * 32 for n in range(3)]
    assert [start for start, _ in blocks] == [0, 2]
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), shown)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("quality", [30, 95, 100])
def test_the_pixels_of_a_crop_are_those_that_a_reader_decodes(tmp_path, mode, quality):
    picture = Image.fromarray(texture(1, 100)).convert(mode)
    archive = Archive(zip_of(tmp_path / "a.zip", {"a.png": encode(picture, "PNG")}))
    cut = crops.Cutter(archive, crops.Shape(quality=quality))
    [crop] = cut([Item("a.png", "fear", "train")])
    with Image.open(io.BytesIO(crop.encoded)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", mode, (64, 64))
        decoded = np.asarray(image)
    assert crop.digest == manifest.hash_pixels(decoded)
    np.testing.assert_array_equal(crop.thumbnail, duplicates.thumbnail(decoded))


@pytest.mark.parametrize(
    ("size", "kind", "kept"),
    [((64, 64), "JPEG", True), ((64, 64), "PNG", False), ((64, 80), "JPEG", False),
     ((80, 64), "JPEG", False)],
)  # fmt: skip
def test_only_a_jpeg_of_the_side_asked_for_is_kept_as_it_is(tmp_path, size, kind, kept):
    data = encode(Image.fromarray(texture(1, 100)).resize(size), kind)
    archive = Archive(zip_of(tmp_path / "a.zip", {"a.x.jpg": data}))
    [crop] = crops.Cutter(archive, crops.Shape())([Item("a.x.jpg", "fear", "train")])
    with Image.open(io.BytesIO(crop.encoded)) as image:
        assert (image.format, image.size) == ("JPEG", (64, 64))
    assert (crop.encoded == data) == kept
    assert crop.checksum == zlib.crc32(data)


def test_a_framed_crop_has_the_side_and_channels_of_its_picture_and_its_thumbnail(
    tmp_path, portrait
):
    rgb = Image.fromarray(portrait[20:260, 100:340])
    files = {"rgb.png": encode(rgb, "PNG"), "gray.png": encode(rgb.convert("L"), "PNG")}
    archive = Archive(zip_of(tmp_path / "a.zip", files))
    items = [Item(name, "fear", "train") for name in files]
    framed = crops.Cutter(archive, crops.Shape(side=48, frame=True))(items)
    plain = crops.Cutter(archive, crops.Shape(side=48))(items)
    for one, whole, mode in zip(framed, plain, ("RGB", "L"), strict=True):
        with Image.open(io.BytesIO(one.encoded)) as image:
            assert (image.mode, image.size) == (mode, (48, 48))
        assert (one.framing, whole.framing) == ("framed", "as-is")
        assert one.digest != whole.digest
        np.testing.assert_array_equal(one.thumbnail, whole.thumbnail)  # of the whole picture


def test_a_grey_picture_equals_the_same_in_three_channels_and_no_other():
    gray = texture(2)[..., 0].copy()
    rgb = np.repeat(gray[..., None], 3, axis=2)
    others = [rgb.copy() for _ in range(3)]
    for channel, other in enumerate(others):
        other[5, 7, channel] ^= 1
    assert crops.equality(gray) == crops.equality(rgb)
    assert len({crops.equality(picture) for picture in (gray, gray.T.copy(), *others)}) == 5


def test_the_names_of_chosen_crops_are_found_without_their_rows(tmp_path):
    names = ['a,"b".png', "line\nbreak.png", "no\udcfetext.png"]
    with crop_store.store_in(tmp_path) as store:
        for name in names:
            crop = crops.Crop(b"", "", "as-is", np.zeros((32, 32), np.uint8), bytes(32), 0)
            store.add(row_of("fear", "test", name), crop, None)
        assert store.originals(np.array([True, False, True])) == [names[0], names[2]]
        assert store.originals(np.zeros(3, dtype=np.bool_)) == []


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "a/b.c.png", "a/.hidden", "a/b", "a/b.", "a.b/c", "a/..x", "a/b/", "x.csv/fer0000001",
     "a/fr\u00f6h.jpeg", "a/.b.jpg", "a/b..jpg"],
)  # fmt: skip
def test_the_stem_of_a_name_is_that_of_pathlib(name):
    assert crop_store._stem(name) == Path(name).stem
