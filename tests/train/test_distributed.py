import warnings
import weakref
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file

from mien.errors import BadModelError, BadSettingError
from mien.train import trainer
from mien.train.distributed import Worker, launch
from mien.train.history import read_history
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Three steps of a network without batch norm, whose statistics would be of the share."""
    folder = write_crops(tmp_path_factory.mktemp("made"), train=4)
    plain = {"model": "cnn10", "augment": False, "dropout": 0.0, "rate": 1e-4}
    return settings_for(folder, epochs=1, batch=6, hold_out=0.2, schedule="constant", **plain)


def _in_turn(worker, works):
    """What every process does: one run after the other, as to start them takes the longest."""
    return [work(worker) for work in works]


@pytest.fixture(scope="module")
def both(settings, tmp_path_factory):
    """Two runs by two processes: one that learns, and one whose loss becomes no number."""
    wrong = replace(settings, rate=1e9, weight_decay=1.0, momentum=0.0)
    out, asked = tmp_path_factory.mktemp("both"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "launch", lambda devices, work: asked.append((devices, work)))
        for name, chosen in (("learns", settings), ("fails", wrong)):
            trainer.train(replace(chosen, devices=2), out / name)
    devices, works = zip(*asked, strict=True)
    assert devices == (2, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's own
        with pytest.raises(BadModelError) as caught:
            launch(2, partial(_in_turn, works=works))
    return out / "learns", caught.value


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(settings, both, tmp_path):
    [alone] = trainer.train(settings, tmp_path / "alone")
    [row] = read_history(both[0])
    for name in ("train_loss", "held_loss", "held_accuracy"):
        assert row[name] == pytest.approx(alone[name], abs=2e-5)
    expected = load_file(tmp_path / "alone" / "last.safetensors")
    found = load_file(both[0] / "last.safetensors")
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=2e-6, rtol=1e-4, msg=name)
    moved = [name for name in expected if name.startswith("optimiser.")]
    assert max(float(expected[name].abs().max()) for name in moved) > 1e-3  # it did learn


@pytest.mark.slow
def test_an_error_in_another_process_comes_home_as_ours(both):
    with pytest.raises(BadModelError, match=r"loss became (nan|inf) in batch .*\n  try: lower"):
        raise both[1]


def test_an_error_that_travels_leaves_behind_what_its_maker_held():
    class Network:
        """Something whose threads must end before the process does."""

    held = []

    def fails():
        network = Network()
        held.append(weakref.ref(network))
        try:
            raise ValueError("inner")
        except ValueError as error:
            raise BadModelError("outer", fix="nothing") from error

    fabric = SimpleNamespace(global_rank=0, world_size=2, device="cpu", broadcast=lambda told: told)
    with pytest.raises(BadModelError, match="outer"):
        Worker(fabric).on_first(fails)
    assert held[0]() is None


def test_shares_are_equal_and_together_the_batch():
    members = [SimpleNamespace(global_rank=r, world_size=3, device="cpu") for r in range(3)]
    shares = [Worker(member).share(torch.arange(12)).tolist() for member in members]
    assert [len(share) for share in shares] == [4, 4, 4]
    assert sorted(number for share in shares for number in share) == list(range(12))
    assert Worker().share(torch.arange(12)).tolist() == list(range(12))


def test_a_batch_that_cannot_be_shared_equally_is_refused(settings):
    with pytest.raises(BadSettingError, match="batch is 6\n  try: give a multiple of devices"):
        replace(settings, devices=4)
