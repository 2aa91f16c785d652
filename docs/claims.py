"""What the paper claims of its networks beside what was measured, and which of our runs differ."""

from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from statistics import mean

from records import RESULTS, Record, read

from mien.show.tables import as_markdown
from mien.train import paper_tables

__all__ = ["PARTS", "difference"]

# What is claimed, and the two networks that differ in it: the first one has it.
_CLAIMS = (
    ("batch norm", "cnn15", "cnn10"),
    ("a fifth stage", "cnn15", "cnn13"),
    ("a sixth stage", "cnn17", "cnn15"),
    ("squeeze-excitation", "cnn16-se", "cnn15"),
    ("a residual network instead", "resnet18", "cnn15"),
)
_SURE = 1.96  # deviations of a normal distribution with 95 % between them


def claims() -> str:
    """Test accuracy with and without what a claim is about: printed, and ours with intervals."""
    printed = {row.name: row.test for row in paper_tables.rows("1") if row.test is not None}
    measured = paper_tables.read_results(RESULTS)
    rows = []
    for claim, one, other in _CLAIMS:
        for data in ("rafdb", "fer2013"):
            names = f"{data}-{one}", f"{data}-{other}"
            if not printed.keys() >= set(names):
                continue
            both = [measured.get(name, {"runs": []}) for name in names]
            ours = [
                _compared(*(paper_tables.runs_under(protocol, record) for record in both))
                for protocol in paper_tables.PROTOCOLS
            ]
            said = printed[names[0]] - printed[names[1]]
            rows.append([claim, data, f"{one} less {other}", f"{said:+.1f}", *ours])
    on, off = (read(f"ablation-augment-{name}/rafdb-test") for name in ("on", "off"))
    shift = difference((on["accuracy"], on["pictures"]), (off["accuracy"], off["pictures"]))
    rows.append(["augmentation", "rafdb", "cnn15, on less off", "", "", _in_points(*shift)])
    header = [
        "what", "data", "test accuracy of", "printed", "ours, the paper's protocol (95 %)",
        "ours, leak-free (95 %)",
    ]  # fmt: skip
    return as_markdown(header, rows)


def _compared(one: Sequence[Record], other: Sequence[Record]) -> str:
    """The difference of two networks in test accuracy, means of their seeds."""
    if not one or not other:
        return "not run yet"
    pairs = [
        (mean(run["accuracy"]["test"] for run in runs), runs[0]["pictures"]["test"])
        for runs in (one, other)
    ]
    return _in_points(*difference(pairs[0], pairs[1]))


def difference(one: tuple[float, int], other: tuple[float, int]) -> tuple[float, float]:
    """Compute how far two accuracies are apart.

    Args:
        one: accuracy in [0, 1], and of how many pictures.
        other: the same.

    Returns:
        The difference, and half of its 95 % interval, as if each had pictures of its own; of the
        same pictures the true interval is narrower. How much seeds differ is not in it.
    """
    spread = sqrt(sum(share * (1 - share) / count for share, count in (one, other)))
    return one[0] - other[0], _SURE * spread


def _in_points(shift: float, half: float) -> str:
    return f"{100 * shift:+.1f} ({100 * (shift - half):+.1f} to {100 * (shift + half):+.1f})"


def special_runs() -> str:
    """Which runs never find disgust, ran on a GPU, are of code that was not committed, or alone."""
    measured = paper_tables.read_results(RESULTS)
    runs = [(name, run) for name, record in measured.items() for run in record["runs"]]
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, run in runs:
        for kind, is_so in {
            "blind": run["recall_test"]["disgust"] == 0,
            "gpu": run["device"] != "cpu",
            "dirty": run["commit"].endswith("-dirty"),
        }.items():
            if is_so:
                found[kind].append((f"{name}, {run['protocol']}", run["seed"]))
    rows = {row.name: row for table in paper_tables.TABLES for row in paper_tables.rows(table)}
    own: dict[str, list[str]] = defaultdict(list)
    for row in rows.values():
        if row.name in measured and (changed := paper_tables.settings(row)):
            own[", ".join(sorted(changed))].append(row.name)
    settings = "; ".join(f"{', '.join(names)} ({changed})" for changed, names in own.items())
    alone = [name for name, record in measured.items() if _seeds(record) == 1]
    return (
        "- Disgust is never found on the test set (recall 0) by "
        f"{_listed(found['blind'], len(runs))}.\n"
        f"- On a GPU ran {_listed(found['gpu'], len(runs))}.\n"
        "- Of code with changes that were not committed are "
        f"{_listed(found['dirty'], len(runs))}.\n"
        "- Other settings than their protocol's, from [paper.toml](../src/mien/train/paper.toml), "
        f"have {settings}.\n"
        f"- Of one seed alone are {', '.join(alone) or 'none'}: how much seeds differ is in no "
        "interval above.\n"
    )


def _seeds(record: Record) -> int:
    """How many seeds a row has under the protocol that has fewest."""
    runs = [paper_tables.runs_under(protocol, record) for protocol in paper_tables.PROTOCOLS]
    return min(len(own) for own in runs if own)


def _listed(runs: Sequence[tuple[str, int]], total: int) -> str:
    """How many runs, and of which row and protocol with which seeds unless it is all of them."""
    if len(runs) == total:
        return f"all {total} runs"
    groups: dict[str, list[str]] = defaultdict(list)
    for name, seed in sorted(runs):
        groups[name].append(str(seed))
    named = "; ".join(
        f"{name}, {'seed' if len(seeds) == 1 else 'seeds'} {', '.join(seeds)}"
        for name, seeds in groups.items()
    )
    return f"{len(runs)} of {total} runs" + (f": {named}" if named else "")


PARTS = {"paper-claims": claims, "paper-runs": special_runs}
