from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.errors import BadSettingError
from mien.models import zoo
from mien.train import trainer
from mien.train.data import load_data
from mien.train.dataset import normalise
from mien.train.distill import Teachers, distillation_loss
from tests.support.prepared_folder import write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made"), train=12)


@pytest.fixture(scope="module")
def runs(folder, tmp_path_factory):
    """Two teachers of different seeds, and their settings."""
    out = tmp_path_factory.mktemp("runs")
    settings = settings_for(folder, epochs=1)
    for seed in (1, 2):
        trainer.train(replace(settings, seed=seed), out / str(seed))
    return [out / "1", out / "2"], settings


def test_the_loss_is_the_one_worked_by_hand():
    logits = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    answers = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    # at temperature 2 the student says 1/(1+e) and e/(1+e), and a half each
    soft = np.array([1 / (1 + np.e), np.e / (1 + np.e)])
    first = (0.5 * np.log(0.5 / soft)).sum()
    loss = distillation_loss(logits, answers, 2.0).item()
    assert loss == pytest.approx(4 * (first + np.log(2)) / 2)


def test_a_student_that_says_the_same_is_not_far():
    logits = torch.randn(5, 6)
    loss = distillation_loss(logits, (logits / 3).softmax(dim=1), 3.0).item()
    assert loss == pytest.approx(0, abs=1e-5)


def test_teachers_answer_with_the_mean_of_their_softened_probabilities(runs):
    folders, settings = runs
    crops = torch.randn(4, 1, 64, 64).expand(-1, 3, -1, -1)
    both = Teachers(folders, settings)
    found = both(crops, temperature=2.0)
    with torch.no_grad():
        each = [(network(crops) / 2).softmax(dim=1) for network in both.networks]
    torch.testing.assert_close(found, (each[0] + each[1]) / 2)
    assert (each[0] - each[1]).abs().max() > 1e-3  # the two differ, so both counted
    assert not any(p.requires_grad for p in both.parameters())


@pytest.mark.parametrize("change", [{"draw": 5}, {"hold_out": 0.1}, {"neutral": False}])
def test_a_teacher_that_saw_what_validates_its_student_is_refused(runs, change):
    folders, settings = runs
    [name] = change
    with pytest.raises(BadSettingError, match=rf"has {name} = .*\n  try: give both the same"):
        Teachers(folders, replace(settings, **change))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.filterwarnings("ignore")  # torch warns of deprecations within its own compiler
def test_a_students_loss_is_its_targets_and_its_teachers_by_their_shares(
    compiled, runs, folder, tmp_path
):
    folders, settings = runs
    changes = {"augment": False, "dropout": 0.0, "hold_out": 0.25, "batch": 500, "smoothing": 0.0}
    changes["compile"] = compiled
    alone = replace(settings, **changes, epochs=1, seed=7)
    taught = replace(alone, teachers=tuple(map(str, folders)), distil=0.75, heat=2.0)
    [plain] = trainer.train(alone, tmp_path / "alone")
    [mixed] = trainer.train(taught, tmp_path / "taught")

    crops = load_data(taught).train
    batch = normalise(crops.gray[:, None].float() / 255)
    torch.manual_seed(7)
    student = zoo.build("tiny", 7, 0.0)
    answers = Teachers(folders, taught)(batch, 2.0)
    distance = distillation_loss(student(batch), answers, 2.0).item()
    assert mixed["train_loss"] == pytest.approx(
        0.25 * plain["train_loss"] + 0.75 * distance, abs=1e-4
    )


def test_a_taught_run_resumes_to_the_same_state(runs, tmp_path):
    folders, settings = runs
    taught = replace(settings, teachers=tuple(map(str, folders)), epochs=2)
    whole = trainer.train(taught, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trainer.train(taught, tmp_path / "cut", report=_stop)
    again = trainer.train(taught, tmp_path / "cut", resume=True)
    assert [row["train_loss"] for row in again] == [row["train_loss"] for row in whole]


def _stop(row):
    raise KeyboardInterrupt
