"""What an audit found, as tables, CSV rows, a JSON record and a page of pairs.
Finds nothing itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mien.data.audit.findings import KINDS, Audit, Finding
from mien.data.audit.shortcuts import Shortcut
from mien.data.dedup.duplicates import COPY
from mien.labels import LABELS, NEUTRAL
from mien.show.html import Pair, write_pairs
from mien.show.tables import as_text

__all__ = ["CSV_HEADER", "csv_rows", "record", "summary", "write_page"]

CSV_HEADER = (
    "kind", "path", "label", "split", "source", "other_path", "other_label", "other_split",
    "other_source", "similarity", "mirrored", "contradiction", "leak", "detail", "dropped",
)  # fmt: skip
_PAIRS_HEADER = ("kind", "splits", "databases", "pairs", "pictures", "mirrored", "other label")
_ORIGINS_HEADER = ("of", "pictures", "copy in", "its split", "found", "same label")
_NOWHERE = ("nowhere else", "")


def csv_rows(audit: Audit, dropped: Mapping[int, str]) -> Iterator[tuple[object, ...]]:
    """Write out every finding.

    Args:
        audit: what was found.
        dropped: why pictures left the manifests, by index of the entry.

    Yields:
        One value for each of `CSV_HEADER`.
    """
    for finding in audit.findings:
        cells: list[object] = []
        for entry in audit.both(finding):
            row = entry.row
            cells += [entry.path.as_posix(), row.label, row.split, row.source]
        cells += [""] * (8 - len(cells))
        similarity = "" if finding.similarity is None else f"{finding.similarity:.3f}"
        marks = (finding.mirrored, audit.is_contradiction(finding), audit.is_leak(finding))
        words = ["yes" if mark else "" for mark in marks]
        yield finding.kind, *cells, similarity, *words, finding.detail, _left(finding, dropped)
    for giveaway in audit.giveaways:
        for value, counts in giveaway.counts.items():
            label = max(counts, key=counts.__getitem__)
            detail = f"{giveaway.sign} {value}: {_shares(counts)}"
            yield "give-away", "", label, "", giveaway.source, *[""] * 8, detail, ""


def _left(finding: Finding, dropped: Mapping[int, str]) -> str:
    """Why the first, or the second, or each picture of a finding left."""
    left = [dropped.get(finding.this, "")]
    if finding.that is not None and finding.that in dropped:
        left.append(f"the other: {dropped[finding.that]}")
    return "; ".join(filter(None, left))


def summary(audit: Audit) -> str:
    """Lay out the counts for a terminal.

    Args:
        audit: what was found.

    Returns:
        Several tables, without a newline at the end.
    """
    found = pair_counts(audit)
    rows: list[list[str | int]] = [[*key, *counts] for key, counts in found]
    parts = [f"{len(audit.entries):,} pictures; each counts once, however often it was framed"]
    parts.append(as_text(_PAIRS_HEADER, rows) if rows else "no copies, no blanks: nothing found")
    elsewhere = origins(audit)
    if elsewhere:
        parts.append(
            "Where pictures are in another database:\n" + as_text(_ORIGINS_HEADER, elsewhere)
        )
    parts += [
        f"{source}: {count:,} people are in more than one split"
        for source, count in audit.shared_subjects.items()
    ]
    parts += [_told(giveaway) for giveaway in audit.giveaways]
    parts.append("\n".join(_balance(audit)))
    return "\n\n".join(parts)


def pair_counts(audit: Audit) -> list[tuple[tuple[str, str, str], tuple[int, int, int, int]]]:
    """Count findings by kind, splits and databases.

    Args:
        audit: what was found.

    Returns:
        Each with findings, first pictures, mirrored ones and contradictions.
    """
    groups: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in audit.findings:
        rows = [entry.row for entry in audit.both(finding)]
        splits = " / ".join(dict.fromkeys(row.split for row in rows))
        names = dict.fromkeys(row.source for row in rows)
        ordered = names if "/" in splits else sorted(names)
        groups[finding.kind, splits, " / ".join(ordered)].append(finding)
    return [
        (
            key,
            (
                len(group),
                len({finding.this for finding in group}),
                sum(finding.mirrored for finding in group),
                sum(audit.is_contradiction(finding) for finding in group),
            ),
        )
        for key, group in sorted(groups.items(), key=lambda g: (KINDS.index(g[0][0]), g[0]))
    ]


def origins(audit: Audit) -> list[list[str | int]]:
    """Say in which other database the pictures of each are, too.

    Args:
        audit: what was found.

    Returns:
        Database, its pictures, the other one and its split, how many were found there, and how
        many of them with the same label; each picture counts where its most similar copy is.
    """
    nearest: dict[int, tuple[float, int]] = {}
    for finding in audit.findings:
        if finding.that is None or finding.similarity is None:
            continue
        a, b = (entry.row.source for entry in audit.both(finding))
        for one, other in ((finding.this, finding.that), (finding.that, finding.this)):
            if a != b:
                mark = (finding.similarity, -other)
                nearest[one] = max(nearest.get(one, mark), mark)
    totals = Counter(entry.row.source for entry in audit.entries)
    found_in: dict[str, Counter[tuple[str, str]]] = {source: Counter() for source in totals}
    agreed: Counter[tuple[str, str, str]] = Counter()
    for one, (_, other) in nearest.items():
        row, twin = audit.entries[one].row, audit.entries[-other].row
        found_in[row.source][twin.source, twin.split] += 1
        agreed[row.source, twin.source, twin.split] += row.label == twin.label
    lines: list[list[str | int]] = []
    for source, found in found_in.items():
        for place, count in found.most_common():
            lines.append([source, totals[source], *place, count, agreed[source, *place]])
        if found:
            lines.append([source, totals[source], *_NOWHERE, totals[source] - found.total(), ""])
    return lines


def _told(giveaway: Shortcut) -> str:
    head = (
        f"{giveaway.source}: the {giveaway.sign} gives the label away: guessing by it is right "
        f"{giveaway.guess:.0%} of the time, blindly {giveaway.blind:.0%}; it holds "
        f"{giveaway.information:.0%} of the information"
    )
    lines = [f"  {value:<12} {_shares(counts)}" for value, counts in giveaway.counts.items()]
    return "\n".join([head, *lines[:8], *(["  ..."] if len(lines) > 8 else [])])


def _shares(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    shares = ", ".join(f"{label} {count / total:.1%}" for label, count in counts.items())
    return f"{total:,} pictures: {shares}"


def _balance(audit: Audit) -> Iterator[str]:
    """The shares of the classes, by database and split."""
    for (source, split), counts in _classes(audit).items():
        often, seldom = max(counts.values()), min(counts.values())
        ordered = {label: counts[label] for label in (*LABELS, NEUTRAL) if label in counts}
        unequal = f" (largest {often / seldom:.0f} times the smallest)" if len(counts) > 1 else ""
        yield f"{source} {split}: {_shares(ordered)}{unequal}"


def _classes(audit: Audit) -> dict[tuple[str, str], Counter[str]]:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in audit.entries:
        counts[entry.row.source, entry.row.split][entry.row.label] += 1
    return counts


def record(audit: Audit, dropped: Mapping[int, str]) -> dict[str, Any]:
    """Return the counts, without the name of any picture, JSON-ready.

    Args:
        audit: what was found.
        dropped: why pictures left the manifests, by index of the entry.

    Returns:
        Numbers and names of databases, splits and labels.
    """
    leaks = {f.this: audit.entries[f.this].row for f in audit.findings if audit.is_leak(f)}
    leaking = Counter(f"{row.source} {row.split}" for row in leaks.values())
    return {
        "pictures": [
            {"source": source, "split": split, "labels": dict(counts)}
            for (source, split), counts in _classes(audit).items()
        ],
        "copy_from_similarity": COPY,
        "leaking_pictures": dict(leaking),
        "contradicting_pairs": sum(map(audit.is_contradiction, audit.findings)),
        "findings": [
            dict(zip(_PAIRS_HEADER, (*key, *counts), strict=True))
            for key, counts in pair_counts(audit)
        ],
        "origins": [dict(zip(_ORIGINS_HEADER, line, strict=True)) for line in origins(audit)],
        "people_in_several_splits": audit.shared_subjects,
        "giveaways": [
            {
                "source": giveaway.source,
                "sign": giveaway.sign,
                "information": round(giveaway.information, 3),
                "guess": round(giveaway.guess, 3),
                "blind": round(giveaway.blind, 3),
                "counts": giveaway.counts,
            }
            for giveaway in audit.giveaways
        ],
        "dropped": dict(Counter(dropped.values())),
    }


def write_page(audit: Audit, out: Path) -> None:
    """Write the page of pairs.

    Args:
        audit: what was found.
        out: the .html file.

    Raises:
        OutputError: if it cannot be written.
    """
    sections: dict[str, list[Pair]] = {}
    for finding in audit.findings:
        entries = audit.both(finding)
        splits = " / ".join(dict.fromkeys(entry.row.split for entry in entries))
        note = finding.detail
        if finding.similarity is not None:
            note = f"{finding.similarity:.3f}{', mirrored' if finding.mirrored else ''}"
        pair = Pair(
            tuple(entry.path for entry in entries),
            tuple(f"{e.row.label}, {e.row.source} {e.row.split}: {e.row.path}" for e in entries),
            note,
            audit.is_contradiction(finding),
        )
        sections.setdefault(f"{finding.kind}, {splits}", []).append(pair)
    write_pairs("mien audit", summary(audit), list(sections.items()), out)
