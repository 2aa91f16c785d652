"""Every command that writes, killed at seeded moments: is what it leaves whole, and goes it on?

A command runs in a copy of this process, which has imported what costs time; first undisturbed,
as the reference. Then it is ended again and again, by SIGKILL, SIGTERM and SIGINT, half of the
times after a random time, half of them when a random file appears, changes or goes. After each:

half       files under their final names that are cut short, or other than the reference's; the
           runs of train and search may be at an earlier epoch, and a journal may hold fewer
           pictures, but every file must be readable
litter     parts left after SIGTERM or SIGINT, or after the rerun that follows
different  the same command again does not end well, or not with the reference's results

Run: make kill, or python -m tests.kill [--moments 30] [--seed 0] [--only NAME] [--out results]
Ends with exit code 1 if anything was found. Writes OUT/kill.json. Knows no command's inside.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from benchmarks.timing import head
from mien.media.parts import is_part_name
from mien.media.writers import write_text
from mien.show.tables import as_text
from tests.support.kill_inputs import COMMANDS, import_all, start
from tests.support.whole_files import contents, is_readable

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
GROWING = {"train", "search"}  # their files are written again after every epoch
COUNTS = ("killed", "ended before", "half", "litter", "different")


@dataclass
class Reference:
    """What a command does undisturbed."""

    files: dict[str, Any]
    seconds: float
    changes: int


@dataclass
class Tally:
    """What was found of one command and signal."""

    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    def note(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        self.found.append(f"{kind}: {what}")


def state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of all that is there now."""
    found = []
    for place, folders, files in os.walk(folder):  # which goes on when a folder is renamed
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # gone since it was listed
                facts = os.lstat(os.path.join(place, name))  # noqa: PTH118
                found.append((f"{place}/{name}", facts.st_size, facts.st_mtime_ns))
    return tuple(sorted(found))


def run(words: list[str], folder: Path) -> int:
    """Run a command to its end; return its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(start(words, folder), 0)[1])


def run_for(words: list[str], folder: Path, seconds: float, how: int) -> int:
    """Run a command for a time, then send it a signal; return its exit code."""
    child, end = start(words, folder), time.perf_counter() + seconds
    while time.perf_counter() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    return _end(child, how)


def run_until(words: list[str], folder: Path, most: int, how: int) -> tuple[int, int]:
    """Run a command until its folder changed so often; return its exit code and the changes."""
    child = start(words, folder)
    changes, last = 0, state(folder)
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        now = state(folder)
        changes, last = changes + (now != last), now
        if changes >= most:
            return _end(child, how), changes
        time.sleep(0.002)
    return os.waitstatus_to_exitcode(ended[1]), changes


def _end(child: int, how: int) -> int:
    os.kill(child, how)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def parts(folder: Path) -> list[str]:
    """Names of the parts that are there."""
    return [path.name for path in folder.rglob("*") if is_part_name(path.name)]


def finals(folder: Path) -> list[Path]:
    """Files that are no parts, and in none; SQLite's own part of a journal is one."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.suffix != ".journal-journal"]
    return [f for f in files if not any(map(is_part_name, f.relative_to(folder).parts))]


def fresh(inputs: Path, workplace: Path) -> Path:
    """An empty folder to run a command in, with the inputs linked."""
    folder = workplace / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (workplace / "inputs").unlink(missing_ok=True)
    (workplace / "inputs").symlink_to(inputs)
    return folder


def reference_of(name: str, inputs: Path, workplace: Path) -> Reference:
    folder = fresh(inputs, workplace)
    began = time.perf_counter()
    code, changes = run_until(COMMANDS[name], folder, 1_000_000, 0)
    seconds = time.perf_counter() - began
    if code != 0:
        raise click.ClickException(f"{name}: {(workplace / 'said.txt').read_text()}")
    return Reference(snapshot(folder), seconds, changes)


def snapshot(folder: Path) -> dict[str, Any]:
    return {str(path.relative_to(folder)): contents(path) for path in finals(folder)}


