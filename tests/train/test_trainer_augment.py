from dataclasses import fields, replace

import pytest

torch = pytest.importorskip("torch")

from mien import pixels
from mien.train import trainer
from mien.train.augment import Strength, mix
from mien.train.data import load_data
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for, tiny

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made"), train=12)


OFF = {f.name: 0.0 for f in fields(Strength)}


@pytest.mark.parametrize("on", ["mixup", "cutmix"])
def test_mixed_crops_are_learned_by_their_shares(folder, tmp_path, on):
    changes = {**OFF, on: 1.0, "dropout": 0.0, "smoothing": 0.1, "batch": 84, "hold_out": 0}
    settings = settings_for(folder, epochs=1, augment=True, **changes)
    torch.manual_seed(settings.seed)
    network = tiny(7, 0.0)
    [row] = trainer.train(settings, tmp_path)

    crops = load_data(settings).train
    order = torch.randperm(84, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    gray = crops.gray[order, None].float() / 255
    gray, shares = mix(gray, crops.targets[order], 7, settings.mixup, settings.cutmix)
    smooth = 0.9 * shares + 0.1 / 7
    batch = (gray - torch.tensor(pixels.MEAN)[:, None, None]) / torch.tensor(pixels.STD)[
        :, None, None
    ]
    expected = -(smooth * network(batch).log_softmax(dim=1)).sum(dim=1).mean()
    assert row["train_loss"] == pytest.approx(expected.item(), abs=2e-5)


def test_without_augmentation_nothing_is_mixed(folder, tmp_path):
    changes = {"mixup": 1.0, "cutmix": 1.0, "colour": 1.0, "augment": False, "hold_out": 0}
    settings = settings_for(folder, epochs=1, **changes)
    plain = trainer.train(settings_for(folder, epochs=1, augment=False, hold_out=0), tmp_path / "a")
    assert trainer.train(settings, tmp_path / "b")[0]["train_loss"] == plain[0]["train_loss"]
    assert load_data(settings).train.rgb is None


def test_colours_are_loaded_where_their_weights_change(folder, tmp_path):
    on, off = (settings_for(folder, epochs=1, **{**OFF, "colour": c}) for c in (0.9, 0.0))
    assert load_data(on).train.rgb.shape[1:] == (3, 64, 64)
    assert load_data(off).train.rgb is None
    losses = [trainer.train(s, tmp_path / str(s.colour))[0]["train_loss"] for s in (on, off)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], abs=0.3)


def test_crops_grow_with_the_epochs_and_not_with_the_steps(folder, tmp_path, monkeypatch):
    sides, real = [], trainer.resize

    def noted(crops, side):
        sides.append(side)
        return real(crops, side)

    monkeypatch.setattr(trainer, "resize", noted)
    settings = settings_for(folder, epochs=4, batch=500, first_side=40)
    trainer.train(settings, tmp_path / "one")
    assert sides == [40, 48, 56, 64]  # a step an epoch
    sides.clear()
    trainer.train(replace(settings, batch=20), tmp_path / "three")
    each = len(sides) // 4
    assert each > 1
    assert sides == [side for side in (40, 48, 56, 64) for _ in range(each)]
