"""The pictures of prepared folders: framings and altered copies of one picture are one entry.

Reads manifests, and what the folders were made from.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.data import manifest
from mien.data.manifest import ALTERED, SPLITS, Row
from mien.data.prepare.record import OWN, origin_of
from mien.errors import BadDataError

__all__ = ["Entry", "copies_across", "entries_in", "is_framing"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture of a prepared folder.

    Attributes:
        folder: where it is.
        row: its row of the manifest; of several framings the one that kept most of the picture.
        framings: folder and row of each framing and of each altered copy, this one included.
        origin: what the folder was made from, where the row's database does not tell.
    """

    folder: Path
    row: Row
    framings: tuple[tuple[Path, Row], ...]
    origin: str = ""

    @property
    def path(self) -> Path:
        """Where its crop is."""
        return self.folder / self.row.path


def entries_in(folders: Iterable[Path]) -> list[Entry]:
    """List the pictures of prepared folders; framings and altered copies of one are one entry.

    Args:
        folders: what ``mien prepare`` or ``mien augment`` wrote; a folder that is named twice
            counts once.

    Returns:
        In the order of folders and manifests.

    Raises:
        BadDataError: if a folder has no manifest, or none has a picture.
    """
    unique = {folder.resolve(): folder for folder in folders}
    origins = {folder: origin_of(folder) for folder in unique.values()}
    groups: dict[tuple[str, ...], list[tuple[Path, Row]]] = defaultdict(list)
    for folder in unique.values():
        for row in manifest.read(folder):
            groups[_identity(row)].append((folder, row))
    if not groups:
        raise BadDataError(
            f"no picture in {', '.join(map(str, unique.values()))}", "prepare the folder again"
        )
    return [entry for group in groups.values() for entry in _entries_of(group, origins)]


def _identity(row: Row) -> tuple[str, ...]:
    """What all framings of one picture have in common."""
    return row.source, row.original, row.label, row.split


def _entries_of(group: list[tuple[Path, Row]], origins: Mapping[Path, str]) -> Iterator[Entry]:
    """One entry if the rows are one picture, framed and as it is; else an entry for each row.

    All own pictures are of the database ``folder``, so there what their folders were made from
    must be the same too.

    Altered copies go with the first of them; where the picture itself is not there, they are one
    entry.
    """
    altered = [member for member in group if member[1].framing == ALTERED]
    group = sorted(
        (member for member in group if member not in altered),
        key=lambda member: member[1].framing != "as-is",
    )
    as_is = [row.framing == "as-is" for _, row in group]
    made_of = [origins[folder] if row.source == OWN else "" for folder, row in group]
    if not group:
        yield Entry(*altered[0], tuple(altered))
    elif len(as_is) == len(set(as_is)) and len(set(made_of)) == 1:
        yield Entry(*group[0], (*group, *altered), made_of[0])
    else:
        for (folder, row), origin in zip(group, made_of, strict=True):
            more = altered if row is group[0][1] else []
            yield Entry(folder, row, ((folder, row), *more), origin)


def is_framing(a: Entry, b: Entry) -> bool:
    """Tell whether two entries are one picture, framed and as it is.

    Args:
        a: an entry.
        b: another.

    Returns:
        True for two framings of one picture.
    """
    same = (*_identity(a.row), a.origin) == (*_identity(b.row), b.origin)
    return same and (a.row.framing == "as-is") != (b.row.framing == "as-is")


def copies_across(entries: Sequence[Entry], chosen: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Pair altered copies with their own picture where that is in another split.

    So much may be changed in a copy that its pixels no longer tell; its manifest does. Pictures of
    one name in two folders of one's own are two pictures, where it is known what both were made of.

    Args:
        entries: all pictures.
        chosen: indices of the pictures to compare.

    Yields:
        The index of the altered copies' entry, and that of the picture held out most.
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in chosen:
        row = entries[index].row
        places[row.source, row.original].append(index)
    for indices in places.values():
        for index in indices:
            entry = entries[index]
            if not any(row.framing == ALTERED for _, row in entry.framings):
                continue
            same = [
                i for i in indices if entries[i].origin in {entry.origin, ""} or not entry.origin
            ]
            most = max(same, key=lambda i: SPLITS.index(entries[i].row.split))
            if entry.row.split != entries[most].row.split:
                yield index, most
