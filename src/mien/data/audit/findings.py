"""The pictures of prepared folders, each once however often it was framed, and a look at each.
Compares nothing.

MERGED Look for what is wrong in prepared folders: copies, leaks, contradictions, blanks,
give-aways.

The way through: list the pictures -> look at each once -> equal pixels by hash -> near-copies by
thumbnail -> judge each pair. Two framings of one picture are one picture. Where a database names
the people it was made in a studio, with one light and one pose for all: there only nearly identical
pictures are copies, for those of one person, and even of two, are alike by nature. Changes nothing;
see `mien.data.audit.clean`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data import manifest
from mien.data.audit.shortcuts import Shortcut, find_shortcuts
from mien.data.dedup import duplicates, similarity
from mien.data.dedup.duplicates import Copy, find_pairs
from mien.data.manifest import SPLITS, Row
from mien.errors import BadDataError, BadImageError
from mien.media import images
from mien.pixels import BOOL, U8

__all__ = [
    "KINDS",
    "Audit",
    "Entry",
    "Finding",
    "Progress",
    "Thumbnails",
    "audit",
    "compare",
    "entries_in",
    "look_at",
]

_PLAIN = 8  # grey levels between the 5 % darkest and the 5 % brightest pixels of a blank picture
_COLOUR = 8  # levels that the channels of a grey picture may differ, for JPEG rounds them
KINDS = ("exact copy", "near-copy", "same subject", "blank", "unreadable")
_COPIES = KINDS[:2]
_IDENTICAL = 0.99  # similarity from which two pictures of one studio are one picture


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture of a prepared folder.

    Attributes:
        folder: where it is.
        row: its line of the manifest; of several framings the one that kept most of the picture.
        framings: folder and row of each framing, this one included.
    """

    folder: Path
    row: Row
    framings: tuple[tuple[Path, Row], ...]

    @property
    def path(self) -> Path:
        """Where its crop is."""
        return self.folder / self.row.path


Progress = Callable[[Sequence[Entry]], Iterable[Entry]]


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """What is seen of N pictures.

    Attributes:
        thumbnails: shape (N, 32, 32), uint8; zeros for an unreadable picture.
        hashes: of the decoded pixels as RGB; "" for an unreadable picture.
        blank: shape (N,), True where there is nothing to see.
        gray: shape (N,), True where there is no colour.
        unreadable: why, by index.
    """

    thumbnails: U8
    hashes: list[str]
    blank: BOOL
    gray: BOOL
    unreadable: dict[int, str]


def entries_in(folders: Iterable[Path]) -> list[Entry]:
    """List the pictures of prepared folders; framings of one picture are one entry.

    Args:
        folders: what ``mien prepare`` wrote; one named twice counts once.

    Returns:
        In the order of folders and manifests.

    Raises:
        BadDataError: if a folder has no manifest, or none has a picture.
    """
    once = {folder.resolve(): folder for folder in folders}
    groups: dict[tuple[str, ...], list[tuple[Path, Row]]] = defaultdict(list)
    for folder in once.values():
        for row in manifest.read(folder):
            groups[row.source, row.original, row.label, row.split].append((folder, row))
    if not groups:
        raise BadDataError(
            f"no picture in {', '.join(map(str, once.values()))}", "prepare the folder again"
        )
    return [entry for group in groups.values() for entry in _entries_of(group)]


def _entries_of(group: list[tuple[Path, Row]]) -> Iterator[Entry]:
    """One entry if the group is one picture, framed and not; else each is its own."""
    group = sorted(group, key=lambda member: member[1].framing != "as-is")
    kinds = [row.framing == "as-is" for _, row in group]
    if len(kinds) == len(set(kinds)):
        yield Entry(*group[0], tuple(group))
    else:
        yield from (Entry(folder, row, ((folder, row),)) for folder, row in group)


def look_at(entries: Sequence[Entry], progress: Progress = iter) -> Thumbnails:
    """Read every picture once and keep what is needed of it.

    Args:
        entries: N pictures.
        progress: wraps them, to show how far it is.

    Returns:
        N looks: about 1.2 kB a picture.
    """
    count = len(entries)
    found = Thumbnails(
        np.zeros((count, similarity.SIDE, similarity.SIDE), dtype=np.uint8),
        [""] * count,
        np.zeros(count, dtype=np.bool_),
        np.zeros(count, dtype=np.bool_),
        {},
    )
    for index, entry in enumerate(progress(entries)):
        try:
            rgb = images.read_rgb(entry.path)
        except BadImageError as error:
            found.unreadable[index] = error.message
            continue
        found.thumbnails[index] = duplicates.thumbnail(rgb)
        found.hashes[index] = manifest.hash_pixels(rgb)
        red, green, blue = (rgb[..., channel].astype(np.int16) for channel in range(3))
        found.gray[index] = max(abs(red - green).max(), abs(green - blue).max()) <= _COLOUR
        found.blank[index] = _is_blank(found.thumbnails[index])
    return found


