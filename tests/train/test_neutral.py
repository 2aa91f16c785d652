"""Neutral is told from the six within its own database, by a row of the head fitted anew."""

import copy
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.linear_model import LogisticRegression

from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL_INDEX
from mien.train import dataset
from mien.train.neutral import fit_neutral, same_origin
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import tiny

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """One database with neutral faces, 12 a class, and one without, 12 a class."""
    folder = tmp_path_factory.mktemp("two")
    write_crops(folder / "a", train=12, source="with")
    write_crops(folder / "b", train=12, labels=LABELS, source="without", seed=1000)
    return dataset.load_crops([folder / "a", folder / "b"], "train")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return tiny(7, 0.0).eval()


@torch.inference_mode()
def features(network, crops):
    return network.features(dataset.normalise(crops.gray[:, None].float() / 255)).mean((2, 3))


def test_only_databases_with_neutral_faces_are_learned_from(crops):
    own = same_origin(crops)
    assert {row.source for row in own.rows} == {"with"}
    assert len(own) == 7 * 12


def test_the_row_is_the_balanced_logistic_regression_of_scikit_learn(network, crops):
    own = same_origin(crops)
    given = features(network, own).numpy().astype(np.float64)
    calm = own.targets.numpy() == NEUTRAL_INDEX
    spread = given.std(axis=0, ddof=1)
    standard = (given - given.mean(axis=0)) / (spread + spread.mean())
    model = LogisticRegression(
        C=1 / (1e-3 * len(own)), class_weight="balanced", tol=1e-10, max_iter=10_000
    )
    expected = model.fit(standard, calm).predict_proba(standard)[:, 1]
    fit_neutral(network, crops)
    with torch.inference_mode():
        logits = network.head(features(network, own))[:, NEUTRAL_INDEX]
    np.testing.assert_allclose(torch.sigmoid(logits).numpy(), expected, atol=0.01)
    assert ((expected > 0.5) == calm).mean() > 0.9  # there is something to learn


def test_votes_for_neutral_are_learned_in_place_of_the_label(network, crops):
    own = same_origin(crops)
    calm = own.targets.numpy() == NEUTRAL_INDEX
    seen = own.targets.numpy() == LABELS.index("sadness")
    shares = torch.nn.functional.one_hot(own.targets, 7).float()
    shares[seen] = 0
    shares[seen, NEUTRAL_INDEX], shares[seen, 2] = 0.8, 0.2  # most see calm where it says sadness
    given = features(network, own).numpy().astype(np.float64)
    spread = given.std(axis=0, ddof=1)
    standard = (given - given.mean(axis=0)) / (spread + spread.mean())
    # both answers of each crop, weighed by the votes; neutral crops together as much as the others
    votes = shares[:, NEUTRAL_INDEX].numpy()
    balance = np.where(calm, 1 / calm.sum(), 1 / (~calm).sum()) * len(own) / 2
    model = LogisticRegression(C=1 / (1e-3 * len(own)), tol=1e-10, max_iter=10_000)
    answers, weights = np.repeat([1, 0], len(own)), np.concatenate([votes, 1 - votes])
    model.fit(np.tile(standard, (2, 1)), answers, np.tile(balance, 2) * weights)
    expected = model.predict_proba(standard)[:, 1]
    fit_neutral(network, replace(crops, shares=_for_all(crops, own, shares)))
    with torch.inference_mode():
        found = torch.sigmoid(network.head(features(network, own))[:, NEUTRAL_INDEX]).numpy()
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert found[seen].mean() > 0.5 > found[~seen & ~calm].mean()


def _for_all(crops, own, shares):
    """The shares of a part, and those of the labels for the rest."""
    found = torch.nn.functional.one_hot(crops.targets, 7).float()
    chosen = {row.path: share for row, share in zip(own.rows, shares, strict=True)}
    for i, row in enumerate(crops.rows):
        if row.source == "with":
            found[i] = chosen[row.path]
    return found


def test_all_but_the_last_row_stays_as_it_was(network, crops):
    before = copy.deepcopy(network.state_dict())
    fit_neutral(network, crops)
    for name, value in network.state_dict().items():
        same = value[:NEUTRAL_INDEX] if name.startswith("head") else value
        old = before[name][:NEUTRAL_INDEX] if name.startswith("head") else before[name]
        assert torch.equal(same, old), name
    assert not torch.equal(network.head.weight[6], before["head.weight"][6])


def test_without_neutral_pictures_the_next_step_is_named(network, crops):
    six = crops.where(crops.targets.numpy() < NEUTRAL_INDEX)
    with pytest.raises(BadDataError, match="train with neutral = false"):
        fit_neutral(network, six)
    calm = crops.where(crops.targets.numpy() == NEUTRAL_INDEX)
    with pytest.raises(BadDataError, match="train with neutral = false"):
        fit_neutral(network, calm)
