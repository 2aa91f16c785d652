"""What a worker brings back is what the library reads and draws."""

import io
import json
import os
import pickle

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImageError
from mien.labels import PAPER
from mien.media import files
from mien.media.journal import stamp_of
from mien.recognize.many import Failure
from mien.scale import readers
from mien.scale.readers import Caps, CropReader, CropReading, Drawing, PhotoReader, PhotoReading
from mien.show.annotate import annotate
from tests.support.pictures import encode, folder_of, texture


@pytest.fixture
def photo(tmp_path, portrait):
    folder_of(tmp_path, {"a.png": encode(portrait, "PNG")})
    return tmp_path / "a.png"


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def test_a_photograph_comes_back_as_record_and_drawn_pictures(photo, recognizer, portrait):
    reader = PhotoReader(recognizer, True, Caps(), Drawing(True, True, True), lambda _: "text")
    [reading] = pickle.loads(pickle.dumps(reader([photo])))  # as from another process
    picture = recognizer.read(photo)
    assert reading.record() == picture.record()
    assert (reading.text, reading.error, reading.stamp) == ("text", None, stamp_of(photo))
    annotated, crop = map(pixels, reading.drawn)
    np.testing.assert_array_equal(annotated, annotate(portrait, picture))
    np.testing.assert_array_equal(crop, picture.faces[0].crop)


def test_rows_from_a_journal_are_the_rows_of_the_picture(photo, recognizer):
    picture = recognizer.read(photo)
    reading = PhotoReading.restored(photo, json.loads(json.dumps(picture.record())))
    [row] = reading.rows(PAPER, regions=True)
    [face] = picture.faces
    assert row == [str(photo), 0, *face.row(), *face.regions.values()]
    assert reading.rows(PAPER) == [row[:-8]] == picture.rows()


def test_what_cannot_be_read_has_no_stamp_so_that_it_is_tried_again(tmp_path, recognizer):
    [reading] = PhotoReader(recognizer, False, Caps(), Drawing())([tmp_path / "gone.jpg"])
    assert reading.stamp is None
    assert reading.record() == {
        "path": str(tmp_path / "gone.jpg"),
        "error": f"no such file: {tmp_path / 'gone.jpg'}",
    }
    assert isinstance(reading.error, BadImageError)


@pytest.mark.parametrize("name", ["read_many", "score_many"])
def test_a_file_that_changes_while_it_is_read_has_the_stamp_of_before(
    photo, recognizer, monkeypatch, name
):
    before, real = stamp_of(photo), getattr(readers, name)

    def changing(*asked):
        found = list(real(*asked))
        os.utime(photo, ns=(1, 1))
        return found

    monkeypatch.setattr(readers, name, changing)
    photos = PhotoReader(recognizer, False, Caps(), Drawing())
    reader = photos if name == "read_many" else CropReader(recognizer, Caps(), False)
    [reading] = reader([photo])
    assert (reading.error, reading.stamp) == (None, before)


def test_a_picture_too_long_for_its_format_says_so_and_its_faces_are_kept(
    photo, recognizer, monkeypatch
):
    monkeypatch.setitem(readers.encode_picture.__globals__["FORMATS"], ".png", ("PNG", 100, {}))
    [reading] = PhotoReader(recognizer, False, Caps(), Drawing(True))([photo])
    assert "at most 100 pixels a side" in reading.drawn[0].message
    assert len(reading.rows(PAPER)) == 1


@pytest.mark.parametrize(("number", "tries"), [(5, 2), (13, 1)])  # EIO passes, EACCES does not
def test_a_disk_that_fails_once_is_asked_again(photo, recognizer, monkeypatch, number, tries):
    real, asked = readers.read_many, []

    def failing_once(recognizer, files, *rest):
        asked.append(files)
        if len(asked) > 1:
            return real(recognizer, files, *rest)
        error = BadImageError(f"cannot read {files[0]}", fix="check the path")
        error.__cause__ = OSError(number, "refused")
        return [(None, Failure(str(files[0]), error))]

    monkeypatch.setattr(readers, "read_many", failing_once)
    monkeypatch.setattr(files, "_WAIT_S", 0)
    [reading] = PhotoReader(recognizer, False, Caps(), Drawing())([photo])
    assert (len(asked), len(reading.rows(PAPER))) == (tries, tries - 1)


def test_scores_of_crops_survive_a_journal_bit_by_bit(tmp_path, recognizer):
    names = {f"{n}.png": encode(texture(n), "PNG") for n in range(3)} | {"x.png": b"text"}
    files = sorted(folder_of(tmp_path, names).glob("*.png"))
    *scored, failed = CropReader(recognizer, Caps(), False)(files)
    expected = recognizer.classify([texture(n) for n in range(3)])
    for reading, file, scores in zip(scored, files, expected, strict=False):
        restored = CropReading.restored(file, json.loads(json.dumps(reading.record())))
        np.testing.assert_allclose(reading.scores, scores, atol=1e-6)
        np.testing.assert_array_equal(restored.scores, reading.scores)
        assert [str(v) for v in restored.scores] == [str(v) for v in reading.scores]
    assert failed.scores is None
    assert "not a picture" in failed.error.message
    assert failed.stamp is None