def kill_once(
    name: str, how: int, chance: random.Random, reference: Reference, place: tuple[Path, Path]
) -> list[tuple[str, str]]:
    """Kill a command once, look at what it left, run it again; return what was found."""
    folder = fresh(*place)
    if chance.random() < 0.5:
        seconds = chance.uniform(0.2, 1) * reference.seconds
        moment = f"{signal.Signals(how).name} after {seconds:.2f} s"
        code = run_for(COMMANDS[name], folder, seconds, how)
    else:
        change = chance.randint(1, max(1, reference.changes))
        moment = f"{signal.Signals(how).name} after {change} changes"
        code, _ = run_until(COMMANDS[name], folder, change, how)
    found = [("killed" if code else "ended before", moment)]
    if how != signal.SIGKILL and parts(folder):
        found.append(("litter", f"{moment}: {parts(folder)}"))
    for path in finals(folder):
        own = str(path.relative_to(folder))
        same = contents(path) == reference.files.get(own) if is_readable(path) else False
        grows = name in GROWING or path.suffix == ".journal"
        if not (same or (grows and is_readable(path))):
            found.append(("half", f"{moment}: {own}"))
    if name == "frames" and snapshot(folder) == reference.files:
        return found  # a folder that is complete is not made again
    again = run(COMMANDS[name], folder)
    after = snapshot(folder)
    if again != 0:
        said = (place[1] / "said.txt").read_text(errors="replace")
        found.append(("different", f"{moment}: the rerun ends with {again}: {said[-500:]}"))
    elif after != reference.files:
        names = after.keys() | reference.files.keys()
        others = sorted(n for n in names if after.get(n) != reference.files.get(n))
        found.append(("different", f"{moment}: {others}"))
    if parts(folder):
        found.append(("litter", f"{moment}, after the rerun: {parts(folder)}"))
    return found


def campaign(names: list[str], moments: int, seed: int, workplace: Path) -> dict[str, Any]:
    """Kill the commands in turn until there were so many moments in all."""
    inputs = workplace / "given"
    code = "import sys; from pathlib import Path; from tests.support import kill_inputs as k\n"
    code += "k.make_inputs(Path(sys.argv[1]))"  # apart, as training may leave threads
    subprocess.run([sys.executable, "-c", code, str(inputs)], check=True)
    import_all()
    references = {name: reference_of(name, inputs, workplace) for name in names}
    tallies = {(name, how): Tally() for name in names for how in SIGNALS}
    chance = random.Random(seed)
    # the commands in turn and the signals too, each command with each of the signals
    order = [
        (name, SIGNALS[(turn + n) % 3]) for turn in range(moments) for n, name in enumerate(names)
    ]
    for number, (name, how) in enumerate(order[:moments], 1):
        tally = tallies[name, how]
        for kind, what in kill_once(name, how, chance, references[name], (inputs, workplace)):
            if kind in {"killed", "ended before"}:
                tally.counts[kind] += 1
            else:
                tally.note(kind, what)
                click.echo(f"{name}: {kind}: {what}", err=True)
        click.echo(f"{number}/{moments} {name} {how.name}", err=True)
    return {
        f"{name} {how.name}": {
            **{kind: tally.counts[kind] for kind in COUNTS},
            "found": tally.found,
        }
        for (name, how), tally in tallies.items()
        if tally.counts
    }


@click.command()
@click.option("--moments", type=click.IntRange(1), default=30, show_default=True, help="In all.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--only", type=click.Choice(sorted(COMMANDS)), multiple=True, help="Repeatable.")
@click.option("--out", type=click.Path(path_type=Path), default="results", show_default=True)
def main(moments: int, seed: int, only: tuple[str, ...], out: Path) -> None:
    """Kill commands, and see what is left of their results."""
    command = f"python -m tests.kill --moments {moments} --seed {seed}"
    record = head(__doc__.splitlines()[0], command, {"moments": moments, "seed": seed})
    workplace = Path(tempfile.mkdtemp(prefix="mien-kill-"))
    try:
        figures = campaign(list(only or COMMANDS), moments, seed, workplace)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    rows = [[name, *(row[kind] for kind in COUNTS)] for name, row in figures.items()]
    totals = {kind: sum(row[kind] for row in figures.values()) for kind in COUNTS}
    click.echo(as_text(["", *COUNTS], [*rows, ["all", *totals.values()]]))
    write_text(
        json.dumps(record | {"all": totals, "figures": figures}, indent=1) + "\n", out / "kill.json"
    )
    sys.exit(any(totals[kind] for kind in ("half", "litter", "different")))


if __name__ == "__main__":
    main()
