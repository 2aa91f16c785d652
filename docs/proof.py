"""The generated parts of docs/faithful.md: tables and sentences from results/.

Imports: mien.explain's tables, the standard library. `build.py` calls it.
"""

import json
from pathlib import Path
from typing import Any

from shipped import aged

from mien.evaluate.explanations import beats
from mien.evaluate.faithfulness import METRICS
from mien.faces.regions import REGIONS, UNITS, expected, units_of
from mien.labels import LABELS

_ALIKE = 0.5  # rank correlation above which a map counts as unchanged
RESULTS = Path(__file__).parents[1] / "results"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _trials() -> list[dict[str, Any]]:
    paths = sorted(RESULTS.glob("faithful-*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


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
    return _table(["expression", "action units", "regions expected"], rows)


def regions() -> str:
    """Where the evidence lies, by expression, beside where theory expects it."""
    record = json.loads((RESULTS / "regions-rafdb.json").read_text(encoding="utf-8"))
    parts = []
    for name, found in record["folders"].items():
        rows = [
            [
                label,
                *(f"{of['share'][region]:.0%}" for region in REGIONS),
                "**{:.0%}** ({:.0%} to {:.0%})".format(of["on_expected"], *of["on_expected_95"]),
                f"{of['area_of_expected']:.0%}",
                f"{of['middle_on_expected']:.0%}",
            ]
            for label, of in found.items()
        ]
        area = next(iter(found.values()))["area"]
        rows.append(["*area*", *(f"*{area[region]:.0%}*" for region in REGIONS), "", "", ""])
        header = ["", *REGIONS, "on what is expected (95 %)", "its area", "a bell's share of it"]
        pictures = sum(of["pictures"] for of in found.values())
        parts.append(
            f"`{name}`, {pictures:,} {record['split']} pictures{aged(record)}:\n\n"
            + _table(header, rows)
        )
    return "\n".join(parts) + "\n" + _over_chance(record["folders"])


def _over_chance(folders: dict[str, Any]) -> str:
    """Say which expressions lie where they are expected, more than a blind map does."""
    name, found = next(iter(folders.items()))
    over = {
        label: of["on_expected_95"][0] > max(of["area_of_expected"], of["middle_on_expected"])
        for label, of in found.items()
    }
    good = [label for label, is_over in over.items() if is_over]
    bad = [label for label, is_over in over.items() if not is_over]
    return (
        f"In `{name}` the evidence lies on the expected regions more than both a map without form "
        f"and a bell in the middle would have it for {_listed(good)}; not so for {_listed(bad)}.\n"
    )


def faithful() -> str:
    """Every metric of every method and control, by network."""
    parts = []
    for trial in _trials():
        rows = [
            [
                name if name in trial["against"] else f"*{name}*",
                *(_measured(trial, name, metric) for metric in METRICS),
            ]
            for name in trial["mean"]
        ]
        signs = ["↑" if sign > 0 else "↓" for sign in METRICS.values()]
        header = ["", *(f"{m} {sign}" for m, sign in zip(METRICS, signs, strict=True))]
        parts.append(
            f"**{trial['name']}**, {trial['pictures']} pictures of {trial['source']}'s "
            f"{trial['split']} set{aged(trial)}; controls in italics:\n\n{_table(header, rows)}"
        )
    return "\n".join(parts)


def _measured(trial: dict[str, Any], name: str, metric: str) -> str:
    value = f"{trial['mean'][name][metric]:.3f} ± {1.96 * trial['error'][name][metric]:.3f}"
    return f"**{value}**" if beats(trial, name, metric) else value


def sane() -> str:
    """How alike maps stay with noise, between pictures, and as the network forgets."""
    parts = []
    for trial in _trials():
        if "steadiness" not in trial:
            continue
        stages = trial.get("forgetting", {})
        shuffled = trial.get("shuffled_labels", {})
        header = ["", "a little noise", "another picture", *(f"to {stage}" for stage in stages)]
        header += ["shuffled labels"] if shuffled else []
        rows = [
            [
                name,
                f"{of['noise']:.2f}",
                f"{of['other_picture']:.2f}",
                *(_shown(stage.get(name)) for stage in stages.values()),
                *([_shown(shuffled.get(name))] if shuffled else []),
            ]
            for name, of in trial["steadiness"].items()
        ]
        title = f"**{trial['name']}**, {trial['sanity_pictures']} pictures{aged(trial)}:\n\n"
        parts.append(title + _table(header, rows))
    return "\n".join(parts)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def trust() -> str:
    """Which methods to trust, by network."""
    return "\n".join(_verdict(trial) for trial in _trials())


def _verdict(trial: dict[str, Any]) -> str:
    mean, methods = trial["mean"], list(trial["against"])
    controls = [name for name in mean if name not in methods]
    trusted = [n for n in methods if beats(trial, n, "insertion") and beats(trial, n, "road")]
    trusted.sort(key=lambda name: -mean[name]["road"])
    lines = [f"**{trial['name']}{aged(trial)}.** "]
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
        won = [name for name in methods if beats(trial, name, metric)]
        lines.append(
            f"{metric.capitalize()}: the best control is *{best}* ({mean[best][metric]:.3f}), "
            + (f"beaten by {_listed(won)}. " if won else "which no method beats. ")
        )
    return "".join([*lines, *_doubts(trial)]).strip() + "\n"


def _doubts(trial: dict[str, Any]) -> list[str]:
    """Say which methods hardly notice that the head is forgotten, or another picture shown."""
    methods, lines = list(trial["against"]), []
    if "forgetting" in trial:
        stage, found = next(iter(trial["forgetting"].items()))
        blind = [f"`{name}` ({value:.2f})" for name, value in found.items() if value > _ALIKE]
        lines.append(
            f"Once the {stage} is forgotten, maps that still look as before show what the features "
            f"hold and not the class: {', '.join(blind) or 'none'}. "
        )
    if trial.get("steadiness"):
        alike = {name: trial["steadiness"][name]["other_picture"] for name in methods}
        lines.append(
            "Maps of two different pictures correlate by "
            + ", ".join(f"{value:.2f} (`{name}`)" for name, value in alike.items())
            + ": the higher, the more a map shows the same for all. "
        )
    return lines


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


PARTS = {
    "faithful": faithful,
    "regions": regions,
    "sane": sane,
    "trust": trust,
    "units": units,
}
