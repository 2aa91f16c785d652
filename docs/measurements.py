"""The tables of the longer benchmarks: peers, damage, crops that are no faces, training speed.

Also the plot of the peers. It carries the hash of its numbers, so that `build.py` knows without
drawing whether it is out of date.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from records import ROOT, Record, earlier_weights, origin, read, read_of_shipped

from mien.media.writers import atomic
from mien.recognize.model import SHIPPED, read_card
from mien.show.tables import as_markdown

__all__ = ["PARTS", "PLOT", "draw_peers", "peers_plot_is_current"]

PLOT = ROOT / "docs" / "peers.png"
RAFDB, FER2013 = "RAF-DB test", "FER2013 test without copies"
DAMAGED = "RAF-DB test, damaged"
SHOWN, STUDIO = (RAFDB, FER2013, DAMAGED), ("CK+", "TFEID")
_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def peers() -> str:
    """Every peer in one line."""
    record = read("peers")
    header = [
        "", "RAF-DB", "mean recall", "FER2013", "mean recall", "damaged RAF-DB", *STUDIO, "ECE",
        "ms a crop", "parameters", "MB installed",
    ]  # fmt: skip
    rows = []
    for peer in record["rivals"]:
        raf, fer, hurt, *studio = (peer["sets"].get(name, {}) for name in (*SHOWN, *STUDIO))
        rows.append([
            f"**{peer['name']}**" if peer is record["rivals"][0] else peer["name"],
            _percent(raf["accuracy"]) + _star(raf),
            _percent(raf["mean_recall"]),
            _percent(fer["accuracy"]) + _star(fer),
            _percent(fer["mean_recall"]),
            _percent(hurt["accuracy"]) + _star(hurt),
            *(_percent(s.get("accuracy")) + _star(s) for s in studio),
            ", ".join(_percent(s.get("calibration_error")) for s in (raf, fer, *studio)),
            f"{peer['one']['cpu_ms']:.1f}",
            peer["parameters"],
            f"{peer['install_mb']:.0f}" if "install_mb" in peer else "",
        ])
    sizes = record["sets"]
    absent = "".join(f" Not measured: {reason}." for reason in record["absent"])
    return (
        as_markdown(header, rows)
        + f"\n{RAFDB}: {sizes[RAFDB]:,} pictures. {FER2013[:12]}: the {sizes[FER2013]:,} pictures "
        + "without a copy in its training split. CK+ and TFEID taught none of these, as far as is "
        + "known. A star: the difference from the first row may be chance (McNemar, p >= 0.001). "
        + "ECE: of RAF-DB, FER2013, CK+, TFEID. Damaged: with one of 17 kinds of damage to each "
        + f"crop. One crop at a time on one thread, processor time ({origin('peers')})."
        + f"{absent}\n"
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _star(record: Record) -> str:
    """Mark an accuracy that differs from ours by no more than chance."""
    return "*" if record.get("mcnemar", {"p": 0})["p"] >= 0.001 else ""


def peers_sets() -> str:
    """All figures of all peers, a table for each test set."""
    record = read("peers")
    header = [
        "", "accuracy (95 %)", "mean recall", "macro F1", "ECE", "right at 80 % coverage", "AURC",
        "accuracy, mean recall with neutral", "only mien right, only this", "p",
    ]  # fmt: skip
    parts = []
    for name, size in record["sets"].items():
        rows = []
        for peer in (peer for peer in record["rivals"] if name in peer["sets"]):
            r = peer["sets"][name]
            low, high = r["accuracy_95"]
            paired = r.get("mcnemar")
            both = (r["accuracy_with_neutral"], r["mean_recall_with_neutral"])
            rows.append([
                peer["name"],
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
    """Time, size and framing of each peer."""
    record = read("peers")
    header = [
        "", "ms a crop", "crops a second, 64 at once", "first answer, s", "parameters",
        "MB installed", "framing, RAF-DB", "framing, FER2013", "runs on",
    ]  # fmt: skip
    rows = [
        [
            peer["name"],
            f"{peer['one']['cpu_ms']:.2f}",
            round(1e3 / peer["many"]["cpu_ms"]),
            f"{peer['first_answer_s']:.2f}" if "first_answer_s" in peer else "",
            peer["parameters"],
            f"{peer['install_mb']:.0f}" if "install_mb" in peer else "",
            *(peer["framing"][database]["chosen"] for database in ("rafdb", "fer2013")),
            peer.get("runner", ""),
        ]
        for peer in record["rivals"]
    ]
    return (
        as_markdown(header, rows)
        + f"\n{origin('peers')}; load before the start {record['machine']['load_before']}.\n"
    )


def training_speed() -> str:
    """Training speed and memory of every network, beside its bare passes and a plain loop."""
    record = read("bench-train")
    rows = []
    for name, kinds in record["figures"].items():
        for kind in sorted(kinds.keys() - {"loss_difference"}, reverse=True):
            r = kinds[kind]
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
    settings = record["settings"]
    return (
        as_markdown(header, rows)
        + f"\nBatches of {settings['batch']}, {settings['threads']} threads; "
        + f"torch {settings['torch']} ({origin('bench-train')}).\n"
    )


def corruptions() -> str:
    """Accuracy of the shipped model under every kind of damage."""
    sets = read_of_shipped(f"corruptions-{read_card(SHIPPED)['name']}")["sets"]
    kinds = list(next(iter(sets.values()))["accuracy"])
    header = ["damage", *(f"{name}, strength 1 to 5" for name in sets)]
    rows = [
        ["none", *(_percent(of["clean"]) for of in sets.values())],
        *(
            [kind.replace("_", " "), *(_by_strength(of, kind) for of in sets.values())]
            for kind in kinds
        ),
        ["mean", *(_percent(of["damaged"]) for of in sets.values())],
        ["**kept**", *(f"**{of['kept']:.1%}**" for of in sets.values())],
    ]
    sizes = " and ".join(f"{of['pictures']:,} of {name}" for name, of in sets.items())
    return as_markdown(header, rows) + f"\nPictures: {sizes}, spread evenly.\n"


def _by_strength(figures: Record, kind: str) -> str:
    return ", ".join(f"{100 * value:.0f}" for value in figures["accuracy"][kind]) + " %"


def rejection() -> str:
    """How well each score separates faces from other crops."""
    record = read("rejection")
    ordered = sorted(record["auroc"].items(), key=lambda item: -item[1]["all"])
    rows = []
    for name, row in ordered:
        worst = min(row["kinds"], key=row["kinds"].get)
        rows.append([name, f"{row['all']:.3f}", f"{worst} ({row['kinds'][worst]:.3f})"])
    chosen = record["chosen"]
    called = [[name, f"{rate:.1%}"] for name, rate in chosen["called_face_rate"].items()]
    return (
        as_markdown(["score", "AUROC", "worst kind"], rows)
        + f"\nThe detector first, then a spread of {chosen['below']} and more: "
        + f"{chosen['kept_rate']:.1%} of the faces are kept and "
        + f"{chosen['rejected_rate']:.1%} of the others rejected.\n\n"
        + as_markdown(["crops", "called a face"], called)
        + f"\nMeasured{earlier_weights(record)} on {record['date']}.\n"
    )


def rejected() -> str:
    """How many faces and other crops the rejection keeps, in a sentence."""
    record = read("rejection")
    chosen = record["chosen"]
    return (
        f"Of the crops it was measured on, {chosen['kept_rate']:.0%} of the faces are kept and "
        f"{chosen['rejected_rate']:.0%} of the others rejected (`results/rejection.json`, "
        f"{record['date'][:10]}).\n"
    )


def _points(record: Record) -> list[list[Any]]:
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


def peers_plot_is_current() -> bool:
    """Tell whether the plot shows the numbers of results/peers.json."""
    from PIL import Image

    if not PLOT.exists():
        return False
    with Image.open(PLOT) as image:
        return image.info.get("Description") == _digest(_points(read("peers")))


def draw_peers() -> None:
    """Plot accuracy against time, a panel for each dataset."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = _points(read("peers"))
    figure = Figure(figsize=(9.4, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    for axes, title, column in zip(panels, (RAFDB, FER2013), (2, 3), strict=True):
        for number, point in enumerate(points):  # the first one on top
            look = {"ms": 9, "color": _COLOURS[number], "mec": "white", "zorder": 9 - number}
            axes.plot(point[1], 100 * point[column], "o", **look)
        axes.set(xscale="log", title=title, xlabel="ms a crop, one thread", ylabel="accuracy (%)")
        axes.margins(x=0.2, y=0.15)
        axes.set_xticks([0.5, 1, 2, 5, 10], minor=False)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        places = [(point[1], 100 * point[column]) for point in points]
        words = [f"{point[0]} {100 * point[column]:.0f}" for point in points]
        _label(figure, axes, places, words)
    with atomic(PLOT) as part:
        figure.savefig(part, format="png", dpi=120, metadata={"Description": _digest(points)})


def _label(figure: Any, axes: Any, places: list[tuple[float, float]], words: Sequence[str]) -> None:
    """Say beside each dot what it is: right, left, above or below, where nothing else lies yet."""
    figure.draw_without_rendering()  # so that places in pixels are known
    dots = axes.transData.transform(places)
    edge = axes.get_window_extent()
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in dots]
    for word, place, (x, y) in zip(words, places, dots, strict=True):
        text = axes.annotate(word, place, (0, 0), textcoords="offset points", va="bottom", size=9)
        box = text.get_window_extent()
        sides = ((9, -box.width - 9, -box.width / 2), (-box.height / 2, 5, -box.height - 5, 9))
        tries = sorted(
            ((across, up) for across in sides[0] for up in sides[1]),
            key=lambda offset: (abs(offset[1] + box.height / 2), -offset[0]),
        )
        boxes = [(x + a, y + b, x + a + box.width, y + b + box.height) for a, b in tries]
        costs = [
            _overlap(own, taken) + 9 * (box.width * box.height - _overlap(own, [edge.extents]))
            for own in boxes
        ]
        number = costs.index(min(costs))
        taken.append(boxes[number])
        text.xyann = tuple(72 / figure.dpi * offset for offset in tries[number])  # points


def _overlap(box: tuple[float, ...], others: list[tuple[float, ...]]) -> float:
    """Square pixels of other boxes that a box covers."""
    return sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in others
    )


