"""Find the training pictures that are copies of held-out ones, in one dataset and across several.
Writes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mien.data import manifest
from mien.data.dedup import duplicates, similarity
from mien.data.dedup.persons import Person, least_of_copies
from mien.data.prepare.crop_store import CropStore
from mien.data.prepare.crops import equality
from mien.data.prepare.record import database_of, origin_of
from mien.errors import BadDataError
from mien.media import images
from mien.media.parallel import share
from mien.pixels import BOOL, U8

__all__ = ["HeldOut", "Leak", "find_leaks", "held_out_of"]

_ROUNDING = 1e-4  # of similarities, which depend a little on how many pictures share a block
Block = tuple[list[int], U8, list[Person]]  # indices of crops, their thumbnails, who is shown


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Pictures that training must not see.

    Attributes:
        source: their dataset.
        split: ``test`` or ``valid``.
        thumbnails: shape (N, 32, 32), uint8.
        originals: their N names in the dataset.
        equal: their N hashes, see `crops.equality`.
        persons: who is shown in each.
    """

    source: str
    split: str
    thumbnails: U8
    originals: Sequence[str]
    equal: Sequence[bytes]
    persons: Sequence[Person]


@dataclass(frozen=True, slots=True)
class Leak:
    """A training picture that is a copy of a held-out one.

    Attributes:
        source: the held-out picture's dataset.
        split: the held-out picture's split.
        original: the held-out picture's name.
        similarity: of the two, in [0, 1].
    """

    source: str
    split: str
    original: str
    similarity: float


def find_leaks(
    store: CropStore,
    source: str,
    database: str,
    others: Sequence[HeldOut],
    carved: bool,
    workers: int = 1,
) -> dict[int, Leak]:
    """Find what training must lose, so that nothing held out has a copy in it.

    Args:
        store: the crops of one dataset, all splits.
        source: its name.
        database: see `record.database_of`; two persons whom it names are never copies of each
            other, unless their pictures are nearly identical.
        others: held-out pictures of other datasets.
        carved: whether its ``valid`` was drawn from train; then it must not hold copies of test
            pictures either.
        workers: processes that share the search.

    Returns:
        One leak for each picture to leave out, by its index in the store, ascending.
    """
    splits = store.splits()
    known: dict[str, Person] = {}  # one for each person, not for each picture
    persons = [known.setdefault(name, Person(database, name)) for name in store.subjects()]
    learning = (splits == "train") | ((splits == "valid") & carved)
    leaks: dict[int, Leak] = {}

    def search(held: HeldOut, among: BOOL) -> None:
        held = _distinct(held)
        if not held.originals:
            return
        blocks = _blocks(store, persons, among, frozenset(leaks))
        places = {equal: place for place, equal in enumerate(held.equal)}
        searcher = partial(_searcher, held.thumbnails, held.persons)
        for indices, copies in share(searcher, blocks, workers):
            found = {indices[copy.this]: (copy.that, copy.similarity) for copy in copies}
            found |= {i: (places[store.equal(i)], 1.0) for i in indices if store.equal(i) in places}
            for index, (place, similar) in found.items():
                leaks[index] = Leak(held.source, held.split, held.originals[place], similar)

    # held by nothing else
    search(_own(store, persons, source, "test", splits == "test"), learning)
    for held in others:
        search(held, learning)
    kept = (splits == "valid") & ~np.isin(np.arange(len(splits)), list(leaks))
    search(_own(store, persons, source, "valid", kept), splits == "train")
    return dict(sorted(leaks.items()))


def _blocks(
    store: CropStore, persons: Sequence[Person], among: BOOL, without: frozenset[int]
) -> Iterator[Block]:
    """The thumbnails to search, block by block, with their indices in the store."""
    for start, block in store.thumbnails():
        chosen = np.flatnonzero(among[start : start + len(block)]).tolist()
        places = [i for i in chosen if start + i not in without]
        shown = [persons[start + i] for i in places]
        yield [start + i for i in places], block[np.array(places, dtype=np.int64)], shown


def _searcher(
    held: U8, persons: Sequence[Person]
) -> Callable[[Block], tuple[list[int], list[duplicates.Copy]]]:
    """Make the function that finds the copies of held-out thumbnails in a block."""
    find = duplicates.finder(held, least=duplicates.COPY - _ROUNDING)

    def search(block: Block) -> tuple[list[int], list[duplicates.Copy]]:
        indices, thumbnails, shown = block

        def counts(copy: duplicates.Copy) -> bool:
            least = least_of_copies(shown[copy.this], persons[copy.that])
            return copy.similarity >= least - _ROUNDING

        copies = find(thumbnails, counts)
        return indices, [c for c in copies if not duplicates.is_blank(thumbnails[c.this])]

    return search


def _distinct(held: HeldOut) -> HeldOut:
    """Leave out blank pictures, and all but one of equal ones, which would hide others."""
    firsts = {equal: place for place, equal in reversed(list(enumerate(held.equal)))}
    kept = [i for i in sorted(firsts.values()) if not duplicates.is_blank(held.thumbnails[i])]
    if len(kept) == len(held.originals):  # as a rule; a copy would double the memory
        return held
    return replace(
        held,
        thumbnails=held.thumbnails[np.array(kept, dtype=np.int64)],
        originals=[held.originals[i] for i in kept],
        equal=[held.equal[i] for i in kept],
        persons=[held.persons[i] for i in kept],
    )


def _own(
    store: CropStore, persons: Sequence[Person], source: str, split: str, mask: BOOL
) -> HeldOut:
    """The held-out pictures of the dataset that is being prepared."""
    names = store.originals(mask)
    numbers = np.flatnonzero(mask).tolist()
    equal = [store.equal(number) for number in numbers]
    thumbnails = np.empty((len(names), similarity.SIDE, similarity.SIDE), dtype=np.uint8)
    filled = 0
    for start, block in store.thumbnails():
        chosen = block[mask[start : start + len(block)]]
        thumbnails[filled : filled + len(chosen)] = chosen
        filled += len(chosen)
    return HeldOut(source, split, thumbnails, names, equal, [persons[i] for i in numbers])


def held_out_of(folder: Path) -> Iterator[HeldOut]:
    """Read the held-out pictures of a prepared folder.

    Args:
        folder: what ``mien prepare`` wrote.

    Yields:
        Its ``test`` pictures and its ``valid`` pictures, where it has any.

    Raises:
        BadDataError: if it has neither, or holds framed pictures.
        BadImageError: if one of these pictures cannot be read.
    """
    rows = [row for row in manifest.read(folder) if row.split != "train"]
    if not rows:
        raise BadDataError(f"{folder} has no test split", fix="leave it out of --against")
    if any(row.framing == "framed" for row in rows):  # whole pictures are compared, not framed ones
        raise BadDataError(f"{folder} was framed", fix="name the folder prepared --as-is")
    origin = origin_of(folder)
    for split in ("test", "valid"):
        held = [row for row in rows if row.split == split]
        if held:
            thumbnails, equal = [], []
            for row in held:
                picture = images.read_rgb(folder / row.path)
                thumbnails.append(duplicates.thumbnail(picture))
                equal.append(equality(picture))
            originals = [row.original for row in held]
            persons = [Person(database_of(row.source, origin), row.subject) for row in held]
            yield HeldOut(held[0].source, split, np.stack(thumbnails), originals, equal, persons)
