import json
import re

import numpy as np
import pytest

from mien import pixels
from mien.errors import BadModelError, UnknownNameError
from mien.recognize import model
from mien.recognize.model import Model, read_card, seal
from tests.support import recognition_oracle
from tests.support.onnx_files import channels_model
from tests.support.pictures import texture
from tests.support.recognition_oracle import SHIPPED

SIDE = recognition_oracle.side()
BATCH = recognition_oracle.network_input([texture(seed) for seed in range(5)])


@pytest.fixture(scope="module")
def shipped():
    return Model(threads=1)


def of_channels(*means):
    """A batch of one crop whose channels have these values everywhere."""
    means = np.array(means, dtype=np.float32)
    return np.broadcast_to(means[None, :, None, None], (1, 3, 64, 64)).copy()


def loaded(tmp_path, data):
    path = tmp_path / "made.onnx"
    path.write_bytes(data)
    return Model(path, threads=1)


def test_a_small_network_gives_the_scores_worked_by_hand(tmp_path):
    model = loaded(tmp_path, channels_model(temperature=2.0))
    # logits [2 ln 5, 0, 0, 0, 0, 0] at temperature 2: the powers are 5 and five times 1
    outputs = model.run(of_channels(2 * np.log(5), 0, 0))
    np.testing.assert_allclose(outputs.scores, [[0.5, 0.1, 0.1, 0.1, 0.1, 0.1]], atol=1e-6)
    # and with the third channel the powers are 1 five times and 5 for fear
    outputs = model.run(of_channels(0, 0, 2 * np.log(5)))
    np.testing.assert_allclose(outputs.scores, [[0.1, 0.1, 0.1, 0.1, 0.1, 0.5]], atol=1e-6)


def test_neutral_is_a_probability_of_its_own_and_leaves_the_six_alone(tmp_path):
    model = loaded(tmp_path, channels_model(neutral=True, temperature=2.0))
    # its logit is that of anger, 2 log 5: odds of 25 to 1, whatever the temperature
    outputs = model.run(of_channels(0, 2 * np.log(5), 0))
    np.testing.assert_allclose(outputs.neutral, [25 / 26], atol=1e-6)
    np.testing.assert_allclose(outputs.scores, [[0.1, 0.1, 0.1, 0.5, 0.1, 0.1]], atol=1e-6)


def test_a_model_that_never_learned_neutral_says_zero_and_has_no_maps(tmp_path):
    outputs = loaded(tmp_path, channels_model()).run(np.concatenate([of_channels(1, 2, 3)] * 3))
    np.testing.assert_array_equal(outputs.neutral, [0, 0, 0])
    assert outputs.maps is None


