import csv
import json
import os
from contextlib import ExitStack

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file

from mien import pixels
from mien.errors import BadModelError, BadSettingError, OutputError, UnknownNameError
from mien.evaluate.accuracy import commit
from mien.train import optim, run, trainer
from mien.train.data import Data, load_data
from mien.train.distributed import Worker
from mien.train.history import read_history
from mien.train.optim import rate_at
from mien.train.validate import best_epoch
from tests.support.full_disk import full_disk
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made"), train=12)


def weights(path, prefix="model."):
    """The weights of a checkpoint by name, without those of batch norm's statistics."""
    found = load_file(path).items()
    own = {k.removeprefix(prefix): v for k, v in found if k.startswith(prefix)}
    return {k: v for k, v in own.items() if "running" not in k and "num_batches" not in k}


def one_step(folder, out, **changes):
    """Train one step on all crops at once and return the settings and the first weights."""
    settings = settings_for(
        folder, epochs=1, batch=84, hold_out=0, schedule="constant", augment=False, **changes
    )
    torch.manual_seed(settings.seed)
    start = tiny(7, settings.dropout)
    return settings, start, trainer.train(settings, out)


def with_accuracies(monkeypatch, accuracies):
    """Let the epochs have these held-out accuracies."""
    given = iter(accuracies)
    monkeypatch.setattr(
        trainer, "validate", lambda *_: {"held_loss": 1.0, "held_accuracy": next(given)}
    )


def test_memory_that_training_frees_is_kept(folder, tmp_path, monkeypatch):
    files = []
    monkeypatch.setattr(
        trainer, "keep_freed_memory", lambda: files.append(len(list(tmp_path.iterdir())))
    )
    trainer.train(settings_for(folder, epochs=1), tmp_path)
    assert files == [0]  # once, before anything else


def test_a_network_learns_what_its_crops_show(folder, tmp_path):
    history = trainer.train(settings_for(folder, epochs=5, augment=False), tmp_path)
    assert history[-1]["held_accuracy"] > 0.9  # chance is a sixth
    assert history[-1]["held_loss"] < history[0]["held_loss"] - 0.5
    assert history[-1]["train_loss"] < history[0]["train_loss"] - 0.5


def test_batches_changed_together_are_those_changed_alone(folder, tmp_path, monkeypatch):
    changes = {"epochs": 2, "batch": 16, "rotate": 0.0, "flip": 1.0, "dropout": 0.0}
    changes |= dict.fromkeys(("shift", "scale", "light", "blur", "erase"), 0.0)  # nothing is drawn
    alone = trainer.train(settings_for(folder, **changes), tmp_path / "alone")
    monkeypatch.setattr(trainer, "_AUGMENTED_AT_ONCE", {"cpu": 3})
    together = trainer.train(settings_for(folder, **changes), tmp_path / "together")
    assert [{**row, "seconds": 0} for row in together] == [{**row, "seconds": 0} for row in alone]


def test_another_layout_of_memory_changes_no_result(folder, tmp_path, monkeypatch):
    settings = settings_for(folder, epochs=2, augment=False, dropout=0.0)
    usual = trainer.train(settings, tmp_path / "usual")
    monkeypatch.setattr(optim, "_LARGE", 0)
    built = trainer.Trainer(settings, load_data(settings).train, Worker())
    assert all(weight.is_contiguous() for weight in built.model.parameters())
    other = trainer.train(settings, tmp_path / "other")
    for key in ("train_loss", "held_loss", "held_accuracy"):
        expected = [row[key] for row in usual]
        assert [row[key] for row in other] == pytest.approx(expected, rel=1e-3)


