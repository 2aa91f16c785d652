"""The figures of docs/limits.md: the worst of what was measured, from the records in results/."""

from faithful import by_chance
from records import earlier_weights, read, read_of_shipped

from mien.evaluate.explanations import beats
from mien.labels import LABELS
from mien.recognize.model import SHIPPED, read_card
from mien.show.tables import as_markdown

__all__ = ["PARTS"]

_SETS = {"rafdb-test": "RAF-DB test", "fer2013-test": "FER2013 test"}
_STUDIO = {"ckplus-framed-train": "CK+", "tfeid-framed-train": "TFEID"}


def accuracy() -> str:
    """How often it is wrong, by set of pictures; in all and for its worst expressions."""
    rows = []
    for name, title in {**_SETS, **_STUDIO}.items():
        record = read_of_shipped(name)
        worst = sorted(LABELS, key=record["recall"].get)[:2]
        rows.append([
            title,
            record["pictures"],
            f"{1 - record['accuracy']:.1%}",
            ", ".join(f"{label} {1 - record['recall'][label]:.0%}" for label in worst),
            f"{record['called_uncertain_rate']:.1%}",
            f"{1 - record['accuracy_at_80']:.1%}",
        ])
    header = [
        "pictures of", "pictures", "wrong", "missed most", "called uncertain",
        "wrong in the surest 80 %",
    ]  # fmt: skip
    return as_markdown(header, rows)


def calibration() -> str:
    """How far confidence is from accuracy, on pictures like the training pictures and on others."""
    rows = []
    for name, title in {**_SETS, **_STUDIO}.items():
        record = read_of_shipped(name)
        low, high = record["calibration_error_by_chance"]
        rows.append([
            title,
            record["pictures"],
            "no" if name in _STUDIO else "yes",
            f"{record['calibration_error']:.1%}",
            f"{low:.1%} to {high:.1%}",
        ])
    header = [
        "pictures of", "pictures", "like the training pictures", "calibration error",
        "by chance alone",
    ]  # fmt: skip
    return as_markdown(header, rows)


def confused() -> str:
    """What each expression is taken for most often when it is missed."""
    rows = []
    for label in LABELS:
        row = [label]
        for name in _SETS:
            counts = read_of_shipped(name)["confusion"][LABELS.index(label)]
            others = [(count, LABELS[i]) for i, count in enumerate(counts) if LABELS[i] != label]
            count, other = max(others)
            row.append(f"{other}, {count:,} of {sum(counts):,}")
        rows.append(row)
    return as_markdown(["where it is missed, it is taken for", *_SETS.values()], rows)


def neutral() -> str:
    """How well neutral is told from the six, and how often the six are called neutral."""
    figures = read_card(SHIPPED)["neutral"]
    called = ", ".join(
        f"{read_of_shipped(name)['called_neutral_rate']:.1%} of {title}"
        for name, title in _SETS.items()
    )
    return (
        f"Of {figures['held_out']:,} held-out calm crops {1 - figures['found_rate']:.1%} are not "
        f"called neutral, and {figures['false_rate']:.1%} of {figures['others']:,} others are. On "
        f"test pictures of the six, {called} are called neutral.\n"
    )


def damage() -> str:
    """The kinds of damage that cost most at the highest strength."""
    record = read("corruptions-miennet")
    rows = []
    for title, figures in record["sets"].items():
        last = {kind: values[-1] for kind, values in figures["accuracy"].items()}
        worst = sorted(last, key=last.get)[:3]
        rows.append([
            title,
            f"{figures['clean']:.0%}",
            ", ".join(f"{kind.replace('_', ' ')} {last[kind]:.0%}" for kind in worst),
        ])
    header = ["accuracy", "undamaged", "worst, at the highest strength"]
    return as_markdown(header, rows) + (
        f"\n{record['settings']['pictures']} pictures of each{earlier_weights(record)}; "
        "[all kinds](model-card.md#under-damage).\n"
    )


def rejection() -> str:
    """How often a crop that is no face is taken for one although it is asked to reject."""
    chosen = read("rejection")["chosen"]
    return (
        f"With `--reject`, {1 - chosen['rejected_rate']:.1%} of crops that are no face are still "
        f"taken for one, and {1 - chosen['kept_rate']:.1%} of faces are called `no face` "
        "([measured](model-card.md#crops-that-are-not-faces)).\n"
    )


def maps() -> str:
    """How far the maps can be trusted: where they lie, and what they are worth beside controls."""
    regions = read_of_shipped("regions-rafdb")["folders"]["rafdb-framed"]
    least = min(
        regions, key=lambda label: regions[label]["on_expected"] - by_chance(regions[label])
    )
    of = regions[least]
    faithful = read_of_shipped("faithful-miennet")
    methods = list(faithful["against"])
    good = [n for n in methods if beats(faithful, n, "insertion") and beats(faithful, n, "road")]
    bad = [name for name in methods if name not in good]
    return (
        "Training drew the maps to where theory expects them, so they lie there because they were "
        f"told to. On faces it never saw, {least} is worst: {of['on_expected']:.0%} of the "
        f"evidence lies on the expected regions, where an even map has "
        f"{of['area_of_expected']:.0%} and a bell in the middle {of['middle_on_expected']:.0%}. "
        f"Of {len(methods)} methods {_listed(good)} beat every map that knows nothing in both "
        f"insertion and ROAD, and {_listed(bad)} did not.\n"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def paper() -> str:
    """How much copies of test pictures in training move the paper's figures."""
    found = read("prepare-fer2013")["report"]["leaked"]["fer2013"]
    kept = sum(n for split, _, n in read("prepare-fer2013")["report"]["kept"] if split == "train")
    return (
        f"FER2013's training set has {found:,} copies of its test pictures, which are left out "
        f"here ({kept:,} pictures are kept). The paper's figures are measured with them. "
        "What they change: [paper.md](paper.md#the-effect-of-the-leaks).\n"
    )


PARTS = {
    "limits-accuracy": accuracy,
    "limits-calibration": calibration,
    "limits-confused": confused,
    "limits-damage": damage,
    "limits-maps": maps,
    "limits-neutral": neutral,
    "limits-paper": paper,
    "limits-rejection": rejection,
}
