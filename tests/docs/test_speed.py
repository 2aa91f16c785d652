"""The tables of speed: each goal beside its record, and the arithmetic of a cluster by hand."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the tables extra makes the parts of a run")
sys.path.append(str(Path(__file__).parents[2] / "docs"))

import records
import speed

CHIP = {"processor": "a chip", "cores": 2, "python": "3.11.7", "load_before": 0.5}
HEAD = {"machine": CHIP, "date": "2026-11-28 23:45 UTC", "goals": []}
SCORES = {**HEAD, "figures": {"pictures_10000": {"pictures_per_s": 1000}}}
ALONE = {
    "names listed a second": 100_000,
    "rows joined a second": 50_000,
    "bytes of the table a row": 40,
}
RAY = {
    **HEAD,
    "figures": {
        "photographs": {"a second and core": {"ray": 50, "all cores": 60}},
        "one machine alone": ALONE,
    },
}
WORKERS = {  # 600 photographs in 15 s are 40 a second, 20,000 crops in 25 s are 800
    **HEAD,
    "settings": {"photos": 600, "crops": 20_000},
    "figures": {
        "photos": {"one": {"median_ms": 10_000}, "one thread": {"median_ms": 15_000}},
        "crops": {"one": {"median_ms": 9_000}, "one thread": {"median_ms": 25_000}},
    },
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)

    def put(**made):
        for name, record in made.items():
            (tmp_path / f"bench-{name}.json").write_text(json.dumps(record))

    put(scores=SCORES)
    return put


def rows_of(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    return {row[0]: row[1:] for row in cells}


def test_the_arithmetic_of_a_cluster_is_that_of_its_records(write):
    write(ray=RAY)
    text = speed.cluster()
    assert text.startswith("One core reads 50.0 photographs a second, 20.0 ms each: decoded")
    assert "(`results/bench-ray.json`: a chip, 2 cores, Python 3.11.7, 2026-11-28)" in text
    assert rows_of(text) == {
        "core-hours": ["56", "5,556"],  # 10 million / 50 / 3,600 s
        "reading on 512 cores (16 machines of 32)": ["7 minutes", "11 hours"],  # 391 s; 39,063 s
        "reading on 6,400 cores (100 machines of 64)": ["31 seconds", "52 minutes"],
        "what is read, at 250 kB each": ["2.5 TB", "250 TB"],
        "asked of the store by 512 cores": ["6.4 GB/s", "6.4 GB/s"],  # 512 x 50 x 250 kB
        "asked of the store by 6,400 cores": ["80 GB/s", "80 GB/s"],
        "out of a store of 1 GB/s": ["42 minutes", "2.9 days"],  # 2,500 s; 250,000 s
        # 64,000 (1 + 2 + ... + 17) are 9,792,000 in 17,000 parts; the rest in parts of 18 x 64
        "parts, and pictures in the largest": ["17,181; 1,152", "177,626; 10,000"],
        "listing, by one machine (100,000 a second)": ["2 minutes", "2.8 hours"],
        "joining, by one machine (50,000 a second)": ["3 minutes", "5.6 hours"],
        "the table, with a face in each": ["0.4 GB", "40 GB"],
        "the longest step on 512 cores": ["the store: 42 minutes", "the store: 2.9 days"],
    }
    assert "A core asks the store for 12.5 MB/s, so 1 GB/s keeps 80 cores at work." in text
    assert "Face crops take 1.0 ms: 10 million and a billion are 2.78 and 278 core-hours" in text


def test_without_the_record_of_the_cluster_one_worker_tells_what_a_core_reads(write):
    assert speed.cluster() == "Not measured yet: `python -m benchmarks.bench_ray`.\n"
    write(workers=WORKERS)
    text = speed.cluster()
    assert text.startswith("One core reads 40.0 photographs a second, 25.0 ms each")
    assert text.count("`results/bench-workers.json`") == 2
    assert "Face crops take 1.2 ms: 10 million and a billion are 3.47 and 347 core-hours" in text
    assert not [name for name in rows_of(text) if "one machine" in name or "longest" in name]


def test_the_slowest_step_is_named_even_where_it_is_one_machines(write):
    slow = {**ALONE, "rows joined a second": 1_000}
    write(ray={**RAY, "figures": {**RAY["figures"], "one machine alone": slow}})
    assert rows_of(speed.cluster())["the longest step on 512 cores"] == [
        "joining: 2.8 hours",
        "joining: 12 days",
    ]


def test_each_goal_says_its_record_and_each_record_its_machine(write):
    goal = {"goal": "s", "measured": 2.0, "limit": 1.0}
    times = {"median_ms": 1.0}
    photo = {"photo_1": {"whole": times}, "photo_7": {"whole": times}, "crop": {"mien": times}}
    other = {**HEAD, "machine": {**CHIP, "processor": "another"}, "date": "2026-11-23 17:22 UTC"}
    write(photo={**HEAD, "figures": photo}, slow={**HEAD, "goals": [goal]})
    write(fast={**other, "goals": [{**goal, "goal": "f", "limit": 3000.0}]})
    text = speed.speed()
    assert "| f | 2 | at most 3,000 | met | bench-fast, 2026-11-23 |" in text
    assert "| s | 2 | at most 1 | **missed** | bench-slow, 2026-11-28 |" in text
    assert "1 of 2 goals are missed: s.\n" in text
    assert (
        "made on another, 2 cores, Python 3.11.7: bench-fast 0.5; "
        "a chip, 2 cores, Python 3.11.7: bench-slow 0.5.\n"
    ) in text
    assert "`results/bench-photo.json`: a chip" in speed.photograph()


def test_a_goal_that_is_barely_missed_has_the_digits_that_show_it(write):
    goals = [
        {"goal": "barely", "measured": 1.0504, "limit": 1.05},
        {"goal": "large", "measured": 4000.4, "limit": 4000},
        {"goal": "just", "measured": 1.0496, "limit": 1.05},
    ]
    write(slow={**HEAD, "goals": goals})
    rows = rows_of(speed.speed())
    assert rows["barely"][:3] == ["1.0504", "at most 1.05", "**missed**"]
    assert rows["large"][:3] == ["4,000.4", "at most 4,000.0", "**missed**"]
    assert rows["just"][:3] == ["1.05", "at most 1.05", "met"]


def test_the_numbers_from_which_processes_read_are_those_of_the_plan(monkeypatch):
    table = speed.who_reads()
    assert "from 400 photographs, 200 with `--out`, 4,000 crops" in table
    monkeypatch.setattr(speed.stream, "_MANY_S", 16)
    assert "from 800 photographs, 400 with `--out`, 8,000 crops" in speed.who_reads()
