"""What a folder was made from, in a few letters: so a source that has changed since is noticed.

The listing of a reader is enough: names, labels and the sizes of files are compared, no times, and
no picture is read.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from mien.data.datasets import Archive, Listing
from mien.errors import BadDataError
from mien.media.folders import OTHER

__all__ = ["Contents", "changes", "contents_of"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reader lists of a source; two sources with the same are taken for one.

    Attributes:
        pictures: how many it lists.
        names: a digest of their names, and of what is left out and why.
        labels: a digest of the classes, and of label, split, person and shares of each picture.
        sizes: a digest of the sizes of the files.
    """

    pictures: int
    names: str
    labels: str
    sizes: str


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
    names = {item.original for item in items if item.picture is None}
    if len(names) < len(items):  # rows of a table, frames of a video, parts of a picture
        names.update(archive.names)
    return Contents(
        len(items),
        _digest((*(item.original for item in items), *left_out)),
        _digest([(*labels.targets, labels.calm), *known]),
        _digest((name, _size(archive, name)) for name in sorted(names)),
    )


def _size(archive: Archive, name: str) -> int:
    try:
        return archive.size(name)
    except BadDataError:  # it is skipped as unreadable
        return -1


def _digest(facts: Iterable[object]) -> str:
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(json.dumps(fact).encode() + b"\n")  # names that are no text are escaped
    return digest.hexdigest()


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
