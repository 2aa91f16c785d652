import numpy as np
import onnxruntime
import pytest

from mien.errors import BadModelError
from mien.faces.detect import YUNET, locate
from mien.serve.onnx_dims import with_free_sides


@pytest.fixture(scope="module")
def yunet():
    return locate(YUNET).read_bytes()


def run(model, picture):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": picture})


def test_the_detector_gives_the_same_at_its_own_size(yunet):
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 640, 640)).astype(np.float32)
    for before, after in zip(
        run(yunet, picture), run(with_free_sides(yunet), picture), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_it_takes_other_sizes_without_a_warning(yunet, capfd):
    outputs = run(with_free_sides(yunet), np.zeros((1, 3, 96, 320), dtype=np.float32))
    assert [o.shape[1] for o in outputs[:3]] == [12 * 40, 6 * 20, 3 * 10]
    assert capfd.readouterr().err == ""


def test_it_is_what_the_package_onnx_would_write(yunet):
    onnx = pytest.importorskip("onnx")
    expected, free = onnx.load_from_string(yunet), onnx.load_from_string(with_free_sides(yunet))
    dims = [
        [d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim] for i in free.graph.input
    ]
    assert dims == [[1, 3, "height", "width"]]
    del expected.graph.value_info[:]
    for kind in ("input", "output"):
        for theirs, ours in zip(
            getattr(expected.graph, kind), getattr(free.graph, kind), strict=True
        ):
            ours.type.CopyFrom(theirs.type)
    assert free == expected


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: b"\x0b" + d, lambda d: d[:5000]])
def test_a_damaged_file_is_one_error(yunet, damage):
    with pytest.raises(BadModelError, match="cannot be prepared"):
        with_free_sides(damage(yunet))
