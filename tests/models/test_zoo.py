import pytest

torch = pytest.importorskip("torch")

from mien.errors import UnknownNameError
from mien.models import zoo

pytestmark = pytest.mark.torch

PARAMETERS = {  # with six outputs
    "res13-se": 997_198,
    "cnn10": 10_474_118,
    "cnn13": 2_606_086,
    "cnn15": 10_478_086,
    "cnn15-dropout": 10_478_086,
    "cnn15-gap": 6_280_710,
    "cnn16-se": 10_478_598,
    "cnn17": 41_950_726,
    "resnet18": 11_179_590,
    "resnet34": 21_287_750,
    "vgg16-bn": 72_460_742,
    "res25-se": 95_051_014,
    "miennet": 1_148_134,
    "dlib13": 4_396_006,
    "dlib14": 5_576_678,
    "faceres10": 1_347_398,
    "faceres13": 3_213_126,
}
LAST_MAPS = {
    "res13-se": (256, 8, 8),
    "cnn10": (1024, 2, 2),
    "cnn13": (512, 4, 4),
    "cnn15": (1024, 2, 2),
    "cnn15-dropout": (1024, 2, 2),
    "cnn15-gap": (1024, 4, 4),
    "cnn16-se": (1024, 2, 2),
    "cnn17": (2048, 1, 1),
    "resnet18": (512, 4, 4),
    "resnet34": (512, 4, 4),
    "vgg16-bn": (256, 8, 8),
    "res25-se": (2048, 2, 2),
    "miennet": (128, 5, 5),
    "dlib13": (256, 3, 3),
    "dlib14": (256, 2, 2),
    "faceres10": (512, 6, 6),
    "faceres13": (1024, 4, 4),
}
SIDES = {"miennet": 88, "dlib13": 112, "dlib14": 150, "faceres10": 96, "faceres13": 112}
# convolutions and linear layers, those of shortcuts and gates left out
LAYERS = {
    "res13-se": 1 + 5 * 2 + 1 + 1,
    "cnn10": 5 + 3,
    "cnn13": 4 + 3,
    "cnn15": 5 + 3,
    "cnn15-dropout": 5 + 3,
    "cnn15-gap": 5 + 1,
    "cnn16-se": 5 + 3,
    "cnn17": 6 + 3,
    "resnet18": 18,
    "resnet34": 34,
    "vgg16-bn": 6 + 3,
    "res25-se": 1 + 5 * 2 + 3,
    "miennet": 1 + 10 * 2 + 1,
    "dlib13": 1 + 13 * 2 + 1,
    "dlib14": 1 + 14 * 2 + 1,
    "faceres10": 1 + 10 * 2 + 1,
    "faceres13": 1 + 13 * 2 + 1,
}
every_model = pytest.mark.parametrize("name", zoo.MODELS)


@pytest.fixture(scope="module", params=zoo.MODELS)
def built(request):
    """Name, network in evaluation mode; built once, as the largest take a second each time."""
    torch.manual_seed(0)
    return request.param, zoo.build(request.param, 7, 0.9).eval()


def grey_crops(count, side=64):
    crops = torch.randn(count, 1, side, side, generator=torch.Generator().manual_seed(0))
    return crops.expand(-1, 3, -1, -1)


def test_every_model_has_its_size_written_down():
    counts = {
        name: sum(p.numel() for p in zoo.build(name, 6, 0.2).parameters()) for name in zoo.MODELS
    }
    assert counts == PARAMETERS


@every_model
@pytest.mark.parametrize("outputs", [6, 7])
def test_a_model_has_one_logit_for_each_class(name, outputs):
    torch.manual_seed(0)
    network = zoo.build(name, outputs, 0.2)
    logits = network(grey_crops(3, network.side))
    assert logits.shape == (3, outputs)
    assert logits.std() > 0.01


@every_model
def test_every_parameter_of_a_model_learns(name):
    torch.manual_seed(0)
    network = zoo.build(name, 7, 0.0)
    loss = torch.nn.functional.cross_entropy(
        network(grey_crops(4, network.side)), torch.tensor([0, 2, 5, 6])
    )
    loss.backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().max() > 0, key


