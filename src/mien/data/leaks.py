"""Training pictures that are copies of held-out ones: found in one database and across several.

Imports: numpy, media, copies, manifest. Writes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mien import media
from mien.data import copies, manifest
from mien.data.manifest import Row
from mien.errors import BadDataError

__all__ = ["HeldOut", "Leak", "find_leaks", "held_out_of"]

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Pictures that training must not see.

    Attributes:
        source: their database.
        split: ``test`` or ``valid``.
        thumbnails: shape (N, 32, 32), of the pictures as they came.
        originals: their N names in the database.
    """

    source: str
    split: str
    thumbnails: U8
    originals: Sequence[str]


@dataclass(frozen=True, slots=True)
class Leak:
    """A training picture that is a copy of a held-out one.

    Attributes:
        index: its row.
        source: the held-out picture's database.
        split: the held-out picture's split.
        original: the held-out picture's name.
        similarity: of the two, in [0, 1].
    """

    index: int
    source: str
    split: str
    original: str
    similarity: float


def find_leaks(
    rows: Sequence[Row], thumbnails: U8, others: Sequence[HeldOut], carved: bool
) -> list[Leak]:
    """Find what training must lose, so that nothing held out has a copy in it.

    Args:
        rows: of one database, all splits.
        thumbnails: shape (N, 32, 32), of the same pictures.
        others: held-out pictures of other databases.
        carved: whether its ``valid`` was carved from train, and must not hold test pictures
            either.

    Returns:
        One leak a picture to leave out.
    """
    splits = np.array([row.split for row in rows])
    learning = (splits == "train") | ((splits == "valid") & carved)
    found: dict[int, Leak] = {}

    def search(held: HeldOut, among: npt.NDArray[np.bool_]) -> None:
        places = np.flatnonzero(among & ~np.isin(np.arange(len(rows)), list(found)))
        for copy in copies.find_copies(thumbnails[places], held.thumbnails):
            place, twin = int(places[copy.this]), held.originals[copy.that]
            found[place] = Leak(place, held.source, held.split, twin, copy.similarity)

    for held in (_own(rows, thumbnails, splits == "test"), *others):
        search(held, learning)
    kept = (splits == "valid") & ~np.isin(np.arange(len(rows)), list(found))
    search(_own(rows, thumbnails, kept), splits == "train")
    return [found[place] for place in sorted(found)]


def _own(rows: Sequence[Row], thumbnails: U8, mask: npt.NDArray[np.bool_]) -> HeldOut:
    names = [row.original for row, chosen in zip(rows, mask, strict=True) if chosen]
    split = next((row.split for row, chosen in zip(rows, mask, strict=True) if chosen), "test")
    return HeldOut(rows[0].source, split, thumbnails[mask], names)


def held_out_of(folder: Path) -> Iterator[HeldOut]:
    """Read the held-out pictures of a prepared folder.

    Args:
        folder: what ``mien prepare`` wrote.

    Yields:
        Its ``test`` and its ``valid`` pictures, if it has them.

    Raises:
        BadDataError: if it has neither, or holds framed pictures.
    """
    rows = [row for row in manifest.read(folder) if row.split != "train"]
    if not rows:
        raise BadDataError(f"{folder} has no test split", fix="leave it out of --against")
    if any(row.framing == "framed" for row in rows):  # whole pictures are compared, not framed ones
        raise BadDataError(f"{folder} was framed", fix="name the folder prepared --as-is")
    for split in ("test", "valid"):
        held = [row for row in rows if row.split == split]
        if held:
            pictures = [copies.thumbnail(media.read_rgb(folder / row.path)) for row in held]
            originals = [row.original for row in held]
            yield HeldOut(held[0].source, split, np.stack(pictures), originals)
