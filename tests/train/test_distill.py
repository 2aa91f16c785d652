import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.nn.functional import interpolate

from mien.data import manifest
from mien.errors import BadSettingError
from mien.labels import LabelSet
from mien.models import zoo
from mien.recognize.model import Model
from mien.train import trainer
from mien.train.data import load_data
from mien.train.dataset import normalise
from mien.train.distill import Teachers, distillation_loss, origin_of_teacher
from mien.train.export import export
from mien.train.run import read_description
from tests.support.onnx_files import channels_model, three_classes
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
        each = [(t.network(crops) / 2).softmax(dim=1) for t in both.teachers]
    torch.testing.assert_close(found, (each[0] + each[1]) / 2)
    assert (each[0] - each[1]).abs().max() > 1e-3  # the two differ, so both counted
    assert not any(p.requires_grad for p in both.parameters())


@pytest.mark.parametrize("change", [{"draw": 5}, {"hold_out": 0.1}, {"neutral": False}])
def test_a_teacher_that_saw_what_validates_its_student_is_refused(runs, change):
    folders, settings = runs
    [name] = change
    with pytest.raises(BadSettingError, match=rf"has {name} = .*\n  try: give both the same"):
        Teachers(folders, replace(settings, **change))


# "aot_eager" traces and transforms as torch.compile does; C++ of the whole takes a minute
@pytest.mark.parametrize(
    "backend", [None, "aot_eager", pytest.param("inductor", marks=pytest.mark.long)]
)
@pytest.mark.filterwarnings("ignore")  # torch warns of deprecations within its own compiler
def test_a_students_loss_is_its_targets_and_its_teachers_by_their_shares(
    backend, runs, exported, folder, tmp_path, monkeypatch
):
    folders, settings = runs
    compiled = []
    real = torch.compile

    def compile_by(module, **options):
        compiled.append(type(module).__name__)
        return real(module, backend=backend, **options)

    monkeypatch.setattr(torch, "compile", compile_by)
    changes = {"augment": False, "dropout": 0.0, "hold_out": 0.25, "batch": 500, "smoothing": 0.0}
    changes["compile"] = backend is not None
    alone = replace(settings, **changes, epochs=1, seed=7)
    teachers = [*folders, exported]
    taught = replace(alone, teachers=tuple(map(str, teachers)), distil=0.75, heat=2.0)
    [plain] = trainer.train(replace(alone, compile=False), tmp_path / "alone")
    [mixed] = trainer.train(taught, tmp_path / "taught")

    crops = load_data(taught).train
    batch = normalise(crops.gray[:, None].float() / 255)
    torch.manual_seed(7)
    student = zoo.build("tiny", 7, 0.0)
    answers = Teachers(teachers, taught)(batch, 2.0)
    distance = distillation_loss(student(batch), answers, 2.0).item()
    assert mixed["train_loss"] == pytest.approx(
        0.25 * plain["train_loss"] + 0.75 * distance, abs=1e-4
    )
    assert compiled == (["Network", "Teachers"] if backend else [])


def test_a_taught_run_resumes_to_the_same_state(runs, tmp_path):
    folders, settings = runs
    taught = replace(settings, teachers=tuple(map(str, folders)), epochs=2)
    whole = trainer.train(taught, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trainer.train(taught, tmp_path / "cut", report=_stop)
    again = trainer.train(taught, tmp_path / "cut", resume=True)
    assert [row["train_loss"] for row in again] == [row["train_loss"] for row in whole]


@pytest.fixture(scope="module")
def exported(runs, tmp_path_factory):
    """A teacher of the first run, as a file."""
    folders, _ = runs
    file = tmp_path_factory.mktemp("file") / "teacher.onnx"
    export(folders[0], file)
    return file


def test_a_run_and_its_file_say_who_taught_it_and_what_its_teachers_allow(
    runs, exported, folder, tmp_path
):
    _, settings = runs
    rows = [replace(row, source="folder") for row in manifest.read(folder)]
    own = shutil.copytree(folder, tmp_path / "own")
    manifest.write(rows, own)
    owner = replace(settings, data=(str(own),))
    trainer.train(owner, tmp_path / "teacher")
    teachers = (str(tmp_path / "teacher"), str(exported), "miennet")
    trainer.train(replace(owner, teachers=teachers[:2]), tmp_path / "taught")
    trainer.train(replace(owner, start=str(tmp_path / "taught")), tmp_path / "later")
    licences = {}
    for name in ("teacher", "taught", "later"):
        licences[name] = export(tmp_path / name, tmp_path / f"{name}.onnx")["licence"]
    # the paper's classes, and nothing that is licensed for research
    assert licences["teacher"] == "Weights: as the training pictures allow."
    expected = [
        {"name": "teacher", "licence": licences["teacher"]},
        {"name": "tiny", "licence": Model(exported, threads=1).card["licence"]},
    ]
    assert read_description(tmp_path / "taught")["teachers"] == expected
    own = expected[1]["licence"].removeprefix("Weights: ")
    for name in ("taught", "later"):  # a run that begins with it has learned from them too
        assert licences[name].count("Weights: ") == 1
        assert f"and tiny, their teacher: {own}" in licences[name]
    shipped = origin_of_teacher("miennet")
    assert (shipped["name"], "for research" in shipped["licence"]) == ("miennet", True)


def test_a_file_answers_with_its_scores_on_what_is_not_neutral(runs, exported):
    _, settings = runs
    crops = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 3, 64, 64)).astype("float32"))
    found = Teachers([exported], settings)(crops, 2.0).numpy()
    own = Model(exported, threads=1).tensors(crops.numpy(), ["logits", "neutral"])
    six = np.exp(own["logits"] / 2) / np.exp(own["logits"] / 2).sum(axis=1, keepdims=True)
    calm = 1 / (1 + np.exp(-own["neutral"] / 2))
    expected = np.concatenate([six * (1 - calm), calm], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.std(axis=0).max() > 1e-4  # they depend on the crop


def test_a_teacher_of_another_side_sees_the_crops_resized(runs, exported):
    folders, settings = runs
    wide = torch.randn(2, 3, 88, 88)
    small = interpolate(wide, (64, 64), mode="bilinear", antialias=True)
    for teacher in (folders[0], exported):
        teachers = Teachers([teacher], replace(settings, side=88))
        torch.testing.assert_close(teachers(wide, 2.0), teachers(small, 2.0))


@pytest.mark.parametrize("change", [{"draw": 5}, {"hold_out": 0.1}])
def test_a_file_that_saw_what_validates_its_student_is_refused(runs, exported, change):
    _, settings = runs
    [name] = change
    with pytest.raises(BadSettingError, match=rf"has {name} = .*\n  try: give both the same"):
        Teachers([exported], replace(settings, **change))


def test_a_file_of_other_classes_or_without_neutral_is_refused(runs, tmp_path):
    _, settings = runs
    (tmp_path / "six.onnx").write_bytes(channels_model())
    with pytest.raises(BadSettingError, match="does not know neutral"):
        Teachers([tmp_path / "six.onnx"], settings)
    own = three_classes(tmp_path / "own.onnx", LabelSet(("a", "b", "c")))
    with pytest.raises(BadSettingError, match="has the classes"):
        Teachers([own], settings)


def _stop(row):
    raise KeyboardInterrupt
