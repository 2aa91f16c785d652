"""Give a model file of one linear layer the outputs that explanations use; its weights stay.

Files written before `mien export` returned features and gradients hold them inside: the features
are what the 1x1 convolution of the maps takes, the gradients are its rows over the places.

Run: python lab/add_features.py OLD.onnx NEW.onnx     Proves that the older outputs stay bit-equal.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from mien.recognize.model import CARD, read_card, seal


def extend(model: onnx.ModelProto) -> None:
    """Add the outputs to a graph, in place."""
    graph = model.graph
    weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    rows = [
        (node, weights[node.input[1]])
        for node in graph.node
        if node.op_type == "Conv" and weights[node.input[1]].shape[0] in {6, 7}
    ]
    [(node, weight)] = rows
    features = node.input[0]
    slopes = (weight[None, :6] / 64).astype(np.float32)  # (1, 6, K, 1, 1), 8x8 places
    graph.initializer.extend([
        numpy_helper.from_array(slopes, "slopes"),
        numpy_helper.from_array(np.array([1]), "second_axis"),
    ])
    one = numpy_helper.from_array(np.ones(1, dtype=np.float32))
    graph.node.extend([
        helper.make_node("Identity", [features], ["features"]),
        helper.make_node("Shape", [features], ["shape_of_features"]),
        helper.make_node("ConstantOfShape", ["shape_of_features"], ["ones"], value=one),
        helper.make_node("Unsqueeze", ["ones", "second_axis"], ["ones_by_class"]),
        helper.make_node("Mul", ["slopes", "ones_by_class"], ["gradients"]),
    ])
    k = weight.shape[1]
    for name, shape in (("features", ["N", k, 8, 8]), ("gradients", ["N", 6, k, 8, 8])):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def main(old: Path, new: Path) -> None:
    """Write the new file, once it is proven."""
    card = read_card(old)
    model = onnx.load(old)
    extend(model)
    card["explain"] = {"layer": "features", "linear_layers": 1}
    card["sha256"] = "0" * 64
    onnx.checker.check_model(model, full_check=True)
    del model.metadata_props[:]
    helper.set_model_props(model, {CARD: json.dumps(card)})
    data = seal(model.SerializeToString())
    crops = np.random.default_rng(0).normal(size=(9, 3, 64, 64)).astype(np.float32)
    before, after = (onnxruntime.InferenceSession(d) for d in (old.read_bytes(), data))
    names = [output.name for output in before.get_outputs()]
    pairs = (session.run(names, {"crops": crops}) for session in (before, after))
    for name, a, b in zip(names, *pairs, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
    features, gradients, maps = after.run(["features", "gradients", "maps"], {"crops": crops})
    summed = np.einsum("nckhw,nkhw->nchw", gradients * 64, features)
    np.testing.assert_allclose(summed, maps, atol=1e-4)
    new.write_bytes(data)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
