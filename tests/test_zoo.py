import pytest

torch = pytest.importorskip("torch")

from mien.errors import UnknownNameError
from mien.models import zoo

pytestmark = pytest.mark.torch

PARAMETERS = {"miennet": 1_268_731}  # with seven outputs
every_model = pytest.mark.parametrize("name", zoo.MODELS)


def grey_crops(count):
    crops = torch.randn(count, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    return crops.expand(-1, 3, -1, -1)


def test_every_model_has_its_size_written_down():
    counts = {
        name: sum(p.numel() for p in zoo.build(name, 7, 0.2).parameters()) for name in zoo.MODELS
    }
    assert counts == PARAMETERS


@every_model
@pytest.mark.parametrize("outputs", [6, 7])
def test_a_model_has_one_logit_for_each_class(name, outputs):
    torch.manual_seed(0)
    network = zoo.build(name, outputs, 0.2)
    logits = network(grey_crops(3))
    assert logits.shape == (3, outputs)
    assert logits.std() > 0.01


@every_model
def test_every_parameter_of_a_model_learns(name):
    torch.manual_seed(0)
    network = zoo.build(name, 7, 0.0)
    loss = torch.nn.functional.cross_entropy(network(grey_crops(4)), torch.tensor([0, 2, 5, 6]))
    loss.backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().max() > 0, key


@every_model
def test_a_crop_alone_gets_the_logits_it_gets_among_others(name):
    torch.manual_seed(0)
    network = zoo.build(name, 7, 0.2).eval()
    crops = grey_crops(3)
    with torch.inference_mode():
        together, alone = network(crops), network(crops[1:2])
    torch.testing.assert_close(alone[0], together[1], atol=1e-5, rtol=1e-4)
    assert (together[0] - together[1]).abs().max() > 1e-4


@every_model
def test_a_model_ends_in_the_mean_of_its_features_and_one_linear_layer(name):
    torch.manual_seed(0)
    network = zoo.build(name, 7, 0.9).eval()
    with torch.inference_mode():
        pooled = network.features(grey_crops(2)).flatten(2).mean(dim=2)
        expected = pooled @ network.head.weight.T + network.head.bias
        torch.testing.assert_close(network(grey_crops(2)), expected, atol=1e-5, rtol=1e-4)


@every_model
def test_dropout_works_in_training_and_only_there(name):
    torch.manual_seed(0)
    network = zoo.build(name, 6, 0.5)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eval()  # so that dropout alone is left to vary
    one, other = network(grey_crops(2)), network(grey_crops(2))
    assert (one - other).abs().max() > 1e-3
    network.eval()
    torch.testing.assert_close(network(grey_crops(2)), network(grey_crops(2)), atol=0, rtol=0)


@every_model
def test_weights_follow_from_torchs_seed(name):
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in zoo.build(name, 7, 0.2).parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_miennets_maps_are_eight_by_eight():
    assert zoo.miennet().features(grey_crops(2)).shape == (2, 192, 8, 8)


def test_a_model_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="no model called 'mienet'\n  try: use miennet"):
        zoo.build("mienet", 7, 0.2)
