"""The paper's rows on made-up databases in the layouts as downloaded."""

import csv
import io
import json
from collections import Counter
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from mien.data import manifest
from mien.data.datasets import Item
from mien.errors import BadDataError
from mien.labels import LABELS
from mien.recognize.model import read_card
from mien.train import config, paper, paper_tables, run
from mien.train.dataset import load_crops
from mien.train.paper import Request, RowRun, run_row
from mien.train.paper_tables import PROTOCOLS, PaperRow
from mien.train.validate import predict
from tests.support.commands import mien
from tests.support.pictures import encode, zip_of
from tests.support.prepared_folder import striped
from tests.support.tiny_network import tiny, tiny_in_zoo

pytestmark = pytest.mark.torch

NUMBERS = {"surprise": 1, "fear": 2, "disgust": 3, "happiness": 4, "sadness": 5, "anger": 6}


def table(header, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    """A RAF-DB of 120 and 30, three of its test pictures also in train; the 600, one a copy too."""
    files, lists = {}, {"train": [], "test": []}
    for split, count, first in (("train", 120, 0), ("test", 30, 1000)):
        for i in range(count):
            label = LABELS[i % 6]
            seed = 1000 + i if split == "train" and i < 3 else first + i
            seed = 2000 if (split, i) == ("train", 6) else seed
            name = f"{split}_{i:05}_aligned.jpg"
            files[f"DATASET/{split}/{NUMBERS[label]}/{name}"] = encode(striped(label, seed))
            lists[split].append((name, NUMBERS[label]))
    for split, rows in lists.items():
        files[f"{split}_labels.csv"] = table(("image", "label"), rows)
    out = tmp_path_factory.mktemp("downloads")
    zip_of(out / "rafdb.zip", files)
    valid = {f"valid/v{i}.jpg": encode(striped(LABELS[i % 6], 2000 + i)) for i in range(12)}
    rows = [(f"v{i}.jpg", i % 6) for i in range(12)]
    zip_of(
        out / "gimefive-valid.zip", {**valid, "valid_labels.csv": table(("name", "label"), rows)}
    )
    return out


@pytest.fixture(scope="module")
def done(downloads, tmp_path_factory):
    """Both protocols of one row."""
    request = Request(downloads, tmp_path_factory.mktemp("out"), epochs=2)
    with tiny_in_zoo(), pytest.MonkeyPatch.context() as patch:
        real = config.read
        patch.setattr(config, "read", lambda path: {**real(path), "batch": 12})
        row = PaperRow("rafdb", "tiny", test=50.0)
        records = {p: run_row(RowRun(row, p, 0), request) for p in PROTOCOLS}
    return request, row, records


def test_the_papers_protocol_keeps_every_copy_and_validates_with_its_600(done):
    request, _, records = done
    found = records["paper"]
    assert found["pictures"] == {
        "train": 120, "test": 30, "test_without_copies": 27, "valid": 12, "held": 12,
    }  # fmt: skip
    assert found["test_pictures_with_a_copy_in_train"] == 3
    description = json.loads(
        (request.out / "runs" / f"rafdb-tiny-paper-seed0{request.mark}" / "data.json").read_text()
    )
    keys = ("train", "held_out", "copies_of_test_dropped")
    assert [description[key] for key in keys] == [120, 12, 0]


def test_leak_free_training_has_no_copy_of_a_test_picture_nor_of_the_600(done):
    request, _, records = done
    found = records["leak-free"]["pictures"]
    assert found["test"] == found["test_without_copies"] == 30
    assert found["train"] + found["held"] == 116
    assert 3 <= found["held"] <= 25  # a tenth, drawn
    kept = {r.original for r in manifest.read(request.out / "data" / "rafdb-leak-free")}
    for number in (0, 1, 2, 6):
        assert not any(f"train_{number:05}" in name for name in kept)


def test_accuracies_are_those_of_the_best_weights(done):
    request, _, records = done
    for protocol, record in records.items():
        folder = request.out / "runs" / f"rafdb-tiny-{protocol}-seed0{request.mark}"
        network = tiny(6, 0.0)
        run.load_weights(folder / "best.safetensors", network)
        crops = load_crops([request.out / "data" / f"rafdb-{protocol}"], "test")
        right = (predict(network, crops).argmax(dim=1) == crops.targets).float().mean()
        assert record["accuracy"]["test"] == pytest.approx(float(right), abs=5e-5)
        assert record["parameters"] == sum(p.numel() for p in network.parameters())
        assert (record["epochs"], record["seed"], record["limit"]) == (2, 0, 0)


def test_what_was_done_is_not_done_again_and_a_row_has_one_file(done, monkeypatch):
    request, row, records = done
    monkeypatch.setattr(paper, "train", None)
    monkeypatch.setattr(paper, "prepare", None)
    again = run_row(RowRun(row, "paper", 0), request)
    assert again == records["paper"]
    path = request.out / "results" / "paper-rafdb-tiny-epochs2.json"
    whole = json.loads(path.read_text())
    assert {run["protocol"] for run in whole["runs"]} == set(PROTOCOLS)
    assert paper_tables.read_results(request.out / "results", request.mark)["rafdb-tiny"] == whole
    assert paper_tables.read_results(request.out / "results") == {}


def test_a_trial_takes_some_of_every_class_and_split():
    labels = ["anger"] * 50 + ["fear"] * 6 + ["sadness"]
    items = [Item(f"{n}.jpg", label, "train") for n, label in enumerate(labels)]
    items += [Item("test.jpg", "fear", "test")]
    found = paper._limited(items, 20)
    counts = Counter((item.split, item.label) for item in found)
    assert counts["train", "sadness"] == counts["test", "fear"] == 1
    assert counts["train", "fear"] >= 2
    assert counts.total() == 21
    assert paper._limited(items, 0) == items


def test_a_database_that_is_not_there_is_named(tmp_path, downloads):
    request = Request(downloads, tmp_path)
    with pytest.raises(BadDataError, match=r"no fer2013 or fer2013\.zip in .*\n  try: download"):
        paper.prepare_database("fer2013", "paper", request)
    with pytest.raises(BadDataError, match=r"gimefive-valid\.zip"):
        paper.prepare_database("gimefive", "paper", replace(request, data=tmp_path))


def test_both_recipes_differ_in_what_the_protocols_differ_in():
    own = {p: config.read(paper.configs() / name) for p, name in paper.RECIPES.items()}
    for recipe in own.values():
        recipe.pop("data")
        config.make({"data": ["x"], **recipe})
    shares = [recipe.pop("hold_out") for recipe in own.values()]
    assert shares == [0.0, 0.1]
    assert own["paper"] == own["leak-free"]


def test_reproduce_prints_and_writes_the_table(downloads, tmp_path):
    words = ("--only", "rafdb-cnn13", "--limit", 24, "--epochs", 1, "--protocol", "paper")
    result = mien("reproduce", *words, "--data", downloads, "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "rafdb-cnn13, paper, seed 0: test" in result.stdout
    assert "(printed 80.6) of 24" in result.stdout
    page = (tmp_path / "results" / "table-1-limit24-epochs1.md").read_text()
    assert len([line for line in page.splitlines() if line.startswith("| rafdb |")]) == 18
    assert "| rafdb | cnn13 | 2,606,086 | printed | 96.6 | 80.6 |" in page
    assert "Reached: train " in page
    assert "| rafdb | cnn15 | - | ours, leak-free | not run yet |" in page


@pytest.mark.slow
def test_table_two_scores_rafdbs_test_set_by_a_network_of_the_paper(downloads, tmp_path):
    words = ("--table", 2, "--only", "cnn13", "--epochs", 1)
    result = mien("reproduce", *words, "--data", downloads, "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "rafdb-cnn13, leak-free, seed 0: test" in result.stdout
    with (tmp_path / "results" / "table-2-epochs1.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    assert ",".join(header) == "filepath,happiness,surprise,sadness,anger,disgust,fear"
    assert len(lines) == 30
    folder = tmp_path / "runs" / "rafdb-cnn13-leak-free-seed0-epochs1"
    crops = load_crops([tmp_path / "data" / "rafdb-leak-free"], "test")
    logits = predict(run.load_run(folder).network, crops)
    scores = torch.softmax(logits / read_card(folder / "cnn13.onnx")["temperature"], 1).numpy()
    names = [row.path.split("/")[-1] for row in crops.rows]
    by_name = {name: own for name, own in zip(names, scores, strict=True)}
    for path, *cells in lines:
        own = by_name.pop(path.split("/")[-1])
        assert [float(cell) for cell in cells] == pytest.approx(own.tolist(), abs=0.0051)
    assert by_name == {}
    of_600 = (tmp_path / "results" / "table-2-600-epochs1.csv").read_text().splitlines()
    assert len(of_600) == 13
    assert "leak-free" in mien("reproduce", "--table", 2, "--protocol", "paper").stderr
    assert "like --only rafdb-cnn15" in mien("reproduce", "--table", 2, "--only", "fer2013").stderr


def test_table_three_needs_its_databases_and_names_those_it_can_do_without(downloads, tmp_path):
    words = ("--table", 3, "--out", tmp_path / "out")
    missing = mien("reproduce", *words, "--data", downloads)
    assert missing.exit_code == 1
    assert "fer2013.zip" in missing.stderr
    for path in downloads.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    fer = {
        f"{split}/{name}/{n}.jpg": encode(striped(label, 3000 + 10 * i + n))
        for split in ("train", "test")
        for i, (name, label) in enumerate((("happy", "happiness"), ("fear", "fear")))
        for n in range(2 if split == "train" else 1)
    }
    zip_of(tmp_path / "fer2013.zip", fer)
    kdef = {
        f"{label}/S0{n}_00{n}_0000000{n}.png": encode(striped(label, 4000 + n), "PNG")
        for n, label in enumerate(LABELS)
    }
    zip_of(tmp_path / "ckplus.zip", kdef)
    result = mien("reproduce", *words, "--data", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert f"no tfeid in {tmp_path}: its rows of Table 3 are left out" in result.stderr
    page = (tmp_path / "out" / "results" / "table-3.md").read_text()
    assert "| CK+ | train | 6 | 0 | 6 | - | - |" in page
    assert "| CK+ | valid | - | - | - | 600 | - |" in page
    assert "| CK+ | test |" not in page


def test_table_four_searches_the_whole_grid_on_as_many_pictures_as_asked_for(
    downloads, tmp_path, monkeypatch
):
    searches = []
    monkeypatch.setattr("mien.cli.reproduce.run_search", lambda *words: searches.append(words))
    words = ("--table", 4, "--limit", 60, "--epochs", 2)
    result = mien("reproduce", *words, "--data", downloads, "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    [(grid, folder)] = searches
    assert folder == tmp_path / "search-limit60"
    assert len(grid.points) == 48  # 144 where the epochs are not given
    assert {(point.limit, point.epochs) for point in grid.points} == {(60, 2)}
    [data] = {point.data for point in grid.points}
    rows = manifest.read(data[0])
    assert sum(row.split == "train" for row in rows) == 116  # the search takes the part, not this


def test_options_that_do_not_belong_together_are_refused(downloads, tmp_path):
    result = mien("reproduce", "--table", 4, "--only", "cnn15", "--data", downloads)
    assert result.exit_code == 2
    unknown = mien("reproduce", "--only", "cnn-15", "--data", downloads, "--out", tmp_path)
    assert unknown.exit_code == 2
    assert "try: use cnn15" in unknown.stderr
