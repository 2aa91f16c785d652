"""The claims of the paper: differences with intervals, and runs that are special."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import claims


def test_an_interval_by_hand():
    shift, half = claims.difference((0.6, 100), (0.5, 100))
    assert shift == pytest.approx(0.1)
    assert half == pytest.approx(1.96 * 0.07)  # the root of 0.24 / 100 + 0.25 / 100


def run(protocol, test, disgust=0.5, device="cpu", commit="abc", seed=0):
    return {
        "protocol": protocol, "seed": seed, "device": device, "commit": commit,
        "accuracy": {"test": test}, "pictures": {"test": 10_000},
        "recall_test": {"disgust": disgust},
    }  # fmt: skip


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "RESULTS", tmp_path)
    records = {
        "rafdb-cnn10": [run("paper", 0.80), run("leak-free", 0.5, 0, commit="abc-dirty")],
        "rafdb-cnn15": [
            run("paper", 0.84, device="a GPU"),
            run("paper", 0.86, device="a GPU", seed=1),
        ],
    }
    for row, runs in records.items():
        path = tmp_path / f"paper-{row}.json"
        path.write_text(json.dumps({"row": row, "runs": runs}))


def test_a_claim_is_compared_under_each_protocol(results):
    [row] = [line for line in claims.claims().splitlines() if "batch norm" in line]
    # 85 less 80; the root of (0.1275 + 0.16) / 10,000 is 0.00536
    expected = (
        "| batch norm | rafdb | cnn15 less cnn10 | +6.2 | +5.0 (+3.9 to +6.1) | not run yet |"
    )
    assert row == expected


def test_special_runs_are_named(results, monkeypatch):
    own = {"rafdb-cnn10": {"rate": 0.02}}
    monkeypatch.setattr(claims.paper_tables, "settings", lambda row: own.get(row.name, {}))
    blind, gpu, dirty, settings, alone = claims.special_runs().splitlines()
    assert blind.endswith("by 1 of 4 runs: rafdb-cnn10, leak-free, seed 0.")
    assert gpu.endswith("ran 2 of 4 runs: rafdb-cnn15, paper, seeds 0, 1.")
    assert dirty.endswith("are 1 of 4 runs: rafdb-cnn10, leak-free, seed 0.")
    assert settings.endswith("have rafdb-cnn10 (rate).")
    assert "Of one seed alone are rafdb-cnn10: " in alone  # cnn15 has two
