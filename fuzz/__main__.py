"""The command line of the fuzzer: python -m fuzz [KIND ...] [--inputs N] [--minutes M] [--seed S].

Without a kind all are tried. Prints a line a kind, writes results/fuzz.json (the kinds that were
tried; the others stay as they were) and ends with exit code 1 if anything failed. A run that starts
where the recorded one of the same seed and commit ended (--start) is added to it.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import timing
from fuzz.campaign import BAD, GOOD, Limits, Tally, campaign
from fuzz.kinds import KINDS, find
from mien.media.writers import write_text

_ROOT = Path(__file__).parents[1]
_QUESTION = "whether any damaged input brings a public door down, or costs too much"


def main() -> None:
    """Try the kinds that are named."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; or all")
    parser.add_argument("--inputs", type=int, help="of each kind; by default the goal's number")
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--minutes", type=float, help="for all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, default=_ROOT / "fuzz" / "found")
    parser.add_argument("--out", type=Path, default=_ROOT / "results" / "fuzz.json")
    chosen = parser.parse_args()
    names = chosen.kinds or list(KINDS)
    shares = {name: find(name).share for name in names}
    head = timing.head(_QUESTION, "fuzz", _limits())
    print(_line("", "inputs", "clean", "refused", *BAD))
    bad = 0
    for name in names:
        numbers = range(chosen.start, chosen.start + (chosen.inputs or find(name).goal))
        minutes = (chosen.minutes or float("inf")) * shares[name] / sum(shares.values())
        tally = campaign(name, numbers, chosen.seed, chosen.found, minutes=minutes)
        _print(name, tally, chosen.found)
        run = {"seed": chosen.seed, "start": chosen.start, "commit": _commit()}
        _write(chosen.out, head, name, {**tally.record(), **run, "date": head["date"]})
        bad += sum(tally.outcomes[outcome] for outcome in BAD)
    print(f"wrote {chosen.out}")
    sys.exit(bad > 0)


def _limits() -> dict[str, float]:
    return asdict(Limits())


def _line(*cells: object) -> str:
    first, *others = cells
    return f"{first!s:<12}" + "".join(f"{cell!s:>10}" for cell in others)


def _print(name: str, tally: Tally, found: Path) -> None:
    counts = [tally.outcomes[outcome] for outcome in ("clean", "refused", *BAD)]
    print(_line(name, tally.inputs, *counts), flush=True)
    for signature, finding in tally.findings.items():
        print(f"  {finding.count:>6} x {signature}  {found / name / finding.file}", flush=True)


def _commit() -> str:
    """The commit, with a star where files were changed since."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "fuzz")
    return git("rev-parse", "--short", "HEAD") + "*" * bool(changed)


def _write(path: Path, head: dict[str, Any], name: str, record: dict[str, Any]) -> None:
    """Put a kind's figures into the file; those of other kinds stay."""
    kinds = json.loads(path.read_text(encoding="utf-8"))["kinds"] if path.exists() else {}
    kinds[name] = joined(kinds.get(name), record)
    ordered = {key: kinds[key] for key in sorted(kinds, key=lambda key: (key not in KINDS, key))}
    write_text(json.dumps({**head, "kinds": ordered}, indent=1) + "\n", path)


def joined(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """Add a run to the one that it continues.

    Args:
        old: what is recorded of the kind.
        new: of this run.

    Returns:
        Both together if this one starts where the other ended, with the same seed and commit; else
        this one alone.
    """
    same = old is not None and all(old.get(key) == new[key] for key in ("seed", "commit"))
    if old is None or not same or new["start"] != old["start"] + old["inputs"]:
        return new
    findings = {**old["findings"]}
    for signature, found in new["findings"].items():
        before = findings.get(signature, {"count": 0, "first": found["first"]})
        findings[signature] = {**before, "count": before["count"] + found["count"]}
    added = {key: old[key] + new[key] for key in ("inputs", *GOOD, *BAD)}
    worst = {key: max(old[key], new[key]) for key in ("slowest_s", "peak_mib")}
    return {**new, **added, **worst, "start": old["start"], "findings": findings}


if __name__ == "__main__":
    main()
