"""The tables, sentences and plots of docs/faithful.md: evidence by region, methods beside controls.

Each plot carries the hash of its record, so that `build.py` knows without drawing whether it is out
of date.
"""

import hashlib
import re
from pathlib import Path

import records
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from records import Record, earlier_weights

from mien.evaluate.explanations import beats
from mien.evaluate.faithfulness import METRICS
from mien.faces.regions import REGIONS, UNITS, expected, units_of
from mien.labels import LABELS
from mien.show.tables import as_markdown

__all__ = ["PARTS", "draw", "stale"]

PLOTS = records.ROOT / "docs"
_ALIKE = 0.5  # rank correlation above which a map counts as unchanged


def _records() -> list[Record]:
    paths = sorted(records.RESULTS.glob("faithful-*.json"))
    return [records.read(path.stem) for path in paths]


def stale() -> list[str]:
    """Name the plots that are missing, or of another record than the one in results/."""
    return [plot.name for plot, digest in _plots().items() if _digest_of(plot) != digest]


def draw() -> None:
    """Draw the plots that are out of date, from their records."""
    from mien.show.plots import faithfulness

    for plot, digest in _plots().items():
        if _digest_of(plot) == digest:
            continue
        faithfulness(records.read(plot.stem), METRICS, plot)
        described = PngInfo()
        described.add_text("Description", digest)
        with Image.open(plot) as image:
            image.load()
            image.save(plot, optimize=True, pnginfo=described)


