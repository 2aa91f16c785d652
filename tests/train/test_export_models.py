import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from onnxruntime import InferenceSession, SessionOptions
from torch import nn

from mien import pixels
from mien.explain import explain, versus
from mien.explain.onnx_source import unpool
from mien.explain.targets import Objective
from mien.explain.torch_source import TorchSource
from mien.models import zoo
from mien.models.network import WithMaps, multiply_adds
from mien.recognize.model import Model
from tests.support.exported_runs import (
    features_and_logits,
    random_crops,
    softmax,
    with_random_statistics,
    write_run,
)
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

export = pytest.importorskip("mien.train.export")

pytestmark = pytest.mark.torch

HEAVY = ("vgg16-bn", "res25-se", "cnn17")  # 40 to 95 million parameters
# of the same layers as miennet, faceres10, resnet18 and cnn15, or more of them
LIKE_OTHERS = ("dlib13", "dlib14", "faceres13", "resnet34", "cnn15-dropout")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """84 crops, about half of which are held out."""
    return write_crops(tmp_path_factory.mktemp("made"), train=12)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(zoo.MODELS.keys() - {*HEAVY, *LIKE_OTHERS}))
def test_every_model_can_be_exported(folder, tmp_path, name, monkeypatch):
    monkeypatch.setattr(export, "_PROOF", 16)  # in a tenth of the time
    torch.manual_seed(0)
    network = with_random_statistics(zoo.build(name, 7, 0.2)).eval()
    settings = settings_for(folder, hold_out=0.5, model=name)
    card = export.export(write_run(tmp_path / "run", network, settings), tmp_path / "a.onnx")
    assert card["parity"] <= export.PARITY
    batch = pixels.to_batch(random_crops(2), network.side)
    model = Model(tmp_path / "a.onnx", threads=1)
    found = model.run(batch)
    expected = softmax(features_and_logits(network, batch)[1][:, :6] / card["temperature"])
    np.testing.assert_allclose(found.scores, expected, atol=1e-4)
    source = TorchSource(network)
    assert card["explain"] == {"layer": source.layer, "linear_layers": len(linear_layers(network))}
    for method in ("grad-cam", "grad-cam++", "hirescam", "layercam", "eigen-cam"):
        maps = explain(model, batch, method, versus("fear", "anger"))
        same_maps(maps, explain(network, batch, method, versus("fear", "anger")))


@pytest.mark.parametrize(("name", "side"), [("miennet", 88), ("res13-se", 88), ("faceres10", 80)])
def test_the_answer_for_a_face_does_not_depend_on_the_faces_beside_it(name, side):
    torch.manual_seed(0)
    model = WithMaps(with_random_statistics(zoo.build(name, 7, 0.2, side)).eval())
    session = InferenceSession(export._to_onnx(model), one_thread())
    crops = pixels.to_batch(random_crops(16), side)
    outputs = ["logits", "neutral", "maps"]
    together = session.run(outputs, {"crops": crops})
    for size in (1, 3, 5):
        parts = [session.run(outputs, {"crops": crops[i : i + size]}) for i in range(0, 16, size)]
        for whole, *pieces in zip(together, *parts, strict=True):
            np.testing.assert_array_equal(np.concatenate(pieces), whole)


def one_thread():
    options = SessionOptions()
    options.intra_op_num_threads = 1
    return options


def linear_layers(network):
    return [module for module in network.modules() if isinstance(module, nn.Linear)]


def same_maps(found, expected):
    """Equal within 1e-4 of the strongest place."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(zoo.MODELS))
def test_the_closed_form_is_autograd_s_gradient(name):
    """The widest networks in their own widths, on one crop, without a file."""
    torch.manual_seed(0)
    network = zoo.build(name, 7, 0.2).eval()
    for key, tensor in network.state_dict().items():
        if "running_var" in key:
            tensor.uniform_(0.5, 2)
    crop = torch.randn(1, 1, network.side, network.side)
    batch = crop.expand(-1, 3, -1, -1).numpy()
    model = WithMaps(network)
    with torch.no_grad():
        found = dict(zip(model.names, model(torch.from_numpy(batch)), strict=True))
    inside = TorchSource(network).activations_and_gradients(
        batch, [Objective(np.array([label])) for label in range(6)]
    )
    for label in range(6):
        gradients = unpool(found["features"].numpy(), found["gradients"][:, label].numpy())
        same_maps(gradients, inside.gradients[label])


def test_multiply_adds_are_counted_by_place_and_weight():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1),  # 32 x 32 places of 4 x 3 x 9 weights
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 8, 5, groups=2, padding=2),  # 32 x 32 of 8 x 2 x 25: a group sees two
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(8, 2, 1),  # one place of 2 x 8
        nn.Flatten(),
        nn.Linear(2, 7),  # 7 x 2
    ).eval()
    assert multiply_adds(network) == 1024 * 108 + 1024 * 400 + 16 + 14


def test_the_multiply_adds_of_our_networks_are_those_counted_by_hand():
    first = 41 * 41 * (49 * 32)
    blocks = [6 * 20 * 20 * (9 * 32 * 32), 6 * 10 * 10 * (9 * 64 * 64), 4 * 5 * 5 * (9 * 128 * 128)]
    halving = [9 * 9 * (9 * 32 * 64 + 9 * 64 * 64), 4 * 4 * (9 * 64 * 128 + 9 * 128 * 128)]
    expected = first + sum(blocks + halving) + 128 * 7
    assert multiply_adds(zoo.MODELS["miennet"]().eval()) == expected == 69_637_024
    assert "70 million multiply-adds" in zoo.MODELS["miennet"].__doc__
    stem = 32 * 32 * (27 * 32)
    halved = [16 * 16 * (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64), 2 * 16 * 16 * (9 * 64 * 64)]
    quartered = [8 * 8 * (9 * 64 * 128 + 9 * 128 * 128 + 64 * 128), 4 * 8 * 8 * (9 * 128 * 128)]
    last = 8 * 8 * (128 * 256)
    gates = 2 * (2 * 64 * 8 + 3 * 128 * 8)
    expected = stem + sum(halved + quartered) + last + gates + 256 * 6
    assert multiply_adds(zoo.MODELS["res13-se"]().eval()) == expected == 88_974_848
    assert "89 million multiply-adds" in zoo.MODELS["res13-se"].__doc__
