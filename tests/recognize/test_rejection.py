import json
from types import SimpleNamespace

import numpy as np
import pytest

from mien import Recognizer
from mien.errors import BadImageError, BadModelError, BadSettingError
from mien.faces.boxes import Box, Detection
from mien.labels import LABELS
from mien.recognize import rejection
from mien.recognize.model import SHIPPED, Model, read_card
from mien.recognize.recognizer import NoFace, score_many
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, folder_of, texture

NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
PLAIN = np.full((64, 64, 3), 190, dtype=np.uint8)
OTHERS = [NOISE, PLAIN, texture(5, 100), texture(6, 40)[..., 0]]


@pytest.fixture(scope="module")
def strict():
    return Recognizer(threads=1, reject=True)


def crop_of(portrait):
    return portrait[60:190, 155:285]


def test_a_crop_of_a_face_keeps_its_expression_and_the_others_have_none(strict, portrait):
    crops = [crop_of(portrait), *OTHERS]
    assert strict.label(crops) == ["happiness", *["no face"] * len(OTHERS)]
    np.testing.assert_array_equal(strict.are_faces(crops), [True, *[False] * len(OTHERS)])


def test_without_the_option_every_crop_is_named_as_before(recognizer, portrait):
    crops = [crop_of(portrait), *OTHERS]
    assert "no face" not in recognizer.label(crops)
    assert recognizer.label(crops)[0] == "happiness"
    with pytest.raises(ValueError, match=r"use Recognizer\(reject=True\)"):
        recognizer.are_faces(crops)


def test_scores_stay_scores_with_the_option(strict, recognizer, portrait):
    crops = [crop_of(portrait), *OTHERS]
    np.testing.assert_array_equal(strict.classify(crops), recognizer.classify(crops))


def test_no_crops_are_no_faces(strict):
    assert strict.label([]) == []
    assert strict.are_faces([]).shape == (0,)


def test_a_picture_is_read_as_before_where_its_faces_are_faces(strict, recognizer, portrait):
    [one], [other] = strict.read(portrait).faces, recognizer.read(portrait).faces
    assert (one.label, one.confidence) == (other.label, other.confidence)


def test_a_box_without_a_face_is_called_no_face(strict, portrait):
    [face] = strict.read(portrait).faces
    shift = np.float32([-20, 250])
    moved = Detection(Box(160, 313, 248, 426), face.landmarks + shift, 0.9)
    [suit] = strict.read_faces(portrait, [moved])
    assert (suit.label, suit.confidence, suit.is_face) == ("no face", 0.0, False)
    assert sum(suit.scores.values()) == pytest.approx(1, abs=1e-5)
    assert "no face" in json.dumps(suit.record())


def test_a_threshold_of_ones_own_is_taken(portrait):
    rest = [PLAIN, NOISE]
    assert Recognizer(threads=1, reject=0.0).are_faces(rest).all()
    assert not Recognizer(threads=1, reject=1e6).are_faces(rest).any()
    # where the detector finds a face, the maps are not asked
    assert Recognizer(threads=1, reject=1e6).are_faces([crop_of(portrait)]).all()


def test_numpy_s_true_and_false_are_those_of_python_and_nonsense_is_refused():
    assert Recognizer(threads=1, reject=np.True_)._reject_below == rejection.BELOW
    assert not Recognizer(threads=1, reject=np.False_).rejects
    for nonsense in (float("nan"), float("inf")):
        with pytest.raises(BadSettingError, match=f"reject is {nonsense}, expected True or a fin"):
            Recognizer(threads=1, reject=nonsense)


def test_of_more_crops_than_a_batch_each_has_its_own_answer():
    """A stand-in whose maps are as high and as deep as a crop is bright: that is their spread."""

    class Model:
        to_batch = staticmethod(np.stack)

        def tensors(self, batch, names):
            height = batch.mean(axis=(1, 2))
            return {"maps": np.stack([height, -height], axis=1)[:, None, None]}

    blind = SimpleNamespace(boxes=lambda rgb: [])
    crops = [np.full((64, 64), (7 * n) % 131, dtype=np.uint8) for n in range(131)]
    shown = rejection.are_faces(Model(), blind, crops, below=65)
    assert shown.tolist() == [(7 * n) % 131 >= 65 for n in range(131)]


def test_one_crop_is_not_taken_for_many(strict, portrait):
    for asked in (strict.are_faces, strict.label, strict.classify):
        with pytest.raises(BadImageError, match="expected many crops, got one of"):
            asked(crop_of(portrait))


def test_the_default_is_for_the_shipped_weights_and_the_card_goes_first():
    model = Model(threads=1)
    assert read_card(SHIPPED)["weights_sha256"] == rejection.MEASURED_ON
    assert rejection.threshold(model) == rejection.BELOW
    model.card["reject"] = {"below": 0.25}
    assert rejection.threshold(model) == 0.25
    assert rejection.threshold(model, 0.5) == 0.5


def test_a_model_for_which_nothing_was_measured_is_refused():
    model = Model(threads=1)
    model.card["weights_sha256"] = "0" * 64
    told = r"does not say below which .*\n  try: leave reject .* out, or from Python"
    with pytest.raises(BadModelError, match=told) as refused:
        rejection.threshold(model)
    fix = refused.value.fix
    assert "Recognizer(MODEL, reject=SPREAD)" in fix
    assert "mien.recognize.rejection.spread(maps)" in fix
    for of_no_use in ("benchmarks", str(rejection.BELOW)):  # to somebody with another network
        assert of_no_use not in fix


def test_a_model_without_maps_is_refused(tmp_path):
    (tmp_path / "made.onnx").write_bytes(channels_model())
    with pytest.raises(BadModelError, match=r"returns no class maps, .*\n  try: leave reject out"):
        Recognizer(tmp_path / "made.onnx", threads=1, reject=True)


def test_many_files_come_in_order_with_what_is_no_face(strict, portrait, tmp_path):
    pictures = {"a.png": crop_of(portrait), "b.png": NOISE, "c.png": PLAIN}
    folder_of(tmp_path, {name: encode(array, "PNG") for name, array in pictures.items()})
    files = [tmp_path / name for name in pictures]
    assert all(len(scores) == 6 for _, scores in score_many(strict, files))
    (_, scores), *rest = score_many(strict, files, reject=True)
    assert LABELS[scores.argmax()] == "happiness"
    assert rest == [(file, NoFace(str(file))) for file in files[1:]]
