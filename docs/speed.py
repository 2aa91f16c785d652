"""The tables of speed: the goals, a photograph stage by stage, and what a cluster would take.

Every figure says its record, as they are of several machines and days.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import records
from records import Record, origin

from mien.scale import stream
from mien.scale.run_folder import Size
from mien.show.tables import as_markdown

__all__ = ["PARTS", "cluster", "duration"]

_MANY = (10_000_000, 1_000_000_000)  # photographs
_CORES = {512: "16 machines of 32", 6_400: "100 machines of 64"}
_PHOTO_BYTES = 250_000  # of a photograph in the store: a guess
_STORE = 1_000_000_000  # bytes a second of a usual disk in a network
_BENCHES = ("bench-ray", "bench-workers")


def speed() -> str:
    """Every speed goal beside what was measured."""
    reports = _reports()
    goals = [
        [
            goal["goal"],
            *_figures(goal),
            "**missed**" if _is_missed(goal) else "met",
            f"{name}, {report['date'][:10]}",
        ]
        for name, report in reports.items()
        for goal in report["goals"]
    ]
    header = ["", "measured", "goal", "", "record"]
    return as_markdown(header, goals) + "\n" + missed() + _machines(reports)


def missed() -> str:
    """How many goals are missed, and which."""
    goals = [goal for report in _reports().values() for goal in report["goals"]]
    names = [goal["goal"] for goal in goals if _is_missed(goal)]
    named = f": {'; '.join(names)}" if names else ""
    return f"{len(names)} of {len(goals)} goals are missed{named}.\n"


def _reports() -> dict[str, Record]:
    found = sorted(records.RESULTS.glob("bench-*.json"))
    return {path.stem: records.read(path.stem) for path in found}


def _figures(goal: Record) -> tuple[str, str]:
    """What was measured, and the goal; with so many digits that a miss can be seen."""
    pair = [goal["measured"], goal["limit"]]
    measured, limit = next(
        texts
        for digits in range(3, 18)
        if len(set(texts := [_figure(value, digits) for value in pair])) == len(set(pair))
        or not _is_missed(goal)
    )
    return measured, f"at most {limit}"


def _figure(value: float, digits: int) -> str:
    return f"{value:,.{digits - 3}f}" if value >= 1000 else f"{value:.{digits}g}"


def _is_missed(goal: Record) -> bool:
    return bool(goal["measured"] > goal["limit"])


def _machines(reports: dict[str, Record]) -> str:
    """On which machine each record was made, and what else that one did."""
    made: dict[str, list[str]] = {}
    for name, report in reports.items():
        if report["goals"]:
            load = report["machine"]["load_before"]
            made.setdefault(records.machine(report), []).append(f"{name} {load}")
    told = "; ".join(f"{machine}: {', '.join(names)}" for machine, names in made.items())
    return (
        "\nRecords are files of `results/`, here each with the load of its machine in the minute "
        f"before it began (a machine that does nothing has 0), made on {told}.\n"
    )


def photograph() -> str:
    """Milliseconds of one photograph, stage by stage."""
    photo = records.read("bench-photo")["figures"]
    stages = list(photo["photo_1"])
    rows = [
        [name, *(f"{photo[key][stage]['median_ms']:.1f}" for stage in stages)]
        for name, key in (("1 face", "photo_1"), ("7 faces", "photo_7"))
    ]
    crop = photo["crop"]
    beside = f", {photo['fer']}: {crop['fer']['median_ms']:.2f} ms" if "fer" in crop else ""
    return (
        "A photograph of 1280x720 on one thread, in milliseconds:\n\n"
        + as_markdown(["", *stages], rows)
        + f"\nOne face crop on one thread: {crop['mien']['median_ms']:.2f} ms{beside} "
        + f"(a much smaller network). {origin('bench-photo')}.\n"
    )


def cluster() -> str:
    """What ten million and a billion photographs take, from what one core reads in a second."""
    name = next((n for n in _BENCHES if (records.RESULTS / f"{n}.json").exists()), None)
    if name is None:
        return "Not measured yet: `python -m benchmarks.bench_ray`.\n"
    record = records.read(name)
    rate = _photos_a_second(name, record)
    alone = record["figures"].get("one machine alone")
    rows = [list(row) for row in _rows(rate, alone)]
    crops, of_crops = _crops_a_second()
    hours = " and ".join(f"{count / crops / 3600:,.3g}" for count in _MANY)
    asked = rate * _PHOTO_BYTES
    return (
        f"One core reads {rate:.1f} photographs a second, {1000 / rate:.1f} ms each: decoded, of "
        f"1280x720, with one to three faces, a row each and no drawing ({origin(name)}).\n\n"
        + as_markdown(["", "10 million photographs", "a billion"], rows)
        + f"\nA core asks the store for {asked / 1e6:.1f} MB/s, so {_STORE / 1e9:.0f} GB/s keeps "
        f"{_STORE / asked:,.0f} cores at work. "
        f"Face crops take {1000 / crops:.1f} ms: 10 million and a billion are {hours} core-hours "
        f"({origin(of_crops)}).\n"
    )


def _photos_a_second(name: str, record: Record) -> float:
    """What one core reads: on Ray without its start, or by one thread with the command's start."""
    if name == "bench-ray":
        return float(record["figures"]["photographs"]["a second and core"]["ray"])
    return _by_one_thread(record, "photos")