def test_a_step_is_the_one_of_the_formula(folder, tmp_path):
    changes = {"rate": 0.1, "momentum": 0.9, "weight_decay": 0.01, "smoothing": 0.2, "dropout": 0.0}
    settings, network, [row] = one_step(folder, tmp_path, **changes)
    crops = load_data(settings).train
    batch = torch.from_numpy(pixels.to_batch(crops.gray.numpy()))
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.2)(network(batch), crops.targets)
    loss.backward()
    found = weights(tmp_path / "last.safetensors")
    for name, parameter in network.named_parameters():
        decay = 0.01 if parameter.ndim > 1 else 0  # biases and batch norm go free
        gradient = parameter.grad + decay * parameter
        expected = parameter - 0.1 * (gradient + 0.9 * gradient)  # Nesterov's first step
        torch.testing.assert_close(found[name], expected, atol=2e-5, rtol=1e-3, msg=name)
    assert row["train_loss"] == pytest.approx(loss.item(), abs=1e-5)


def test_weights_decay_and_biases_do_not(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "cross_entropy", lambda logits, *_, **__: 0 * logits.sum())
    _, network, _ = one_step(folder, tmp_path, rate=0.5, weight_decay=0.2, momentum=0.0)
    found = weights(tmp_path / "last.safetensors")
    for name, parameter in network.named_parameters():
        kept = 1 - 0.5 * 0.2 if parameter.ndim > 1 else 1
        torch.testing.assert_close(found[name], kept * parameter.detach(), msg=name)


@pytest.mark.parametrize(
    ("average", "keeps"),
    [(0.999, (1 / 10, 2 / 11, 3 / 12)), (0.15, (1 / 10, 0.15, 0.15)), (0.0, (0, 0, 0))],
)
def test_the_average_follows_the_weights_and_at_first_faster(folder, tmp_path, average, keeps):
    settings = settings_for(folder, epochs=3, batch=84, hold_out=0, average=average)
    seen = []

    def remember(_row):
        last = tmp_path / "last.safetensors"
        seen.append((weights(last), weights(last, "average.")))

    torch.manual_seed(settings.seed)
    expected = {k: v.detach() for k, v in tiny(7, 0.2).named_parameters()}
    trainer.train(settings, tmp_path, report=remember)
    for keep, (fast, slow) in zip(keeps, seen, strict=True):
        for name, value in slow.items():
            expected[name] = keep * expected[name] + (1 - keep) * fast[name]
            torch.testing.assert_close(value, expected[name], atol=1e-6, rtol=1e-5, msg=name)


def test_an_epochs_row_is_the_mean_of_its_losses_and_its_last_rate(folder, tmp_path, monkeypatch):
    losses, real = [], trainer.cross_entropy

    def remember(*arguments, **options):
        loss = real(*arguments, **options)
        losses.append(loss.item())
        return loss

    monkeypatch.setattr(trainer, "cross_entropy", remember)
    settings = settings_for(folder, epochs=2, batch=12, hold_out=0)
    history = trainer.train(settings, tmp_path)
    assert len(losses) == 14
    assert [row["epoch"] for row in history] == [1, 2]
    for row, part, last in zip(history, (losses[:7], losses[7:]), (6, 13), strict=True):
        assert row["train_loss"] == pytest.approx(np.mean(part), abs=1e-5)
        assert row["rate"] == pytest.approx(rate_at(last, 14, settings), abs=1e-6)


def test_the_averaged_weights_are_what_is_validated(folder, tmp_path):
    settings = settings_for(folder, epochs=1)
    [row] = trainer.train(settings, tmp_path)
    network, held = tiny(7, 0.0), load_data(settings).held
    run.load_weights(tmp_path / "last.safetensors", network)
    with torch.inference_mode():
        logits = network.eval()(torch.from_numpy(pixels.to_batch(held.gray.numpy())))
    expected = torch.nn.CrossEntropyLoss()(logits, held.targets).item()
    assert row["held_loss"] == pytest.approx(expected, abs=2e-5)


