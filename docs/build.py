"""Write the generated parts of README.md and docs/: tables from results/, help from the commands.

Run: python docs/build.py          `--check` changes nothing and fails if a part is out of date.
A part stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``; NAME is a key of `PARTS`.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import measured
import proof
import rerun
import shipped

from mien.cli import cli

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def main() -> None:
    """Write every part anew, or with ``--check`` tell which are out of date."""
    check = "--check" in sys.argv[1:]
    stale = []
    if not measured.peers_are_drawn():
        stale.append(measured.PLOT.name)
        if not check:
            measured.draw_peers()
    for page in PAGES:
        old = page.read_text(encoding="utf-8")
        new = _filled(old, page)
        _check_links(new, page)
        if new != old:
            stale.append(page.name)
            if not check:
                page.write_text(new, encoding="utf-8")
    if stale and check:
        sys.exit(f"out of date: {', '.join(stale)}; run: make docs")
    print(f"docs: {'all up to date' if not stale else 'wrote ' + ', '.join(stale)}")


def _filled(text: str, page: Path) -> str:
    for name in re.findall(r"<!-- ([a-z0-9-]+) -->", text):
        if name not in PARTS:
            sys.exit(f"{page.name}: no part called {name}; there are {', '.join(PARTS)}")
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        body = PARTS[name]()
        text, count = re.subn(pattern, lambda m, b=body: m[1] + b + m[2], text, flags=re.DOTALL)
        if count != 1:
            sys.exit(f"{page.name}: part {name} must be opened and closed once, found {count}")
    return text


def _check_links(text: str, page: Path) -> None:
    """Every relative link and picture must exist."""
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://")) and not (page.parent / target).exists():
            sys.exit(f"{page.name}: link to {target}, which does not exist")


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _read(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return record


def commands() -> str:
    """The help of every command."""
    context = click.Context(cli, info_name="mien")
    parts = [f"```\n$ mien --help\n{cli.get_help(context)}\n```\n"]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        help_text = command.get_help(click.Context(command, info_name=name, parent=context))
        parts.append(f"\n## mien {name}\n\n```\n$ mien {name} --help\n{help_text}\n```\n")
    return "".join(parts)


def leaks() -> str:
    """How many training pictures were copies of test pictures, by database."""
    rows = []
    for path in sorted(RESULTS.glob("prepare-*.json")):
        report = _read(path.stem)["report"]
        kept = sum(count for split, _, count in report["kept"] if split == "train")
        found = ", ".join(f"{count:,} of {test}'s test" for test, count in report["leaked"].items())
        rows.append([path.stem.removeprefix("prepare-"), found or "none", f"{kept:,}"])
    return _table(["training pictures of", "copies left out", "kept"], rows)


def table3() -> str:
    """What ``mien stats`` wrote of the prepared folders."""
    return (RESULTS / "table3.md").read_text(encoding="utf-8")


def speed() -> str:
    """Every speed goal beside what was measured, and where the time for a photograph goes."""
    reports = [_read(path.stem) for path in sorted(RESULTS.glob("bench-*.json"))]
    goals = [
        [goal["goal"], f"{goal['measured']:.3g}", f"at most {goal['limit']:.3g}"]
        for report in reports
        for goal in report["goals"]
    ]
    photo = _read("bench-photo")["figures"]
    stages = list(photo["photo_1"])
    rows = [
        [name, *(f"{photo[key][stage]['median_ms']:.1f}" for stage in stages)]
        for name, key in (("1 face", "photo_1"), ("7 faces", "photo_7"))
    ]
    machine = _read("bench-photo")["machine"]
    crop = photo["crop"]
    beside = f", {photo['fer']}: {crop['fer']['median_ms']:.2f} ms" if "fer" in crop else ""
    return (
        _table(["", "measured", "goal"], goals)
        + "\nA photograph of 1280x720 on one thread, in milliseconds:\n\n"
        + _table(["", *stages], rows)
        + f"\nOne face crop on one thread: {crop['mien']['median_ms']:.2f} ms{beside} "
        + f"(a much smaller network). Machine: {machine['processor']}, {machine['cores']} cores, "
        + f"Python {machine['python']}.\n"
    )


def audit() -> str:
    """What `mien audit` counts in the databases as downloaded."""
    r = _read("audit")
    rows = [
        [f["kind"], f["splits"], f["databases"], f"{f['pairs']:,}", f"{f['other label']:,}"]
        for f in r["findings"]
    ]
    places = [
        [o["of"], f"{o['copy in']} {o['its split']}", f"{o['found']:,} of {o['pictures']:,}"]
        for o in r["origins"]
    ]
    leaking = ", ".join(f"{count:,} of {name}" for name, count in r["leaking_pictures"].items())
    return (
        _table(["found", "splits", "databases", "pairs or pictures", "of another label"], rows)
        + f"\nPictures with a copy in a split that is held out more: {leaking}.\n\n"
        + _table(["pictures of", "have their nearest copy in", ""], places)
    )


def copies() -> str:
    """Precision and recall of the copy detector, by threshold and by kind of change."""
    r = _read("bench-audit")["figures"]["finding"]
    both, alone = r["both"], r["pictures alone"]
    keys = ("precision", "mean_recall_without_the_heaviest")
    curve = [
        [f"{level:.2f}", *(f"{curve[key][i]:.1%}" for curve in (both, alone) for key in keys)]
        for i, level in enumerate(both["threshold"])
        if round(100 * level) % 5 == 0 and level >= 0.7
    ]
    kinds = [[kind, f"{recall:.1%}"] for kind, recall in r["chosen"]["recall"].items()]
    header = ["threshold", "precision", "mean recall", "precision before", "mean recall before"]
    return (
        _table(header, curve)
        + "\nBefore: the correlation of the pictures alone, with a threshold of 0.93. The mean "
        + f"leaves out the heaviest crop. At {r['chosen']['threshold']}, on {r['pictures']}:\n\n"
        + _table(["planted change", "found"], kinds)
    )


def tracks() -> str:
    """How well the faces of films are followed and numbered, and what smoothing does."""
    figures = _read("bench-tracks")["figures"]
    scenes = figures["scenes"]
    rows = []
    for name, row in figures["quality"].items():
        verdict = scenes.get(name, {})
        shares = ("kept", "same_label", "same_label_smoothed", "detection_with_itself")
        numbers = [f"{verdict[key]:.3f}" if verdict else "" for key in ("mota", "idf1")]
        told = [f"{row[key]:.1%}" if key in row else "" for key in shares]
        rows.append([name, *numbers, *told, str(row.get("follow_to_detect", ""))])
    header = ["film", "MOTA", "IDF1", "kept", "same label", "smoothed", "with itself", "cost"]
    constants = list(next(iter(figures["smoothing"].values())))
    changes = [
        [name, *(str(row[constant]["changes_per_s"]) for constant in constants)]
        for name, row in figures["smoothing"].items()
    ]
    return (
        _table(header, rows)
        + "\nCost: time of following / time of detecting every frame, side by side. Changes of "
        + "label a second, by time constant:\n\n"
        + _table(["film", *constants], changes)
        + f"\nWith the usual one a change is seen {figures['delay_s']} s later.\n"
    )


PARTS: dict[str, Callable[[], str]] = {
    "audit": audit,
    "commands": commands,
    "copies": copies,
    "leaks": leaks,
    "speed": speed,
    "table3": table3,
    "tracks": tracks,
    **proof.PARTS,
    **rerun.PARTS,
    **measured.PARTS,
    **shipped.PARTS,
}

if __name__ == "__main__":
    main()
