"""What is given to a recognizer is read as it is meant, or refused with what was got."""

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mien
from mien import Recognizer
from mien.errors import BadImageError, UnknownNameError
from mien.faces import Follower
from mien.labels import LabelSet
from mien.recognize import Failure
from tests.support.onnx_files import three_classes
from tests.support.pictures import texture

RGB = texture(3, 99)
SINGLE = {
    "name": "photo.jpg",
    "path": Path("photo.jpg"),
    "bytes": b"bytes",
    "array": RGB,
    "channels first": RGB.transpose(2, 0, 1),
    "grey array": RGB[..., 0],
    "image": Image.fromarray(RGB),
}
NO_PICTURES = {
    "floats": RGB / 255,
    "grey": RGB[..., 0],
    "16 bits": RGB.astype(np.uint16),
    "empty": RGB[:0],
    "four channels": RGB[..., [0, 1, 2, 2]],
    "nothing": None,
}


@pytest.mark.parametrize("single", SINGLE.values(), ids=SINGLE.keys())
def test_one_picture_is_not_read_letter_by_letter_or_row_by_row(recognizer, single):
    with pytest.raises(TypeError, match="put it into a list"):
        list(recognizer.read_many(single))


@pytest.mark.parametrize("many", [[], (), np.zeros((0, 9, 9, 3), np.uint8), iter([])])
def test_no_pictures_are_many(recognizer, many):
    assert list(recognizer.read_many(many)) == []


def test_many_arrays_of_opencv_are_read_as_one_is(recognizer, portrait):
    bgr = np.stack([portrait[..., ::-1]] * 2)  # a batch is many
    expected = recognizer.read(portrait)
    assert list(recognizer.read_many(bgr, order="bgr")) == [expected, expected]


def test_what_cannot_be_read_becomes_a_record_as_pictures_do(recognizer):
    with closing(recognizer.read_many(["gone.jpg", RGB])) as results:
        gone, read = map(lambda result: json.loads(json.dumps(result.to_dict())), results)
    assert gone == {"path": "gone.jpg", "error": "no such file: gone.jpg"}
    assert read["faces"] == []


@pytest.mark.parametrize("wrong", NO_PICTURES.values(), ids=NO_PICTURES.keys())
def test_pixels_of_another_kind_are_refused_and_not_read_as_dark(recognizer, portrait, wrong):
    found = recognizer.detector.find(portrait)
    for use in (
        recognizer.detector.find,
        recognizer.detector.boxes,
        lambda rgb: recognizer.read_faces(rgb, found),
        lambda rgb: Follower(recognizer.detector).follow(rgb, 0.0),
    ):
        with pytest.raises(
            BadImageError, match=r"an \(H, W, 3\) RGB uint8 picture, got .*\n  try: "
        ):
            use(wrong)


def test_a_crop_alone_is_asked_for_in_a_list_and_named_whole(recognizer):
    for ask in (recognizer.classify, recognizer.classify_calm, recognizer.label):
        for crop in (RGB, RGB[..., 0]):
            said = f"got one of {crop.shape}\n  try: pass [crop]"
            with pytest.raises(BadImageError) as refused:
                ask(crop)
            assert said in str(refused.value)


@pytest.mark.parametrize("crops", [iter([RGB]), {"a": RGB}, None], ids=["iterator", "dict", "None"])
def test_crops_that_cannot_be_counted_are_asked_for_as_a_list(recognizer, crops):
    with pytest.raises(BadImageError, match=r"expected a list of crops, got .*\n  try: pass list"):
        recognizer.classify(crops)


@pytest.mark.parametrize(
    ("crop", "fix"),
    [
        (RGB.transpose(2, 0, 1), "transpose"),
        (RGB[..., :1], "crop[..., 0]"),
        (np.dstack([RGB, RGB[..., 0]]), "crop[..., :3]"),
        (RGB / 255, "make bytes of [0, 1]"),
    ],
    ids=["channels first", "one channel", "four channels", "floats"],
)
def test_the_fix_of_a_crop_fits_what_was_given(recognizer, crop, fix):
    with pytest.raises(BadImageError) as refused:
        recognizer.classify(crop[None])
    assert fix in refused.value.fix


def test_a_further_search_may_be_named_alone():
    assert Recognizer(threads=1, search="turned").search == ("turned",)
    with pytest.raises(UnknownNameError, match="no search called 'turn'\n  try: use turned"):
        Recognizer(threads=1, search="turn")


def test_a_model_without_maps_is_named_where_one_is_asked_for(tmp_path, portrait):
    path = three_classes(tmp_path / "own.onnx", LabelSet(("a", "b", "c")))
    [face] = Recognizer(path, threads=1).read(portrait).faces
    with pytest.raises(ValueError, match="a model that gives them"):
        face.heatmap()


def test_a_failure_is_told_from_a_picture_by_a_public_name(recognizer):
    kinds = [type(result) for result in recognizer.read_many(["gone.jpg", RGB])]
    assert kinds == [Failure, mien.Picture]
