"""Whatever a model file or its card holds: one error that says what is wrong, and what next."""

import json
import os

import numpy as np
import pytest

from mien.errors import BadModelError
from mien.labels import LABELS
from mien.recognize.card import read_card
from mien.recognize.model import SHIPPED, Model
from tests.support.commands import mien
from tests.support.onnx_files import channels_model, network, sealed

CROPS = [("crops", ["N", 3, 64, 64])]
LOGITS = [("logits", ["N", 6])]
SIX = {"six": np.ones((3, 6), dtype=np.float32), "places": np.array([2, 3])}
MEAN = ("ReduceMean", ["crops", "places"], "means", {"keepdims": 0})
NAMED = {"name": "a", "licence": "free"}
HEAD = ("MatMul", ["means", "six"], "logits", {})


def load(tmp_path, data):
    path = tmp_path / "made.onnx"
    path.write_bytes(data)
    return Model(path, threads=1)


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("temperature", -1, "a number from 0.001 to 1000"),
        ("temperature", 0, "a number from 0.001 to 1000"),
        ("temperature", 1e-300, "a number from 0.001 to 1000"),
        ("temperature", "1", "a number from"),
        ("temperature", True, "a number from"),
        ("temperature", [1], "a number from"),
        ("name", "a\x1b[2Jb", "a name"),
        ("name", 5, "a name"),
        ("licence", ["free"], "a sentence"),
        ("parameters", -1, "a whole number from 0"),
        ("parameters", 1.5, "a whole number from 0"),
        ("weights_sha256", "ab", "64 hexadecimal digits"),
        ("input", 64, "an object"),
        ("input", {"side": 15}, "a whole number of pixels from 16 to 512"),
        ("input", {"side": 64.0}, "a whole number of pixels from 16 to 512"),
        ("input", {"gray": False}, "true: the crops are grey"),
        ("input", {"mean": [0, 0, 0]}, "the mean that mien takes off"),
        ("input", {"std": [1, 1]}, "the deviation that mien divides by"),
        ("input", {"std": "abc"}, "the deviation that mien divides by"),
        ("uncertain", [], "an object"),
        ("uncertain", {"below": 2}, "a number from 0 to 1"),
        ("uncertain", {"below": "x"}, "a number from 0 to 1"),
        ("reject", {"below": -1}, "a number from 0 to 1,000,000"),
        ("explain", {"layer": 3}, "the name of a layer"),
        ("explain", {"linear_layers": 0}, "a whole number from 1"),
        ("data", "rafdb", "an object"),
        ("data", {"seed": "0"}, "a whole number from 0"),
        ("data", {"train_by_source": {"a": "b"}}, "counts by dataset"),
        ("data", {"earlier": {"a": 1}}, "a list of counts by dataset"),
        ("data", {"earlier": [{"train_by_source": {"a": "b"}}]}, "a list of counts by dataset"),
        ("data", {"start": {"name": "a"}}, "a name, a licence and counts by dataset"),
        ("data", {"start": {**NAMED, "train_by_source": ["a"]}}, "counts by dataset"),
        ("data", {"start": {**NAMED, "earlier": [1]}}, "counts by dataset"),
        ("data", {"start": {**NAMED, "start": "b"}}, "counts by dataset"),
        ("members", NAMED, "a list of names and licences, with counts by dataset"),
        ("members", [{"name": "a"}], "a list of names and licences, with counts by dataset"),
        ("members", [{**NAMED, "data": {"train_by_source": 1}}], "with counts by dataset"),
        ("metrics", {"test": 0.9}, "objects by name"),
    ],
)
def test_a_value_on_the_card_that_makes_no_sense_is_refused(tmp_path, place, value, expected):
    with pytest.raises(BadModelError) as caught:
        load(tmp_path, channels_model(**{place: value}))
    assert f"made.onnx has a card whose {place}" in caught.value.message
    assert caught.value.message.endswith(expected) or f"expected {expected}" in caught.value.message
    assert "mien export" in caught.value.fix


@pytest.mark.parametrize("labels", ["null", "5", "{}", '"happiness"', "[[]]", "[null]", "[]"])
def test_labels_of_another_type_are_refused(tmp_path, labels):
    card = f'{{"format": 1, "labels": {labels}, "temperature": 2.0, "sha256": ZEROS}}'
    model = network([MEAN, HEAD], CROPS, LOGITS, SIX)
    with pytest.raises(BadModelError, match=r"has a card of format 1 for .*\n  try: use the ver"):
        load(tmp_path, sealed(model, card))


def test_a_card_without_a_temperature_is_refused(tmp_path):
    with pytest.raises(BadModelError, match=r"made\.onnx has a card without temperature\n"):
        load(tmp_path, channels_model(temperature=None))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_a_temperature_that_is_no_finite_number_is_refused(tmp_path, value):
    card = f'{{"format": 1, "labels": LABELS, "temperature": {value}, "sha256": ZEROS}}'
    model = network([MEAN, HEAD], CROPS, LOGITS, SIX)
    with pytest.raises(BadModelError, match=r"no JSON: .*(finite|64 bits)"):
        load(tmp_path, sealed(model, card))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested|recursion"),
        ("[" * 17 + "]" * 17, "nested more than 16 levels"),
        ('"' + "a" * 2**20 + '"', "does not end within 1,048,576 bytes"),
        ('"', "no JSON"),
        ("[1,]", "no JSON"),
    ],
    ids=["very deep", "deep", "long", "open", "comma"],
)
def test_an_absurd_card_is_refused(tmp_path, more, says):
    card = (
        '{"format": 1, "labels": LABELS, "temperature": 2.0, "sha256": ZEROS, "more": ' + more + "}"
    )
    model = network([MEAN, HEAD], CROPS, LOGITS, SIX)
    with pytest.raises(BadModelError, match=says):
        load(tmp_path, sealed(model, card))


