"""What a benchmark writes down of itself, and what it does where its data is not there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PIL")

from benchmarks import timing
from mien.media.writers import write_picture

ROOT = Path(__file__).parents[2]


def run(name, *words):
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("name", ["bench_crops", "bench_rejection"])
def test_make_bench_goes_on_where_the_data_of_a_benchmark_is_not_there(name, tmp_path):
    data = ["--data", tmp_path / "none"] if name == "bench_rejection" else []
    result = run(name, *data, "--out", tmp_path / "out")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith("not measured, nothing written: no ")
    assert not (tmp_path / "out").exists()


def test_a_record_beside_the_speeds_has_goals_as_they_have(tmp_path, portrait):
    photos, crops, out = (tmp_path / name for name in ("photos", "crops", "out"))
    write_picture(portrait, photos / "a.jpg")
    write_picture(portrait[60:180, 165:285], crops / "a.jpg")
    result = run("bench_crops", "--photos", photos, crops, "--out", out)
    assert result.returncode == 0, result.stderr
    record = json.loads((out / "bench-crops.json").read_text(encoding="utf-8"))
    assert record.keys() >= {"machine", "date", "figures"}
    names = [goal["goal"] for goal in record["goals"]]
    assert names == ["runs of crops, taken for photographs", "photographs with a face, not told"]


def test_a_record_names_the_commit_that_was_measured():
    told = timing.head("what?", "benchmarks.none", {})["commit"]
    is_checkout = (ROOT / ".git").exists()
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?" if is_checkout else "", told)
