"""What `explain` is given: no crops, several targets, functions; or what is wrong with it."""

import numpy as np
import pytest

from mien.errors import BadImageError, BadModelError, BadSettingError, UnknownNameError
from mien.explain import METHODS, explain, explain_each
from mien.labels import LABELS

OF_FILES = sorted(METHODS.keys() - {"integrated-gradients"})  # that need no torch


@pytest.fixture(scope="module")
def model(recognizer):
    return recognizer.model


def crops(count=1):
    return np.random.default_rng(0).normal(size=(count, 3, 88, 88)).astype(np.float32)


@pytest.mark.parametrize("method", OF_FILES)
def test_no_crops_and_no_targets_have_no_maps_of_the_shape_that_others_have(model, method):
    [own] = explain(model, crops(), method, "fear")
    for batch, targets in ((crops(0), ["fear", 0]), (crops(1), []), (crops(0), [])):
        found = explain(model, batch, method, targets)
        assert found.shape == (len(targets), len(batch), *own.shape)
        assert found.dtype == np.float32
    with pytest.raises(UnknownNameError):
        explain(model, crops(0), method, "joy of life")


def test_targets_are_several_in_a_list_and_in_a_tuple_and_one_by_its_name(model):
    batch = crops(2)
    expected = np.stack([explain(model, batch, "cam", label) for label in LABELS])
    for targets in (LABELS, list(LABELS)):
        np.testing.assert_array_equal(explain(model, batch, "cam", targets), expected)
    np.testing.assert_array_equal(explain_each(model, batch, "cam", "fear"), expected[5:])


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (lambda batch: [[0.0, 1.0]] * len(batch), "list"),
        (lambda batch: np.zeros(len(batch)), r"\(2,\) float64"),
        (lambda batch: np.zeros((1, 3)), r"\(1, 3\) float64"),
    ],
    ids=["list", "one axis", "another number"],
)
def test_a_function_that_returns_no_logits_is_told_what_it_returns(returned, got):
    with pytest.raises(BadModelError, match=rf"array \(2, C\), got {got}\n  try: return"):
        explain(returned, crops(2), "occlusion", 0)


def test_a_batch_of_another_kind_is_named(model):
    with pytest.raises(BadImageError, match=r"got \(1, 3, 88, 88\) float64\n"):
        explain(model, crops().astype(np.float64))
    with pytest.raises(BadImageError, match="got list\n"):
        explain(model, crops().tolist())


def test_a_recognizer_in_place_of_its_model_says_where_that_is(recognizer):
    with pytest.raises(TypeError, match=r"got Recognizer: give recognizer\.model"):
        explain(recognizer, crops())


@pytest.mark.torch
def test_tensors_that_a_function_returns_and_a_layer_that_is_not_named_are_refused():
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 88), torch.nn.Flatten())

    def tensors(batch):
        return network(torch.from_numpy(batch))

    with pytest.raises(BadModelError, match=r"got Tensor\n  try: return logits\.detach"):
        explain(tensors, crops(), "occlusion", 0)
    with pytest.raises(
        BadSettingError, match=r"no layer is named.*\n  try: give layer=\.\.\., one of 0, 1"
    ):
        explain(network, crops(), "grad-cam", 0)
