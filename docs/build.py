"""Write the generated parts of README.md and docs/: tables from results/, help from the commands.

Run: python docs/build.py          `--check` changes nothing and fails if a part is out of date,
or if a record is older than the data or the model that it speaks of (`sources.py`).
A part stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``; NAME is a key of `PARTS`.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import ablation
import blocks
import claims
import click
import decides
import faithful
import limits
import measurements
import model_card
import names
import paper
import sources
import speed
import trust
import words
from records import RESULTS, ROOT, origin, read

from mien.cli import cli
from mien.media.data_frames import Column
from mien.recognize.columns import COLUMNS
from mien.show.tables import as_markdown
from mien.table_kinds import TABLES

PAGES = blocks.pages()
LOGS = [ROOT / "CHANGELOG.md", ROOT / "lab" / "LOG.md"]  # whose links are looked at, too


def main() -> None:
    """Write every part, or with ``--check`` name the files that are out of date."""
    check = "--check" in sys.argv[1:]
    older = sources.older()
    if older and check:
        sys.exit("\n".join(older))
    for sentence in older:
        print(f"older than what it speaks of: {sentence}", file=sys.stderr)
    stale = _old_pictures(draw=not check)
    for page in PAGES:
        old = page.read_text(encoding="utf-8")
        new = _fill_parts(old, page)
        _check_links(new, page)
        if new != old:
            stale.append(page.name)
            if not check:
                page.write_text(new, encoding="utf-8")
    for page in LOGS:
        _check_links(page.read_text(encoding="utf-8"), page)
    if stale and check:
        sys.exit(f"out of date: {', '.join(stale)}; run: make docs")
    print(f"docs: {'all up to date' if not stale else 'wrote ' + ', '.join(stale)}")


def _old_pictures(draw: bool) -> list[str]:
    """Name the pictures that are out of date, and draw them anew if asked to."""
    stale = []
    if not measurements.peers_plot_is_current():
        stale.append(measurements.PLOT.name)
        if draw:
            measurements.draw_peers()
    for module in (decides, faithful):
        if old_pictures := module.stale():
            stale += old_pictures
            if draw:
                module.draw()
    return stale


def _fill_parts(text: str, page: Path) -> str:
    for name in dict.fromkeys(re.findall(r"<!--\s*/?\s*([a-z0-9-]+)\s*-->", text)):
        if name not in PARTS:
            sys.exit(f"{page.name}: no part called {name}; there are {', '.join(PARTS)}")
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        body = PARTS[name]()
        text, count = re.subn(pattern, lambda m, b=body: m[1] + b + m[2], text, flags=re.DOTALL)
        if count != 1:
            sys.exit(f"{page.name}: part {name} must be opened and closed once, found {count}")
    return text


def _check_links(text: str, page: Path) -> None:
    """Stop the build if a relative link leads to no file, or to no heading of a page."""
    link = r"\]\(\s*([^)#\s]*)#?([^)\s]*)(?:\s[^)]*)?\)"  # a title may follow the address
    for target, anchor in re.findall(link, blocks.without_code(text)):
        if target.startswith(("http://", "https://")):
            continue
        file = page.parent / target if target else page
        if not file.exists():
            sys.exit(f"{page.name}: link to {target}, which does not exist")
        if anchor and file.suffix == ".md" and anchor not in _anchors(file):
            sys.exit(f"{page.name}: link to {target}#{anchor}, and there is no such heading")


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = blocks.without_code(page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> str:
    """The help of every command."""
    context = click.Context(cli, info_name="mien")
    parts = [f"```text\n$ mien --help\n{cli.get_help(context)}\n```\n"]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        help_text = command.get_help(click.Context(command, info_name=name, parent=context))
        parts.append(f"\n## mien {name}\n\n```text\n$ mien {name} --help\n{help_text}\n```\n")
    return "".join(parts)


def leaks() -> str:
    """Training pictures that were copies of test pictures, by dataset."""
    rows = []
    for path in sorted(RESULTS.glob("prepare-*.json")):
        report = read(path.stem)["report"]
        kept = sum(count for split, _, count in report["kept"] if split == "train")
        leaked = [f"{count:,} of {name}'s test" for name, count in report["leaked"].items()]
        name = path.stem.removeprefix("prepare-")
        rows.append([name, ", ".join(leaked) or "none", f"{kept:,}"])
    return as_markdown(["training pictures of", "copies left out", "kept"], rows)


def columns() -> str:
    """Every column of the tables of faces."""
    return _columns(COLUMNS)


def _columns(of: Mapping[str, Column]) -> str:
    rows = [[f"`{name}`", c.kind, c.unit, c.meaning] for name, c in of.items()]
    return as_markdown(["column", "type", "unit", "meaning"], rows)


def other_tables() -> str:
    """Every column of the tables that are none of faces."""
    return "\n".join(
        f"{kind.written_by}, one row for {kind.row}:\n\n{_columns(kind.columns)}"
        for kind in TABLES.values()
    )


def table3() -> str:
    """The tables that ``mien stats`` wrote."""
    return (RESULTS / "table3.md").read_text(encoding="utf-8")


def audit() -> str:
    """What `mien audit` counts in the datasets as downloaded."""
    record = read("audit")
    findings = [
        [f["kind"], f["splits"], f["databases"], f"{f['pairs']:,}", f"{f['other label']:,}"]
        for f in record["findings"]
    ]
    origins = [
        [o["of"], f"{o['copy in']} {o['its split']}", f"{o['found']:,} of {o['pictures']:,}"]
        for o in record["origins"]
    ]
    leaking = [f"{count:,} of {name}" for name, count in record["leaking_pictures"].items()]
    header = ["found", "splits", "datasets", "pairs or pictures", "of another label"]
    return (
        as_markdown(header, findings)
        + f"\nPictures with a copy in a split that is held out more: {', '.join(leaking)}.\n\n"
        + as_markdown(["pictures of", "have their nearest copy in", ""], origins)
    )


def copies() -> str:
    """Precision and recall of the copy detector, by threshold and by kind of change."""
    figures = read("bench-audit")["figures"]["finding"]
    both, alone = figures["both"], figures["pictures alone"]
    keys = ("precision", "mean_recall_without_the_heaviest")
    curve = [
        [f"{level:.2f}", *(f"{curve[key][i]:.1%}" for curve in (both, alone) for key in keys)]
        for i, level in enumerate(both["threshold"])
        if round(100 * level) % 5 == 0 and level >= 0.7
    ]
    kinds = [[kind, f"{recall:.1%}"] for kind, recall in figures["chosen"]["recall"].items()]
    header = ["threshold", "precision", "mean recall", "precision before", "mean recall before"]
    return (
        as_markdown(header, curve)
        + "\nBefore: the correlation of the pictures alone, with a threshold of 0.93. The mean "
        + f"leaves out the heaviest crop. At {figures['chosen']['threshold']}, "
        + f"on {figures['pictures']}:\n\n"
        + as_markdown(["planted change", "found"], kinds)
    )


def tracks() -> str:
    """Quality and cost of tracking by video, and the effect of smoothing."""
    figures = read("bench-tracks")["figures"]
    scenes = figures["scenes"]
    rows = []
    shares = ("kept", "same_label", "same_label_smoothed", "detection_with_itself")
    for name, row in figures["quality"].items():
        scene = scenes.get(name, {})
        scores = [f"{scene[key]:.3f}" if scene else "" for key in ("mota", "idf1")]
        percents = [f"{row[key]:.1%}" if key in row else "" for key in shares]
        rows.append([name, *scores, *percents, str(row.get("follow_to_detect", ""))])
    header = ["film", "MOTA", "IDF1", "kept", "same label", "smoothed", "with itself", "cost"]
    constants = list(next(iter(figures["smoothing"].values())))
    changes = [
        [name, *(str(row[constant]["changes_per_s"]) for constant in constants)]
        for name, row in figures["smoothing"].items()
    ]
    return (
        as_markdown(header, rows)
        + "\nCost: time of following / time of detecting every frame, side by side. Changes of "
        + "label a second, by time constant:\n\n"
        + as_markdown(["film", *constants], changes)
        + f"\nWith the usual one a change is seen {figures['delay_s']} s later "
        + f"({origin('bench-tracks')}).\n"
    )


PARTS: dict[str, Callable[[], str]] = {
    "columns": columns,
    "other-tables": other_tables,
    "audit": audit,
    "commands": commands,
    "copies": copies,
    "leaks": leaks,
    "table3": table3,
    "tracks": tracks,
    **ablation.PARTS,
    **blocks.PARTS,
    **claims.PARTS,
    **decides.PARTS,
    **faithful.PARTS,
    **limits.PARTS,
    **measurements.PARTS,
    **model_card.PARTS,
    **names.PARTS,
    **paper.PARTS,
    **speed.PARTS,
    **trust.PARTS,
    **words.PARTS,
}

if __name__ == "__main__":
    main()
