"""Find what is wrong in prepared folders: copies, leaks, contradictions, blanks, shortcuts.

Pipeline: list the pictures -> read each once -> equal pixels by hash -> near-copies by thumbnail
-> name the kind of each pair. Two framings of one picture are one picture, and so are the altered
copies that `mien augment` wrote, by the origin in their manifest. A dataset that names
its people was made in a studio, with the same light and poses for all, so pictures of one person,
and even of two, are similar by nature: there only nearly identical pictures count as copies.
Changes nothing; see `mien.data.audit.clean`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from mien.data import manifest
from mien.data.audit.entries import Entry, copies_across, entries_in, is_framing
from mien.data.audit.shortcuts import Shortcut, find_shortcuts
from mien.data.dedup import duplicates, similarity
from mien.data.dedup.duplicates import Copy, find_across, find_pairs
from mien.data.dedup.persons import Person, least_of_copies
from mien.data.manifest import SPLITS, Row
from mien.data.prepare.record import database_of
from mien.errors import BadImageError
from mien.media import images
from mien.media.progress import Progress
from mien.pixels import BOOL, U8

__all__ = [
    "KINDS",
    "Audit",
    "Finding",
    "Thumbnails",
    "audit",
    "compare",
]

KINDS = ("exact copy", "near-copy", "same subject", "blank", "unreadable")
_COPIES = KINDS[:2]
_COLOUR = 8  # levels by which the channels of a grey picture may differ, as JPEG rounds them


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """The thumbnails of N pictures, and what else an audit keeps of their pixels.

    Attributes:
        pixels: shape (N, 32, 32), uint8; zeros for an unreadable picture.
        hashes: of the decoded pixels as RGB; "" for an unreadable picture.
        blank: shape (N,), True for a picture that shows nothing.
        gray: shape (N,), True for a picture without colour.
        unreadable: the reason, by index.
    """

    pixels: U8
    hashes: list[str]
    blank: BOOL
    gray: BOOL
    unreadable: dict[int, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of one picture, or of a pair.

    Attributes:
        kind: one of `KINDS`.
        this: index of the entry; of a pair the one that is nearer to training.
        that: index of the other entry, or None.
        similarity: of the pair, in [0, 1], or None.
        mirrored: whether one is the mirror image of the other.
        detail: anything else worth saying, or "".
    """

    kind: str
    this: int
    that: int | None = None
    similarity: float | None = None
    mirrored: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """The result of an audit.

    Attributes:
        entries: the pictures.
        thumbnails: of the entries, in their order.
        findings: by kind, then by picture.
        shortcuts: signs that give the label away.
        shared_subjects: number of people who are in more than one split, by dataset.
    """

    entries: Sequence[Entry]
    thumbnails: Thumbnails
    findings: list[Finding]
    shortcuts: list[Shortcut]
    shared_subjects: dict[str, int]

    def is_leak(self, finding: Finding) -> bool:
        """Tell whether one picture is in two splits."""
        splits = {entry.row.split for entry in self.both(finding)}
        return finding.kind in _COPIES and len(splits) == 2

    def is_contradiction(self, finding: Finding) -> bool:
        """Tell whether one picture has two labels."""
        labels = {entry.row.label for entry in self.both(finding)}
        return finding.kind in _COPIES and len(labels) == 2

    def both(self, finding: Finding) -> list[Entry]:
        """Return the one or two pictures of a finding."""
        indices = (finding.this, finding.that)
        return [self.entries[index] for index in indices if index is not None]


def audit(folders: Iterable[str | Path], progress: Progress = iter) -> Audit:
    """Look for faults in prepared folders; nothing is changed.

    Args:
        folders: what ``mien prepare`` wrote.
        progress: wraps the pictures, to show how many are read.

    Returns:
        All findings.

    Raises:
        BadDataError: if a folder has no manifest, or none has a picture.
        MissingExtraError: if a split has more than 40,000 pictures and there is no data extra.
    """
    entries = entries_in(map(Path, folders))
    thumbnails = _read_thumbnails(entries, progress)
    findings = compare(entries, thumbnails, range(len(entries)))
    findings += [Finding("unreadable", i, detail=why) for i, why in thumbnails.unreadable.items()]
    findings += [Finding("blank", i) for i in np.flatnonzero(thumbnails.blank).tolist()]
    findings.sort(key=lambda f: (KINDS.index(f.kind), f.this, -1 if f.that is None else f.that))
    readable = [i for i in range(len(entries)) if i not in thumbnails.unreadable]
    shortcuts = find_shortcuts((entries[i].row, bool(thumbnails.gray[i])) for i in readable)
    return Audit(entries, thumbnails, findings, shortcuts, _shared_subjects(entries))


