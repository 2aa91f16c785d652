"""The tables of docs/trust.md say what the records say, and name what was not measured."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import records
import trust

MACHINE = {"processor": "a chip", "cores": 2, "python": "3.11.7"}
COUNTS = {"inputs": 1200, "clean": 900, "refused": 297, "failed": 2, "crashed": 1, "slow": 0}
FUZZ = {
    "machine": MACHINE,
    "kinds": {
        "videos": {
            **COUNTS,
            "large": 0,
            "slowest_s": 0.5,
            "peak_mib": 230,
            "seed": 0,
            "commit": "abc",
            "findings": {"failed: KeyError from x.py:f": {"count": 2, "first": 7}},
        }
    },
}
RANGES = {
    "environments": {
        "python 3.11, oldest": {"works": False, "step": "smoke", "pins": ["click==8.1"]},
        "python 3.11, newest": {"works": True, "pins": []},
    }
}


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(trust, "RESULTS", tmp_path)
    return tmp_path


def rows_of(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


@pytest.mark.usefixtures("results")
def test_what_was_not_measured_is_a_row_with_the_command_that_does():
    rows = rows_of(trust.tested())[2:]
    assert [row[1] for row in rows] == ["not measured yet"] * 5
    assert {"`make fuzz`", "`make soak`", "`make ranges`"} <= {row[4] for row in rows}


def test_failures_are_in_the_table_and_named_below(results):
    (results / "fuzz.json").write_text(json.dumps(FUZZ))
    [row] = [row for row in rows_of(trust.tested()) if row[0] == "damaged videos"]
    assert row[1:4] == [
        "1,200 inputs", "2 failed, 1 crashed, 0 slow, 0 large", "10,000 inputs, 0 of each",
    ]  # fmt: skip
    assert "| videos | `failed: KeyError from x.py:f` | 2 | 7 |" in trust.fuzz()


def test_an_environment_that_does_not_work_is_counted_and_shown(results):
    (results / "ranges.json").write_text(json.dumps(RANGES))
    [row] = [row for row in rows_of(trust.tested()) if row[0] == "ranges of dependencies"]
    assert row[1:3] == ["2 environments", "1 in which mien does not work"]
    assert "| python 3.11, oldest | click==8.1 | smoke fails |" in trust.ranges()


def test_the_goals_are_those_of_the_fuzzer():
    from fuzz.kinds import KINDS

    own = {name: KINDS[name].goal for name in trust.GOALS}
    assert own == trust.GOALS


def test_what_long_use_leaves_behind_beyond_its_limit_is_called_missed(results):
    held = {"threads_ratio": 1.0, "descriptors_ratio": 1.0}
    limits = {"memory": 1.1, "threads": 1.0, "descriptors": 1.0}
    parts = {
        "frames": {"count": 100, "memory_ratio": 1.1206, **held},
        "videos": {"count": 3, "memory_ratio": 1.1, **held},
    }
    record = {"settings": {"limits": limits}, "parts": parts}
    (results / "soak.json").write_text(json.dumps(record))
    found = {row[0]: row[2] for row in rows_of(trust.tested()) if row[0].startswith("long use")}
    assert found["long use: frames"].startswith("end over start: memory 1.1206 (**missed**), thr")
    assert "missed" not in found["long use: videos"]


def environment(megabytes, torch=None):
    versions = {"torch": torch} if torch else {}
    return {"works": True, "megabytes": megabytes, "versions": versions}


def test_the_sizes_of_the_train_extra_are_told_apart_by_the_build_of_torch(results):
    made = {
        "python 3.11, wheel": environment(310),
        "python 3.11, train": environment(1_490, "2.13.0+cpu"),
        "python 3.12, train": environment(5_460, "2.13.0"),
        "python 3.13, train": environment(5_540, "2.13.0"),
    }
    record = {"date": "2026-11-28 23:40 UTC", "environments": made}
    (results / "release.json").write_text(json.dumps(record))
    text = trust.train_size()
    assert "take 1.5 GB (torch 2.13.0+cpu; Python 3.11) on the disk" in text
    assert "and 5.5 GB (torch 2.13.0; Python 3.12, 3.13) with the build for GPUs" in text
    made["python 3.13, train"] = {"works": False, "step": "install"}
    made["python 3.12, train"]["megabytes"] = 5_440
    del made["python 3.11, train"]
    (results / "release.json").write_text(json.dumps(record))
    assert "an unknown size (not measured here) on the disk" in trust.train_size()
    assert "and 5.4 GB (torch 2.13.0; Python 3.12)" in trust.train_size()
