from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from mien import pixels
from mien.train.dataset import Crops
from mien.train.validate import by_chance, predict, validate
from tests.support.prepared_folder import row_of

pytestmark = pytest.mark.torch


class Table(torch.nn.Module):
    """A stand-in network: crops of grey n have the logits of row n."""

    def __init__(self, rows):
        super().__init__()
        self.rows = torch.nn.Parameter(torch.tensor(rows))

    def forward(self, batch):
        assert not self.training
        gray = (batch[:, 0, 0, 0] * pixels.STD[0] + pixels.MEAN[0]) * 255
        return self.rows[gray.round().long()]


def numbered(labels, sources):
    """Crops whose grey is their number."""
    rows = [
        row_of(label, "train", "", source) for label, source in zip(labels, sources, strict=True)
    ]
    gray = torch.arange(len(rows), dtype=torch.uint8)[:, None, None].expand(-1, 64, 64)
    targets = [{"happiness": 0, "fear": 5, "neutral": 6}[label] for label in labels]
    return Crops(rows, gray, torch.tensor(targets))


def test_accuracy_is_of_the_six_and_averaged_over_databases():
    happy = [3.0, 1, 0, 0, 0, 2, 9]  # neutral above all: it has no say
    afraid = [0.0, 1, 0, 0, 0, 2, 0]
    labels = ["happiness", "happiness", "fear", "fear", "neutral", "fear"]
    network = Table([happy, afraid, afraid, afraid, happy, happy])
    held = numbered(labels, ["a", "a", "a", "a", "a", "b"])
    found = validate(network.train(), held)
    assert found["held_accuracy"] == pytest.approx((3 / 4 + 0) / 2)
    expected = torch.nn.CrossEntropyLoss()(network.rows, held.targets).item()
    assert found["held_loss"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("labels", [[], ["neutral", "neutral"]])
def test_without_an_expression_held_out_there_is_nothing_to_measure(labels):
    held = numbered(labels, ["a"] * len(labels))
    found = validate(Table([[0.0] * 7]), held)
    assert found == {"held_loss": 0.0, "held_accuracy": 0.0}


def test_predictions_keep_the_order_of_any_number_of_crops():
    gray = torch.randint(0, 256, (600, 1, 1), generator=torch.Generator().manual_seed(0))
    crops = Crops([], gray.to(torch.uint8).expand(-1, 64, 64), torch.zeros(600))
    table = torch.randn(256, 7)
    found = predict(Table(table.tolist()), crops)
    torch.testing.assert_close(found, table[gray.flatten()])


@pytest.mark.parametrize(
    ("accuracy", "counts", "chance"),
    [
        (0.6, (6, 4), True),  # no better than one answer for all
        (0.8, (6, 4), True),  # of ten pictures: the interval begins at 49 %
        (0.8, (60, 40), False),
        (0.6, (60, 40), True),
        (0.05, (1, 0), True),  # a single class has nothing to tell
    ],
)
def test_an_accuracy_that_one_answer_for_all_might_have_is_told(accuracy, counts, chance):
    labels = ["open"] * counts[0] + ["shut"] * counts[1]
    told = by_chance(accuracy, labels)
    assert bool(told) == chance
    if told:
        assert f"{len(labels)} pictures, of which {counts[0] / len(labels):.1%} are open" in told


def test_two_folders_of_ones_own_weigh_the_same():
    happy, afraid = [3.0, 1, 0, 0, 0, 2], [0.0, 1, 0, 0, 0, 2]
    held = numbered(["happiness"] * 4, ["folder"] * 4)
    held = replace(held, databases=["folder:lab", "folder:lab", "folder:lab", "folder:home"])
    found = validate(Table([happy, happy, happy, afraid]), held)
    assert found["held_accuracy"] == 0.5  # all in the lab, none at home
