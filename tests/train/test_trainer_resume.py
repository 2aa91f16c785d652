from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file

from mien.errors import BadSettingError
from mien.models import zoo
from mien.models.blocks import ConvNorm
from mien.models.network import Network
from mien.train import config, trainer
from mien.train.distributed import Worker
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Three epochs of four steps with everything that draws at random."""
    folder = write_crops(tmp_path_factory.mktemp("made"), train=10)
    return settings_for(folder, epochs=3, batch=12, dropout=0.3)


@pytest.fixture(scope="module")
def whole(settings, tmp_path_factory):
    """The run that nobody stopped: its folder and history."""
    out = tmp_path_factory.mktemp("whole")
    return out, trainer.train(settings, out)


def without_time(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def assert_same_run(out, history, whole):
    assert without_time(history) == without_time(whole[1])
    assert [path.name for path in sorted(out.iterdir())] == [
        "best.safetensors",
        "config.toml",
        "data.json",
        "history.csv",
        "last.safetensors",
    ]
    for name in ("best.safetensors", "last.safetensors"):
        found, expected = load_file(out / name), load_file(whole[0] / name)
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert torch.equal(found[key], value), key


def stop_at_step(number):
    """A progress bar that is interrupted before the given step, counted over all epochs."""
    done = iter(range(number))

    def progress(steps, _name):
        for step in steps:
            if next(done, None) is None:
                raise KeyboardInterrupt
            yield step

    return progress


def test_the_same_settings_give_the_same_run(settings, whole, tmp_path):
    assert_same_run(tmp_path, trainer.train(settings, tmp_path), whole)


def test_another_seed_gives_another_run(settings, whole, tmp_path):
    history = trainer.train(replace(settings, seed=1), tmp_path)
    assert without_time(history) != without_time(whole[1])


@pytest.mark.parametrize("change", [{"augment": False}, {"dropout": 0.0}, {"bf16": True}], ids=str)
def test_a_setting_that_changes_the_step_changes_the_run(
    settings, whole, tmp_path, monkeypatch, change
):
    monkeypatch.setattr(Worker, "has_bf16", True)
    changed = trainer.train(
        replace(settings, epochs=1, schedule="constant", **change), tmp_path / "a"
    )
    plain = trainer.train(replace(settings, epochs=1, schedule="constant"), tmp_path / "b")
    assert changed[0]["train_loss"] != plain[0]["train_loss"]
    # a coarser number is no other sum, and a few steps are no other world
    near = 0.02 if "bf16" in change else 0.3
    assert changed[0]["train_loss"] == pytest.approx(plain[0]["train_loss"], abs=near)


def test_bfloat16_is_left_alone_where_the_device_has_none(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(Worker, "has_bf16", False)
    asked = trainer.train(replace(settings, epochs=1, bf16=True), tmp_path / "a")
    plain = trainer.train(replace(settings, epochs=1), tmp_path / "b")
    assert without_time(asked) == without_time(plain)


@pytest.mark.parametrize("step", [0, 3, 4, 7, 8, 11])
def test_a_run_interrupted_at_any_step_resumes_to_the_same_weights(settings, whole, tmp_path, step):
    with pytest.raises(KeyboardInterrupt):
        trainer.train(settings, tmp_path, progress=stop_at_step(step))
    torch.manual_seed(99)  # what happened in between is of no matter
    resumed = trainer.train(settings, tmp_path, resume=True)
    assert_same_run(tmp_path, resumed, whole)


def test_a_run_interrupted_after_an_epoch_trains_only_the_others(settings, whole, tmp_path):
    def stop(row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.train(settings, tmp_path, report=stop)
    reported = []
    history = trainer.train(settings, tmp_path, resume=True, report=reported.append)
    assert [row["epoch"] for row in reported] == [3]
    assert history[1]["held_accuracy"] <= history[0]["held_accuracy"]  # the last was not the best
    assert_same_run(tmp_path, history, whole)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_run_killed_between_its_two_checkpoints_resumes_all_the_same(
    settings, whole, tmp_path, monkeypatch, number
):
    calls, real = [], trainer.save_checkpoint

    def killed(*arguments):
        calls.append(arguments[0].name)
        if len(calls) == number:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(trainer, "save_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(settings, tmp_path)
    monkeypatch.undo()
    assert_same_run(tmp_path, trainer.train(settings, tmp_path, resume=True), whole)


def test_a_finished_run_is_left_as_it_is(settings, tmp_path):
    short = replace(settings, epochs=1)
    history = trainer.train(short, tmp_path)
    last = (tmp_path / "last.safetensors").stat().st_mtime_ns
    assert trainer.train(short, tmp_path, resume=True) == history
    assert (tmp_path / "last.safetensors").stat().st_mtime_ns == last


def test_resuming_where_there_is_nothing_starts_anew(settings, whole, tmp_path):
    assert_same_run(tmp_path, trainer.train(settings, tmp_path, resume=True), whole)


def test_a_run_is_not_overwritten(settings, whole):
    before = {path.name: path.read_bytes() for path in whole[0].iterdir()}
    with pytest.raises(BadSettingError, match=r"holds a run\n  try: add --resume"):
        trainer.train(settings, whole[0])
    other = replace(settings, rate=0.01, flip=0.0)
    told = r"holds a run of other settings: rate was 0.15 and is 0.01; flip was 0.5 and is 0.0\n"
    with pytest.raises(BadSettingError, match=told + "  try: .*--out"):
        trainer.train(other, whole[0], resume=True)
    with pytest.raises(BadSettingError, match=r"settings: epochs was 3 and is 2\n.*may be raised"):
        trainer.train(replace(settings, epochs=2), whole[0], resume=True)
    assert {path.name: path.read_bytes() for path in whole[0].iterdir()} == before


def test_a_run_may_be_made_longer(settings, tmp_path):
    steady = replace(settings, epochs=1, schedule="constant")
    trainer.train(steady, tmp_path)
    longer = trainer.train(replace(steady, epochs=2), tmp_path, resume=True)
    at_once = trainer.train(replace(steady, epochs=2), tmp_path / "at-once")
    assert without_time(longer) == without_time(at_once)  # where the rate does not depend on it
    assert config.load(tmp_path / "config.toml").epochs == 2


def tiniest(outputs, dropout):
    """One layer: the C++ of each takes a compiler seconds."""
    features = torch.nn.Sequential(ConvNorm(3, 8, stride=2), torch.nn.ReLU())
    return Network(features, torch.nn.Linear(8, outputs), dropout)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch warns of deprecations within its own compiler
def test_a_compiled_network_learns_what_the_plain_one_does(settings, tmp_path, monkeypatch):
    monkeypatch.setitem(zoo.MODELS, "tiniest", tiniest)
    # compiled dropout has draws of its own
    short = replace(settings, model="tiniest", epochs=1, dropout=0.0)
    [compiled] = trainer.train(replace(short, compile=True), tmp_path / "compiled")
    [plain] = trainer.train(short, tmp_path / "plain")
    assert compiled["train_loss"] == pytest.approx(plain["train_loss"], abs=1e-3)
    assert compiled["held_loss"] == pytest.approx(plain["held_loss"], abs=1e-2)
    found, expected = (load_file(tmp_path / n / "best.safetensors") for n in ("compiled", "plain"))
    assert found.keys() == expected.keys()  # torch.compile's own prefix would break the export