def _crops_a_second() -> tuple[float, str]:
    """How many face crops one core reads, and the record that says so."""
    if (records.RESULTS / "bench-workers.json").exists():
        return _by_one_thread(records.read("bench-workers"), "crops"), "bench-workers"
    figures = records.read("bench-scores")["figures"]
    return float(figures["pictures_10000"]["pictures_per_s"]), "bench-scores"


def _by_one_thread(workers: Record, what: str) -> float:
    """Pictures a second of one process in which OpenCV, too, has one thread."""
    took_ms = workers["figures"][what]["one thread"]["median_ms"]
    return float(1000 * workers["settings"][what] / took_ms)


def _rows(rate: float, alone: Record | None) -> Iterator[tuple[str, ...]]:
    """The lines of the table; the steps that one machine does alone where they were measured."""
    steps: dict[str, list[float]] = {}  # seconds, by what takes them
    yield ("core-hours", *(f"{count / rate / 3600:,.0f}" for count in _MANY))
    for cores, machines in _CORES.items():
        spent = [count / rate / cores for count in _MANY]
        steps[f"reading on {cores:,} cores"] = spent
        yield (f"reading on {cores:,} cores ({machines})", *map(duration, spent))
    size = f"{_PHOTO_BYTES / 1e3:.0f} kB each"
    totals = [f"{count * _PHOTO_BYTES / 1e12:,.3g} TB" for count in _MANY]
    yield (f"what is read, at {size}", *totals)
    for cores in _CORES:
        asked = f"{cores * rate * _PHOTO_BYTES / 1e9:.3g} GB/s"
        yield (f"asked of the store by {cores:,} cores", asked, asked)
    steps["the store"] = [count * _PHOTO_BYTES / _STORE for count in _MANY]
    yield (f"out of a store of {_STORE / 1e9:.0f} GB/s", *map(duration, steps["the store"]))
    parts = map(_parts, _MANY)
    yield ("parts, and pictures in the largest", *(f"{n:,}; {most:,}" for n, most in parts))
    if alone is not None:
        yield from _alone(alone, steps)
        yield ("the longest step on 512 cores", *(_longest(steps, i) for i in range(len(_MANY))))


def _alone(alone: Record, steps: dict[str, list[float]]) -> Iterator[tuple[str, ...]]:
    """Listing and joining, which more machines do not shorten."""
    for what, key in (("listing", "names listed a second"), ("joining", "rows joined a second")):
        steps[what] = [count / alone[key] for count in _MANY]
        yield (f"{what}, by one machine ({alone[key]:,} a second)", *map(duration, steps[what]))
    wide = alone["bytes of the table a row"]
    yield ("the table, with a face in each", *(f"{count * wide / 1e9:,.3g} GB" for count in _MANY))


def _longest(steps: dict[str, list[float]], column: int) -> str:
    """The step that takes most, with 512 cores."""
    own = {name: spent[column] for name, spent in steps.items() if "6,400" not in name}
    name = max(own, key=lambda step: own[step])
    return f"{name}: {duration(own[name])}"


def _parts(pictures: int) -> tuple[int, int]:
    """How many parts a run has, and how many pictures are in its largest."""
    parts, left, size = 0, pictures, Size()
    while left > 0:
        left -= size.of(parts)
        parts += 1
    return parts, size.of(parts - 1)


def who_reads() -> str:
    """From how many pictures on there are more workers, and processes; as `stream.plan` says."""
    alone = "this process alone, as a second worker would not pay"
    threads = "they start at once; OpenCV, ONNX Runtime and Pillow work outside Python's lock"
    processes = "which share no lock, and take about a second to start (`predict`, `scores`)"
    rows = [
        [f"fewer than {_first(0, lambda how: how.threads == 1)}", alone],
        ["more", f"threads: {threads}"],
        [f"from {_first(2, lambda how: how.processes)}", f"processes, {processes}"],
    ]
    return as_markdown(["how many", "who reads"], rows)


def _first(workers: int, planned: Callable[[stream.Plan], bool]) -> str:
    """The smallest numbers of photographs and of crops whose plan is so."""
    photos, drawn, crops = (
        next(n for n in itertools.count(1) if planned(stream.plan(n, workers, None, each_s)))
        for each_s in (stream.PHOTO_S, stream.DRAWN_S, stream.CROP_S)
    )
    return f"{photos:,} photographs, {drawn:,} with `--out`, {crops:,} crops"


def duration(seconds: float) -> str:
    """Write seconds as people say them.

    Args:
        seconds: 0 or more.

    Returns:
        The time in two digits or so, with its unit.

    Example:
        >>> [duration(s) for s in (48, 420, 40_000, 400_000)]
        ['48 seconds', '7 minutes', '11 hours', '4.6 days']
    """
    units = ((86_400, 172_800, "days"), (3_600, 5_400, "hours"), (60, 90, "minutes"))
    for length, least, unit in units:
        if seconds >= least:
            value = seconds / length
            digits = 1 if value < 9.95 and unit != "minutes" else 0
            return f"{value:,.{digits}f} {unit}"
    return f"{seconds:.0f} seconds"


PARTS: dict[str, Any] = {
    "cluster": cluster,
    "photograph": photograph,
    "speed": speed,
    "speed-missed": missed,
    "who-reads": who_reads,
}
