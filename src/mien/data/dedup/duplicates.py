"""Find the pictures that are copies of others, in one set or between two.

Two steps. Candidates: pictures whose signatures look alike, see `mien.data.dedup.candidates`.
Proof: how alike they are where and at what size they fit best, see `mien.data.dedup.similarity`.
Mirrored copies are found by mirroring one side. How well: benchmarks/bench_audit.py. Knows nothing
of files and labels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from mien.data.dedup import candidates, similarity
from mien.data.dedup.similarity import SIDE
from mien.pixels import F32, I64, U8, to_gray, to_side

__all__ = ["COPY", "Copy", "find_copies", "find_pairs", "finder", "thumbnail"]

COPY = 0.85  # similarity from which two pictures count as copies; from bench_audit.py's curve
_NEIGHBOURS = 11  # candidates of a picture, maybe itself among them, and as many mirrored
_CROWDED = 0.95  # if all of these are so near, so many more are looked at:
_CROWD = 80
_CANDIDATE = 0.65
_SMALL = 40_000  # pictures up to which each is compared with all
_BLOCK = 8192  # questions at once
_PAIRS = 512  # looked at closely at once: some 4 MB


@dataclass(frozen=True, slots=True)
class Copy:
    """A picture and the one it is a copy of.

    Attributes:
        this: its index in the first set.
        that: the index in the second set.
        similarity: see `similarities`, in [`COPY`, 1].
        mirrored: whether one has to be mirrored to match.
    """

    this: int
    that: int
    similarity: float
    mirrored: bool


def thumbnail(picture: U8) -> U8:
    """Reduce a picture to what copies are found by.

    Args:
        picture: shape (H, W, 3) RGB or (H, W), uint8.

    Returns:
        shape (32, 32), uint8.
    """
    return to_side(to_gray(picture), SIDE)


def find_copies(these: U8, those: U8, *, least: float = COPY) -> list[Copy]:
    """Find the members of one set that have a copy or near-copy in another.

    Args:
        these: shape (N, 32, 32), thumbnails.
        those: shape (M, 32, 32), thumbnails.
        least: similarity from which they count as copies.

    Returns:
        The nearest copy of each member of `these` that has one, by ascending `this`.
    """
    return finder(those, least=least)(these)


def finder(those: U8, *, least: float = COPY) -> Callable[[U8], list[Copy]]:
    """Get ready to find what has a copy or near-copy in a set, of one part after the other.

    Args:
        those: shape (M, 32, 32), thumbnails.
        least: similarity from which they count as copies.

    Returns:
        `find_copies` without its second argument.
    """
    search = candidates.exact(candidates.signatures(those)) if len(those) else None
    middles = similarity.patches(those)

    def find(these: U8) -> list[Copy]:
        if len(these) == 0 or search is None:
            return []
        best: dict[int, Copy] = {}
        signatures = candidates.signatures(these)
        for copy in _proven(_candidates(signatures, search), these, (those, middles), least):
            known = best.get(copy.this)
            if known is None or copy.similarity > known.similarity:
                best[copy.this] = copy
        return [best[this] for this in sorted(best)]

    return find


def find_pairs(thumbnails: U8, *, least: float = COPY) -> list[Copy]:
    """Find every two members of a set that are copies or near-copies of each other.

    Args:
        thumbnails: shape (N, 32, 32).
        least: similarity from which they count as copies.

    Returns:
        Pairs with `this` < `that`, in ascending order; of a picture with more than 80 near
        neighbours only the nearest.

    Raises:
        MissingExtraError: if there are more than 40,000 and the data extra is not installed.
    """
    if len(thumbnails) < 2:
        return []
    signatures = candidates.signatures(thumbnails)
    make = candidates.exact if len(signatures) <= _SMALL else candidates.indexed
    search, middles = make(signatures), similarity.patches(thumbnails)
    best: dict[tuple[int, int], Copy] = {}
    pairs = _unordered(_candidates(signatures, search))
    for copy in _proven(pairs, thumbnails, (thumbnails, middles), least):
        known = best.get((copy.this, copy.that))
        if known is None or copy.similarity > known.similarity:
            best[copy.this, copy.that] = copy
    return [best[pair] for pair in sorted(best)]


def _candidates(these: F32, search: candidates.Search) -> I64:
    """Pairs that look alike at a glance: shape (P, 3), see `likeness.similarities`."""
    found = []
    for start, mirrored in product(range(0, len(these), _BLOCK), (False, True)):
        block = these[start : start + _BLOCK]
        asked = candidates.mirror(block) if mirrored else block
        rows = np.arange(len(asked))
        for count in (_NEIGHBOURS, _CROWD):
            alike, those = search(asked[rows], count)
            first, column = np.nonzero((alike >= _CANDIDATE) & (those >= 0))
            that = those[first, column]
            found.append(np.column_stack([start + rows[first], that, np.full(len(that), mirrored)]))
            rows = rows[alike.min(axis=1) >= _CROWDED]
    return _once(np.concatenate(found))


def _unordered(pairs: I64) -> I64:
    """Each pair once, the lesser index first, none of a picture with itself."""
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return _once(np.column_stack([np.sort(pairs[:, :2], axis=1), pairs[:, 2]]))


def _once(pairs: I64) -> I64:
    """Each row once, in ascending order."""
    order = np.lexsort(pairs.T[::-1])
    pairs = pairs[order]
    new = np.ones(len(pairs), dtype=np.bool_)
    new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[new]


def _proven(pairs: I64, these: U8, those: tuple[U8, F32], least: float) -> Iterator[Copy]:
    """Look closely at candidates, which are ordered by their first, and hand on the copies."""
    for start in range(0, len(pairs), _PAIRS):
        some = pairs[start : start + _PAIRS]
        firsts, places = np.unique(some[:, 0], return_inverse=True)
        asked = np.column_stack([places, some[:, 1:]])
        found = similarity.similarities(these[firsts], those[0], asked, those[1])
        for index in np.flatnonzero(found >= least):
            this, that, mirrored = some[index].tolist()
            yield Copy(this, that, float(found[index]), bool(mirrored))
