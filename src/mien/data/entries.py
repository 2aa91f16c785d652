"""The pictures of prepared folders, each once however often it was framed, and a look at each.
Compares nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data import copies, manifest
from mien.data.manifest import Row
from mien.errors import BadDataError, BadImageError
from mien.media import images
from mien.pixels import BOOL, U8

__all__ = ["Entry", "Looks", "Progress", "entries_in", "look_at"]


_PLAIN = 8  # grey levels between the 5 % darkest and the 5 % brightest pixels of a blank picture
_COLOUR = 8  # levels that the channels of a grey picture may differ, for JPEG rounds them


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
class Looks:
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


def look_at(entries: Sequence[Entry], progress: Progress = iter) -> Looks:
    """Read every picture once and keep what is needed of it.

    Args:
        entries: N pictures.
        progress: wraps them, to show how far it is.

    Returns:
        N looks: about 1.2 kB a picture.
    """
    count = len(entries)
    found = Looks(
        np.zeros((count, copies.SIDE, copies.SIDE), dtype=np.uint8),
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
        found.thumbnails[index] = copies.thumbnail(rgb)
        found.hashes[index] = manifest.hash_pixels(rgb)
        red, green, blue = (rgb[..., channel].astype(np.int16) for channel in range(3))
        found.gray[index] = max(abs(red - green).max(), abs(green - blue).max()) <= _COLOUR
        found.blank[index] = _is_blank(found.thumbnails[index])
    return found


def _is_blank(thumbnail: U8) -> bool:
    levels = np.sort(thumbnail, axis=None)
    cut = len(levels) // 20
    return int(levels[-cut - 1]) - int(levels[cut]) < _PLAIN
