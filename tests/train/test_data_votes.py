import pytest

torch = pytest.importorskip("torch")

from mien.data import manifest
from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL
from mien.media.writers import open_table
from mien.train import dataset, trainer
from mien.train.data import load_data, read_votes, soften
from tests.support.prepared_folder import row_of, striped, write_crop, write_crops
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


def voted(folder, votes):
    """Write a folder whose pictures have votes: {original: seven shares}."""
    rows = [row_of("fear", "train", name, source="voted") for name in votes]
    for number, row in enumerate(rows):
        write_crop(folder, striped("fear", 900 + number), row)
    manifest.write(rows, folder)
    lines = [(row.path, *shares) for row, shares in zip(rows, votes.values(), strict=True)]
    with open_table(folder / "soft.csv", ("path", *LABELS, NEUTRAL)) as table:
        table.writerows(lines)
    return folder


def crops_named(*names):
    rows = [row_of("happiness", "train", name) for name in names]
    gray = torch.zeros(len(rows), 64, 64, dtype=torch.uint8)
    return dataset.Crops(rows, gray, torch.zeros(len(rows), dtype=torch.int64))


def test_votes_weigh_as_much_as_they_are_trusted_and_the_label_the_rest(tmp_path):
    folder = voted(tmp_path, {"a.png": (0, 0.4, 0, 0, 0, 0.4, 0.2)})
    crops = soften(crops_named("a.png", "b.png"), [folder], trust=0.25)
    # three quarters for the label, happiness, and a quarter of the votes
    expected = [[0.75, 0.1, 0, 0, 0, 0.1, 0.05], [1, 0, 0, 0, 0, 0, 0]]
    torch.testing.assert_close(crops.shares, torch.tensor(expected))


def test_the_shares_go_with_their_crops(tmp_path):
    folder = voted(tmp_path, {"b.png": (0, 1, 0, 0, 0, 0, 0)})
    crops = soften(crops_named("a.png", "b.png", "c.png"), [folder], trust=0.5)
    one = crops.where(torch.tensor([False, True, False]).numpy())
    [(_, targets)] = dataset.batches(one, 1, torch.Generator())
    assert targets.tolist() == [[0.5, 0.5, 0, 0, 0, 0, 0]]


def test_two_folders_of_votes_are_one_table(tmp_path):
    one = voted(tmp_path / "one", {"a.png": (1, 0, 0, 0, 0, 0, 0)})
    two = voted(tmp_path / "two", {"b.png": (0, 0, 1, 0, 0, 0, 0)})
    crops = soften(crops_named("a.png", "b.png"), [one, two], trust=0.5)
    assert crops.shares[1].tolist() == [0.5, 0, 0.5, 0, 0, 0, 0]


def test_votes_for_other_pictures_are_refused(tmp_path):
    folder = voted(tmp_path, {"z.png": (1, 0, 0, 0, 0, 0, 0)})
    with pytest.raises(BadDataError, match="no picture has votes in"):
        soften(crops_named("a.png"), [folder], trust=0.5)


def test_a_folder_without_votes_is_refused(tmp_path):
    folder = write_crops(tmp_path, train=1)
    with pytest.raises(BadDataError, match=r"no votes in .*soft\.csv.*\n  try: .*ferplus"):
        read_votes(folder)


def test_votes_that_excel_has_saved_are_read(tmp_path):
    folder = voted(tmp_path, {"a.png": (1, 0, 0, 0, 0, 0, 0), "b.png": (0, 0.5, 0, 0, 0, 0.5, 0)})
    table = folder / "soft.csv"
    text = table.read_text().replace("\n", "\r\n")
    table.write_text(text, encoding="utf-8-sig", newline="")
    assert read_votes(folder) == {
        "a.png": [1, 0, 0, 0, 0, 0, 0],
        "b.png": [0, 0.5, 0, 0, 0, 0.5, 0],
    }


def test_votes_for_pictures_that_an_audit_dropped_do_not_hide_the_others(tmp_path):
    votes = {"a.png": (1, 0, 0, 0, 0, 0, 0), "b.png": (0, 1, 0, 0, 0, 0, 0)}
    folder = voted(tmp_path, votes)
    manifest.write(manifest.read(folder)[1:], folder)
    assert read_votes(folder) == {"b.png": [0, 1, 0, 0, 0, 0, 0]}
    table = folder / "soft.csv"
    table.write_text(table.read_text().replace("path", "picture"))
    with pytest.raises(BadDataError, match="no votes in"):
        read_votes(folder)


def test_votes_with_a_cell_without_an_end_are_one_error(tmp_path):
    folder = voted(tmp_path, {"a.png": (1, 0, 0, 0, 0, 0, 0)})
    with (folder / "soft.csv").open("a") as table:
        table.write('"' + "0" * 200_000)
    with pytest.raises(BadDataError, match=r"no votes in .*soft\.csv \(field larger than"):
        read_votes(folder)


def test_votes_do_not_give_shuffled_labels_back(tmp_path):
    folder = write_crops(tmp_path / "a", train=8)
    fear = [row.original for row in manifest.read(folder) if row.label == "fear"]
    votes = voted(tmp_path / "v", {name: (0, 0, 0, 0, 0, 1, 0) for name in fear})
    changes = {"votes": (str(votes),), "trust": 0.9, "hold_out": 0.0}
    plain, shuffled = (
        load_data(settings_for(folder, shuffle_labels=on, **changes)).train for on in (False, True)
    )
    assert torch.equal(shuffled.shares.argmax(dim=1), shuffled.targets)  # the two go together
    torch.testing.assert_close(shuffled.shares.sum(dim=0), plain.shares.sum(dim=0))
    true = (shuffled.shares.argmax(dim=1) == plain.targets).float()
    assert true.mean() < 0.4  # about one in seven by chance
    assert true[plain.targets == 5].mean() < 0.5


@pytest.mark.parametrize("neutral", [True, False])
def test_a_run_learns_the_votes(tmp_path, monkeypatch, neutral):
    folder = write_crops(tmp_path / "a", train=8)
    fear = [row.original for row in manifest.read(folder) if row.label == "fear"]
    votes = voted(tmp_path / "v", {name: (0.5, 0, 0, 0, 0, 0, 0.5) for name in fear})
    seen = []

    def remember(logits, targets, label_smoothing):
        seen.append(targets)
        return torch.nn.functional.cross_entropy(logits, targets, label_smoothing=label_smoothing)

    monkeypatch.setattr(trainer, "cross_entropy", remember)
    changes = {"votes": (str(votes),), "trust": 0.5, "hold_out": 0.0, "epochs": 1, "augment": False}
    trainer.train(settings_for(folder, neutral=neutral, batch=8, **changes), tmp_path / "run")
    targets = torch.cat(seen)
    assert targets.shape == ((56, 7) if neutral else (48, 6))
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(len(targets)))
    of_fear = targets[(targets[:, 5] > 0) & (targets[:, 5] < 1)]
    # half the label; a quarter each of happiness and neutral, or, without neutral, 2 : 1
    expected = [0.25, 0, 0, 0, 0, 0.5, 0.25] if neutral else [1 / 3, 0, 0, 0, 0, 2 / 3]
    torch.testing.assert_close(of_fear, torch.tensor([expected] * 8))
