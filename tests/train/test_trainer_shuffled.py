import pytest

torch = pytest.importorskip("torch")

from mien.errors import BadModelError
from mien.train import trainer
from mien.train.data import load_data
from mien.train.run import load_run
from mien.train.validate import predict
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made") / "data", train=12)


def test_labels_dealt_anew_are_as_many_of_each_on_the_same_crops(folder):
    plain, shuffled = (
        load_data(settings_for(folder, hold_out=0.2, shuffle_labels=on)) for on in (False, True)
    )
    assert torch.equal(plain.train.gray, shuffled.train.gray)
    assert torch.equal(plain.train.targets.bincount(), shuffled.train.targets.bincount())
    kept = (plain.train.targets == shuffled.train.targets).float().mean()
    assert kept < 0.4  # about one in seven by chance
    assert torch.equal(plain.held.targets, shuffled.held.targets)
    again = load_data(settings_for(folder, hold_out=0.2, shuffle_labels=True))
    assert torch.equal(again.train.targets, shuffled.train.targets)


def test_a_finished_run_gives_its_best_averaged_network(folder, tmp_path):
    settings = settings_for(folder, epochs=1, hold_out=0.2, augment=False)
    trainer.train(settings, tmp_path / "run")
    found = load_run(tmp_path / "run")
    network = found.network
    held = load_data(settings).held
    right = (predict(network, held)[:, :6].argmax(dim=1) == held.targets).float()
    history = (tmp_path / "run" / "history.csv").read_text().splitlines()
    six = held.targets < 6
    assert (found.settings.model, network.training) == ("tiny", False)
    accuracy = float(history[1].split(",")[history[0].split(",").index("held_accuracy")])
    assert accuracy == pytest.approx(float(right[six].mean()), abs=1e-4)
    (tmp_path / "run" / "best.safetensors").unlink()
    with pytest.raises(BadModelError, match="no checkpoint of ours"):
        load_run(tmp_path / "run")
