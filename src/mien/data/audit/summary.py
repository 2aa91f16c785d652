"""The findings of an audit as text tables, CSV rows, a JSON record and an HTML page of pairs.
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

__all__ = ["csv_rows", "record", "summary", "write_page"]

_PAIRS_HEADER = ("kind", "splits", "databases", "pairs", "pictures", "mirrored", "other label")
_ORIGINS_HEADER = ("of", "pictures", "copy in", "its split", "found", "same label")
_NOWHERE = ("nowhere else", "")


def csv_rows(audit: Audit, dropped: Mapping[int, str]) -> Iterator[tuple[object, ...]]:
    """List every finding and every shortcut as CSV rows.

    Args:
        audit: what was found.
        dropped: why pictures were dropped from the manifests, by index of the entry.

    Yields:
        One value for each column of the table ``audit`` in `mien.table_kinds`.
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
        yield finding.kind, *cells, similarity, *words, finding.detail, _reasons(finding, dropped)
    for shortcut in audit.shortcuts:
        for value, counts in shortcut.counts.items():
            label = max(counts, key=counts.__getitem__)
            detail = f"{shortcut.sign} {value}: {_shares(counts)}"
            yield "give-away", "", label, "", shortcut.source, *[""] * 8, detail, ""


def _reasons(finding: Finding, dropped: Mapping[int, str]) -> str:
    """Why the first picture of a finding, the other, or both were dropped."""
    reasons = [dropped.get(finding.this, "")]
    if finding.that is not None and finding.that in dropped:
        reasons.append(f"the other: {dropped[finding.that]}")
    return "; ".join(filter(None, reasons))


def summary(audit: Audit) -> str:
    """Lay out the counts as text for a terminal.

    Args:
        audit: what was found.

    Returns:
        Several tables, without a newline at the end.
    """
    rows: list[list[str | int]] = [[*key, *counts] for key, counts in pair_counts(audit)]
    parts = [f"{len(audit.entries):,} pictures; each counts once, however often it was framed"]
    parts.append(as_text(_PAIRS_HEADER, rows) if rows else "no copies, no blanks: nothing found")
    lines = origins(audit)
    if lines:
        parts.append("Where pictures are in another database:\n" + as_text(_ORIGINS_HEADER, lines))
    parts += [
        f"{source}: {count:,} people are in more than one split"
        for source, count in audit.shared_subjects.items()
    ]
    parts += [_paragraph(shortcut) for shortcut in audit.shortcuts]
    parts.append("\n".join(_balance(audit)))
    return "\n\n".join(parts)


def pair_counts(audit: Audit) -> list[tuple[tuple[str, str, str], tuple[int, int, int, int]]]:
    """Count findings by kind, splits and datasets.

    Args:
        audit: what was found.

    Returns:
        For each: the numbers of findings, of first pictures, of mirrored pairs and of
        contradictions.
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
    """Count the pictures of each dataset that are in another dataset too.

    Args:
        audit: what was found.

    Returns:
        Dataset, number of its pictures, the other dataset and its split, number of pictures
        found there, and number of those with the same label. Each picture counts where its most
        similar copy is.
    """
    nearest: dict[int, tuple[float, int]] = {}
    for finding in audit.findings:
        if finding.that is None or finding.similarity is None:
            continue
        a, b = (entry.row.source for entry in audit.both(finding))
        if a == b:
            continue
        for this, that in ((finding.this, finding.that), (finding.that, finding.this)):
            copy = (finding.similarity, -that)
            nearest[this] = max(nearest.get(this, copy), copy)
    totals = Counter(entry.row.source for entry in audit.entries)
    places: dict[str, Counter[tuple[str, str]]] = {source: Counter() for source in totals}
    agreed: Counter[tuple[str, str, str]] = Counter()
    for this, (_, minus_that) in nearest.items():
        row, copied = audit.entries[this].row, audit.entries[-minus_that].row
        places[row.source][copied.source, copied.split] += 1
        agreed[row.source, copied.source, copied.split] += row.label == copied.label
    lines: list[list[str | int]] = []
    for source, counts in places.items():
        for place, count in counts.most_common():
            lines.append([source, totals[source], *place, count, agreed[source, *place]])
        if counts:
            lines.append([source, totals[source], *_NOWHERE, totals[source] - counts.total(), ""])
    return lines


def _paragraph(shortcut: Shortcut) -> str:
    head = (
        f"{shortcut.source}: the {shortcut.sign} gives the label away: guessing by it is right "
        f"{shortcut.guess:.0%} of the time, blindly {shortcut.blind:.0%}; it holds "
        f"{shortcut.information:.0%} of the information"
    )
    lines = [f"  {value:<12} {_shares(counts)}" for value, counts in shortcut.counts.items()]
    return "\n".join([head, *lines[:8], *(["  ..."] if len(lines) > 8 else [])])


def _shares(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    shares = ", ".join(f"{label} {count / total:.1%}" for label, count in counts.items())
    return f"{total:,} pictures: {shares}"


def _balance(audit: Audit) -> Iterator[str]:
    """The shares of the classes, by dataset and split."""
    for (source, split), counts in _classes(audit).items():
        ratio = max(counts.values()) / min(counts.values())
        ours = [label for label in (*LABELS, NEUTRAL) if label in counts]
        ordered = {label: counts[label] for label in (*ours, *sorted(counts))}
        unequal = f" (largest {ratio:.0f} times the smallest)" if len(counts) > 1 else ""
        yield f"{source} {split}: {_shares(ordered)}{unequal}"


def _classes(audit: Audit) -> dict[tuple[str, str], Counter[str]]:
    """Pictures by label, for each dataset and split."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in audit.entries:
        counts[entry.row.source, entry.row.split][entry.row.label] += 1
    return counts


def record(audit: Audit, dropped: Mapping[int, str]) -> dict[str, Any]:
    """Return the counts for JSON, without the name of any picture.

    Args:
        audit: what was found.
        dropped: why pictures were dropped from the manifests, by index of the entry.

    Returns:
        Numbers and names of datasets, splits and labels.
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
                "source": shortcut.source,
                "sign": shortcut.sign,
                "information": round(shortcut.information, 3),
                "guess": round(shortcut.guess, 3),
                "blind": round(shortcut.blind, 3),
                "counts": shortcut.counts,
            }
            for shortcut in audit.shortcuts
        ],
        "dropped": dict(Counter(dropped.values())),
    }


def write_page(audit: Audit, out: Path) -> None:
    """Write an HTML page that shows the pictures of each finding side by side.

    Args:
        audit: what was found.
        out: an .html file.

    Raises:
        OutputError: if it cannot be written.
    """
    sections: dict[str, list[Pair]] = {}
    for finding in audit.findings:
        entries = audit.both(finding)
        splits = " / ".join(dict.fromkeys(entry.row.split for entry in entries))
        note = finding.detail
        if finding.similarity is not None:
            mirrored = ", mirrored" if finding.mirrored else ""
            note = f"similarity {finding.similarity:.3f}{mirrored}"
        if audit.is_contradiction(finding):  # what the frame says by its colour, too
            note += "; they have different labels"
        pair = Pair(
            tuple(entry.path for entry in entries),
            tuple(f"{e.row.label}, {e.row.source} {e.row.split}: {e.row.path}" for e in entries),
            note,
            audit.is_contradiction(finding),
        )
        sections.setdefault(f"{finding.kind}, {splits}", []).append(pair)
    write_pairs("mien audit", summary(audit), list(sections.items()), out)