def _read_thumbnails(entries: Sequence[Entry], progress: Progress) -> Thumbnails:
    """Read every picture once and keep what an audit needs: about 1.2 kB a picture."""
    count = len(entries)
    thumbnails = Thumbnails(
        pixels=np.zeros((count, similarity.SIDE, similarity.SIDE), dtype=np.uint8),
        hashes=[""] * count,
        blank=np.zeros(count, dtype=np.bool_),
        gray=np.zeros(count, dtype=np.bool_),
        unreadable={},
    )
    for index, entry in enumerate(progress(entries)):
        try:
            rgb = images.read_rgb(entry.path)
        except BadImageError as error:
            thumbnails.unreadable[index] = error.message
            continue
        thumbnails.pixels[index] = duplicates.thumbnail(rgb)
        thumbnails.hashes[index] = manifest.hash_pixels(rgb)
        thumbnails.blank[index] = duplicates.is_blank(thumbnails.pixels[index])
        thumbnails.gray[index] = _is_gray(rgb)
    return thumbnails


def _is_gray(rgb: U8) -> bool:
    red, green, blue = (rgb[..., channel].astype(np.int16) for channel in range(3))
    return bool(max(abs(red - green).max(), abs(green - blue).max()) <= _COLOUR)


def compare(
    entries: Sequence[Entry], thumbnails: Thumbnails, chosen: Iterable[int]
) -> list[Finding]:
    """Find the copies among chosen pictures.

    Args:
        entries: all pictures.
        thumbnails: of all pictures.
        chosen: indices of the pictures to compare; blank and unreadable ones are skipped.

    Returns:
        Pairs, each once.
    """
    chosen = list(chosen)
    groups: dict[str, list[int]] = defaultdict(list)
    for index in chosen:
        if thumbnails.hashes[index] and not thumbnails.blank[index]:
            groups[thumbnails.hashes[index]].append(index)
    rows = [entry.row for entry in entries]
    pairs: dict[tuple[int, int], Finding] = {}

    def add(kind: str, a: int, b: int, similarity: float, mirrored: bool) -> None:
        if is_framing(entries[a], entries[b]):
            return
        this, that = sorted((a, b), key=lambda i: (SPLITS.index(rows[i].split), -i))
        pairs.setdefault((this, that), Finding(kind, this, that, similarity, mirrored))

    equal = list(groups.values())
    for group in equal:
        for a, b in _partners(rows, group, group):
            add("exact copy", a, b, 1.0, False)
    for copy in _near_copies(thumbnails.pixels, rows, equal):
        these, those = equal[copy.this], equal[copy.that]
        for a, b in {*_partners(rows, these, those), *_partners(rows, those, these)}:
            kind = _kind(entries[a], entries[b], copy)
            if kind:
                add(kind, a, b, copy.similarity, copy.mirrored)
    known = {
        pair: Finding("near-copy", *pair, detail="altered copy")
        for pair in copies_across(entries, chosen)
    }
    return list((known | pairs).values())


def _near_copies(
    pixels: U8, rows: Sequence[Row], groups: Sequence[Sequence[int]]
) -> Iterator[Copy]:
    """Find the groups of equal pictures that are copies of each other.

    Within a split all pairs are looked for; between two, what `prepare` looks for: the copies that
    pictures of the one nearer to training have in the other. So it finds none where `prepare` left
    out all it found.
    """
    members: dict[str, dict[int, int]] = {split: {} for split in SPLITS}
    for number, group in enumerate(groups):
        for index in group:  # of each split one, as their pixels are equal
            members[rows[index].split][number] = index
    numbers = {split: list(chosen) for split, chosen in members.items()}
    thumbnails = {
        split: pixels[np.array(list(chosen.values()), dtype=np.int64)]
        for split, chosen in members.items()
    }
    for this, that in combinations_with_replacement(SPLITS, 2):
        found = (
            find_pairs(thumbnails[this])
            if this == that
            else find_across(thumbnails[this], thumbnails[that])
        )
        for copy in found:
            pair = numbers[this][copy.this], numbers[that][copy.that]
            if pair[0] != pair[1]:
                yield replace(copy, this=pair[0], that=pair[1])


def _partners(
    rows: Sequence[Row], these: Sequence[int], those: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Pair each of `these` equal pictures with the one of `those` that says most.

    A picture of a split that is held out more comes first, then one with another label. A group of
    m equal pictures has m(m - 1)/2 pairs, but m of them say all there is to say. So the first of
    each split and label stands for the others like it.
    """
    firsts: dict[tuple[int, str], int] = {}
    for that in those:
        firsts.setdefault((SPLITS.index(rows[that].split), rows[that].label), that)
    for this in these:
        rank, label = SPLITS.index(rows[this].split), rows[this].label
        choices = [
            (max(held - rank, 0), other != label, held, -that)
            for (held, other), that in firsts.items()
            if that != this
        ]
        if choices:
            yield this, -max(choices)[-1]


def _kind(a: Entry, b: Entry, copy: Copy) -> str | None:
    """The kind of a similar pair; None for two people whom the dataset tells apart."""
    one, other = _person(a), _person(b)
    if copy.similarity >= least_of_copies(one, other):
        return "near-copy"
    return "same subject" if one == other else None


def _person(entry: Entry) -> Person:
    return Person(database_of(entry.row.source, entry.origin), entry.row.subject)


def _shared_subjects(entries: Sequence[Entry]) -> dict[str, int]:
    splits: dict[tuple[str, Person], set[str]] = defaultdict(set)
    for entry in entries:
        if entry.row.subject:
            splits[entry.row.source, _person(entry)].add(entry.row.split)
    return dict(Counter(source for (source, _), names in splits.items() if len(names) > 1))
