"""Find pictures that are copies of others, in one set or between two.

Pipeline: signatures -> candidates, the pairs whose signatures are similar -> the similarity of each
pair where it fits best -> copies. Mirrored copies are found by mirroring one side. How well it
works: benchmarks/bench_audit.py. Knows nothing of files and labels.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, product
from operator import attrgetter
from typing import Any

import numpy as np
from PIL import Image

from mien.data.dedup import candidates, similarity
from mien.data.dedup.similarity import SIDE
from mien.pixels import F32, I64, U8, to_gray, to_side

__all__ = [
    "COPY",
    "Copy",
    "find_across",
    "find_copies",
    "find_pairs",
    "finder",
    "is_blank",
    "thumbnail",
    "thumbnail_of",
]

COPY = 0.85  # similarity from which two pictures count as copies; from bench_audit.py's curve
_PLAIN = 8  # grey levels between the 5 % darkest and the 5 % brightest pixels of a blank picture
_NEIGHBOURS = 11  # candidates for a picture, itself maybe among them, and as many mirrored ones
_CROWDED = 0.95  # if all of them have at least this scalar product, more are taken:
_CROWD = 80  # so many
_CANDIDATE = 0.65  # least scalar product of two signatures of a candidate pair
_SMALL = 40_000  # largest set in which each picture is compared with all
_BLOCK = 8192  # queries at once
_PAIRS = 512  # pairs compared at once: about 4 MB
_BY_PICTURE, _BY_PAIR = attrgetter("this"), attrgetter("this", "that")


@dataclass(frozen=True, slots=True)
class Copy:
    """A pair of pictures, one a copy of the other.

    Attributes:
        this: index in the first set.
        that: index in the second set.
        similarity: see `similarity.similarities`, in [`COPY`, 1].
        mirrored: whether one matches the mirror image of the other.
    """

    this: int
    that: int
    similarity: float
    mirrored: bool


def thumbnail(picture: U8) -> U8:
    """Reduce a picture to the thumbnail by which copies are found.

    Args:
        picture: shape (H, W, 3) RGB or (H, W), uint8.

    Returns:
        shape (32, 32), uint8.
    """
    return to_side(to_gray(picture), SIDE)


def thumbnail_of(image: Image.Image) -> U8:
    """Return the `thumbnail` of a picture that Pillow has decoded.

    Args:
        image: of mode ``RGB`` or ``L``.

    Returns:
        shape (32, 32), uint8.
    """
    gray = image if image.mode == "L" else image.convert("L")
    return to_side(np.asarray(gray), SIDE)


def is_blank(thumbnail: U8) -> bool:
    """Tell whether a picture shows nothing; such a picture is a copy of no other.

    Args:
        thumbnail: shape (32, 32), uint8.

    Returns:
        True if all but the darkest and the brightest pixels are nearly equal.
    """
    levels = np.sort(thumbnail, axis=None)
    cut = len(levels) // 20
    return int(levels[-cut - 1]) - int(levels[cut]) < _PLAIN


def _any(_copy: Copy) -> bool:
    return True


def find_copies(
    these: U8, those: U8, *, least: float = COPY, counts: Callable[[Copy], bool] = _any
) -> list[Copy]:
    """Find the members of one set that have a copy in another.

    Each set is searched from the other: where many pictures of one look alike, the copy of a
    picture may lie beyond the nearest that it is compared with, and be found from its own side.

    Args:
        these: shape (N, 32, 32), thumbnails.
        those: shape (M, 32, 32), thumbnails.
        least: similarity from which two pictures count as copies.
        counts: tells of each pair of copies whether it counts; by default all do.

    Returns:
        The nearest copy of each member of `these` that has one, by ascending `this`.
    """
    back = _across(these, least)(those)
    turned = (replace(copy, this=copy.that, that=copy.this) for copy in back)
    return _best(filter(counts, chain(_across(those, least)(these), turned)), _BY_PICTURE)


def finder(those: U8, *, least: float = COPY) -> Callable[[U8, Callable[[Copy], bool]], list[Copy]]:
    """Make a search for copies in one set `those`, for one part of `these` after another.

    Args:
        those: shape (M, 32, 32), thumbnails.
        least: similarity from which two pictures count as copies.

    Returns:
        A function of `these` and `counts`, as those of `find_copies`; it searches from their side.
    """
    across = _across(those, least)
    return lambda these, counts: _best(filter(counts, across(these)), _BY_PICTURE)


def _best(copies: Iterable[Copy], key: Callable[[Copy], Any]) -> list[Copy]:
    """The most similar of the copies that have a key in common, in the order of the keys."""
    best: dict[Any, Copy] = {}
    for copy in copies:
        known = best.get(key(copy))
        if known is None or copy.similarity > known.similarity:
            best[key(copy)] = copy
    return [best[own] for own in sorted(best)]


def find_across(these: U8, those: U8, *, least: float = COPY) -> list[Copy]:
    """Find all pairs of copies, one from each of two sets: the search of `finder`.

    What is found for a member of `these` does not depend on the others: without the members that
    `finder` names, nothing is found.

    Args:
        these: shape (N, 32, 32), thumbnails.
        those: shape (M, 32, 32), thumbnails.
        least: similarity from which two pictures count as copies.

    Returns:
        Pairs in ascending order, each once; of a picture with more than 80 near neighbours in the
        other set, only those with the nearest.
    """
    return _best(_across(those, least)(these), _BY_PAIR)


def _across(those: U8, least: float) -> Callable[[U8], Iterator[Copy]]:
    """Make the search between two sets, the only one there is; a pair may come mirrored too."""
    search = candidates.exact(candidates.signatures(those)) if len(those) else None
    patches = similarity.patches(those)

    def find(these: U8) -> Iterator[Copy]:
        if len(these) and search is not None:
            pairs = _candidates(candidates.signatures(these), search)
            yield from _copies(pairs, these, (those, patches), least)

    return find


def find_pairs(thumbnails: U8, *, least: float = COPY) -> list[Copy]:
    """Find all pairs of members of a set that are copies of each other.

    Args:
        thumbnails: shape (N, 32, 32).
        least: similarity from which two pictures count as copies.

    Returns:
        Pairs with `this` < `that`, in ascending order; of a picture with more than 80 near
        neighbours, only the pairs with the nearest.

    Raises:
        MissingExtraError: if there are more than 40,000 and the data extra is not installed.
    """
    if len(thumbnails) < 2:
        return []
    signatures = candidates.signatures(thumbnails)
    make = candidates.exact if len(signatures) <= _SMALL else candidates.indexed
    search, patches = make(signatures), similarity.patches(thumbnails)
    pairs = _unordered(_candidates(signatures, search))
    return _best(_copies(pairs, thumbnails, (thumbnails, patches), least), _BY_PAIR)


def _candidates(these: F32, search: candidates.Search) -> I64:
    """Pairs with similar signatures: shape (P, 3), columns as in `similarity.similarities`."""
    pairs = []
    for start, mirrored in product(range(0, len(these), _BLOCK), (False, True)):
        block = these[start : start + _BLOCK]
        queries = candidates.mirror(block) if mirrored else block
        rows = np.arange(len(queries))
        for count in (_NEIGHBOURS, _CROWD):
            products, those = search(queries[rows], count)
            first, column = np.nonzero((products >= _CANDIDATE) & (those >= 0))
            that = those[first, column]
            pairs.append(np.column_stack([start + rows[first], that, np.full(len(that), mirrored)]))
            rows = rows[products.min(axis=1) >= _CROWDED]
    return _unique(np.concatenate(pairs))


def _unordered(pairs: I64) -> I64:
    """Each pair once, the smaller index first, and no picture paired with itself."""
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return _unique(np.column_stack([np.sort(pairs[:, :2], axis=1), pairs[:, 2]]))


def _unique(pairs: I64) -> I64:
    """Each row once, in ascending order; the last column is 0 or 1."""
    span = int(pairs[:, 1].max(initial=0)) + 1
    rest, mirrored = np.divmod(np.unique((pairs[:, 0] * span + pairs[:, 1]) * 2 + pairs[:, 2]), 2)
    return np.column_stack([*np.divmod(rest, span), mirrored])


def _copies(pairs: I64, these: U8, those: tuple[U8, F32], least: float) -> Iterator[Copy]:
    """Compare candidate pairs, ordered by `this`, and yield the copies; `those` with patches."""
    for start in range(0, len(pairs), _PAIRS):
        block = pairs[start : start + _PAIRS]
        firsts, places = np.unique(block[:, 0], return_inverse=True)
        local = np.column_stack([places, block[:, 1:]])
        scores = similarity.similarities(these[firsts], those[0], local, those[1])
        for index in np.flatnonzero(scores >= least):
            this, that, mirrored = block[index].tolist()
            yield Copy(this, that, float(scores[index]), bool(mirrored))
