"""The table of the ablation: differences by seed within one network, with intervals."""

import csv
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="the proof extra writes the intervals")
sys.path.append(str(Path(__file__).parents[2] / "docs"))

import ablation
import records

SETTINGS = 'data = ["data/made"]\nlimit = 1200\nepochs = 3\nhold_out = 0.1\n'


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    (tmp_path / "paper-ablation").mkdir()
    (tmp_path / "paper-ablation" / "best.toml").write_text(SETTINGS)
    return tmp_path / "paper-ablation" / "search.csv"


def write(path, points):
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["model", "seed", "variant", "held_accuracy", "state", "run"])
        for model, variant, accuracies in points:
            for seed, accuracy in enumerate(accuracies):
                state = "diverged" if accuracy is None else "done"
                run = f"{model}-{seed}-{variant}"
                table.writerow([model, seed, variant, accuracy, state, run])


def rows_of(text):
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {(row[0], row[1]): row[2:] for row in cells[2:] if row}


def test_each_change_is_compared_with_none_of_the_same_network_seed_by_seed(results):
    points = [
        ("a", "none", [0.80, 0.81, 0.82]),
        ("a", "turned", [0.81, 0.83, 0.82]),
        ("b", "none", [0.50, 0.40, None]),
        ("b", "turned", [0.58, 0.50, 0.99]),
        ("b", "all", [0.6]),
    ]
    write(results, points)
    text = ablation.each_change()
    # a: +1, +2, 0: mean 1, deviation 1; t of 2 degrees is 4.303, and 4.303 / sqrt(3) = 2.484
    # b: +8, +10 of the two seeds that both have: mean 9, deviation sqrt(2); t of 1 degree is 12.706
    assert rows_of(text) == {
        ("a", "none"): ["81.0%", "3", "-"],
        ("a", "turned"): ["82.0%", "3", "+1.0 (-1.5 to +3.5)"],
        ("a", "all"): ["-", "0", "-"],
        ("b", "none"): ["45.0%", "2", "-"],
        ("b", "turned"): ["69.0%", "3", "+9.0 (-3.7 to +21.7)"],
        ("b", "all"): ["60.0%", "1", "+10.0 (one seed: no interval)"],
    }
    assert "3 epochs on 1,200 training pictures of data/made, 10% of them held out" in text
    assert text.endswith("Not in it: b-2-none (diverged).\n")


@pytest.mark.usefixtures("results")
def test_what_was_not_run_is_named_with_the_command_that_does():
    assert ablation.each_change() == (
        "Not measured yet: `mien search configs/paper-ablation.toml`.\n"
    )


def test_the_interval_is_that_of_student():
    low, high = ablation.interval([1.0, 2.0, 0.0])
    assert (low, high) == pytest.approx((1 - 2.4841, 1 + 2.4841), abs=1e-4)
    assert ablation.interval([3.0, 3.0, 3.0]) == (3.0, 3.0)
