"""The same maps as torchcam and captum draw, on the paper's best network, a ResNet and ours."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
rivals = pytest.importorskip("tests.support.cam_oracles")

from mien.models import zoo

pytestmark = [
    pytest.mark.torch,
    # torch warns torchcam and captum about how they hook
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

BOUND = 1e-5  # of a map whose largest value is 1
NETWORKS = ("miennet", "resnet18", "cnn15")
SLOW = {"torchcam ScoreCAM", "captum IntegratedGradients"}


def built(name):
    torch.manual_seed(0)
    return rivals.unlike_fresh(zoo.build(name, 6, 0.2))


def crops(count):
    return np.random.default_rng(0).normal(size=(count, 3, 64, 64)).astype(np.float32)


def fits(name, rival):
    return name != "cnn15" or rivals.RIVALS[rival][0] != "cam"  # CAM needs one linear layer


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_equal_those_of_others(name):
    network = built(name)
    for rival in sorted(rivals.RIVALS.keys() - SLOW):
        if fits(name, rival):
            assert rivals.difference(rival, network, crops(3)) <= BOUND, rival
    assert rivals.activation_difference(network, crops(3)) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == "miennet" else pytest.mark.long) for n in NETWORKS]
)
def test_slow_maps_equal_those_of_others(name):
    network = built(name)
    assert rivals.difference("torchcam ScoreCAM", network, crops(1)) <= BOUND
    assert rivals.difference("captum IntegratedGradients", network, crops(2)) <= BOUND
    assert rivals.occlusion_difference(network, crops(1)) <= BOUND


def test_torchcam_forgets_a_division_in_grad_cam_plus():
    """Why the oracle is mended: as it stands, its weights are the sums of g^2 * max(g, 0)."""
    network, batch = built("miennet"), crops(2)
    layer = network.explained
    theirs = rivals.by_torchcam(rivals.torchcam.GradCAMpp, network, batch, layer)
    with torch.no_grad():
        features = network.features(torch.from_numpy(batch)).numpy()
        chosen = network(torch.from_numpy(batch)).argmax(dim=1)
    weights = network.head.weight.detach()[chosen].double() / 64  # (N, K), the gradients
    undivided = (weights**2 * weights.clip(min=0)).numpy()
    expected = np.einsum("nk,nkhw->nhw", undivided, features).clip(min=0)
    np.testing.assert_allclose(rivals.scaled(theirs), rivals.scaled(expected), atol=1e-5)
