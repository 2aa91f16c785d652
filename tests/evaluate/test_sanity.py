import numpy as np
import pytest

stats = pytest.importorskip("scipy.stats")
torch = pytest.importorskip("torch")

from mien import pixels
from mien.errors import BadSettingError
from mien.evaluate.maps import CONTROLS, ExplainedModel
from mien.evaluate.sanity import (
    noise_stability,
    randomization_test,
    refuse_other_network,
    sanity_checks,
)
from mien.models.randomize import randomized_stages
from tests.support.tiny_network import tiny

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    made = tiny(6, 0.0).eval()
    torch.nn.init.normal_(made.head.weight, std=0.5)
    return made


@pytest.fixture(scope="module")
def crops():
    """Blobs of light at random places, so that no two maps need be alike."""
    random = np.random.default_rng(0)
    y, x = np.indices((64, 64))
    spots = random.uniform(8, 56, (12, 3, 2))
    waves = sum(np.exp(-((y - s[:, 0, None, None]) ** 2 + (x - s[:, 1, None, None]) ** 2) / 60)
                for s in spots.transpose(1, 0, 2))  # fmt: skip
    return (40 + 200 * waves).clip(0, 255).astype(np.uint8)


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_parts_are_forgotten_from_the_head_down_one_after_another(network):
    before = weights(network)
    stages = list(randomized_stages(network))
    assert [name for name, _ in stages] == ["head", "features.2", "features.0"]
    changed = [
        {name.split(".")[0] + "." + name.split(".")[1] for name, value in weights(made).items()
         if value.ndim > 1 and not torch.equal(value, before[name])}
        for _, made in stages
    ]  # fmt: skip
    assert changed == [
        {"head.weight"},
        {"head.weight", "features.2"},
        {"head.weight", "features.2", "features.0"},
    ]
    for name, value in weights(network).items():
        assert torch.equal(value, before[name]), name  # the given network is as it was


def test_forgetting_repeats_itself_and_draws_nothing_from_torchs_generator(network):
    torch.manual_seed(8)
    expected = torch.rand(1)
    torch.manual_seed(8)
    first = [weights(made) for _, made in randomized_stages(network)]
    assert torch.rand(1) == expected
    for one, (_, again) in zip(first, randomized_stages(network), strict=True):
        assert all(torch.equal(one[name], value) for name, value in weights(again).items())


@torch.inference_mode()
def maps_by_hand(network, crops, classes):
    features = network.features(torch.from_numpy(pixels.to_batch(crops))).numpy()
    return np.einsum("nk,nkhw->nhw", network.head.weight.numpy()[classes], features)


def test_likeness_to_the_trained_network_is_that_of_the_maps_worked_by_hand(network, crops):
    model = ExplainedModel(network)
    classes = model.scores(crops).argmax(axis=1)
    trained = maps_by_hand(network, crops, classes)
    found = dict(
        randomization_test(
            model, [("nothing", network), *randomized_stages(network)], crops, ["cam"]
        )
    )
    assert found.pop("nothing")["cam"] == 1
    for stage, made in randomized_stages(network):
        pairs = zip(trained, maps_by_hand(made, crops, classes), strict=True)
        alike = [stats.spearmanr(one.ravel(), other.ravel()).statistic for one, other in pairs]
        assert found[stage]["cam"] == pytest.approx(np.mean(alike), abs=1e-3)
        assert found[stage]["cam"] < 0.99


def test_a_map_that_ignores_the_network_would_be_found_out(network, crops, monkeypatch):
    monkeypatch.setattr(
        ExplainedModel, "maps", lambda self, method, crops, classes: crops / np.float32(9)
    )
    found = dict(
        randomization_test(ExplainedModel(network), randomized_stages(network), crops, ["cam"])
    )
    assert {of["cam"] for of in found.values()} == {1}


def test_steadiness_knows_what_noise_cannot_change(network, crops):
    found = noise_stability(ExplainedModel(network), crops, ["cam"])
    assert list(found) == ["cam", *CONTROLS]
    assert found["gaussian"] == {"noise": 1, "other_picture": 1}
    assert abs(found["random"]["noise"]) < 0.05  # drawn anew
    assert found["cam"]["noise"] > 0.9
    assert found["cam"]["other_picture"] < 0.8


def test_a_picture_is_not_taken_for_another_one(network, crops):
    model = ExplainedModel(network)
    assert noise_stability(model, crops[:1], ["cam"]) == {}
    assert noise_stability(model, crops[:2], ["cam"])["random"]["other_picture"] < 0.5


def test_checks_are_those_that_the_networks_allow(network, crops):
    model = ExplainedModel(network)
    assert set(sanity_checks(model, crops, ["cam"])) == {"steadiness"}
    other = tiny(6, 0.0).eval()
    found = sanity_checks(model, crops, ["cam"], network, other)
    assert list(found) == ["steadiness", "forgetting", "shuffled_labels"]
    assert found["shuffled_labels"]["cam"] < 0.95
    assert sanity_checks(model, crops, ["cam"], network, network)["shuffled_labels"]["cam"] == 1


def test_the_network_of_another_run_is_refused(network, crops):
    model = ExplainedModel(lambda batch: ExplainedModel(network).source.logits(batch) * 1.0001)
    refuse_other_network(model, network, crops)
    torch.manual_seed(4)
    for other in (tiny(6, 0.0), tiny(5, 0.0)):
        with pytest.raises(BadSettingError, match="gives other answers to the same crops"):
            refuse_other_network(model, other.eval(), crops)


def test_a_picture_whose_class_changes_with_the_noise_is_left_out(crops):
    first = pixels.to_batch(crops)[0, 0]

    def wavering(batch):
        """Happy, but sad where it sees the first crop as it is, without noise."""
        logits = np.tile(np.arange(6, 0, -1, dtype=np.float32), (len(batch), 1))
        logits[[np.array_equal(crop[0], first) for crop in batch], 2] = 9
        return logits

    assert noise_stability(ExplainedModel(wavering), crops[:2], []) == {}
    assert list(noise_stability(ExplainedModel(wavering), crops[:3], [])) == list(CONTROLS)