def test_a_crop_alone_gets_the_logits_it_gets_among_others(built):
    _, network = built
    crops = grey_crops(3, network.side)
    with torch.inference_mode():
        together, alone = network(crops), network(crops[1:2])
    torch.testing.assert_close(alone[0], together[1], atol=1e-6, rtol=1e-4)
    assert (together[0] - together[1]).abs().max() > 3e-5


def test_a_model_has_its_layers_and_last_maps(built):
    name, network = built
    aside = ("shortcut", "squeeze", "excite")
    layers = [
        key
        for key, layer in network.named_modules()
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)
        and not any(word in key for word in aside)
    ]
    assert len(layers) == LAYERS[name]
    assert network.side == SIDES.get(name, 64)
    with torch.inference_mode():
        assert network.features(grey_crops(2, network.side)).shape == (2, *LAST_MAPS[name])


def test_a_models_logits_are_its_last_layer_of_what_that_sees(built):
    _, network = built
    crops = grey_crops(2, network.side)
    with torch.inference_mode():
        expected = network.embed(crops) @ network.last.weight.T + network.last.bias
        torch.testing.assert_close(network(crops), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["res13-se", "cnn15-gap", "resnet18", "resnet34", *SIDES])
def test_a_model_of_one_linear_layer_sees_the_mean_of_its_features(name):
    torch.manual_seed(0)
    network = zoo.build(name, 6, 0.9).eval()
    crops = grey_crops(2, network.side)
    with torch.inference_mode():
        pooled = network.features(crops).flatten(2).mean(dim=2)
        torch.testing.assert_close(network.embed(crops), pooled, atol=1e-5, rtol=1e-4)


def test_the_three_layers_of_the_papers_networks_are_worked_by_hand():
    torch.manual_seed(0)
    network = zoo.build("cnn13", 6, 0.5).eval()
    weights = [(m.weight, m.bias) for m in network.head if isinstance(m, torch.nn.Linear)]
    assert [tuple(w.shape) for w, _ in weights] == [(1024, 512), (512, 1024), (6, 512)]
    with torch.inference_mode():
        x = network.features(grey_crops(2)).flatten(2).mean(dim=2)
        for number, (weight, bias) in enumerate(weights):
            x = x @ weight.T + bias
            x = x.clip(min=0) if number < 2 else x
        torch.testing.assert_close(network(grey_crops(2)), x, atol=1e-5, rtol=1e-4)


def test_the_two_convolutions_of_a_stage_of_vgg_share_one_batch_norm():
    stage = zoo.build("vgg16-bn", 6, 0.5).features[0]
    assert stage[1] is stage[4]
    assert isinstance(stage[1], torch.nn.BatchNorm2d)


def test_the_dropout_of_cnn15_stands_after_all_stages_but_the_last():
    features = zoo.build("cnn15-dropout", 6, 0.5).features
    found = [[m.p for m in stage if isinstance(m, torch.nn.Dropout)] for stage in features]
    assert found == [[0.2], [0.2], [0.2], [0.2], []]


@every_model
def test_dropout_works_in_training_and_only_there(name):
    torch.manual_seed(0)
    network = zoo.build(name, 6, 0.5)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eval()  # so that dropout alone is left to vary
    crops = grey_crops(2, network.side)
    assert (network(crops) - network(crops)).abs().max() > 1e-3
    network.eval()
    torch.testing.assert_close(network(crops), network(crops), atol=0, rtol=0)


@every_model
def test_weights_follow_from_torchs_seed(name):
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in zoo.build(name, 7, 0.2).parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_model_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="no model called 'mienet'\n  try: use miennet"):
        zoo.build("mienet", 7, 0.2)


def test_without_batch_norm_pictures_still_differ_in_a_fresh_networks_logits():
    torch.manual_seed(0)
    network = zoo.build("cnn10", 6, 0.5).eval()
    with torch.inference_mode():
        logits = network(grey_crops(16))
    assert logits.std(0).mean() > 0.1  # 0.0003 with torch's own weights


def test_of_three_linear_layers_what_the_first_says_is_dropped():
    kinds = [type(layer).__name__ for layer in zoo.build("cnn13", 6, 0.5).head]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]
