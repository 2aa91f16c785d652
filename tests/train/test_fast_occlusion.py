"""Fast occlusion: learned on a network that sees three places, read from files, on the portrait."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnxruntime
import skimage.data

import mien
from mien.errors import BadDataError, BadModelError
from mien.evaluate.faithfulness import blur_crops
from mien.explain import explain, source_of, versus
from mien.explain.methods import default_method
from mien.pixels import to_batch, to_gray
from mien.recognize.model import SHIPPED, Model, read_card
from mien.train.export import export
from mien.train.fast_occlusion import add_fast_occlusion, hidden, learn
from tests.support.exported_runs import random_crops, with_random_statistics, write_run
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch
SIDE, PLACES = 32, 4  # of the crops of the made network, and of its maps
WEIGHTS = np.array([[1.0, 0.5, -2.0], [0.0, 3.0, 1.0]])  # of what it sees in three places
SEEN = [(0, 2), (3, 1), (1, 3)]  # row and column of these places


GRAY = to_batch(np.full((1, SIDE, SIDE), 128, np.uint8), SIDE)[0, 0, 0, 0]


def contrasts(batch):
    """The mean square distance from mid-grey within each of 4x4 places: (N, 4, 4)."""
    patch = SIDE // PLACES
    square = (batch[:, 0] - GRAY) ** 2
    return square.reshape(-1, PLACES, patch, PLACES, patch).mean(axis=(2, 4))


def sees_three_places(batch):
    """Logits (N, 2) are a sum of the contrasts of three places; blur takes contrast away.

    Each place has a channel of its own: (N, 3, 4, 4).
    """
    features = np.zeros((len(batch), 3, PLACES, PLACES), np.float32)
    for channel, (row, column) in enumerate(SEEN):
        features[:, channel, row, column] = contrasts(batch)[:, row, column]
    return (features.sum(axis=(2, 3)) @ WEIGHTS.T).astype(np.float32), features


def maps_of(found, features):
    """What was learned, as torch lays it out: (N, K, h, w) -> (N, C, H, W)."""
    weight = torch.from_numpy(found.weight)
    fine = torch.nn.functional.conv2d(torch.from_numpy(features), weight, padding=1)
    return torch.nn.functional.pixel_shuffle(fine, found.split).numpy() + found.bias


@pytest.fixture(scope="module")
def learned():
    """From crops whose places differ in contrast."""
    random = np.random.default_rng(0)
    strength = np.kron(random.uniform(5, 60, (400, PLACES, PLACES)), np.ones((8, 8)))
    crops = (128 + strength * random.choice([-1, 1], (400, SIDE, SIDE))).astype(np.uint8)
    return learn(sees_three_places, crops, seed=1), crops


def test_a_map_says_what_each_hidden_place_takes_from_each_logit(learned):
    found, crops = learned
    assert found.crops == 400
    assert 0.95 < found.fidelity <= 1
    logits, features = sees_three_places(to_batch(crops[:20], SIDE))
    maps = maps_of(found, features)
    assert maps.shape == (20, 2, 8, 8)  # two cells to a place's side
    by_place = maps.reshape(20, 2, PLACES, 2, PLACES, 2).sum(axis=(3, 5))
    expected = np.zeros_like(by_place)
    for channel, (row, column) in enumerate(SEEN):
        expected[:, :, row, column] = np.outer(
            features[:, channel, row, column], WEIGHTS[:, channel]
        )
    np.testing.assert_allclose(by_place, expected, atol=0.25)  # the largest are about 2
    np.testing.assert_allclose(by_place.sum(axis=(2, 3)), logits, atol=0.5)


def test_a_cell_is_not_taken_for_another_of_its_place():
    """The network sees the upper right quarter of one place: the cell in row 2, column 5 of 8."""
    random = np.random.default_rng(3)
    strength = np.kron(random.uniform(5, 60, (300, 8, 8)), np.ones((4, 4)))
    crops = (128 + strength * random.choice([-1, 1], (300, SIDE, SIDE))).astype(np.uint8)

    def sees_a_quarter(batch):
        features = np.zeros((len(batch), 1, PLACES, PLACES), np.float32)
        features[:, 0, 1, 2] = ((batch[:, 0, 8:12, 20:24] - GRAY) ** 2).mean(axis=(1, 2))
        return features[:, :, 1, 2], features

    found = learn(sees_a_quarter, crops)
    logits, features = sees_a_quarter(to_batch(crops[:9], SIDE))
    maps = maps_of(found, features)[:, 0]
    np.testing.assert_allclose(maps[:, 2, 5], logits[:, 0], atol=0.1)
    maps[:, 2, 5] = 0
    np.testing.assert_allclose(maps, 0, atol=0.1)


def test_the_same_seed_learns_the_same_and_another_one_other_masks(learned):
    _, crops = learned
    first, again, other = (learn(sees_three_places, crops[:60], seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.weight, again.weight)
    assert not np.array_equal(first.weight, other.weight)


def test_what_the_features_do_not_know_is_not_explained(learned):
    _, crops = learned

    def blind(batch):
        logits, features = sees_three_places(batch)
        return logits, np.zeros_like(features)

    assert learn(blind, crops[:200]).fidelity < 0.8  # the mean loss of each cell alone


def test_too_few_crops_are_refused(learned):
    _, crops = learned
    with pytest.raises(BadDataError, match="19 crops to learn fast occlusion from, 20"):
        learn(sees_three_places, crops[:19])


def test_hidden_cells_are_blurred_and_no_pixel_beside_them():
    crop, blur = np.full((10, 10), 1, np.uint8), np.full((10, 10), 2, np.uint8)
    masks = np.zeros((2, 4, 4), bool)
    masks[0, 0, 3] = masks[1, 2, 1] = True
    first, second = hidden(crop, blur, masks)
    # pixel p lies in cell 4 p // 10: 0 1 2 | 3 4 | 5 6 7 | 8 9
    assert np.argwhere(first == 2).tolist() == [[r, c] for r in (0, 1, 2) for c in (8, 9)]
    assert np.argwhere(second == 2).tolist() == [[r, c] for r in (5, 6, 7) for c in (3, 4)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A run exported without and with the output, and the cards."""
    base = tmp_path_factory.mktemp("exported")
    settings = settings_for(write_crops(base / "made", train=20))
    torch.manual_seed(5)
    write_run(base / "run", with_random_statistics(tiny(7, 0)), settings)
    files = base / "without.onnx", base / "with.onnx"
    cards = export(base / "run", files[0]), export(base / "run", files[1], fast_occlusion=iter)
    return *files, *cards


