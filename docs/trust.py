"""The tables of docs/trust.md: damaged inputs, long use, killed runs, threads, dependency ranges.

A measurement that has no file in results/ has a row that says so.
"""

from typing import Any

from records import RESULTS, Record, read

from mien.show.tables import as_markdown

__all__ = ["GOALS", "PARTS"]

_BAD = ("failed", "crashed", "slow", "large")
_COUNTED = ("inputs", "clean", "refused", *_BAD)
_HELD = ("memory", "threads", "descriptors")
_LEFT = ("half", "litter", "different")
_FOR_CPU = "+cpu"  # ends the version of such a build of torch
GOALS = {  # inputs of a whole campaign; the same numbers as in fuzz/kinds.py
    "pictures": 1_000_000,
    "videos": 10_000,
    "archives": 10_000,
    "models": 2_000,
}


def tested() -> str:
    """Every instrument in a row: what was tried, what was found, how it is remade."""
    rows = [*_fuzz(), *_soak(), *_kill(), *_threads(), *_ranges()]
    return as_markdown(["", "tried", "found", "goal", "remade by"], rows)


def _record(name: str) -> Record | None:
    return read(name) if (RESULTS / f"{name}.json").exists() else None


def _absent(what: str, command: str) -> list[list[str]]:
    return [[what, "not measured yet", "", "", f"`{command}`"]]


def _fuzz() -> list[list[str]]:
    record = _record("fuzz")
    if record is None:
        return _absent("damaged inputs", "make fuzz")
    rows = []
    for name, row in record["kinds"].items():
        found = ", ".join(f"{row[kind]:,} {kind}" for kind in _BAD)
        goal = f"{GOALS[name]:,} inputs, 0 of each" if name in GOALS else "0 of each"
        rows.append([f"damaged {name}", f"{row['inputs']:,} inputs", found, goal, "`make fuzz`"])
    return rows


def _soak() -> list[list[str]]:
    record = _record("soak")
    if record is None:
        return _absent("long use", "make soak")
    limits = record["settings"]["limits"]
    goal = "; ".join(f"{name} at most {limit:g} times" for name, limit in limits.items())

    def change(row: Record, held: str) -> str:
        ratio = row[f"{held}_ratio"]
        return f"{held} {ratio:g}" + " (**missed**)" * (ratio > limits[held])

    return [
        [
            f"long use: {name}",
            f"{row['count']:,}",
            "end over start: " + ", ".join(change(row, held) for held in _HELD),
            goal,
            "`make soak`",
        ]
        for name, row in record["parts"].items()
    ]


def _kill() -> list[list[str]]:
    records = [read(path.stem)["all"] for path in sorted(RESULTS.glob("kill*.json"))]  # by seed
    if not records:
        return _absent("killed runs", "make kill")
    killed = sum(totals["killed"] for totals in records)
    found = ", ".join(f"{sum(totals[kind] for totals in records)} {kind}" for kind in _LEFT)
    return [["killed runs", f"{killed:,} moments", found, "0 of each", "`make kill`"]]


def _threads() -> list[list[str]]:
    record = _record("bench-threads")
    if record is None:
        return _absent("one recognizer in threads", "python -m benchmarks.bench_threads")
    figures, settings = record["figures"], record["settings"]
    [goal] = record["goals"]
    return [
        [
            "one recognizer in threads",
            f"{settings['soak']:,} reads",
            f"{figures['soak_wrong']} other than alone; {goal['goal']} {goal['measured']:.3g}",
            f"0; at most {goal['limit']:g}",
            "`python -m benchmarks.bench_threads`",
        ]
    ]


def _ranges() -> list[list[str]]:
    record = _record("ranges")
    if record is None:
        return _absent("ranges of dependencies", "make ranges")
    made = record["environments"]
    broken = sum(not row["works"] for row in made.values())
    return [
        [
            "ranges of dependencies",
            f"{len(made)} environments",
            f"{broken} in which mien does not work",
            "0",
            "`make ranges`",
        ]
    ]


