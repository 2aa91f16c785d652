import io
import random
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from fuzz.layout import fields, mended
from fuzz.mutate import Seed, change_bytes, change_members, change_text, mutated
from mien.recognize.model import read_card
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, texture

JPEG, PNG = encode(texture(0)), encode(texture(0), "PNG")
ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w") as _archive:
    _archive.writestr("happiness/1.png", PNG)
    _archive.writestr("labels.csv", "path,label\nhappiness/1.png,happiness\n")


def test_an_input_is_the_same_for_its_number_and_another_for_others():
    seeds = [Seed("a.png", PNG), Seed("b.txt", b"one,two\nthree,4\n")]
    made = [mutated(seeds, "k", 0, n, change_bytes).data for n in range(60)]
    assert made == [mutated(seeds, "k", 0, n, change_bytes).data for n in range(60)]
    assert len(set(made)) > 50
    assert made != [mutated(seeds, "k", 1, n, change_bytes).data for n in range(60)]
    assert made != [mutated(seeds, "other", 0, n, change_bytes).data for n in range(60)]


def test_an_input_keeps_the_name_of_its_seed_and_is_at_most_a_mebibyte():
    seeds = [Seed("big.png", bytes(1 << 20))]
    for number in range(40):
        made = mutated(seeds, "k", 0, number, change_bytes)
        assert made.name == "big.png"
        assert len(made.data) <= 1 << 20


def test_the_fields_of_a_png_are_where_the_standard_has_them():
    places = {(place, size) for place, size, _ in fields(PNG)}
    assert {(8, 4), (12, 4), (16, 4), (20, 4), (24, 1), (25, 1), (28, 1)} <= places
    assert all(order == "big" for _, _, order in fields(PNG))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_fields_are_found_inside_the_file_in_every_format(kind):
    data = encode(texture(1), kind)
    assert len(fields(data)) >= 3
    assert all(place + size <= len(data) for place, size, _ in fields(data))
    assert fields(data[:20]) == [f for f in fields(data[:20]) if f[0] + f[1] <= 20]


def test_the_checksums_of_a_changed_png_are_made_right():
    changed = bytearray(PNG)
    changed[19] = 32  # the width: 64 becomes 32
    assert zlib.crc32(changed[12:29]) != int.from_bytes(changed[29:33], "big")
    with Image.open(io.BytesIO(mended(bytes(changed)))) as image:
        assert image.size == (32, 64)
    assert mended(PNG) == PNG


def test_a_changed_model_is_sealed_again(tmp_path):
    data = channels_model(temperature=2.0).replace(b'"temperature": 2.0', b'"temperature": 4.0')
    (tmp_path / "m.onnx").write_bytes(mended(data))
    assert read_card(tmp_path / "m.onnx")["temperature"] == 4.0


def test_an_archive_is_packed_again_around_a_changed_member():
    rng = random.Random(3)
    whole, names = 0, set()
    for _ in range(60):
        data = change_members(ARCHIVE.getvalue(), rng, [PNG])
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names.update(archive.namelist())
                whole += 1
        except zipfile.BadZipFile:
            continue
    assert whole > 20
    assert len(names) > 4  # names are changed too


def test_text_gets_cells_that_nobody_expects():
    rng = random.Random(0)
    table = b"path,label\na.png,happiness\nb.png,fear\n"
    made = {change_text(table, rng, [table]) for _ in range(300)}
    assert any(b"nan" in text for text in made)
    assert any(text.count(b"\n") > 4 for text in made)
    assert len(made) > 150


def test_pictures_are_refused_and_taken_in_about_equal_parts():
    """A mutation that breaks everything, or nothing, tests one line of the reader."""
    opened = 0
    for number in range(200):
        made = mutated([Seed("a.jpg", JPEG)], "k", 0, number, change_bytes)
        try:
            with Image.open(io.BytesIO(made.data)) as image:
                opened += np.asarray(image).size > 0
        except Exception:  # noqa: BLE001 - Pillow's errors are of many types
            continue
    assert 30 < opened < 170
