"""The figures of docs/limits.md are the worst of the records, by hand."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import limits
import records

from mien.labels import LABELS
from mien.recognize.model import SHIPPED, read_card

SHA = read_card(SHIPPED)["weights_sha256"]


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)

    def write(name, record):
        (tmp_path / f"{name}.json").write_text(json.dumps({"weights_sha256": SHA} | record))

    return write


def test_the_worst_two_expressions_and_what_they_are_taken_for(results):
    recall = dict(zip(LABELS, (0.9, 0.8, 0.7, 0.6, 0.25, 0.5), strict=True))
    confusion = [[0] * 6 for _ in LABELS]
    confusion[4] = [2, 0, 30, 8, 25, 0]  # of disgust: 30 called sadness, 25 right
    for name in (*limits._SETS, *limits._STUDIO):
        results(name, {
            "pictures": 1000, "accuracy": 0.65, "recall": recall, "called_uncertain_rate": 0.1,
            "accuracy_at_80": 0.75, "confusion": confusion,
        })  # fmt: skip
    line = "| RAF-DB test | 1,000 | 35.0% | disgust 75%, fear 50% | 10.0% | 25.0% |"
    assert line in limits.accuracy().splitlines()
    assert line.replace("RAF-DB test", "CK+") in limits.accuracy().splitlines()
    cell = "sadness, 30 of 65"
    assert f"| disgust | {cell} | {cell} |" in limits.confused().splitlines()


def test_the_damage_that_costs_most_is_named_first(results):
    results("corruptions-miennet", {
        "settings": {"pictures": 40}, "model": "miennet",
        "sets": {"RAF-DB test": {"clean": 0.84, "accuracy": {
            "fog": [0.8, 0.3], "jpeg": [0.8, 0.79], "zoom_blur": [0.7, 0.5], "snow": [0.2, 0.6],
        }}},
    })  # fmt: skip
    row = "| RAF-DB test | 84% | fog 30%, zoom blur 50%, snow 60% |"
    assert row in limits.damage().splitlines()


def test_methods_that_do_not_beat_every_control_are_named(results):
    far = {"on_expected": 0.7, "area_of_expected": 0.4, "middle_on_expected": 0.5}
    near = {"on_expected": 0.75, "area_of_expected": 0.6, "middle_on_expected": 0.3}
    of = dict.fromkeys(LABELS, far)
    results("regions-rafdb", {"folders": {"rafdb-framed": of | {"fear": near}}})
    good = {m: {"gain": 0.1, "p": 0.001} for m in ("insertion", "road")}
    bad = good | {"road": {"gain": 0.1, "p": 0.2}}
    results("faithful-miennet", {"against": {"a": {"random": good}, "b": {"random": bad}}})
    told = limits.maps()
    assert "fear is worst: 75% of the evidence" in told
    assert "an even map has 60% and a bell in the middle 30%" in told
    assert "Of 2 methods `a` beat every map" in told
    assert "and `b` did not" in told


def test_measurements_of_another_model_stop_the_build(results):
    results("regions-rafdb", {"weights_sha256": "of another", "folders": {}})
    with pytest.raises(SystemExit, match="measured on another model"):
        limits.maps()