def test_the_history_is_written_as_it_is_returned(folder, tmp_path):
    steps, rows = [], []
    settings = settings_for(folder, epochs=2)
    history = trainer.train(
        settings,
        tmp_path,
        progress=lambda s, name: steps.append((len(s), name)) or s,
        report=rows.append,
    )
    with (tmp_path / "history.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert table == [{k: str(v) for k, v in row.items()} for row in history]
    columns = ["epoch", "train_loss", "held_loss", "held_accuracy", "rate", "seconds"]
    assert list(table[0]) == columns
    assert rows == history
    count = len(load_data(settings).train) // 12
    assert steps == [(count, "epoch 1/2"), (count, "epoch 2/2")]


def test_a_run_says_what_it_trained_on(folder, tmp_path):
    settings = settings_for(folder, epochs=1, seed=3)
    trainer.train(settings, tmp_path)
    record = json.loads((tmp_path / "data.json").read_text())
    data = load_data(settings)
    assert (record["train"], record["held_out"]) == (len(data.train), len(data.held))
    assert record["train_by_source"] == {"made": len(data.train)}
    assert (record["copies_of_test_dropped"], record["copies_of_held_out_dropped"]) == (0, 0)
    assert record["seed"] == 3
    assert (record["commit"], record["torch"]) == (commit(), torch.__version__)
    has_gpu = torch.cuda.is_available()
    assert record["device"] == (torch.cuda.get_device_name() if has_gpu else "cpu")
    assert record["cores"] == os.cpu_count()


def test_the_best_epoch_is_kept_and_a_tie_goes_to_the_earlier(folder, tmp_path, monkeypatch):
    with_accuracies(monkeypatch, [0.3, 0.5, 0.5, 0.4])
    trainer.train(settings_for(folder, epochs=4, batch=64), tmp_path)
    best = run.load_weights(tmp_path / "best.safetensors", tiny(7, 0))["history"]
    assert [row["held_accuracy"] for row in best] == [0.3, 0.5]
    last = run.load_weights(tmp_path / "last.safetensors", tiny(7, 0))["history"]
    assert len(last) == 4


def test_with_nothing_held_out_the_last_epoch_is_the_best(folder, tmp_path):
    history = trainer.train(settings_for(folder, epochs=2, batch=64, hold_out=0), tmp_path)
    assert [row["held_accuracy"] for row in history] == [0, 0]
    best, last = (weights(tmp_path / f"{name}.safetensors") for name in ("best", "last"))
    assert all(torch.equal(best[name], last[name]) for name in last)


def test_with_only_calm_pictures_held_out_the_last_epoch_is_the_best(folder, tmp_path):
    settings = settings_for(folder, epochs=2, batch=64, hold_out=0)
    data = load_data(settings)
    calm = data.train.where(data.train.targets.numpy() == 6)
    history = trainer.train(settings, tmp_path, data=Data(data.train, calm, 0, 0))
    best, last = (weights(tmp_path / f"{name}.safetensors") for name in ("best", "last"))
    assert all(torch.equal(best[name], last[name]) for name in last)
    assert best_epoch(history)["epoch"] == 2


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (3, 7), (0, 7)])
def test_a_run_stops_when_its_patience_is_over(folder, tmp_path, monkeypatch, patience, epochs):
    with_accuracies(monkeypatch, [0.1, 0.5, 0.4, 0.5, 0.6, 0.2, 0.1])
    settings = settings_for(folder, epochs=7, batch=64, patience=patience)
    assert len(trainer.train(settings, tmp_path)) == epochs


def shown_in_the_second_epoch(settings, count):
    """The first pictures of that epoch, by the seeds that a run is documented to draw from."""
    rows = load_data(settings).train.rows
    generator = torch.Generator().manual_seed(settings.seed * 100_003 + 1)
    return {rows[i].path for i in torch.randperm(len(rows), generator=generator)[:count].tolist()}


def test_the_loss_is_not_a_number_and_the_last_whole_epoch_stays(folder, tmp_path, monkeypatch):
    settings = settings_for(folder, epochs=3, batch=64)
    saved = {}

    def spoil(_row):
        saved.update({path.name: path.read_bytes() for path in tmp_path.iterdir()})
        monkeypatch.setattr(
            trainer, "cross_entropy", lambda logits, *_, **__: logits.sum() * np.nan
        )

    message = r"loss became nan in batch 1 of epoch 2: 64 pictures, train/.*\n  try: lower the rate"
    with pytest.raises(BadModelError, match=message):
        trainer.train(settings, tmp_path, report=spoil)
    bad = tmp_path / "bad-batch.csv"
    named = {row["path"] for row in csv.DictReader(bad.read_text().splitlines())}
    bad.unlink()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == saved
    assert named == shown_in_the_second_epoch(settings, 64)
    monkeypatch.undo()
    assert len(trainer.train(settings, tmp_path, resume=True)) == 3


