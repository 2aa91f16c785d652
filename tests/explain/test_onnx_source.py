"""Model files: explained without torch, the older ones too."""

import json
import subprocess
import sys

import numpy as np
import pytest

from mien.errors import BadModelError, UnknownNameError
from mien.explain import explain, explain_each, source_of, versus
from mien.labels import LABELS
from mien.recognize.model import SHIPPED, Model, read_card, seal
from tests.support.onnx_files import channels_model

SIDE = read_card(SHIPPED)["input"]["side"]
METHODS = ("cam", "grad-cam", "grad-cam++", "hirescam", "layercam", "eigen-cam")


def crops(count):
    return np.random.default_rng(0).normal(size=(count, 3, SIDE, SIDE)).astype(np.float32)


@pytest.fixture(scope="module")
def shipped():
    return Model(SHIPPED, threads=1)


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """The shipped model as files were before they returned features and gradients."""
    onnx = pytest.importorskip("onnx")
    model, card = onnx.load(SHIPPED), read_card(SHIPPED)
    del card["explain"]
    kept = [output for output in model.graph.output if output.name in {"logits", "maps", "neutral"}]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {"mien_card": json.dumps(card | {"sha256": "0" * 64})})
    path = tmp_path_factory.mktemp("older") / "older.onnx"
    path.write_bytes(seal(model.SerializeToString()))
    return Model(path, threads=1)


def test_an_older_file_gives_the_same_cam_grad_cam_and_hirescam(shipped, older):
    for method in ("cam", "grad-cam", "hirescam"):
        found = explain_each(older, crops(3), method, [*LABELS, versus("fear", "anger")])
        expected = explain_each(shipped, crops(3), method, [*LABELS, versus("fear", "anger")])
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("method", ["grad-cam++", "layercam", "eigen-cam", "score-cam"])
def test_an_older_file_refuses_what_needs_its_features(older, method):
    with pytest.raises(BadModelError, match=r"\n  try: write it again with mien export"):
        explain(older, crops(1), method, "fear")


def test_a_figure_is_told_the_same_of_neutral_as_the_recognizer(shipped):
    expected = shipped.run(crops(4)).neutral
    np.testing.assert_allclose(source_of(shipped).neutral(crops(4)), expected, rtol=1e-5)


def test_an_older_file_is_recognised_as_before(shipped, older):
    for maps in (False, True):
        a, b = shipped.run(crops(4), maps), older.run(crops(4), maps)
        np.testing.assert_array_equal(a.scores, b.scores)
        np.testing.assert_array_equal(a.neutral, b.neutral)
        assert (a.maps is None) == (not maps)
        if maps:
            np.testing.assert_array_equal(a.maps, b.maps)


def test_the_shipped_maps_come_from_its_features(shipped):
    found = shipped.tensors(crops(2), ["features", "gradients", "maps"])
    places = found["features"][0, 0].size
    weights = places * found["gradients"][..., 0, 0]  # (N, 6, K): a mean over the places
    expected = np.einsum("nck,nkhw->nchw", weights, found["features"])
    np.testing.assert_allclose(found["maps"], expected, atol=1e-4)


def test_score_cam_is_the_sum_over_masked_crops_worked_out_by_hand(shipped):
    batch = crops(1)
    found = shipped.tensors(batch, ["features"])["features"][0]
    cv2 = pytest.importorskip("cv2")
    logits = []
    for channel in found:
        spread = channel - channel.min()
        mask = cv2.resize(spread / max(spread.max(), 1e-30), (SIDE, SIDE))
        logits.append(shipped.tensors(batch * mask, ["logits"])["logits"][0, 5])
    powers = np.exp(np.array(logits) - max(logits))
    expected = np.einsum("k,khw->hw", powers / powers.sum(), found).clip(min=0)
    [maps] = explain(shipped, batch, "score-cam", "fear")
    np.testing.assert_allclose(maps, expected, atol=1e-4 * expected.max())


def test_a_file_without_maps_can_only_be_occluded(tmp_path):
    path = tmp_path / "plain.onnx"
    path.write_bytes(channels_model())
    batch = np.ones((1, 3, 64, 64), dtype=np.float32)
    for method in METHODS:
        with pytest.raises(BadModelError, match="does not return its"):
            explain(path, batch, method, "happiness")
    # its logit of happiness is the mean of the first channel: a patch takes 1/16 of it away
    found = explain(path, batch, "occlusion", "happiness")
    np.testing.assert_allclose(found, 16 * 16 / 64 / 64, rtol=1e-4)


def test_another_layer_than_the_file_s_own_is_refused_by_name(shipped):
    with pytest.raises(UnknownNameError, match=r"called 'features.3'\n  try: use features"):
        explain(shipped, crops(1), "grad-cam", "fear", "features.3")


def test_explaining_a_file_imports_no_torch():
    code = """
import sys, numpy as np
from mien.explain import explain, METHODS
from mien.recognize.model import SHIPPED, Model
side = Model(SHIPPED).side
batch = np.zeros((1, 3, side, side), dtype=np.float32)
for method in METHODS:
    if method != "integrated-gradients":
        explain(SHIPPED, batch, method, "fear")
assert not {"torch", "onnx", "matplotlib", "captum"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
