"""Tables and a plot of the longer measurements: peers, damage, crops that are no faces, training.

The plot carries the hash of the numbers in it, so that a plot out of date is found without drawing.
Imports: matplotlib and Pillow when the plot is asked for; results/*.json.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from shipped import aged

from mien.media.writers import atomic
from mien.recognize.model import SHIPPED, read_card
from mien.show.tables import as_markdown

__all__ = ["PARTS", "draw_peers", "peers_are_drawn"]

ROOT = Path(__file__).parents[1]
PLOT = ROOT / "docs" / "peers.png"
RAFDB, FER2013 = "RAF-DB test", "FER2013 test without copies"
DAMAGED = "RAF-DB test, damaged"
_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def _read(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((ROOT / f"results/{name}.json").read_text(encoding="utf-8"))
    return record


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def peers() -> str:
    """Every rival in one line."""
    record = _read("peers")
    header = [
        "", "RAF-DB", "mean recall", "FER2013", "mean recall", "damaged RAF-DB", "ECE",
        "ms a crop", "parameters", "MB installed",
    ]  # fmt: skip
    rows = []
    for rival in record["rivals"]:
        raf, fer, hurt = (rival["sets"][name] for name in (RAFDB, FER2013, DAMAGED))
        rows.append([
            f"**{rival['name']}**" if rival is record["rivals"][0] else rival["name"],
            _percent(raf["accuracy"]) + _star(raf),
            _percent(raf["mean_recall"]),
            _percent(fer["accuracy"]) + _star(fer),
            _percent(fer["mean_recall"]),
            _percent(hurt["accuracy"]) + _star(hurt),
            f"{_percent(raf['calibration_error'])}, {_percent(fer['calibration_error'])}",
            f"{rival['one']['cpu_ms']:.1f}",
            rival["parameters"],
            f"{rival['install_mb']:.0f}" if "install_mb" in rival else "",
        ])
    sizes = record["sets"]
    absent = "".join(f" Not measured: {reason}." for reason in record["absent"])
    return (
        as_markdown(header, rows)
        + f"\n{RAFDB}: {sizes[RAFDB]:,} pictures. {FER2013[:12]}: the {sizes[FER2013]:,} pictures "
        + "without a copy in its training split. A star: the difference from the first row may be "
        + "chance (McNemar, p >= 0.001). One crop at a time on one thread, processor time."
        + f"{absent}\n"
    )


def _star(record: dict[str, Any]) -> str:
    return "*" if record.get("mcnemar", {"p": 0})["p"] >= 0.001 else ""


def peers_sets() -> str:
    """All figures of all rivals, a table for each set."""
    record = _read("peers")
    header = [
        "", "accuracy (95 %)", "mean recall", "macro F1", "ECE", "right at 80 % coverage", "AURC",
        "accuracy, mean recall with neutral", "only mien right, only this", "p",
    ]  # fmt: skip
    parts = []
    for name, size in record["sets"].items():
        rows = []
        for rival in record["rivals"]:
            r = rival["sets"][name]
            low, high = r["accuracy_95"]
            paired = r.get("mcnemar")
            both = (r["accuracy_with_neutral"], r["mean_recall_with_neutral"])
            rows.append([
                rival["name"],
                f"{r['accuracy']:.1%} ({low:.1%} to {high:.1%})",
                _percent(r["mean_recall"]),
                _percent(r["macro_f1"]),
                _percent(r["calibration_error"]),
                _percent(r["accuracy_at_80"]),
                f"{r['aurc']:.3f}",
                ", ".join(map(_percent, both)),
                f"{paired['only_ours']:,}, {paired['only_theirs']:,}" if paired else "",
                f"{paired['p']:.2g}" if paired else "",
            ])
        parts.append(f"{name}, {size:,} pictures:\n\n{as_markdown(header, rows)}")
    return "\n".join(parts)


def peers_costs() -> str:
    """What each rival takes, and how its faces were framed."""
    record = _read("peers")
    header = [
        "", "ms a crop", "crops a second, 64 at once", "first answer, s", "parameters",
        "MB installed", "framing, RAF-DB", "framing, FER2013", "runs on",
    ]  # fmt: skip
    rows = [
        [
            rival["name"],
            f"{rival['one']['cpu_ms']:.2f}",
            round(1e3 / rival["many"]["cpu_ms"]),
            f"{rival['first_answer_s']:.2f}" if "first_answer_s" in rival else "",
            rival["parameters"],
            f"{rival['install_mb']:.0f}" if "install_mb" in rival else "",
            *(rival["framing"][database]["chosen"] for database in ("rafdb", "fer2013")),
            rival.get("runner", ""),
        ]
        for rival in record["rivals"]
    ]
    machine = record["machine"]
    return (
        as_markdown(header, rows)
        + f"\n{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, "
        + f"{record['date']}; load before the start {machine['load_before']}.\n"
    )


def training_speed() -> str:
    """How fast every network trains, beside its bare passes and the plainest loop; its memory."""
    record = _read("bench-train")
    rows = []
    for name, found in record["figures"].items():
        for kind in sorted(found.keys() - {"loss_difference"}, reverse=True):
            r = found[kind]
            rows.append([
                name,
                kind,
                f"{r['crops_per_s']['loop']:.0f}",
                f"{1 / r['loop_of_bare']['median']:.0%}",
                f"{1 / r['loop_of_plain']['median']:.2f}",
                f"{r['peak_mib']:,.0f}, {r['peak_mib_returned']:,.0f}",
                f"{r['crops_per_s_kept'] / r['crops_per_s_returned']:.2f}",
            ])
    header = [
        "network", "", "crops a second", "of the bare passes", "times the plain loop",
        "peak MiB, freed memory kept and not", "times as fast if kept",
    ]  # fmt: skip
    machine, settings = record["machine"], record["settings"]
    return (
        as_markdown(header, rows)
        + f"\nBatches of {settings['batch']}, {settings['threads']} threads; "
        + f"{machine['processor']}, torch {settings['torch']}, {record['date']}.\n"
    )


def corruptions() -> str:
    """What the shipped model keeps under every kind of damage."""
    card = read_card(SHIPPED)
    record = _read(f"corruptions-{card['name']}")
    if record["weights_sha256"] != card["weights_sha256"]:
        sys.exit("results/corruptions: measured on another model, measure it again")
    sets = record["sets"]
    kinds = list(next(iter(sets.values()))["accuracy"])
    header = ["damage", *(f"{name}, strength 1 to 5" for name in sets)]
    rows = [
        ["none", *(_percent(found["clean"]) for found in sets.values())],
        *(
            [kind.replace("_", " "), *(_strengths(found, kind) for found in sets.values())]
            for kind in kinds
        ),
        ["mean", *(_percent(found["damaged"]) for found in sets.values())],
        ["**kept**", *(f"**{found['kept']:.1%}**" for found in sets.values())],
    ]
    sizes = " and ".join(f"{found['pictures']:,} of {name}" for name, found in sets.items())
    return as_markdown(header, rows) + f"\nPictures: {sizes}, spread evenly.\n"


def _strengths(found: dict[str, Any], kind: str) -> str:
    return ", ".join(f"{100 * value:.0f}" for value in found["accuracy"][kind]) + " %"


def rejection() -> str:
    """How well each score tells faces from the rest."""
    record = _read("rejection")
    ordered = sorted(record["auroc"].items(), key=lambda item: -item[1]["all"])
    rows = []
    for name, row in ordered:
        worst = min(row["kinds"], key=row["kinds"].get)
        rows.append([name, f"{row['all']:.3f}", f"{worst} ({row['kinds'][worst]:.3f})"])
    return (
        as_markdown(["score", "AUROC", "worst kind"], rows)
        + f"\nMeasured{aged(record)} on {record['date']}.\n"
    )


def _points(record: dict[str, Any]) -> list[list[Any]]:
    return [
        [
            r["name"],
            r["one"]["cpu_ms"],
            r["sets"][RAFDB]["accuracy"],
            r["sets"][FER2013]["accuracy"],
        ]
        for r in record["rivals"]
    ]


def _digest(points: list[list[Any]]) -> str:
    return hashlib.sha256(json.dumps(points).encode()).hexdigest()


def peers_are_drawn() -> bool:
    """Whether the plot shows the numbers of results/peers.json."""
    from PIL import Image

    if not PLOT.exists():
        return False
    with Image.open(PLOT) as image:
        return image.info.get("Description") == _digest(_points(_read("peers")))


def draw_peers() -> None:
    """Plot accuracy against time, a panel for each database."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = _points(_read("peers"))
    figure = Figure(figsize=(9.4, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    for axes, title, column in zip(panels, (RAFDB, FER2013), (2, 3), strict=True):
        for point, colour in zip(points, _COLOURS[: len(points)], strict=True):
            name, ms, value = point[0], point[1], 100 * point[column]
            axes.plot(ms, value, "o", ms=9, color=colour, label=name)
            axes.annotate(f"{value:.0f}", (ms, value), (8, -3), textcoords="offset points")
        axes.set(xscale="log", title=title, xlabel="ms a crop, one thread", ylabel="accuracy (%)")
        axes.margins(x=0.2, y=0.15)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    with atomic(PLOT) as part:
        figure.savefig(part, format="png", dpi=120, metadata={"Description": _digest(points)})


PARTS = {
    "corruptions": corruptions,
    "peers": peers,
    "peers-costs": peers_costs,
    "peers-sets": peers_sets,
    "rejection": rejection,
    "training-speed": training_speed,
}
