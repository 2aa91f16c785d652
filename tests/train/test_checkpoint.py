"""Whatever a checkpoint or a record of a run holds: one error, before anything is done with it."""

import json

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file

from mien.errors import BadDataError, BadModelError
from mien.train import run
from mien.train.checkpoint import read_progress
from tests.support.tiny_network import tiny

pytestmark = pytest.mark.torch

ROW = {"epoch": 1, "held_accuracy": 0.5, "seconds": 1.0}
NEXT = ROW | {"epoch": 2}


def state():
    torch.manual_seed(1)
    model = tiny(6, 0.0)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.zeros(2, 3, 64, 64)).sum().backward()
    optimiser.step()
    return model, model, optimiser


@pytest.fixture
def saved(tmp_path):
    """A checkpoint, and a function that writes it again with other tensors or another header."""
    path = tmp_path / "a.safetensors"
    run.save_checkpoint(path, *state(), {"history": [ROW, NEXT]})
    tensors = load_file(path)

    def change(header=None, **changes):
        header = header or json.dumps({"history": [ROW, NEXT]})
        save_file(tensors | changes, path, metadata={"progress": header})
        return path

    return change


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("[]", "no history"),
        ("null", "no history"),
        ('{"h Ntory": []}', "no history"),  # one letter was damaged
        ('{"history": {}}', "no history"),
        ('{"history": [5]}', "row 1"),
        (json.dumps({"history": [NEXT]}), "row 1 .* not that of epoch 1"),
        (json.dumps({"history": [ROW, ROW]}), "row 2 .* not that of epoch 2"),
        (json.dumps({"history": [ROW, {"epoch": 2}]}), "row 2"),
        (json.dumps({"history": [{"epoch": 1}]}), "held_accuracy"),
        (json.dumps({"history": [ROW | {"held_accuracy": "0.5"}]}), "no held-out accuracy"),
        (json.dumps({"history": [ROW | {"held_accuracy": float("nan")}]}), "no held-out accuracy"),
        (json.dumps({"history": [ROW | {"seconds": "soon"}]}), "row 1 .* what is no number"),
        (json.dumps({"history": [ROW | {"seconds": None}]}), "row 1 .* what is no number"),
        (json.dumps({"history": [ROW | {"seconds": 2**60}]}), "row 1 .* what is no number"),
        ("[" * 100_000, "nested"),
        ("{", "line 1"),
    ],
)
def test_a_header_that_is_no_history_is_refused(saved, header, says):
    path = saved(header)
    for read in (read_progress, lambda p: run.load_weights(p, tiny(6, 0.0))):
        with pytest.raises(BadModelError, match=f"(?s)no checkpoint of ours: .*{says}") as caught:
            read(path)
        assert "mien train" in caught.value.fix


def test_a_good_header_is_read_without_a_tensor(saved):
    assert read_progress(saved()) == {"history": [ROW, NEXT]}
    assert read_progress(saved('{"history": []}')) == {"history": []}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1j])
def test_weights_that_are_no_finite_numbers_are_refused(saved, value):
    path = saved(**{"average.head.bias": torch.full((6,), value)})
    with pytest.raises(
        BadModelError, match=r"no finite numbers \(head\.bias\)\n  try: train again"
    ):
        run.load_weights(path, tiny(6, 0.0))
    with pytest.raises(BadModelError, match="no finite numbers"):
        run.load_checkpoint(path, *state())


@pytest.mark.parametrize(
    "name", ["optimiser.x.momentum", "optimiser.99.momentum", "optimiser.-1.a", "optimiser."]
)
def test_the_state_of_another_optimiser_is_refused(saved, name):
    path = saved(**{name: torch.zeros(3)})
    with pytest.raises(BadModelError, match=r"another optimiser's state .*\n  try: resume with"):
        run.load_checkpoint(path, *state())


def test_a_state_of_another_shape_is_refused_before_the_first_step(saved):
    path = saved(**{"optimiser.0.momentum_buffer": torch.zeros(5, 5)})
    with pytest.raises(BadModelError, match=r"optimiser\.0\.momentum_buffer, shape \(5, 5\)"):
        run.load_checkpoint(path, *state())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"seed": "0"}', "[" * 100_000, '{"seed": NaN}']
)
def test_a_record_of_a_run_that_is_none_is_refused(tmp_path, text):
    (tmp_path / run.DESCRIPTION).write_text(text, encoding="utf-8")
    with pytest.raises(BadDataError, match=r"data\.json is no record of a run .*\n  try: resume"):
        run.read_description(tmp_path)


def test_a_missing_record_of_a_run_is_named(tmp_path):
    with pytest.raises(BadDataError, match=r"data\.json is no record of a run .*No such file"):
        run.read_description(tmp_path)
    (tmp_path / run.DESCRIPTION).write_text('{"seed": 3, "train": 5}')
    assert run.read_description(tmp_path) == {"seed": 3, "train": 5}