def test_a_third_batch_that_fails_is_named_with_its_own_pictures(folder, tmp_path, monkeypatch):
    calls, real = iter((1, 1, np.nan)), trainer.cross_entropy
    monkeypatch.setattr(trainer, "cross_entropy", lambda *a, **k: real(*a, **k) * next(calls))
    settings = settings_for(folder, epochs=1, batch=12, hold_out=0)
    with pytest.raises(BadModelError, match="nan in batch 3 of epoch 1: 12 pictures"):
        trainer.train(settings, tmp_path)
    rows = load_data(settings).train.rows
    order = torch.randperm(84, generator=torch.Generator().manual_seed(settings.seed * 100_003))
    lines = (tmp_path / "bad-batch.csv").read_text().splitlines()
    named = [row["path"] for row in csv.DictReader(lines)]
    assert named == [rows[i].path for i in order[24:36].tolist()]


def test_a_rate_beyond_reason_stops_the_run(folder, tmp_path):
    settings = settings_for(folder, epochs=9, rate=1e9, schedule="constant", weight_decay=1.0)
    with pytest.raises(BadModelError, match=r"loss became (nan|inf)"):
        trainer.train(settings, tmp_path)


def test_a_run_that_cannot_start_claims_no_folder(folder, tmp_path):
    wrong = settings_for(folder, model="tyni"), settings_for(folder, flip=2.0)
    for settings in wrong:
        with pytest.raises((UnknownNameError, BadSettingError)):
            trainer.train(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_made_is_explained(folder, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        trainer.train(settings_for(folder), tmp_path / "file" / "run")


def test_a_report_that_returns_true_ends_the_run(folder, tmp_path):
    settings = settings_for(folder, epochs=5, batch=64)
    history = trainer.train(settings, tmp_path, report=lambda row: row["epoch"] == 2)
    assert len(history) == 2
    assert run.load_weights(tmp_path / "last.safetensors", tiny(7, 0))["history"] == history


def test_data_that_are_given_are_trained_on(folder, tmp_path):
    settings = settings_for(folder, epochs=1, batch=16)
    data = load_data(settings)
    few = np.arange(len(data.train)) < 20
    given = Data(data.train.where(few), data.held, 3, 4)
    trainer.train(settings, tmp_path, data=given)
    record = json.loads((tmp_path / "data.json").read_text())
    assert (record["train"], record["held_out"]) == (20, len(data.held))
    assert (record["copies_of_test_dropped"], record["copies_of_held_out_dropped"]) == (3, 4)


def test_a_disk_that_is_full_keeps_the_last_whole_epoch(folder, tmp_path):
    settings = settings_for(folder, epochs=3, batch=64)
    kept = {}

    def fill(row):
        if row["epoch"] == 1:
            kept.update({path.name: path.read_bytes() for path in tmp_path.iterdir()})
            limit.enter_context(full_disk())

    with ExitStack() as limit, pytest.raises(OutputError, match="cannot write"):
        trainer.train(settings, tmp_path, report=fill)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    assert len(trainer.train(settings, tmp_path, resume=True)) == 3


def test_another_networks_checkpoint_is_not_gone_on_with(folder, tmp_path):
    settings = settings_for(folder, epochs=2, batch=64)
    trainer.train(settings, tmp_path, report=lambda row: True)
    other = torch.nn.Linear(3, 3)
    sgd = torch.optim.SGD(other.parameters())
    kept = {"history": read_history(tmp_path)}
    run.save_checkpoint(tmp_path / "last.safetensors", other, other, sgd, kept)
    with pytest.raises(BadModelError, match="holds another network's weights"):
        trainer.train(settings, tmp_path, resume=True)
