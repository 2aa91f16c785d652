"""Hand-made model files: a network small enough to work out by hand, with any card."""

import json

import numpy as np
import pytest

from mien.labels import LABELS
from mien.recognize.model import seal

# Channel -> class: the means of the three channels are the logits of happiness, anger and fear.
_SIX = np.zeros((3, 6), dtype=np.float32)
_SIX[0, 0] = _SIX[1, 3] = _SIX[2, 5] = 1


def channels_model(neutral=False, card=True, side=64, **changes):
    """The bytes of a model whose logits are the channels' means, [r, 0, 0, g, 0, b].

    With `neutral`, that logit is the second channel's mean too. `changes` go to the card; None
    leaves an entry out.
    """
    onnx = pytest.importorskip("onnx")
    make, real = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        make.make_node("ReduceMean", ["crops", "places"], ["means"], keepdims=0),
        make.make_node("MatMul", ["means", "six"], ["logits"]),
    ]
    weights = [_SIX, np.array([2, 3])]
    outputs = [make.make_tensor_value_info("logits", real, ["N", 6])]
    if neutral:
        nodes.append(make.make_node("MatMul", ["means", "seventh"], ["neutral"]))
        weights.append(np.array([[0], [1], [0]], dtype=np.float32))
        outputs.append(make.make_tensor_value_info("neutral", real, ["N", 1]))
    names = ["six", "places", "seventh"]
    constants = [onnx.numpy_helper.from_array(w, n) for w, n in zip(weights, names, strict=False)]
    crops = make.make_tensor_value_info("crops", real, ["N", 3, side, side])
    graph = make.make_graph(nodes, "channels", [crops], outputs, constants)
    opset = make.make_opsetid("", 18)
    model = make.make_model(graph, opset_imports=[opset], ir_version=9)
    if not card:
        return model.SerializeToString()
    whole = {"format": 1, "labels": LABELS, "temperature": 2.0, "sha256": "0" * 64} | changes
    return sealed(model, json.dumps({k: v for k, v in whole.items() if v is not None}))


def sealed(model, card='{"format": 1, "labels": LABELS, "temperature": 2.0, "sha256": ZEROS}'):
    """The bytes of any onnx model with this text as its card, sealed."""
    onnx = pytest.importorskip("onnx")
    text = card.replace("LABELS", json.dumps(LABELS)).replace("ZEROS", json.dumps("0" * 64))
    onnx.helper.set_model_props(model, {"mien_card": text})
    return seal(model.SerializeToString())


def network(nodes, inputs, outputs, weights=(), opset=18):
    """Any onnx network of nodes (op, inputs, output, options), values (name, shape) and weights."""
    onnx = pytest.importorskip("onnx")
    make, real = onnx.helper, onnx.TensorProto.FLOAT
    graph = make.make_graph(
        [make.make_node(op, given, [name], **options) for op, given, name, options in nodes],
        "any",
        [make.make_tensor_value_info(name, real, shape) for name, shape in inputs],
        [make.make_tensor_value_info(name, real, shape) for name, shape in outputs],
        [onnx.numpy_helper.from_array(value, name) for name, value in dict(weights).items()],
    )
    return make.make_model(graph, opset_imports=[make.make_opsetid("", opset)], ir_version=9)


def three_classes(path, labels, **more):
    """Write a model of three classes: logits are its channels' means times 1, 2 and 3.

    Where a calm class lies beside them, its logit is half the mean of the third channel. `more`
    goes onto its card.
    """
    weights = {"places": np.array([2, 3]), "times": np.diag([1, 2, 3]).astype(np.float32)}
    nodes = [
        ("ReduceMean", ["crops", "places"], "means", {"keepdims": 0}),
        ("MatMul", ["means", "times"], "logits", {}),
    ]
    outputs = [("logits", ["N", 3])]
    if labels.calm_beside:
        weights["half"] = np.array([[0], [0], [0.5]], dtype=np.float32)
        nodes.append(("MatMul", ["means", "half"], "neutral", {}))
        outputs.append(("neutral", ["N", 1]))
    card = {
        "format": 1, "name": "own", "labels": labels.names, "calm": labels.calm,
        "colours": labels.colours, "temperature": 1.0, "sha256": "0" * 64,
    }  # fmt: skip
    made = network(nodes, [("crops", ["N", 3, 64, 64])], outputs, weights)
    path.write_bytes(sealed(made, json.dumps(card | more)))
    return path
