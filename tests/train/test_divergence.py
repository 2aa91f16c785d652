import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("matplotlib")

from mien.data import manifest
from mien.evaluate.calibration import bound_of
from mien.train import config, trainer
from mien.train.divergence import BadLossError, DivergedError, divergence_of, stop_diverged
from mien.train.history import read_history
from mien.train.run import load_run
from tests.support.commands import mien
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made") / "data", train=14)


@pytest.mark.parametrize("hold_out", [0.25, 0])
def test_weights_that_are_no_numbers_end_the_run_and_are_not_kept(
    folder, tmp_path, monkeypatch, hold_out
):
    real, epochs = trainer.validate, iter((1, 2))

    def spoil(model, held):
        if next(epochs) == 2:
            model.features[0][1].running_var[0] = np.inf
        return real(model, held)

    monkeypatch.setattr(trainer, "validate", spoil)
    settings = settings_for(folder, epochs=3, batch=64, rate=0.01, hold_out=hold_out)
    told = (
        "weights or answers became no numbers at the end of epoch 2; "
        "epoch 1, the last whole one, is kept\n  try: lower the rate, 0.01, and train with another"
    )
    with pytest.raises(DivergedError, match=told):
        trainer.train(settings, tmp_path)
    assert [row["epoch"] for row in read_history(tmp_path)] == [1]
    assert load_run(tmp_path).history[-1]["epoch"] == 1
    assert not (tmp_path / "bad-batch.csv").exists()


def test_without_a_whole_epoch_none_is_said_to_be_kept(folder, tmp_path):
    settings = settings_for(folder, epochs=9, rate=1e9, schedule="constant", weight_decay=1.0)
    with pytest.raises(DivergedError, match="no epoch was finished") as caught:
        trainer.train(settings, tmp_path)
    assert caught.value.fix == "lower the rate, 1000000000.0, and train with another --out"


def test_bfloat16_is_named_where_it_was_used(folder, tmp_path):
    row = manifest.read(folder)[0]
    used = settings_for(folder, bf16=True, rate=0.5)
    error = stop_diverged(BadLossError("the loss became nan", [row]), tmp_path, used, 4)
    assert error.fix == "lower the rate, 0.5, or set bf16 = false, and train with another --out"
    assert f"1 pictures, {row.path}" in error.message
    assert "epoch 4, the last whole one, is kept" in error.message


def rows(*losses):
    """A history whose accuracy is best in its second epoch."""
    best = (0.1, 0.5, 0.2, 0.2)
    pairs = enumerate(zip(losses, best, strict=False), 1)
    return [{"epoch": e, "held_loss": loss, "held_accuracy": a} for e, (loss, a) in pairs]


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ((), ""),
        ((1.8, 4.1, 9.9), ""),
        ((0.0, 0.0), ""),
        ((1.8, 1.7, 11.0, 1e9), "2 of 4 epochs, first in epoch 3; epoch 2, which is kept, is none"),
        ((10.1, 40.0), "2 of 2 epochs, first in epoch 1; epoch 2, which is kept, is one of them:"),
    ],
)
def test_an_explosion_and_what_is_kept_of_it_are_told(losses, expected):
    assert expected in divergence_of(rows(*losses))
    assert bool(divergence_of(rows(*losses))) == bool(expected)


def trained(settings, place):
    (place / "own.toml").write_text(config.to_toml(settings))
    return mien("train", place / "own.toml", "--out", place / "run")


def test_train_says_that_the_held_out_loss_exploded(folder, tmp_path):
    settings = settings_for(folder, epochs=2, rate=30.0, schedule="constant")
    result = trained(settings, tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "(exploded)  accuracy" in result.stderr
    assert "the held-out loss exploded (above 10) in 2 of 2 epochs" in result.stderr


def test_train_says_that_patience_ended_it_and_nothing_of_that_else(folder, tmp_path):
    settings = settings_for(folder, epochs=40, rate=1e-9, patience=1, augment=False, average=0.0)
    result = trained(settings, tmp_path)
    assert "stopped after epoch 2 of 40: 1 without a better held-out accuracy" in result.stderr
    (tmp_path / "other").mkdir()
    result = trained(settings_for(folder, epochs=2, rate=0.01), tmp_path / "other")
    assert "stopped after" not in result.stderr
    assert "exploded" not in result.stderr


def test_export_says_that_the_temperature_lies_at_its_bound(tmp_path):
    folder = write_crops(tmp_path / "data", train=85)
    settings = settings_for(
        folder, epochs=1, batch=48, hold_out=0.5, rate=30.0, schedule="constant"
    )
    assert trained(settings, tmp_path).exit_code == 0
    result = mien("export", tmp_path / "run")
    assert bound_of(20.0) in result.stdout
