"""The table of a run's history is one of ours, or one error."""

import pytest

pytest.importorskip("torch")

from mien.errors import BadDataError
from mien.train.history import read_history

pytestmark = pytest.mark.torch

HEADER = "epoch,train_loss,held_accuracy\n"


def test_a_table_is_read_as_numbers_and_a_loss_may_have_diverged(tmp_path):
    (tmp_path / "history.csv").write_text(HEADER + "1,1.5,0.25\n2,nan,0.5\n")
    first, second = read_history(tmp_path)
    assert first == {"epoch": 1, "train_loss": 1.5, "held_accuracy": 0.25}
    assert second["train_loss"] != second["train_loss"]
    assert (second["epoch"], type(second["epoch"])) == (2, int)


@pytest.mark.parametrize(
    "rows",
    ["inf,1.5,0.25\n", "nan,1.5,0.25\n", "2,1.5,0.25\n", "1,1,0.2\n1,1,0.3\n", "1.5,1,0.2\n"],
)
def test_epochs_that_do_not_count_from_one_are_refused(rows, tmp_path):
    (tmp_path / "history.csv").write_text(HEADER + rows)
    with pytest.raises(BadDataError, match=r"history\.csv is no history \(row \d is not that of"):
        read_history(tmp_path)


def test_a_table_that_excel_has_saved_is_read(tmp_path):
    text = HEADER + "1,1.5,0.25\n"
    (tmp_path / "history.csv").write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig")
    assert read_history(tmp_path) == [{"epoch": 1, "train_loss": 1.5, "held_accuracy": 0.25}]


def test_a_cell_without_an_end_is_one_error(tmp_path):
    (tmp_path / "history.csv").write_text(HEADER + f'1,1.5,"{"0" * 200_000}')
    with pytest.raises(BadDataError, match=r"history\.csv is no history \(field larger than"):
        read_history(tmp_path)