def _plots() -> dict[Path, str]:
    """Every plot with the hash of its record."""
    paths = sorted(records.RESULTS.glob("faithful-*.json"))
    return {
        PLOTS / f"{path.stem}.png": hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def _digest_of(plot: Path) -> str:
    if not plot.exists():
        return ""
    with Image.open(plot) as image:
        return str(image.info.get("Description", ""))


def units() -> str:
    """The action units of each expression and the regions where they are seen."""
    rows = [
        [
            label,
            "; ".join(f"{unit} {UNITS[unit][0]}" for unit in units_of(label)),
            ", ".join(expected(label)),
        ]
        for label in LABELS
    ]
    return as_markdown(["expression", "action units", "regions expected"], rows)


def regions() -> str:
    """Where the evidence lies, by expression, beside where theory expects it."""
    return _regions_of(records.read("regions-rafdb"))


def used() -> str:
    """The same of fast occlusion: what the answer depends on."""
    return _regions_of(records.read("regions-fast-occlusion"))


def _regions_of(record: Record) -> str:
    parts = []
    for name, expressions in record["folders"].items():
        rows = [
            [
                label,
                *(f"{of['share'][region]:.0%}" for region in REGIONS),
                "**{:.0%}** ({:.0%} to {:.0%})".format(of["on_expected"], *of["on_expected_95"]),
                f"{of['area_of_expected']:.0%}",
                f"{of['middle_on_expected']:.0%}",
            ]
            for label, of in expressions.items()
        ]
        area = next(iter(expressions.values()))["area"]
        rows.append(["*area*", *(f"*{area[region]:.0%}*" for region in REGIONS), "", "", ""])
        header = ["", *REGIONS, "on what is expected (95 %)", "its area", "a bell's share of it"]
        pictures = sum(of["pictures"] for of in expressions.values())
        parts.append(
            f"`{name}`, {pictures:,} {record['split']} pictures{earlier_weights(record)}:\n\n"
            + as_markdown(header, rows)
        )
    return "\n".join(parts) + "\n" + _above_chance(record["folders"])


def by_chance(of: Record) -> float:
    """Share on the expected regions of the better of two maps that know nothing."""
    return float(max(of["area_of_expected"], of["middle_on_expected"]))


def _above_chance(folders: Record) -> str:
    """Name the expressions with more evidence on the expected regions than a blind map has."""
    name, expressions = next(iter(folders.items()))
    above = {label: of["on_expected_95"][0] > by_chance(of) for label, of in expressions.items()}
    good = [label for label, is_above in above.items() if is_above]
    bad = [label for label, is_above in above.items() if not is_above]
    return (
        f"In `{name}` the evidence lies on the expected regions more than both a map without form "
        f"and a bell in the middle would have it for {_listed(good)}"
        + (f"; not so for {_listed(bad)}.\n" if bad else ".\n")
    )


def faithful() -> str:
    """Every metric of every method and control, by network."""
    parts = []
    for record in _records():
        rows = [
            [
                name if name in record["against"] else f"*{name}*",
                *(_mean_and_interval(record, name, metric) for metric in METRICS),
            ]
            for name in record["mean"]
        ]
        signs = ["↑" if sign > 0 else "↓" for sign in METRICS.values()]
        header = ["", *(f"{m} {sign}" for m, sign in zip(METRICS, signs, strict=True))]
        parts.append(
            f"**{record['name']}**, {record['pictures']} pictures of {record['source']}'s "
            f"{record['split']} set{earlier_weights(record)}; controls in italics:\n\n"
            + as_markdown(header, rows)
        )
    return "\n".join(parts)


def _mean_and_interval(record: Record, name: str, metric: str) -> str:
    value = f"{record['mean'][name][metric]:.3f} ± {1.96 * record['error'][name][metric]:.3f}"
    return f"**{value}**" if beats(record, name, metric) else value


def sane() -> str:
    """Correlation of maps: with noise, between pictures, and as layers are randomized."""
    parts = []
    for record in _records():
        if "steadiness" not in record:
            continue
        stages = record.get("forgetting", {})
        shuffled = record.get("shuffled_labels", {})
        header = ["", "a little noise", "another picture", *(f"to {stage}" for stage in stages)]
        header += ["shuffled labels"] if shuffled else []
        rows = [
            [
                name,
                f"{of['noise']:.2f}",
                f"{of['other_picture']:.2f}",
                *(_two_digits(stage.get(name)) for stage in stages.values()),
                *([_two_digits(shuffled.get(name))] if shuffled else []),
            ]
            for name, of in record["steadiness"].items()
        ]
        parts.append(
            f"**{record['name']}**, {record['sanity_pictures']} pictures{earlier_weights(record)}:"
            "\n\n" + as_markdown(header, rows)
        )
    return "\n".join(parts)


def _two_digits(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def trust() -> str:
    """Which methods to trust, by network."""
    return "\n".join(_which_to_trust(record) for record in _records())


def _which_to_trust(record: Record) -> str:
    mean, methods = record["mean"], list(record["against"])
    controls = [name for name in mean if name not in methods]
    trusted = [n for n in methods if beats(record, n, "insertion") and beats(record, n, "road")]
    trusted.sort(key=lambda name: -mean[name]["road"])
    lines = [f"**{record['name']}{earlier_weights(record)}.** "]
    if trusted:
        lines.append(
            f"Beating every control in both insertion and ROAD: {_listed(trusted)}. Of these "
            f"`{trusted[0]}` has the highest ROAD, {mean[trusted[0]]['road']:.3f}. "
        )
    else:
        lines.append("No method beats every control in both insertion and ROAD. ")
    losers = [name for name in methods if name not in trusted]
    if trusted and losers:
        lines.append(f"Not so: {_listed(losers)}. ")
    for metric, sign in METRICS.items():
        best = max(controls, key=lambda name, m=metric, s=sign: s * mean[name][m])
        won = [name for name in methods if beats(record, name, metric)]
        lines.append(
            f"{metric.capitalize()}: the best control is *{best}* ({mean[best][metric]:.3f}), "
            + (f"beaten by {_listed(won)}. " if won else "which no method beats. ")
        )
    return "".join([*lines, *_doubts(record)]).strip() + "\n"


def _doubts(record: Record) -> list[str]:
    """Name the methods whose map hardly changes with a fresh head or with another picture."""
    methods, lines = list(record["against"]), []
    if "forgetting" in record:
        stage, alike = next(iter(record["forgetting"].items()))
        blind = [f"`{name}` ({value:.2f})" for name, value in alike.items() if value > _ALIKE]
        lines.append(
            f"Once the {stage} is forgotten, maps that still look as before show what the features "
            f"hold and not the class: {', '.join(blind) or 'none'}. "
        )
    if record.get("steadiness"):
        alike = {name: record["steadiness"][name]["other_picture"] for name in methods}
        lines.append(
            "Maps of two different pictures correlate by "
            + ", ".join(f"{value:.2f} (`{name}`)" for name, value in alike.items())
            + ": the higher, the more a map shows the same for all. "
        )
    return lines


def remake() -> str:
    """The commands that the records name, with where they write."""
    names = ("regions-rafdb", "regions-fast-occlusion")
    lines = [f"{records.read(name)['command']} --out results/{name}.json" for name in names]
    for path in sorted(records.RESULTS.glob("faithful-*.json")):
        command = re.sub(r" --run \S+", "", records.read(path.stem)["command"])
        lines.append(f"{command} --run RUN --out results/{path.name}")
    return "```sh\n" + "\n".join(lines) + "\n```\n"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


PARTS = {
    "faithful": faithful,
    "regions": regions,
    "remake": remake,
    "sane": sane,
    "trust": trust,
    "units": units,
    "used": used,
}