def test_export_adds_one_output_and_changes_no_other(exported):
    without, with_, plain, card = exported
    assert card["weights_sha256"] == plain["weights_sha256"]
    assert "occlusion" not in plain["explain"]
    record = card["explain"]["occlusion"]
    assert record == read_card(with_)["explain"]["occlusion"]
    assert record["seed"] == 0
    assert 0 < record["crops"] < 140  # of six classes and the calm one, without those held out
    assert record["fidelity"] <= 1
    models = Model(without), Model(with_)
    assert set(models[1].outputs) - set(models[0].outputs) == {"occlusion"}
    batch = to_batch(random_crops(5))
    for name in models[0].outputs:
        one, other = (model.tensors(batch, [name])[name] for model in models)
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("model", "cells"), [("miennet", 10), ("res13-se", 8)])  # of 5x5, 8x8
def test_the_file_computes_what_was_learned(model, cells, monkeypatch):
    from mien.models import zoo
    from mien.models.network import WithMaps
    from mien.train import fast_occlusion
    from mien.train.export import _to_onnx

    torch.manual_seed(0)
    network = with_random_statistics(zoo.build(model, 6, 0)).eval()
    monkeypatch.setattr(fast_occlusion, "_CHANNELS", 16)
    kept = []
    monkeypatch.setattr(fast_occlusion, "learn", lambda *a: kept.append(learn(*a)) or kept[0])
    graph, _ = add_fast_occlusion(_to_onnx(WithMaps(network)), random_crops(24), network.side)
    session = onnxruntime.InferenceSession(graph)
    batch = to_batch(random_crops(3), network.side)
    maps, features = session.run(["occlusion", "features"], {"crops": batch})
    assert maps.shape == (3, 6, cells, cells)
    expected = maps_of(kept[0], features)
    np.testing.assert_allclose(maps, expected, atol=1e-4 * np.abs(expected).max())