def _is_blank(thumbnail: U8) -> bool:
    levels = np.sort(thumbnail, axis=None)
    cut = len(levels) // 20
    return int(levels[-cut - 1]) - int(levels[cut]) < _PLAIN


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one picture, or about two.

    Attributes:
        kind: one of `KINDS`.
        this: index of the entry; of two the one that learning sees and testing does not.
        that: index of the other entry, or None.
        similarity: of the two, in [0, 1], or None.
        mirrored: whether one is mirrored.
        detail: what else there is to say, or "".
    """

    kind: str
    this: int
    that: int | None = None
    similarity: float | None = None
    mirrored: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Everything that was found.

    Attributes:
        entries: the pictures.
        looks: what is seen of each.
        findings: by kind, then by picture.
        giveaways: signs that tell the label.
        shared_subjects: people who are in more than one split, by database.
    """

    entries: Sequence[Entry]
    looks: Thumbnails
    findings: list[Finding]
    giveaways: list[Shortcut]
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
    """Look through prepared folders.

    Args:
        folders: what ``mien prepare`` wrote.
        progress: wraps the pictures while they are read.

    Returns:
        What was found; nothing is changed.

    Raises:
        BadDataError: if a folder has no manifest, or none has a picture.
        MissingExtraError: if there are more than 40,000 pictures and no data extra.
    """
    entries = entries_in(map(Path, folders))
    looks = look_at(entries, progress)
    alone = [Finding("unreadable", i, detail=why) for i, why in looks.unreadable.items()]
    alone += [Finding("blank", i) for i in np.flatnonzero(looks.blank).tolist()]
    found = [*compare(entries, looks, range(len(entries))), *alone]
    found.sort(key=lambda f: (KINDS.index(f.kind), f.this, -1 if f.that is None else f.that))
    seen = [i for i in range(len(entries)) if i not in looks.unreadable]
    giveaways = find_shortcuts((entries[i].row, bool(looks.gray[i])) for i in seen)
    return Audit(entries, looks, found, giveaways, _shared_subjects(entries))


def compare(entries: Sequence[Entry], looks: Thumbnails, chosen: Iterable[int]) -> list[Finding]:
    """Find the copies among some of the pictures.

    Args:
        entries: all pictures.
        looks: what is seen of them.
        chosen: indices of those to compare; blank and unreadable ones are left aside.

    Returns:
        Pairs, each once.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index in chosen:
        if looks.hashes[index] and not looks.blank[index]:
            groups[looks.hashes[index]].append(index)
    rows = [entry.row for entry in entries]
    pairs: dict[tuple[int, int], Finding] = {}

    def add(kind: str, a: int, b: int, similarity: float, mirrored: bool) -> None:
        if _is_framing(rows[a], rows[b]):
            return
        this, that = sorted((a, b), key=lambda i: (SPLITS.index(rows[i].split), -i))
        pairs.setdefault((this, that), Finding(kind, this, that, similarity, mirrored))

    members = list(groups.values())
    for group in members:
        for a, b in _partners(rows, group, group):
            add("exact copy", a, b, 1.0, False)
    firsts = np.array([group[0] for group in members], dtype=np.int64)
    for copy in find_pairs(looks.thumbnails[firsts]):
        one, other = members[copy.this], members[copy.that]
        for a, b in {*_partners(rows, one, other), *_partners(rows, other, one)}:
            kind = _kind(rows[a], rows[b], copy)
            if kind:
                add(kind, a, b, copy.similarity, copy.mirrored)
    return list(pairs.values())


def _partners(
    rows: Sequence[Row], ones: Sequence[int], others: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """For each of some equal pictures one partner among others, the most telling there is.

    First one of a split that is held out more, then one of another label: of a group of m equal
    pictures there are m(m - 1)/2 pairs, but m tell all that can be told.
    """
    by_kind: dict[tuple[int, str], list[int]] = defaultdict(list)
    for other in others:
        by_kind[SPLITS.index(rows[other].split), rows[other].label].append(other)
    for one in ones:
        rank, label = SPLITS.index(rows[one].split), rows[one].label
        choices = [
            (max(held - rank, 0), other != label, held, -index)
            for (held, other), indices in by_kind.items()
            for index in indices[:2]  # two, for the first may be itself
            if index != one
        ]
        if choices:
            yield one, -max(choices)[-1]


def _kind(a: Row, b: Row, copy: Copy) -> str | None:
    """What two alike pictures are; None for two people whom the database tells apart."""
    in_studio = a.source == b.source and "" not in {a.subject, b.subject}
    if not in_studio or copy.similarity >= _IDENTICAL:
        return "near-copy"
    return "same subject" if a.subject == b.subject else None


def _is_framing(a: Row, b: Row) -> bool:
    """Tell whether two rows are one picture, framed and not."""
    one, other = ((row.source, row.original, row.label, row.split) for row in (a, b))
    return one == other and (a.framing == "as-is") != (b.framing == "as-is")


def _shared_subjects(entries: Sequence[Entry]) -> dict[str, int]:
    splits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in entries:
        if entry.row.subject:
            splits[entry.row.source, entry.row.subject].add(entry.row.split)
    return dict(Counter(source for (source, _), where in splits.items() if len(where) > 1))
