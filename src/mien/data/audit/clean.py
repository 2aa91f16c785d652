"""Drop from the manifests what an audit proved to be wrong, all of it or nothing.

Pictures are never deleted. A run that is killed has dropped nothing, or all; the next one completes
or removes what it left.

A picture is dropped when it is a copy of one that is held out more (train < valid < test), when
train has exactly the same picture with another label, and when it is blank or unreadable.
"""

import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from mien.data import manifest
from mien.data.audit.findings import Audit, Finding, compare
from mien.data.manifest import Row
from mien.errors import OutputError
from mien.media.writers import CsvWriter, as_output_error

__all__ = ["Cleaned", "clean", "to_drop"]

_BEFORE = "manifest-before-audit.csv"
_DROPPED = "dropped-by-audit.csv"
_PENDING = ".audit-fix"  # the folder of a fix that is under way


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What happened to one manifest.

    Attributes:
        folder: the prepared folder.
        kept: number of rows that stay.
        dropped: number of rows dropped, by reason and split.
        before: new name of the old manifest, or "" when nothing was dropped.
    """

    folder: Path
    kept: int
    dropped: Counter[tuple[str, str]]
    before: str


def to_drop(audit: Audit) -> dict[int, str]:
    """Choose the pictures to drop, until no more are found.

    Args:
        audit: what was found.

    Returns:
        The reason, by index of the entry.
    """
    reasons = _reasons(audit, audit.findings)
    fresh = reasons
    while fresh:  # a picture with many copies may have another one
        left = [i for i in range(len(audit.entries)) if i not in reasons]
        fresh = _reasons(audit, compare(audit.entries, audit.thumbnails, left))
        reasons |= fresh
    return reasons


def _reasons(audit: Audit, findings: list[Finding]) -> dict[int, str]:
    """Why pictures are dropped, by index of the entry."""
    reasons: dict[int, str] = {}
    for finding in findings:
        splits = [entry.row.split for entry in audit.both(finding)]
        if audit.is_leak(finding):
            reasons[finding.this] = f"copy of a {splits[1]} picture"
        elif finding.that is None:
            reasons[finding.this] = finding.kind
        elif (
            finding.kind == "exact copy"
            and audit.is_contradiction(finding)
            and splits[0] == "train"
        ):
            for index in (finding.this, finding.that):
                reasons[index] = "same picture with another label"
    return reasons


def clean(audit: Audit, reasons: dict[int, str]) -> list[Cleaned]:
    """Write the manifests again without the dropped pictures; an error leaves a manifest as it was.

    The old manifest is kept beside the new one; ``dropped-by-audit.csv`` lists the dropped rows.

    Args:
        audit: what was found.
        reasons: the pictures to drop, see `to_drop`; all framings of a picture are dropped.

    Returns:
        One report for each folder.

    Raises:
        OutputError: if a folder cannot be written to.
    """
    dropped: dict[Path, dict[str, str]] = defaultdict(dict)
    for index, reason in reasons.items():
        for folder, row in audit.entries[index].framings:
            dropped[folder][row.path] = reason
    folders = dict.fromkeys(f for entry in audit.entries for f, _ in entry.framings)
    return [_clean(folder, dropped[folder]) for folder in folders]


def _clean(folder: Path, reasons: dict[str, str]) -> Cleaned:
    """Clean one manifest; the reasons are by path of the crop."""
    with as_output_error(folder / _PENDING):
        _settle(folder)
    rows = manifest.read(folder)
    kept = [row for row in rows if row.path not in reasons]
    dropped = [row for row in rows if row.path in reasons]
    try:
        before = _replace(folder, kept, dropped, reasons) if dropped else ""
    except (OSError, OutputError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "message", error)
        done = len(manifest.read(folder)) < len(rows)
        state = "run it again to complete its lists" if done else "the manifest is as it was"
        raise OutputError(
            f"cannot write {folder / manifest.NAME}: {reason}",
            fix=f"choose a folder that you may write to, with free space; {state}",
        ) from error
    counts = Counter((reasons[row.path], row.split) for row in dropped)
    return Cleaned(folder, len(kept), counts, before)


def _replace(folder: Path, kept: list[Row], dropped: list[Row], reasons: dict[str, str]) -> str:
    """Write the new manifest and the list of dropped rows; return the old manifest's new name."""
    # All is written under _PENDING first. The rows are dropped when the new manifest takes its
    # place: a run that ends before has done nothing, one that ends later is completed by _settle.
    before, listed = _free(folder, _BEFORE), _free(folder, _DROPPED)
    pending = folder / _PENDING
    try:
        pending.mkdir()
        manifest.write(kept, pending)
        shutil.copyfile(folder / manifest.NAME, pending / before.name)
        with CsvWriter(pending / listed.name, ("path", "label", "split", "reason")) as table:
            for row in dropped:
                table.write((row.path, row.label, row.split, reasons[row.path]))
        Path(shutil.copyfile(folder / manifest.NAME, pending / "copy")).replace(before)
        (pending / manifest.NAME).replace(folder / manifest.NAME)
    finally:  # also after Ctrl-C
        _settle(folder)
    return before.name


def _settle(folder: Path) -> None:
    """Complete what an ended run has done, or undo what it has begun; a second time does nothing.

    As long as `_PENDING` holds a manifest, no row is dropped. It is written first and goes last.
    """
    pending = folder / _PENDING
    if not pending.is_dir():
        return
    others = [path for path in pending.glob("*.csv") if path.name != manifest.NAME]
    if (pending / manifest.NAME).exists():
        for path in others:
            shown = folder / path.name
            if shown.is_file() and shown.read_bytes() == path.read_bytes():
                shown.unlink()
            path.unlink()
    else:
        for path in others:
            path.replace(folder / path.name)
    shutil.rmtree(pending)


def _free(folder: Path, name: str) -> Path:
    """Return a path that does not exist yet: name.csv, name-2.csv, ..."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / name.replace(".csv", f"-{number}.csv")
    return path