def recall() -> str:
    """Faces found by angle and by size, with every kind of search."""
    figures = read("bench-recall")["figures"]
    names = list(next(iter(figures["by_angle"].values())))
    parts = []
    for kind, head in (("by_angle", "turned by, degrees"), ("by_size", "width of a face, pixels")):
        rows = [
            [key, *(_percent(row[n]["recall"]) for n in names)]
            for key, row in figures[kind].items()
        ]
        parts.append(as_markdown([head, *names], rows))
    total = {
        n: sum(row[n] for row in figures.get("photos", {}).values()) for n in ("faces", *names)
    }
    said = (
        f"{len(figures['photos'])} photographs with {total['faces']} faces, counted by eye: "
        + ", ".join(f"{n} {total[n]}" for n in names)
        + " found.\n"
        if "photos" in figures
        else ""
    )
    return "\n".join([
        *parts,
        said + "Remade by `python -m benchmarks.bench_recall --photos DIR`.\n",
    ])


def own_classes() -> str:
    """A start from the shipped network beside fresh weights, on small datasets."""
    record = read("own-classes")
    header = ["", "pictures, persons, classes", *record["names"].values()]
    rows = []
    for name, folder in record["folders"].items():
        figures = [folder["ways"][way] for way in record["names"]]
        cells = [
            f"{_percent(f['accuracy'])} ({f['accuracy_95'][0]:.1%} to {f['accuracy_95'][1]:.1%}), "
            f"mean recall {_percent(f['mean_recall'])}"
            for f in figures
        ]
        size = f"{folder['pictures']}, {folder['persons']}, {len(folder['classes'])}"
        rows.append([name, size, *cells])
    return as_markdown(header, rows) + earlier_weights({"model": "miennet"} | record) + "\n"


PARTS = {
    "corruptions": corruptions,
    "own-classes": own_classes,
    "peers": peers,
    "recall": recall,
    "peers-costs": peers_costs,
    "peers-sets": peers_sets,
    "rejected": rejected,
    "rejection": rejection,
    "training-speed": training_speed,
}
