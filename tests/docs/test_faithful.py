import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy")

sys.path.append(str(Path(__file__).parents[2] / "docs"))
import faithful
import records

from mien.evaluate.faithfulness import METRICS
from mien.evaluate.maps import CONTROLS


@pytest.fixture
def results(tmp_path, monkeypatch):
    """One trial: a wins every metric against every control, b none."""
    value = {"a": 0.9, "b": 0.2, **dict.fromkeys(CONTROLS, 0.5)}
    against = {
        name: {c: {m: {"gain": gain, "p": 0.001} for m in METRICS} for c in CONTROLS}
        for name, gain in (("a", 0.4), ("b", -0.3))
    }
    record = {
        "command": "mien faithful net.onnx data/rafdb --pictures 7",
        "name": "net", "pictures": 7, "source": "rafdb", "split": "test", "sanity_pictures": 3,
        "mean": {name: dict.fromkeys(METRICS, v) for name, v in value.items()},
        "error": {name: dict.fromkeys(METRICS, 0.01) for name in value},
        "against": against,
        "steadiness": {name: {"noise": 0.8, "other_picture": 0.1} for name in value},
        "forgetting": {"head": {"a": 0.3, "b": 1.0}},
    }  # fmt: skip
    (tmp_path / "faithful-net.json").write_text(json.dumps(record))
    monkeypatch.setattr(records, "RESULTS", tmp_path)


def test_what_beats_every_control_is_bold_and_trusted(results):
    lines = faithful.faithful().splitlines()
    [a] = [line for line in lines if line.startswith("| a |")]
    assert a.count("**0.900 ± 0.020**") == len(METRICS)
    [b] = [line for line in lines if line.startswith("| b |")]
    assert "**" not in b
    assert any(line.startswith("| *gaussian* |") for line in lines)
    verdict = faithful.trust()
    assert "both insertion and ROAD: `a`. Of these `a` has the highest ROAD, 0.900" in verdict
    assert "Not so: `b`" in verdict


def test_what_the_network_forgets_is_shown_beside_noise(results):
    lines = faithful.sane().splitlines()
    assert "| a | 0.80 | 0.10 | 0.30 |" in lines
    assert "| gaussian | 0.80 | 0.10 | - |" in lines


def test_where_no_method_wins_the_page_says_so(results, tmp_path):
    path = tmp_path / "faithful-net.json"
    record = json.loads(path.read_text())
    record["against"]["a"]["gaussian"]["road"]["p"] = 0.2
    path.write_text(json.dumps(record))
    assert "No method beats every control in both" in faithful.trust()
    assert "which no method beats" in faithful.trust()


def test_a_plot_of_another_record_is_named_and_drawn_anew(results, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(faithful, "PLOTS", tmp_path)
    assert faithful.stale() == ["faithful-net.png"]
    faithful.draw()
    assert faithful.stale() == []
    record = tmp_path / "faithful-net.json"
    record.write_text(record.read_text().replace("0.9", "0.8"))
    assert faithful.stale() == ["faithful-net.png"]


def test_a_record_is_remade_by_the_command_that_it_names(results, tmp_path):
    command = "mien regions shipped data/rafdb --split test"
    learned = f"{command} --method fast-occlusion"
    (tmp_path / "regions-rafdb.json").write_text(json.dumps({"command": command}))
    (tmp_path / "regions-fast-occlusion.json").write_text(json.dumps({"command": learned}))
    named = json.loads((tmp_path / "faithful-net.json").read_text())
    named["command"] += " --run that-of-the-record"  # the reader has one of another name
    (tmp_path / "faithful-net.json").write_text(json.dumps(named))
    assert faithful.remake().splitlines()[1:-1] == [
        f"{command} --out results/regions-rafdb.json",
        f"{learned} --out results/regions-fast-occlusion.json",
        "mien faithful net.onnx data/rafdb --pictures 7 --run RUN --out results/faithful-net.json",
    ]