def fuzz() -> str:
    """What came of the inputs, by kind."""
    record = _record("fuzz")
    if record is None:
        return "Not measured yet.\n"
    header = ["", *_COUNTED, "slowest, s", "peak, MiB", "seed", "commit"]
    rows = [
        [
            name,
            *(f"{row[kind]:,}" for kind in _COUNTED),
            f"{row['slowest_s']:.2f}",
            f"{row['peak_mib']:,}",
            row["seed"],
            f"`{row['commit']}`",
        ]
        for name, row in record["kinds"].items()
    ]
    findings = [
        [name, f"`{signature}`", f"{found['count']:,}", f"{found['first']:,}"]
        for name, row in record["kinds"].items()
        for signature, found in row["findings"].items()
    ]
    more = as_markdown(["", "found", "times", "first input"], findings) if findings else ""
    machine = record["machine"]
    return (
        as_markdown(header, rows)
        + (f"\n{more}" if more else "")
        + f"\n{machine['processor']}, {machine['cores']} cores, Python {machine['python']}.\n"
    )


def ranges() -> str:
    """Every environment that was made."""
    record = _record("ranges")
    if record is None:
        return "Not measured yet.\n"
    rows = [
        [
            name,
            ", ".join(row.get("pins", [])) or "none",
            "works" if row["works"] else f"{row['step']} fails",
        ]
        for name, row in record["environments"].items()
    ]
    return as_markdown(["environment", "pinned; the rest is as new as allowed", ""], rows)


def release() -> str:
    """What was installed on which Python, and whether it works there."""
    record = _record("release")
    if record is None:
        return "Not measured yet.\n"
    rows = [
        [
            name,
            f"{row['megabytes']:,}" if row["works"] else "",
            row["versions"].get("torch", "") if row["works"] else "",
            "works" if row["works"] else f"{row['step']} fails",
        ]
        for name, row in record["environments"].items()
    ]
    sizes = record["bytes"]
    found = "; ".join([*record["problems"], *record["not tried"]]) or "no problem"
    return (
        as_markdown(["environment", "MB installed", "torch", ""], rows)
        + f"\nsdist {sizes['sdist'] / 1e6:.1f} MB with {record['tests in the sdist']:,} tests, "
        + f"wheel {sizes['wheel'] / 1e6:.1f} MB. Metadata, links, twine: {found}. "
        + f"{record['date']}.\n"
    )


def train_size() -> str:
    """What the train extra takes on the disk, by the build of torch that pip chose."""
    record = _record("release")
    if record is None:
        return "What it takes on the disk is not measured yet (`make release`).\n"
    made = [
        (row["megabytes"], row["versions"]["torch"], name.split(",")[0].removeprefix("python "))
        for name, row in record["environments"].items()
        if row["works"] and "torch" in row["versions"]
    ]
    cpu = [row for row in made if row[1].endswith(_FOR_CPU)]
    gpu = [row for row in made if not row[1].endswith(_FOR_CPU)]
    return (
        f"Together mien and its extra `train` take {_gigabytes(cpu)} on the disk with torch's "
        f"build for the CPU, whose version ends in `{_FOR_CPU}`, and {_gigabytes(gpu)} with the "
        "build for GPUs, which pip takes from PyPI on Linux, CUDA with it. "
        f"Measured by `make release` on {record['date'][:10]}.\n"
    )


def _gigabytes(rows: list[tuple[int, str, str]]) -> str:
    """Sizes of one build, from the smallest to the largest, with what was installed."""
    if not rows:
        return "an unknown size (not measured here)"
    ends = dict.fromkeys(f"{end(row[0] for row in rows) / 1000:.1f}" for end in (min, max))
    torch, pythons = (list(dict.fromkeys(row[i] for row in rows)) for i in (1, 2))
    return f"{' to '.join(ends)} GB (torch {', '.join(torch)}; Python {', '.join(pythons)})"


PARTS: dict[str, Any] = {
    "fuzz": fuzz,
    "ranges": ranges,
    "release": release,
    "tested": tested,
    "train-size": train_size,
}
