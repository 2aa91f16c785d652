"""A record that is older than the data or the model it speaks of is named, whatever kind it is."""

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import sources

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture
def results(tmp_path):
    for path in [RESULTS / "table3.md", *RESULTS.glob("*.json")]:
        shutil.copy(path, tmp_path)
    return tmp_path


def change(path, **values):
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | values))


def test_nothing_in_results_is_older_than_what_it_speaks_of(results):
    assert sources.older(results) == []


def test_a_table_of_counts_that_prepare_no_longer_finds_is_named(results):
    text = (results / "table3.md").read_text()
    row = next(
        line for line in text.splitlines() if line.startswith("| data/fer2013 | fer2013 | t")
    )
    six = row.split("|")[10].strip()
    more = f"{int(six.replace(',', '')) + 1:,}"
    (results / "table3.md").write_text(text.replace(f" {six} ", f" {more} "))
    told = sources.older(results)
    assert any(
        "table3.md" in sentence and "train pictures of fer2013, and" in sentence
        for sentence in told
    )
    assert any("results/audit.json has" in sentence for sentence in told)
    assert all("run mien " in sentence for sentence in told)


def test_a_record_of_other_weights_than_the_packages_is_named(results):
    change(results / "rejection.json", weights_sha256="f" * 64)
    [told] = sources.older(results)
    assert told.startswith("results/rejection.json was measured on the weights ffffffff, and the")


def test_a_test_set_of_another_size_and_peers_of_another_model_are_named(results):
    change(results / "rafdb-test.json", pictures=2389, accuracy=0.9)
    size, peers = sources.older(results)
    assert size.startswith("results/rafdb-test.json was measured on 2389 pictures, and")
    assert peers.startswith("results/peers.json has 0.")
    assert "and results/rafdb-test.json 0.9: run python -m benchmarks.peers" in peers


def test_a_network_that_does_not_ship_may_have_other_weights(results):
    change(results / "rejection.json", weights_sha256="f" * 64, model="cnn15")
    assert sources.older(results) == []