def test_a_target_of_two_classes_is_the_difference_of_their_maps(exported):
    model = Model(exported[1])
    batch = to_batch(random_crops(4))
    own = model.tensors(batch, ["occlusion"])["occlusion"]
    found = explain(model, batch, "fast-occlusion", versus("fear", "surprise"))
    fear, surprise = (mien.LABELS.index(name) for name in ("fear", "surprise"))
    np.testing.assert_allclose(found, own[:, fear] - own[:, surprise], atol=1e-4)
    of_sadness = explain(model, batch, "fast-occlusion", "sadness")
    np.testing.assert_allclose(of_sadness, own[:, mien.LABELS.index("sadness")], atol=1e-6)


def test_a_file_or_a_network_without_it_says_how_to_get_it(exported):
    batch = to_batch(random_crops(1))
    with pytest.raises(BadModelError, match="has not learned fast occlusion") as caught:
        explain(exported[0], batch, "fast-occlusion")
    assert "mien export --fast-occlusion" in caught.value.fix
    with pytest.raises(BadModelError, match="needs a model file written with mien export"):
        explain(tiny(6, 0), batch, "fast-occlusion")


def test_it_is_the_usual_method_where_every_network_has_learned_it(exported):
    without, learned = (source_of(path) for path in exported[:2])
    assert default_method(learned) == default_method(learned, learned) == "fast-occlusion"
    assert default_method(without) == default_method(learned, without) == "grad-cam"
    assert default_method(learned, layer="features") == "grad-cam"
    assert default_method(source_of(tiny(6, 0))) == "grad-cam"


def test_of_the_portrait_the_strongest_cells_take_the_smile_and_the_weakest_leave_it():
    recognizer = mien.Recognizer()
    [face] = recognizer.read(skimage.data.astronaut()).faces
    gray = to_gray(face.crop)
    batch = recognizer.model.to_batch([gray])
    [cells] = explain(SHIPPED, batch, "fast-occlusion", "happiness")
    assert cells.shape == (10, 10)
    order = np.argsort(cells.ravel())
    masks = np.zeros((2, 100), bool)
    masks[0, order[-40:]] = masks[1, order[:40]] = True
    changed = hidden(gray, blur_crops(gray[None])[0], masks.reshape(2, 10, 10))
    scores = recognizer.model.run(recognizer.model.to_batch(changed), maps=False).scores[:, 0]
    [whole] = recognizer.model.run(batch, maps=False).scores[:, 0]
    assert scores[0] < 0.3 < 0.9 < scores[1]
    assert whole > 0.9


def test_a_channel_that_fires_only_in_later_crops_does_not_drown_the_others(learned):
    found, crops = learned
    rare = set(map(bytes, crops[390:]))

    def with_a_rare_channel(batch):
        logits, features = sees_three_places(batch)
        fires = [np.rint((crop[0] - GRAY) * 0.229 * 255 + 128).astype(np.uint8) for crop in batch]
        extra = np.array([bytes(crop) in rare for crop in fires], np.float32)
        extra = np.broadcast_to(extra[:, None, None, None], (len(batch), 1, PLACES, PLACES))
        return logits, np.concatenate([features, extra], axis=1)

    again = learn(with_a_rare_channel, crops, seed=1)
    assert again.fidelity == pytest.approx(found.fidelity, abs=0.02)
    maps = maps_of(again, with_a_rare_channel(to_batch(crops[:9], SIDE))[1])
    expected = maps_of(found, sees_three_places(to_batch(crops[:9], SIDE))[1])
    np.testing.assert_allclose(maps, expected, atol=0.2)  # the largest are about 2


def test_a_network_that_never_changes_its_mind_has_empty_maps(learned):
    _, crops = learned

    def constant(batch):
        return np.ones((len(batch), 2), np.float32), sees_three_places(batch)[1]

    found = learn(constant, crops[:40])
    assert found.fidelity == 1
    np.testing.assert_allclose(maps_of(found, constant(to_batch(crops[:3], SIDE))[1]), 0, atol=1e-6)
