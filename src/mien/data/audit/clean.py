"""Take out of manifests what an audit proved to be wrong. Pictures are never deleted.

A picture leaves when it is a copy of one that is held out more (train < valid < test), when train
has exactly the same picture with another label, and when it is blank or cannot be read.
"""

import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from mien.data import manifest
from mien.data.audit.findings import Audit, Finding, compare
from mien.data.manifest import Row
from mien.errors import OutputError
from mien.media.writers import CsvWriter, atomic

__all__ = ["Cleaned", "clean", "to_drop"]

_KEPT = "manifest-before-audit.csv"
_DROPPED = "dropped-by-audit.csv"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What happened to one manifest.

    Attributes:
        folder: whose manifest it is.
        kept: rows that stay.
        dropped: rows that left, by reason and split.
        before: the old manifest's new name, or "" when nothing was dropped.
    """

    folder: Path
    kept: int
    dropped: Counter[tuple[str, str]]
    before: str


def to_drop(audit: Audit) -> dict[int, str]:
    """Choose what leaves, until nothing is left to choose.

    Args:
        audit: of some folders.

    Returns:
        The reason, by index of the entry.
    """
    reasons = _reasons(audit, audit.findings)
    fresh = reasons
    while fresh:  # a picture that had many copies may have had one more
        left = [i for i in range(len(audit.entries)) if i not in reasons]
        fresh = _reasons(audit, compare(audit.entries, audit.looks, left))
        reasons |= fresh
    return reasons


def _reasons(audit: Audit, findings: list[Finding]) -> dict[int, str]:
    found: dict[int, str] = {}
    for finding in findings:
        splits = [entry.row.split for entry in audit.both(finding)]
        if audit.is_leak(finding):
            found[finding.this] = f"copy of a {splits[1]} picture"
        elif finding.that is None:
            found[finding.this] = finding.kind
        elif (
            finding.kind == "exact copy"
            and audit.is_contradiction(finding)
            and splits[0] == "train"
        ):
            for index in (finding.this, finding.that):
                found[index] = "same picture with another label"
    return found


def clean(audit: Audit, reasons: dict[int, str]) -> list[Cleaned]:
    """Write the manifests anew, without what leaves; each whole or as it was.

    The old manifest is kept beside the new one; ``dropped-by-audit.csv`` lists what left and why.

    Args:
        audit: of some folders.
        reasons: what leaves and why, see `to_drop`; every framing of it leaves.

    Returns:
        One report a folder.

    Raises:
        OutputError: if a folder cannot be written to.
    """
    leaving: dict[Path, dict[str, str]] = defaultdict(dict)
    for index, reason in reasons.items():
        for folder, row in audit.entries[index].framings:
            leaving[folder][row.path] = reason
    folders = dict.fromkeys(f for entry in audit.entries for f, _ in entry.framings)
    return [_clean(folder, leaving[folder]) for folder in folders]


def _clean(folder: Path, leaving: dict[str, str]) -> Cleaned:
    rows = manifest.read(folder)
    kept = [row for row in rows if row.path not in leaving]
    dropped = [row for row in rows if row.path in leaving]
    try:
        before = _replace(folder, kept, dropped, leaving) if dropped else ""
    except OSError as error:
        raise OutputError(
            f"cannot write {folder / manifest.NAME}: {error.strerror or error}",
            fix="choose a folder that you may write to, with free space; the manifest is as it was",
        ) from error
    counts = Counter((leaving[row.path], row.split) for row in dropped)
    return Cleaned(folder, len(kept), counts, before)


def _replace(folder: Path, kept: list[Row], dropped: list[Row], leaving: dict[str, str]) -> str:
    """Keep the old manifest under a new name, which is returned, and write what stays and left."""
    before = _free(folder, _KEPT)
    with atomic(before) as part:
        shutil.copyfile(folder / manifest.NAME, part)
    with CsvWriter(_free(folder, _DROPPED), ("path", "label", "split", "reason")) as sink:
        for row in dropped:
            sink.write((row.path, row.label, row.split, leaving[row.path]))
    manifest.write(kept, folder)
    return before.name


def _free(folder: Path, name: str) -> Path:
    """Return a name that is not taken: name.csv, name-2.csv, ..."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / name.replace(".csv", f"-{number}.csv")
    return path
