"""Npm packages like those of the starts, with random weights, and what the networks compute.

The formulas here are written with numpy alone, in TensorFlow's layout and from the pixels on, as
the original networks have them: an oracle for ours.
"""

import hashlib
import io
import json
import tarfile
from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mien.models import starts
from mien.models.npm_package import PackagedFile

DLIB_BLOCKS = (
    *(f"conv32_{n}" for n in (1, 2, 3)),
    "conv64_down",
    *(f"conv64_{n}" for n in (1, 2, 3)),
    "conv128_down",
    *(f"conv128_{n}" for n in (1, 2)),
    "conv256_down",
    *(f"conv256_{n}" for n in (1, 2)),
    "conv256_down_out",
)
FACERES_WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
FACERES_HALVING = (2, 4, 6, 12)  # pairs whose depthwise convolution has stride 2


def packaged(path, data):
    return PackagedFile(path, len(data), hashlib.sha256(data).hexdigest())


def write_package(folder, files):
    """Write a package as npm unpacks it: the bytes of each file by its path."""
    for path, data in files.items():
        file = folder / "package" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def write_tarball(path, files):
    """Write a package as npm packs it: the bytes of each file by its path."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def register(monkeypatch, name, specs, weights, folder):
    """Let a start be a made package; `specs` as a manifest has them."""
    groups = [{"paths": ["it.bin"], "weights": specs}]
    document = {"weightsManifest": groups} if name == "faceres" else groups
    files = {"m/it.json": json.dumps(document).encode(), "m/it.bin": weights}
    manifest, data = (packaged(path, content) for path, content in files.items())
    made = replace(starts.STARTS[name], manifest=manifest, weights=data)
    monkeypatch.setitem(starts.STARTS, name, made)
    return write_package(folder, files)


def make_start(monkeypatch, name, folder):
    """Write all tensors of a start, random, the filters as whole numbers; return the folder."""
    random = np.random.default_rng(0)
    specs, data = [], b""
    for key, shape, low, high in (_dlib_tensors if name == "dlib-face" else _faceres_tensors)():
        if len(shape) == 4:
            scale = (high - low) / 255
            quantisation = {"dtype": "uint8", "scale": scale, "min": low}
            values = random.integers(0, 256, shape, dtype=np.uint8)
        else:
            quantisation = {"dtype": "float16"}
            values = random.uniform(low, high, shape).astype("<f2")
        specs.append({
            "name": key,
            "shape": shape,
            "dtype": "float32",
            "quantization": quantisation,
        })
        data += values.tobytes()
    return register(monkeypatch, name, specs, data, folder)


def _dlib_tensors():
    yield from _dlib_layer("conv32_down", (7, 7, 3, 32))
    inputs = 32
    for block in DLIB_BLOCKS:
        width = int(block.split("_")[0].removeprefix("conv"))
        yield from _dlib_layer(f"{block}/conv1", (3, 3, inputs, width))
        yield from _dlib_layer(f"{block}/conv2", (3, 3, width, width))
        inputs = width


def _dlib_layer(key, shape):
    bound = np.sqrt(3 / np.prod(shape[:3]))  # uniform in it: variances stay
    yield f"{key}/conv/filters", shape, -bound, bound
    yield f"{key}/conv/bias", shape[3:], -0.1, 0.1
    yield f"{key}/scale/weights", shape[3:], 0.5, 1.5
    yield f"{key}/scale/biases", shape[3:], -0.5, 0.5


def _faceres_tensors():
    yield "conv1/convolution/merged_input", (3, 3, 3, 32), -0.01, 0.01  # pixels are large
    yield "conv1_bn/batchnorm_1/sub", (32,), 0, 1
    inputs = 32
    for number, width in enumerate(FACERES_WIDTHS, 1):
        yield f"conv_dw_{number}/depthwise_kernel", (3, 3, inputs, 1), -0.5, 0.7
        yield f"conv_dw_{number}_bn/batchnorm_1/mul", (inputs,), 0.5, 1.5
        yield f"conv_dw_{number}_bn/batchnorm_1/sub", (inputs,), 0, 1
        bound = np.sqrt(6 / inputs)
        yield f"conv_pw_{number}/convolution/merged_input", (1, 1, inputs, width), -bound, bound
        yield f"conv_pw_{number}_bn/batchnorm_1/sub", (width,), -0.5, 0.5
        inputs = width


def dlib_features(tensors, gray, blocks):
    """The maps (h, w, width) after some blocks for a grey crop (S, S) in [0, 255]."""
    means = np.array([122.782, 117.001, 104.298])
    x = (gray[..., None] - means) / 256
    x = _dlib_convolution(tensors, "conv32_down", x, stride=2).clip(min=0)
    x = _windows(x, 3)[::2, ::2].max(axis=(3, 4))
    for block in DLIB_BLOCKS[:blocks]:
        stride = 2 if "down" in block else 1
        first = x if stride == 2 else np.pad(x, ((1, 1), (1, 1), (0, 0)))
        deep = _dlib_convolution(tensors, f"{block}/conv1", first, stride).clip(min=0)
        deep = np.pad(deep, ((1, 1), (1, 1), (0, 0)))
        deep = _dlib_convolution(tensors, f"{block}/conv2", deep)
        if stride == 2:
            x = _windows(x, 2)[::2, ::2].mean(axis=(3, 4))
        total = np.zeros((*x.shape[:2], deep.shape[2]))
        total[: deep.shape[0], : deep.shape[1]] += deep
        total[:, :, : x.shape[2]] += x
        x = total.clip(min=0)
    return x


def faceres_features(tensors, gray, pairs):
    """The maps (h, w, width) after some pairs for a grey crop (S, S) in [0, 255]."""
    x = gray[..., None] - np.array([103.939, 116.779, 123.68])
    x = _same(x, 2)
    x = _convolution(x, tensors["conv1/convolution/merged_input"], 2)
    x = (x + tensors["conv1_bn/batchnorm_1/sub"]).clip(0, 6)
    for number in range(1, pairs + 1):
        stride = 2 if number in FACERES_HALVING else 1
        kernel = tensors[f"conv_dw_{number}/depthwise_kernel"]
        windows = _windows(_same(x, stride), 3)[::stride, ::stride]
        x = np.einsum("hwcij,ijc->hwc", windows, kernel[..., 0].astype(np.float64))
        x = x * tensors[f"conv_dw_{number}_bn/batchnorm_1/mul"]
        x = (x + tensors[f"conv_dw_{number}_bn/batchnorm_1/sub"]).clip(0, 6)
        x = x @ tensors[f"conv_pw_{number}/convolution/merged_input"][0, 0].astype(np.float64)
        x = (x + tensors[f"conv_pw_{number}_bn/batchnorm_1/sub"]).clip(0, 6)
    return x


def _windows(x, side):
    """Shape (h, w, channels, side, side)."""
    return sliding_window_view(x, (side, side), axis=(0, 1))


def _convolution(x, filters, stride=1):
    windows = _windows(x, filters.shape[0])[::stride, ::stride]
    return np.tensordot(windows, filters.astype(np.float64), axes=([3, 4, 2], [0, 1, 2]))


def _dlib_convolution(tensors, key, x, stride=1):
    y = _convolution(x, tensors[f"{key}/conv/filters"], stride) + tensors[f"{key}/conv/bias"]
    return y * tensors[f"{key}/scale/weights"] + tensors[f"{key}/scale/biases"]


def _same(x, stride):
    """Padding as TensorFlow's documentation of SAME has it, for a side of 3."""
    pads = []
    for size in x.shape[:2]:
        total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, (*pads, (0, 0)))