def test_what_else_is_on_a_card_is_left_alone(tmp_path):
    made = load(tmp_path, channels_model(note="ours", reject={"below": 0.5}))
    assert (made.card["note"], made.card["reject"]) == ("ours", {"below": 0.5})


SEVEN = SIX | {"six": np.ones((3, 7), dtype=np.float32)}
NO_NUMBERS = SIX | {"six": np.full((3, 6), np.nan, dtype=np.float32)}
FLAT = [("Reshape", ["crops", "shape"], "flat", {}), ("MatMul", ["flat", "six"], "logits", {})]
FIVE_ROWS = {"shape": np.array([5, -1]), "six": SIX["six"]}
MAPS = ("Identity", ["logits"], "maps", {})
# What is odd about a network: its parts, and what is said of it.
NETWORKS = {
    "unknown operator": ([MEAN, ("Odd", ["means"], "logits", {})], CROPS, LOGITS, SIX, "by .*Odd"),
    "broken graph": ([("MatMul", ["gone", "six"], "logits", {})], CROPS, LOGITS, SIX, "by .*gone"),
    "another size": ([MEAN, HEAD], [("crops", ["N", 3, 48, 48])], LOGITS, SIX, "takes .*48, 48"),
    "two inputs": ([MEAN, HEAD], [*CROPS, ("more", [1])], LOGITS, SIX, "takes .*'more'"),
    "one crop": ([MEAN, HEAD], [("crops", [1, 3, 64, 64])], LOGITS, SIX, "by .*crops"),
    "no logits": ([MEAN], CROPS, [("means", ["N", 3])], SIX, "returns means, but no logits"),
    "seven": ([MEAN, HEAD], CROPS, [("logits", ["N", "K"])], SEVEN, r"\(2, 7\), .* not .*\(2, 6\)"),
    "no numbers": ([MEAN, HEAD], CROPS, LOGITS, NO_NUMBERS, "returns logits of .* not finite"),
    "flat maps": ([MEAN, HEAD, MAPS], CROPS, [*LOGITS, ("maps", ["N", 6])], SIX, "returns maps of"),
    "fails in use": (FLAT, CROPS, LOGITS, FIVE_ROWS, "by .*[Rr]eshape"),
}


@pytest.mark.parametrize("odd", NETWORKS)
def test_a_network_that_is_no_model_is_refused_when_it_is_loaded(tmp_path, odd):
    *parts, says = NETWORKS[odd]
    with pytest.raises(BadModelError, match=says) as caught:
        load(tmp_path, sealed(network(*parts)))
    assert "mien export" in caught.value.fix
    assert str(tmp_path / "made.onnx") in caught.value.message


def test_a_file_of_a_newer_opset_says_what_to_install(tmp_path):
    newer = network([MEAN, HEAD], CROPS, LOGITS, SIX, opset=999)
    with pytest.raises(BadModelError, match=r"cannot be run by onnxruntime .*pset") as caught:
        load(tmp_path, sealed(newer))
    assert caught.value.fix == "pip install --upgrade onnxruntime"


def test_logits_that_are_no_numbers_are_refused_when_they_appear(tmp_path):
    nodes = [MEAN, ("MatMul", ["means", "six"], "sums", {}), ("Exp", ["sums"], "logits", {})]
    made = load(tmp_path, sealed(network(nodes, CROPS, LOGITS, SIX)))
    with pytest.raises(BadModelError, match="returns logits that are no numbers"):
        made.run(np.full((1, 3, 64, 64), 100, dtype=np.float32))


def test_a_file_that_no_model_can_be_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(20 * 2**30)  # takes no room on the disk
    with pytest.raises(BadModelError, match=r"huge\.onnx is too large: 21,474,836,480 bytes"):
        read_card(tmp_path / "huge.onnx")
    os.mkfifo(tmp_path / "pipe.onnx")
    for endless in (tmp_path / "pipe.onnx", "/dev/zero"):
        with pytest.raises(BadModelError, match="not an ordinary file"):
            read_card(endless)


def test_a_name_with_a_nul_character_is_refused():
    for load_it in (read_card, Model):
        with pytest.raises(BadModelError, match=r"cannot read a\\0b: embedded null"):
            load_it("a\0b")


@pytest.mark.parametrize(
    "words", [["predict", "a\0b.jpg"], ["scores", "in", "--out", "a\0"], ["a\0"], ["train", "\0"]]
)
def test_a_nul_character_in_a_command_is_one_clear_error(words):
    result = mien(*words)
    assert result.exit_code == 2
    assert "a NUL character in" in result.stderr
    assert "\n  try: " in result.stderr


def test_the_shipped_card_is_accepted_with_all_that_is_on_it():
    card = read_card(SHIPPED)
    assert card["labels"] == list(LABELS)
    assert len(json.dumps(card)) < 10_000
