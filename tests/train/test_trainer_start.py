from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from mien.errors import BadModelError, BadSettingError
from mien.models import zoo
from mien.train import trainer
from mien.train.data import load_data
from mien.train.dataset import normalise
from mien.train.run import load_run
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The settings of a run that is over, and its folder."""
    folder = write_crops(tmp_path_factory.mktemp("made"), train=12)
    settings = settings_for(folder, epochs=5, augment=False)
    out = tmp_path_factory.mktemp("runs") / "first"
    trainer.train(settings, out)
    return settings, out


def test_a_run_begins_with_the_best_weights_of_another(first, tmp_path):
    settings, out = first
    changes = {"augment": False, "dropout": 0.0, "batch": 500, "smoothing": 0.0, "epochs": 1}
    next_one = replace(settings, start=str(out), seed=9, **changes)
    [row] = trainer.train(next_one, tmp_path / "next")
    crops = load_data(next_one).train
    network = load_run(out).network.train()
    network.dropout.p = 0.0
    with torch.no_grad():
        logits = network(normalise(crops.gray[:, None].float() / 255))
    expected = torch.nn.functional.cross_entropy(logits, crops.targets).item()
    assert row["train_loss"] == pytest.approx(expected, abs=1e-5)
    [fresh] = trainer.train(replace(next_one, start=""), tmp_path / "fresh")
    assert fresh["train_loss"] > expected + 0.3


@pytest.mark.parametrize("change", [{"draw": 5}, {"hold_out": 0.1}, {"model": "other"}])
def test_a_start_that_does_not_fit_is_refused_and_says_why(first, tmp_path, monkeypatch, change):
    monkeypatch.setitem(zoo.MODELS, "other", tiny)
    settings, out = first
    [name] = change
    with pytest.raises(BadSettingError, match=rf"the start .*first has {name} = .*\n  try: give"):
        trainer.train(replace(settings, start=str(out), **change), tmp_path / "next")


def test_a_start_that_is_no_run_is_refused(first, tmp_path):
    (tmp_path / "config.toml").write_text((first[1] / "config.toml").read_text())
    with pytest.raises(BadModelError, match="no checkpoint of ours"):
        trainer.train(replace(first[0], start=str(tmp_path)), tmp_path / "next")


def test_the_first_layers_have_their_share_of_the_rate_in_every_step(first, tmp_path):
    settings = replace(first[0], epochs=1, average=0.0, stem_rate=0.0)
    torch.manual_seed(settings.seed)
    fresh = tiny(7, settings.dropout)
    trainer.train(settings, tmp_path)
    found = load_run(tmp_path).network
    pairs = zip(found.named_parameters(), fresh.parameters(), strict=True)
    changed = {name for (name, own), other in pairs if not torch.equal(own, other)}
    first_layers = {name for name, _ in fresh.named_parameters() if name.startswith("features.0.")}
    assert changed.isdisjoint(first_layers)  # no share of the rate leaves them as they were
    assert {"features.2.first.0.weight", "head.weight", "head.bias"} <= changed
