"""Divide pictures into folds, for data of which too little could be held out once and for all.

All pictures of a person are in one fold, each class is spread over the folds as evenly as that
allows, and the same pictures are always divided alike, whatever their order.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from mien.data.manifest import Row
from mien.errors import BadSettingError
from mien.pixels import I64

__all__ = ["draw_folds"]


def draw_folds(rows: Sequence[Row], count: int, seed: int) -> I64:
    """Give each picture the number of its fold.

    Persons, or single pictures where no person is known, are taken one after the other, those with
    most pictures first. Each goes where its classes have fewest pictures yet.

    Args:
        rows: of one or several folders.
        count: of the folds, at least 2; as many as there are persons leaves out one at a time.
        seed: another seed gives another division.

    Returns:
        shape (N,), from 0 to `count` - 1; no fold is empty.

    Raises:
        BadSettingError: if there are fewer persons or pictures than folds.

    Example:
        >>> rows = [Row(f"{i}", "ab"[i % 2], "own", "train", "", "", f"{i}", "") for i in range(4)]
        >>> folds = draw_folds(rows, 2, seed=0)
        >>> sorted(folds[::2].tolist()), sorted(folds[1::2].tolist())  # of each class one
        ([0, 1], [0, 1])
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((row.source, row.subject or row.original), []).append(number)
    if len(groups) < count:
        raise BadSettingError(
            f"folds is {count}, and there are {len(groups)} persons or single pictures",
            fix=f"give at most {len(groups)}",
        )
    _, classes = np.unique([row.label for row in rows], return_inverse=True)
    sizes = np.bincount(classes)
    taken = np.zeros((count, len(sizes)), dtype=np.int64)  # pictures by fold and class
    folds = np.zeros(len(rows), dtype=np.int64)
    for key in sorted(groups, key=lambda key: (-len(groups[key]), _hash(seed, key))):
        own = np.bincount(classes[groups[key]], minlength=len(sizes))
        crowded = taken @ (own / sizes)
        fold = min(range(count), key=lambda n: (crowded[n], taken[n].sum()))
        folds[groups[key]] = fold
        taken[fold] += own
    return folds


def _hash(seed: int, key: tuple[str, str]) -> bytes:
    text = f"{seed}:{key[0]}:{key[1]}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
