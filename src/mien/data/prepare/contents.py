"""What a folder was made from, in a few letters: so a source that has changed since is noticed.

Names, labels, sizes and times are what a reader lists, without reading a picture. A checksum tells
whether files of the same sizes hold the same: a .zip has one of each file in its list, and of other
sources it is taken as they are cut. It is compared only where times differ, as a copy of a folder
has other times and holds the same.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.data import manifest
from mien.data.datasets import Archive, Item, Listing
from mien.data.datasets.archive import is_picture
from mien.errors import BadDataError
from mien.media.folders import OTHER

__all__ = ["Checksum", "Contents", "changes", "checked_files", "contents_of", "held_out_in"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reader lists of a source; two sources with the same are taken for one.

    Attributes:
        pictures: how many it lists.
        names: a digest of their names, and of what is left out and why.
        labels: a digest of the classes, and of label, split, person and shares of each picture.
        sizes: a digest of the sizes of the files.
        times: a digest of when they were changed last. This and what follows is "" where an earlier
            version did not record it.
        source: a digest of the names and sizes of all pictures there, whatever is listed of them.
        checksum: of the files that were read, see `Checksum`; "" until they are.
        held_out: a digest of what was compared with, see `held_out_in`.
    """

    pictures: int
    names: str
    labels: str
    sizes: str
    times: str = ""
    source: str = ""
    checksum: str = ""
    held_out: str = ""


def contents_of(archive: Archive, listing: Listing) -> Contents:
    """Describe what a reader lists, whatever the order.

    Args:
        archive: the source.
        listing: of a reader, all pictures.

    Returns:
        Its digests. Files beside the pictures that are no pictures do not count.
    """
    items = sorted(listing.items, key=lambda item: item.original)
    left_out = sorted((p.original, p.reason) for p in listing.problems if p.reason != OTHER)
    labels = listing.labels
    known = ((i.original, i.label, i.split, i.subject, *(i.soft or ())) for i in items)
    listed = {item.original for item in items if item.picture is None}
    if len(listed) < len(items):  # rows of a table, frames of a video, parts of a picture
        listed.update(archive.names)
    sizes, times, source = _Digest(), _Digest(), _Digest()
    for name in archive.names:
        if name in listed or is_picture(name):
            size, changed_ns = _stamp(archive, name)
            source.add((name, size))
            if name in listed:
                sizes.add((name, size))
                times.add((name, changed_ns))
    return Contents(
        len(items),
        _digest((*(item.original for item in items), *left_out)),
        _digest([(*labels.targets, labels.calm), *known]),
        sizes.text(),
        times.text(),
        source.text(),
    )


def _stamp(archive: Archive, name: str) -> tuple[int, int]:
    try:
        return archive.stamp(name)
    except BadDataError:  # it is skipped as unreadable
        return -1, 0


class _Digest:
    """A digest of facts in their order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, fact: object) -> None:
        self._hash.update(json.dumps(fact).encode() + b"\n")  # names that are no text are escaped

    def text(self) -> str:
        return self._hash.hexdigest()


def _digest(facts: Iterable[object]) -> str:
    digest = _Digest()
    for fact in facts:
        digest.add(fact)
    return digest.text()


class Checksum:
    """A checksum of files with their names, in whatever order they are read."""

    def __init__(self) -> None:
        """Begin without any."""
        self._sum = 0

    def add(self, name: str, checksum: int) -> None:
        """Add a file.

        Args:
            name: in its archive.
            checksum: its CRC-32.
        """
        self._sum += int(_digest([(name, checksum)]), 16)

    def add_of(self, archive: Archive, names: Iterable[str]) -> None:
        """Add files of an archive; they are read unless it has their checksums.

        Args:
            archive: the source.
            names: of the files.
        """
        for name in names:
            try:
                self.add(name, archive.checksum(name))
            except BadDataError:  # gone, or unreadable now
                self.add(name, -1)

    def text(self) -> str:
        """Return it as 64 hexadecimal digits."""
        return f"{self._sum % 2**256:064x}"


def checked_files(
    archive: Archive, items: Sequence[Item], unreadable: Collection[str]
) -> tuple[list[str], list[str]]:
    """Name the files of an archive whose checksum tells whether its pictures are the same.

    Args:
        archive: the source.
        items: the pictures that are taken of it.
        unreadable: those that could not be read.

    Returns:
        The files that were read as pictures; and those that hold the other pictures: tables of
        pixels, films, pictures of which a part is taken.
    """
    whole = [i.original for i in items if i.picture is None and i.original not in unreadable]
    parts = {item.original for item in items if item.picture}
    there = set(archive.names) if parts else parts
    return whole, sorted(parts if parts <= there else there.difference(whole, unreadable))


def held_out_in(folders: Sequence[str | Path]) -> str:
    """Describe what `prepare` compares with.

    Args:
        folders: prepared ones.

    Returns:
        A digest of their held-out pictures; "" where there are no folders.

    Raises:
        BadDataError: if one has no manifest.
    """

    def facts() -> Iterator[tuple[str, ...]]:
        for folder in folders:
            for row in manifest.read(folder):
                if row.split != "train":
                    yield row.source, row.original, row.split, row.subject, row.sha256

    return _digest(sorted(facts())) if folders else ""


def changes(before: Contents, now: Contents) -> list[str]:
    """Say what differs between two sources.

    Args:
        before: what a folder was made from.
        now: what its source lists.

    Returns:
        In words; nothing where all is the same.

    Example:
        >>> changes(Contents(200, "a", "b", "c"), Contents(205, "d", "e", "f"))
        ['200 pictures then, 205 now']
        >>> changes(Contents(200, "a", "b", "c"), Contents(200, "a", "e", "c"))
        ['other labels, splits or persons']
    """
    if before.pictures != now.pictures:
        return [f"{before.pictures:,} pictures then, {now.pictures:,} now"]
    if before.names != now.names:
        return ["other names of pictures, or others that are left out"]
    told = {"labels": "other labels, splits or persons", "sizes": "files of other sizes"}
    return [words for name, words in told.items() if getattr(before, name) != getattr(now, name)]
