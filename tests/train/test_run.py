import pickle

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from mien.errors import BadModelError, OutputError
from mien.train import run
from tests.support.full_disk import full_disk
from tests.support.tiny_network import tiny

pytestmark = pytest.mark.torch

PROGRESS = {"history": [{"epoch": 1, "train_loss": 0.1 + 0.2, "held_accuracy": 0.5}], "name": "é"}


def parts(seed, outputs=7):
    """A network, its average and an optimiser that has taken two steps."""
    torch.manual_seed(seed)
    model, average = tiny(outputs, 0.0), tiny(outputs, 0.0)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        step(model, optimiser)
    return model, average, optimiser


def step(model, optimiser):
    crops = torch.linspace(-1, 1, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64)
    optimiser.zero_grad()
    cross_entropy(model(crops), torch.tensor([1, 4])).backward()
    optimiser.step()


def assert_equal_states(one, other):
    assert one.state_dict().keys() == other.state_dict().keys()
    for key, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[key], value, atol=0, rtol=0, msg=key)


def test_everything_comes_back_as_it_was_saved(tmp_path):
    saved, fresh = parts(1), parts(2)
    run.save_checkpoint(tmp_path / "a", *saved, PROGRESS)
    assert run.load_checkpoint(tmp_path / "a", *fresh) == PROGRESS
    assert_equal_states(saved[0], fresh[0])
    assert_equal_states(saved[1], fresh[1])


def test_training_goes_on_after_loading_as_if_it_had_never_stopped(tmp_path):
    saved, fresh = parts(1), parts(2)
    run.save_checkpoint(tmp_path / "a", *saved, PROGRESS)
    run.load_checkpoint(tmp_path / "a", *fresh)
    for model, _, optimiser in (saved, fresh):
        step(model, optimiser)  # with the momentum of the steps before
    assert_equal_states(saved[0], fresh[0])


def test_the_network_and_its_average_are_not_mixed_up(tmp_path):
    saved = parts(1)
    run.save_checkpoint(tmp_path / "a", *saved, PROGRESS)
    network = tiny(7, 0.0)
    assert run.load_weights(tmp_path / "a", network) == PROGRESS
    assert_equal_states(saved[1], network)
    assert not torch.equal(saved[0].head.weight, network.head.weight)


def test_a_network_in_another_memory_order_is_saved_too(tmp_path):
    model, average, optimiser = parts(1)
    model.to(memory_format=torch.channels_last)
    run.save_checkpoint(tmp_path / "a", model, average, optimiser, PROGRESS)
    fresh = parts(2)
    run.load_checkpoint(tmp_path / "a", *fresh)
    assert_equal_states(model, fresh[0])


def test_saving_takes_no_tensor_away_from_training(tmp_path):
    saved = parts(1)
    run.save_checkpoint(tmp_path / "a", *saved, PROGRESS)
    with torch.no_grad():
        saved[0].head.weight.zero_()
    fresh = parts(2)
    run.load_checkpoint(tmp_path / "a", *fresh)
    assert fresh[0].head.weight.abs().max() > 0


def test_another_networks_checkpoint_is_refused(tmp_path):
    run.save_checkpoint(tmp_path / "six", *parts(1, outputs=6), PROGRESS)
    with pytest.raises(BadModelError, match=r"six holds another network's weights .*head"):
        run.load_checkpoint(tmp_path / "six", *parts(1, outputs=7))
    with pytest.raises(BadModelError, match=r"another network.*\n  try: set the model"):
        run.load_weights(tmp_path / "six", torch.nn.Linear(3, 3))


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a stranger's code was run",))

    (tmp_path / "pickle").write_bytes(pickle.dumps(Trap()))
    torch.save({"model.head": torch.zeros(1)}, tmp_path / "torch")
    (tmp_path / "text").write_text("these are no weights")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    save_file({"model.head": torch.zeros(1)}, tmp_path / "foreign")
    save_file({}, tmp_path / "odd", metadata={"progress": "{"})
    for name in ("pickle", "torch", "text", "empty", "folder", "foreign", "odd", "gone"):
        with pytest.raises(BadModelError, match=f"no checkpoint of ours: .*{name}") as caught:
            run.load_weights(tmp_path / name, tiny(7, 0.0))
        assert "mien train" in caught.value.fix


def test_a_checkpoint_cut_short_is_refused(tmp_path):
    run.save_checkpoint(tmp_path / "a", *parts(1), PROGRESS)
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:-100])
    with pytest.raises(BadModelError, match="no checkpoint of ours"):
        run.load_checkpoint(tmp_path / "a", *parts(1))


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_checkpoint_that_fails_half_way_leaves_the_old_one(tmp_path, monkeypatch, error):
    def half(tensors, path, metadata):
        path.write_bytes(b"half")
        raise error

    run.save_checkpoint(tmp_path / "a", *parts(1), PROGRESS)
    old = (tmp_path / "a").read_bytes()
    monkeypatch.setattr(run, "save_file", half)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        run.save_checkpoint(tmp_path / "a", *parts(2), PROGRESS)
    assert (tmp_path / "a").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_is_explained_and_nothing_is_left(tmp_path):
    state = parts(1)
    with full_disk(), pytest.raises(OutputError, match=r"cannot write .*\n  try: .*space"):
        run.save_checkpoint(tmp_path / "a", *state, PROGRESS)
    assert list(tmp_path.iterdir()) == []
