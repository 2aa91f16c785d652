"""What recognition should give, worked out without mien: Pillow, numpy and ONNX Runtime alone."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

import mien

SHIPPED = Path(mien.__file__).parent / "recognize" / "weights" / "miennet.onnx"
MEAN = np.array([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
STD = np.array([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


def network(batch, path=SHIPPED):
    """Run a model file: {output's name: array}."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"crops": batch}), strict=True))


def side(path=SHIPPED):
    """The side of the crops that a model file takes, in pixels."""
    found = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_modelmeta()
    return json.loads(found.custom_metadata_map["mien_card"])["input"]["side"]


def network_input(crops):
    """Shape (N, 3, side, side), from crops of any size: Pillow makes them grey and resizes them."""
    size = (side(),) * 2
    images = [Image.fromarray(crop).convert("L") for crop in crops]
    gray = np.stack([np.asarray(image.resize(size, Image.BILINEAR)) for image in images])
    return ((gray[:, None] / 255 - MEAN) / STD).astype(np.float32)


def softmax(logits, temperature):
    powers = np.exp(np.asarray(logits, dtype=np.float64) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)