def test_huge_logits_do_not_overflow(tmp_path):
    model = loaded(tmp_path, channels_model(neutral=True))
    outputs = model.run(of_channels(2000, -2000, 0))
    np.testing.assert_allclose(outputs.scores, [[1, 0, 0, 0, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(outputs.neutral, [0], atol=1e-6)


def test_the_shipped_scores_are_the_softmax_of_the_cooled_logits(shipped):
    found, temperature = recognition_oracle.network(BATCH), shipped.card["temperature"]
    outputs = shipped.run(BATCH)
    expected = recognition_oracle.softmax(found["logits"], temperature)
    np.testing.assert_allclose(outputs.scores, expected, atol=1e-5)
    expected = 1 / (1 + np.exp(-found["neutral"][:, 0].astype(np.float64)))
    np.testing.assert_allclose(outputs.neutral, expected, atol=1e-5)
    np.testing.assert_allclose(outputs.maps, found["maps"], atol=1e-4)
    assert (outputs.scores.dtype, outputs.neutral.dtype) == (np.float32, np.float32)


def test_the_shipped_logits_are_the_mean_of_their_map_and_a_constant():
    found = recognition_oracle.network(BATCH)
    biases = found["logits"] - found["maps"].mean(axis=(2, 3))  # (5, 6), a constant each column
    np.testing.assert_allclose(biases, np.broadcast_to(biases[0], (5, 6)), atol=1e-4)
    assert np.ptp(found["logits"], axis=0).min() > 1e-3  # the five pictures do differ


def test_without_maps_the_scores_are_the_same(shipped):
    plain, mapped = shipped.run(BATCH, maps=False), shipped.run(BATCH)
    assert plain.maps is None
    np.testing.assert_allclose(plain.scores, mapped.scores, atol=1e-6)
    np.testing.assert_allclose(plain.neutral, mapped.neutral, atol=1e-6)


def test_a_crop_has_the_same_numbers_alone_and_beside_others(shipped):
    together = shipped.run(BATCH)
    for size in (1, 2, 3):
        parts = [shipped.run(BATCH[i : i + size]) for i in range(0, 5, size)]
        for name in ("scores", "neutral", "maps"):
            values = np.concatenate([getattr(part, name) for part in parts])
            np.testing.assert_array_equal(values, getattr(together, name))


def test_no_crops_give_no_scores(shipped):
    nothing = BATCH[:0]
    outputs = shipped.run(nothing)
    assert outputs.scores.shape == (0, 6)
    assert outputs.neutral.shape == (0,)
    assert (outputs.maps.ndim, outputs.maps.shape[:2]) == (4, (0, 6))
    assert shipped.run(nothing, maps=False).maps is None


@pytest.mark.parametrize(
    ("batch", "got"),
    [
        (BATCH[0], f"(3, {SIDE}, {SIDE}) float32"),
        (BATCH[:, :1], f"(5, 1, {SIDE}, {SIDE}) float32"),
        (BATCH[:, :, :32, :32], "(5, 3, 32, 32) float32"),
        (BATCH.astype(np.float64), f"(5, 3, {SIDE}, {SIDE}) float64"),
    ],
    ids=["one crop", "one channel", "small", "double"],
)
def test_a_batch_of_another_shape_or_type_is_refused(shipped, batch, got):
    wanted = f"expected (N, 3, {SIDE}, {SIDE}) float32, got {got}"
    with pytest.raises(ValueError, match=re.escape(wanted)):
        shipped.run(batch)


def test_the_shipped_card_says_what_the_file_was_trained_for():
    card = read_card(SHIPPED)
    assert card["labels"] == ["happiness", "surprise", "sadness", "anger", "disgust", "fear"]
    assert (card["input"]["side"], card["input"]["gray"]) == (88, True)
    np.testing.assert_allclose(card["input"]["mean"], pixels.MEAN, atol=1e-6)
    np.testing.assert_allclose(card["input"]["std"], pixels.STD, atol=1e-6)
    assert card["temperature"] > 0


def test_the_card_is_what_the_onnx_package_finds_in_the_file():
    onnx = pytest.importorskip("onnx")
    [entry] = onnx.load(SHIPPED).metadata_props
    assert entry.key == model.CARD
    assert read_card(SHIPPED) == json.loads(entry.value)


def test_a_flipped_byte_is_damage(tmp_path):
    data = bytearray(SHIPPED.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "flipped.onnx").write_bytes(data)
    with pytest.raises(BadModelError, match=r"flipped\.onnx is damaged: .*\n  try: .*mien export"):
        Model(tmp_path / "flipped.onnx")


def test_a_card_with_another_temperature_is_damage(tmp_path):
    data = channels_model(temperature=2.0).replace(b'"temperature": 2.0', b'"temperature": 3.0')
    with pytest.raises(BadModelError, match="damaged"):
        loaded(tmp_path, data)


def test_whichever_byte_is_changed_the_file_is_refused(tmp_path):
    whole, path = channels_model(), tmp_path / "changed.onnx"
    path.write_bytes(whole)
    assert read_card(path)["temperature"] == 2.0
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1
        path.write_bytes(data)
        with pytest.raises(BadModelError):
            read_card(path)


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_half_a_file_is_refused(tmp_path, share):
    data = SHIPPED.read_bytes()
    with pytest.raises(BadModelError, match=r"made\.onnx"):
        loaded(tmp_path, data[: int(len(data) * share)])


def test_a_network_without_our_card_is_not_ours(tmp_path):
    with pytest.raises(BadModelError, match=r"made\.onnx is not a model of mien: it has no card"):
        loaded(tmp_path, channels_model(card=False))


def test_a_text_file_is_no_model(tmp_path):
    with pytest.raises(BadModelError, match="not a model of mien"):
        loaded(tmp_path, b"weights, to be added\n")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(BadModelError, match=r"cannot read .*gone\.onnx: No such file.*\n  try: "):
        Model(tmp_path / "gone.onnx")
    with pytest.raises(BadModelError, match=r": it is a folder\n  try: .*mien export"):
        Model(tmp_path)


def test_a_model_of_other_classes_is_read_in_the_order_of_its_card(tmp_path):
    swapped = ("happiness", "surprise", "sadness", "anger", "fear", "disgust")
    model = loaded(tmp_path, channels_model(labels=swapped))
    assert (model.labels.names, model.labels.calm) == (swapped, "")


def test_a_model_whose_classes_cannot_be_told_apart_or_of_another_format_is_refused(tmp_path):
    twice = ("happiness", "surprise", "sadness", "anger", "fear", "Fear")
    with pytest.raises(
        BadModelError, match=r"format 1 for \['happiness', .*'Fear'\] .*twice: fear"
    ):
        loaded(tmp_path, channels_model(labels=twice))
    with pytest.raises(BadModelError, match=r"for None \(names and colours .* no lists"):
        loaded(tmp_path, channels_model(labels=None))
    with pytest.raises(BadModelError, match=r"returns neutral, and its card has no class for it"):
        loaded(tmp_path, channels_model(neutral=True, calm=""))
    with pytest.raises(BadModelError, match=r"logits of shape \(2, 6\).* not .* \(2, 3\)"):
        loaded(tmp_path, channels_model(labels=("a", "b", "c")))
    with pytest.raises(BadModelError, match=r"card of format 2 for .*\n  try: use the version"):
        loaded(tmp_path, channels_model(format=2))


def test_a_file_is_sealed_once():
    with pytest.raises(ValueError, match="exactly once"):
        seal(channels_model())
    with pytest.raises(ValueError, match="exactly once"):
        seal(b"no card")
    with pytest.raises(ValueError, match="exactly once"):
        seal((b'"sha256": "' + b"0" * 64 + b'"') * 2)


def test_flipped_copies_are_averaged_and_their_maps_turned_back():
    one, other = Model(threads=1).tensors(BATCH, ("logits", "maps", "neutral")), {}
    for name, value in Model(threads=1).tensors(BATCH[..., ::-1].copy(), list(one)).items():
        other[name] = value[..., ::-1] if name == "maps" else value
    found = Model(threads=1, flip=True).run(BATCH)
    mean = {name: (one[name] + other[name]) / 2 for name in one}
    temperature = read_card(SHIPPED)["temperature"]
    np.testing.assert_allclose(
        found.scores, recognition_oracle.softmax(mean["logits"], temperature), atol=1e-5
    )
    np.testing.assert_allclose(found.maps, mean["maps"], atol=1e-4)
    np.testing.assert_allclose(found.neutral, 1 / (1 + np.exp(-mean["neutral"][:, 0])), atol=1e-5)
    assert np.abs(found.scores - Model(threads=1).run(BATCH).scores).max() > 1e-3


def test_a_model_of_the_package_is_found_by_its_name_and_a_file_of_that_name_goes_first(
    tmp_path, monkeypatch
):
    assert model.find("miennet") == SHIPPED
    assert Model("miennet", threads=1).card == read_card(SHIPPED)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "miennet").write_bytes(channels_model())
    assert Model("miennet", threads=1).card["temperature"] == 2.0
    with pytest.raises(UnknownNameError, match="no model called 'mienet'\n  try: use miennet"):
        Model("mienet", threads=1)
    with pytest.raises(BadModelError, match=r"cannot read mienet\.onnx"):
        Model("mienet.onnx", threads=1)
