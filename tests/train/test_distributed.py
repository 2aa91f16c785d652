import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file

from mien.errors import BadModelError, BadSettingError
from mien.train import trainer
from mien.train.distributed import Worker
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Three steps of a network without batch norm, whose statistics would be of the share."""
    folder = write_crops(tmp_path_factory.mktemp("made"), train=4)
    plain = {"model": "cnn10", "augment": False, "dropout": 0.0, "rate": 1e-4}
    return settings_for(folder, epochs=1, batch=6, hold_out=0.2, schedule="constant", **plain)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_two_processes_take_the_steps_of_one(settings, tmp_path):
    [alone] = trainer.train(settings, tmp_path / "alone")
    [both] = trainer.train(replace(settings, devices=2), tmp_path / "both")
    for name in ("train_loss", "held_loss", "held_accuracy"):
        assert both[name] == pytest.approx(alone[name], abs=2e-5)
    expected = load_file(tmp_path / "alone" / "last.safetensors")
    found = load_file(tmp_path / "both" / "last.safetensors")
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=2e-6, rtol=1e-4, msg=name)
    moved = [name for name in expected if name.startswith("optimiser.")]
    assert max(float(expected[name].abs().max()) for name in moved) > 1e-3  # it did learn


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_an_error_in_another_process_comes_home_as_ours(settings, tmp_path):
    wrong = replace(settings, devices=2, rate=1e9, weight_decay=1.0, momentum=0.0)
    with pytest.raises(BadModelError, match=r"loss became (nan|inf) in batch .*\n  try: lower"):
        trainer.train(wrong, tmp_path / "run")


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
