"""Try many inputs of a kind: children are started, watched and restarted, what they find is kept.

A child that dies (a signal) has crashed, one that takes too much processor time or does not answer
is slow, one that needs too much memory is large: these are tried once more, alone, and count if
they do so again. Time is the processor's, because a busy machine is no fault of the input.
Everything else is in the child's answer. Findings are told apart by the type of the error and the
innermost function of mien; the first of each is minimised. Knows nothing of mien.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from fuzz.kinds import find
from fuzz.mutate import Seed, mutated

__all__ = ["BAD", "GOOD", "Child", "Finding", "Limits", "Tally", "campaign"]

GOOD = ("clean", "refused")
BAD = ("failed", "crashed", "slow", "large")
_ROOT = Path(__file__).parents[1]
_PART = 50  # inputs asked for at once, and the clock looked at
_EACH = 3  # inputs kept of each finding
_START_S = 120  # until a child must be ready


@dataclass(frozen=True, slots=True)
class Limits:
    """What one input may take.

    Attributes:
        seconds: of processor time.
        mib: of resident memory, the whole process.
        patience_s: by the clock; without an answer in it the process is ended.
    """

    seconds: float = 10
    mib: float = 1024
    patience_s: float = 60


@dataclass(slots=True)
class Finding:
    """One kind of failure.

    Attributes:
        count: how often it was seen.
        first: number of the first input that showed it.
        file: the minimised input, beside the folder of findings.
        trace: of the first.
    """

    count: int
    first: int
    file: str
    trace: str


@dataclass(slots=True)
class Tally:
    """What came of the inputs so far.

    Attributes:
        inputs: tried.
        outcomes: by name, of `GOOD` and `BAD`.
        slowest_s: of any input that was answered.
        peak_mib: of any input that was answered.
        findings: by signature.
    """

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0
    peak_mib: float = 0
    findings: dict[str, Finding] = field(default_factory=dict)

    def add(self, answer: dict[str, Any]) -> None:
        """Count an answer."""
        self.inputs += 1
        self.outcomes[answer["outcome"]] += 1
        self.slowest_s = max(self.slowest_s, answer["seconds"])
        self.peak_mib = max(self.peak_mib, answer["peak_mib"])

    def record(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        outcomes = {name: self.outcomes[name] for name in (*GOOD, *BAD)}
        found = {
            signature: {"count": f.count, "first": f.first}
            for signature, f in sorted(self.findings.items())
        }
        return {
            "inputs": self.inputs,
            **outcomes,
            "slowest_s": round(self.slowest_s, 2),
            "peak_mib": round(self.peak_mib),
            "findings": found,
        }


class Child:
    """One process that tries inputs; started anew after it died or was stopped."""

    def __init__(self, kind: str, seed: int, folder: Path, limits: Limits) -> None:
        """Start it.

        Args:
            kind: of the inputs.
            seed: of the campaign.
            folder: for its files.
            limits: of one input.
        """
        self._command = [sys.executable, "-m", "fuzz.child", kind, str(seed), str(folder)]
        self._limits = limits
        self._folder = folder
        self._start()

    def _start(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, env=environment
        )
        self._left = b""
        if self._line(_START_S) != "ready":
            raise RuntimeError(f"does not start: {' '.join(self._command)}")

    def _line(self, seconds: float) -> Any:
        """The next answer; None if the process died, or does not answer in time."""
        end = time.monotonic() + seconds
        pipe = self._process.stdout
        assert pipe is not None
        while b"\n" not in self._left:
            wait = end - time.monotonic()
            if wait <= 0 or not select.select([pipe], [], [], wait)[0]:
                return None
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                return None
            self._left += data
        line, _, self._left = self._left.partition(b"\n")
        return json.loads(line)

    def numbers(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Try inputs by their numbers; take all answers before asking for more.

        Args:
            start: the first.
            stop: behind the last.

        Yields:
            The answer for each; for one that ended the process, what was seen from outside.
        """
        number = start
        while number < stop:
            self._ask("numbers", number, stop)
            while number < stop:
                answer = self._answer(number)
                yield answer
                number += 1
                if answer["ended"]:
                    break

    def file(self, path: Path) -> dict[str, Any]:
        """Try one file.

        Args:
            path: of it.

        Returns:
            The answer.
        """
        self._ask("file", str(path))
        return self._answer(-1)

    def _ask(self, *words: object) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(json.dumps(words).encode() + b"\n")
        pipe.flush()

    def _answer(self, number: int) -> dict[str, Any]:
        """The answer for an input that was asked for, judged by the limits."""
        answer = self._line(self._limits.patience_s)
        if answer is None:
            return {**self._ended(), "number": number, "ended": True}
        if answer["number"] != number:
            raise RuntimeError(f"the answer for {answer['number']} came for {number}")
        if answer["outcome"] in GOOD and answer["seconds"] > self._limits.seconds:
            detail = f"more than {self._limits.seconds:g} s"
            answer |= {"outcome": "slow", "detail": detail}
        if answer["outcome"] in GOOD and answer["peak_mib"] > self._limits.mib:
            answer |= {"outcome": "large", "detail": f"more than {self._limits.mib:g} MiB"}
        return {**answer, "ended": False}

    def _ended(self) -> dict[str, Any]:
        """Say how the process ended, or stop it; then start the next."""
        died = self._process.poll()
        if died is None:
            time.sleep(0.2)  # its pipe may close before it is gone
            died = self._process.poll()
        self.stop()
        wait = self._limits.patience_s
        crash = self._folder / "crash.txt"
        trace = crash.read_text(encoding="utf-8") if crash.exists() else ""
        self._start()
        return {
            "outcome": "slow" if died is None else "crashed",
            "detail": f"no answer in {wait:g} s" if died is None else _signal(died),
            "trace": trace[:4000],
            "seconds": self._limits.seconds if died is None else 0,
            "peak_mib": 0,
        }

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        """Return itself; leaving the block ends the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.stop()


def _signal(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def campaign(
    name: str,
    numbers: range,
    seed: int,
    found: Path,
    limits: Limits | None = None,
    minutes: float = float("inf"),
) -> Tally:
    """Try the inputs of a kind.

    Args:
        name: of the kind.
        numbers: of the inputs, step 1.
        seed: of the campaign.
        found: folder for what fails.
        limits: of one input.
        minutes: after which no more are tried.

    Returns:
        What came of them.
    """
    from fuzz.minimise import minimised

    limits, tally, kind = limits or Limits(), Tally(), find(name)
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="mien-fuzz-") as work:
        begun = kind.seeds(Path(work) / "own")
        with Child(name, seed, Path(work), limits) as child:
            for start in range(numbers.start, numbers.stop, _PART):
                for answer in list(child.numbers(start, min(start + _PART, numbers.stop))):
                    if answer["outcome"] in GOOD:
                        tally.add(answer)
                        continue
                    made = mutated(begun, name, seed, answer["number"], kind.change)
                    answer = _confirmed(child, made, answer, Path(work))
                    tally.add(answer)
                    if answer["outcome"] in BAD:
                        _keep(tally, answer, made, found / name)
                if time.monotonic() > end:
                    break
            for signature, finding in tally.findings.items():
                path = found / name / finding.file
                small = minimised(child, path, Path(work) / "small", signature)
                path.write_bytes(small)
    return tally


def signature_of(answer: dict[str, Any]) -> str:
    """Name a failure, so that the same one is known again."""
    return f"{answer['outcome']}: {answer['detail']}"


def _confirmed(child: Child, made: Seed, answer: dict[str, Any], work: Path) -> dict[str, Any]:
    """Try an input again where the process around it may be to blame."""
    if answer["outcome"] == "failed":
        return answer
    alone = work / "again" / made.name
    alone.parent.mkdir(exist_ok=True)
    alone.write_bytes(made.data)
    return {**child.file(alone), "number": answer["number"]}


def _keep(tally: Tally, answer: dict[str, Any], made: Seed, folder: Path) -> None:
    signature = signature_of(answer)
    finding = tally.findings.get(signature)
    number = answer["number"]
    if finding is None:
        place = len(tally.findings)
        finding = Finding(0, number, f"{place:02}-{number}-{made.name}", answer["trace"])
        tally.findings[signature] = finding
    finding.count += 1
    if finding.count <= _EACH:
        folder.mkdir(parents=True, exist_ok=True)
        place = list(tally.findings).index(signature)
        kept = folder / f"{place:02}-{number}-{made.name}"
        kept.write_bytes(made.data)
        kept.with_name(kept.name + ".txt").write_text(
            f"{signature}\n{answer['trace']}\n", encoding="utf-8"
        )
