"""The fuzzer sees every kind of failure, tells them apart, keeps the input and goes on."""

import sys

import pytest

from fuzz import __main__ as command
from fuzz.campaign import Child, Limits, campaign

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
KIND = "tests.fuzz.planted:EVERY_FAULT"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Seven inputs, one of each outcome, and what was kept."""
    found = tmp_path_factory.mktemp("found")
    return campaign(KIND, range(7), 0, found, Limits(0.5, 350, 6)), found / KIND


def test_every_outcome_is_counted_once(run):
    tally, _ = run
    assert tally.inputs == 7
    assert dict(tally.outcomes) == {
        "clean": 1, "refused": 1, "failed": 1, "crashed": 1, "slow": 2, "large": 1,
    }  # fmt: skip


def test_a_failure_is_named_by_its_type_and_place(run):
    tally, _ = run
    assert set(tally.findings) == {
        "failed: KeyError from planted.py:use",
        "crashed: ended by signal 11",
        "slow: no answer in 6 s",
        "slow: more than 0.5 s",
        "large: more than 350 MiB",
    }


def test_what_failed_is_kept_and_made_as_small_as_it_can_be(run):
    tally, found = run
    kept = found / tally.findings["failed: KeyError from planted.py:use"].file
    assert b"fail" in kept.read_bytes()
    assert len(kept.read_bytes()) < 16  # of 240
    trace = kept.with_name(kept.name + ".txt").read_text()
    assert "KeyError: 'planted'" in trace
    crash = found / tally.findings["crashed: ended by signal 11"].file
    assert "Segmentation fault" in crash.with_name(crash.name + ".txt").read_text()


def test_an_input_can_be_made_again_from_its_number(run):
    tally, _ = run
    assert tally.findings["crashed: ended by signal 11"].first == 3
    assert tally.record()["findings"]["slow: no answer in 6 s"] == {"count": 1, "first": 4}


def test_a_child_that_died_is_followed_by_another_that_answers(tmp_path):
    with Child(KIND, 0, tmp_path, Limits(0.5, 1024, 6)) as child:
        outcomes = [answer["outcome"] for answer in child.numbers(2, 9)]
    assert outcomes == ["failed", "crashed", "slow", "clean", "slow", "clean", "refused"]


def test_the_command_writes_its_counts_and_leaves_those_of_other_kinds(tmp_path, monkeypatch):
    out = tmp_path / "fuzz.json"
    out.write_text('{"kinds": {"other": {"inputs": 7}}}')
    words = ["fuzz", KIND, "--inputs", "2", "--out", str(out), "--found", str(tmp_path / "found")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        command.main()
    assert not end.value.code
    kinds = command.json.loads(out.read_text())["kinds"]
    assert kinds["other"] == {"inputs": 7}
    assert (kinds[KIND]["inputs"], kinds[KIND]["clean"], kinds[KIND]["refused"]) == (2, 1, 1)


def test_a_run_is_added_to_the_one_that_it_continues():
    def run(start, **changes):
        zeros = dict.fromkeys(("clean", "refused", "crashed", "slow", "large"), 0)
        found = {"failed: x": {"count": 2, "first": start + 1}}
        whole = {"inputs": 10, **zeros, "failed": 2, "slowest_s": start, "peak_mib": 9 - start}
        return {**whole, "seed": 0, "start": start, "commit": "a", "findings": found, **changes}

    both = command.joined(run(0), run(10))
    assert (both["inputs"], both["failed"], both["start"]) == (20, 4, 0)
    assert (both["slowest_s"], both["peak_mib"]) == (10, 9)
    assert both["findings"] == {"failed: x": {"count": 4, "first": 1}}
    for other in (run(20), run(0), run(10, commit="b"), run(10, seed=1)):
        assert command.joined(run(0), other) == other
    assert command.joined(None, run(10)) == run(10)
