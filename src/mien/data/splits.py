"""Choose the pictures to hold out, in two ways; all pictures of a person stay on one side.

`hold_out` makes a split of a dataset, for `mien prepare --valid` and ``--test``: the shares by
expression are met as nearly as possible, so the choice depends on all pictures together.
`draw_held_out` is for training, where folders are combined: each row is drawn by itself, so its
side is the same in every folder, framing and selection. `draw_part` takes a part of a training set
for a trial. All depend on the seed and the names of the pictures, never on their order.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mien.data.datasets import Item
from mien.data.manifest import Row
from mien.errors import BadSettingError
from mien.labels import PAPER
from mien.pixels import BOOL, I64

__all__ = ["draw_held_out", "draw_part", "hold_out"]

Counts = I64  # shape (C,): pictures of each class
_DRAWS = 32  # attempts, where groups are persons


def hold_out(items: Sequence[Item], split: str, share: float, seed: int) -> list[Item]:
    """Move a share of the training pictures to another split: to make a split of a dataset.

    Persons, or single pictures where no person is known, are drawn one after the other. A group
    moves if that brings the counts by expression nearer to the share. So every expression loses
    its share, as nearly as the groups allow.

    Args:
        items: pictures of one dataset.
        split: ``valid`` or ``test``, of which the dataset must have none.
        share: of the training pictures, in [0, 1).
        seed: another seed gives another draw.

    Returns:
        The pictures in the same order, some with another split.

    Raises:
        BadSettingError: if the dataset has that split already, or too few groups to divide.
    """
    if share == 0:
        return list(items)
    counts = Counter(item.split for item in items)
    if counts[split]:
        raise BadSettingError(
            f"the database has {counts[split]:,} {split} pictures of its own",
            fix=f"leave --{split} out",
        )
    paper = PAPER.targets  # in this order sums are rounded as ever
    labels = [*paper, *sorted({item.label for item in items} - {*paper})]
    place = {label: number for number, label in enumerate(labels)}
    groups: dict[str, Counts] = defaultdict(lambda: np.zeros(len(labels), dtype=np.int64))
    for item in items:
        if item.split == "train":
            groups[_group(item)][place[item.label]] += 1
    chosen = _choose(groups, share, f"{split}:{seed}") if groups else set()
    if not chosen or len(chosen) == len(groups):
        raise BadSettingError(
            f"--{split} {share} of {len(groups)} persons or pictures leaves one side empty",
            fix="give another share, or more pictures",
        )
    move = [item.split == "train" and _group(item) in chosen for item in items]
    return [replace(i, split=split) if moved else i for i, moved in zip(items, move, strict=True)]


def _group(item: Item) -> str:
    return item.subject or item.original


def _choose(groups: Mapping[str, Counts], share: float, salt: str) -> set[str]:
    """Draw groups until each class has its share; a group's value is its count by class."""
    total = np.sum(list(groups.values()), axis=0)
    target, weight = share * total, 1 / np.maximum(total, 1)
    # Single pictures meet the shares exactly; persons differ, so the best of some draws is taken.
    draws = _DRAWS if max((count.sum() for count in groups.values()), default=0) > 1 else 1
    best: tuple[float, set[str]] = (np.inf, set())
    for draw in range(draws):
        missing = target.copy()
        chosen = set()
        for name in sorted(groups, key=lambda name: _hash(f"{salt}:{draw}:{name}")):
            nearer = ((missing - groups[name]) ** 2 - missing**2) @ weight
            if nearer < 0:
                missing -= groups[name]
                chosen.add(name)
        distance = float(missing**2 @ weight)
        if distance < best[0]:
            best = (distance, chosen)
    return best[1]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()


def draw_held_out(rows: list[Row], share: float, seed: int) -> BOOL:
    """Draw each training row by itself: to hold out part of a training set of several folders.

    The draw is a hash of the seed and of the row's original, or of its subject where the dataset
    names one, so two framings of one picture are always on the same side. The share is met only
    on average.

    Args:
        rows: training rows.
        share: of the pictures to hold out, in [0, 1].
        seed: another seed gives another draw.

    Returns:
        shape (N,), True for the held-out rows.

    Example:
        >>> row = Row("a.jpg", "fear", "rafdb", "train", "", "", "1.jpg", "as-is")
        >>> draw_held_out([row, row], 1.0, seed=0).tolist()
        [True, True]
    """
    chosen = []
    for row in rows:
        digest = _hash(f"{seed}:{row.source}:{row.subject or row.original}")
        draw = int.from_bytes(digest[:8], "big") / 2**64
        chosen.append(draw < share)
    return np.array(chosen, dtype=np.bool_)


def draw_part(rows: Sequence[Row], count: int, seed: int) -> BOOL:
    """Draw a part of a training set, of every class of every dataset in proportion to its size.

    Args:
        rows: training rows.
        count: of the rows to take; all are taken if there are no more.
        seed: another seed gives another part.

    Returns:
        shape (N,), True for the rows taken. Framings of one picture follow each other in the draw.

    Example:
        >>> rows = [Row(f"{n}.jpg", "fear", "a", "train", "", "", f"{n}.jpg", "as-is")
        ...     for n in range(9)]
        >>> int(draw_part(rows, 3, seed=0).sum()), int(draw_part(rows, 20, seed=0).sum())
        (3, 9)
    """
    # "part": were it the draw of `draw_held_out`, the pictures taken first would all be held out
    draws = [_hash(f"part:{seed}:{row.source}:{row.original}") for row in rows]
    totals = Counter((row.source, row.label) for row in rows)
    seen: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[float, bytes, int]] = []  # share of its class that was drawn before it
    for number in sorted(range(len(rows)), key=lambda number: (draws[number], number)):
        key = rows[number].source, rows[number].label
        turns.append((seen[key] / totals[key], draws[number], number))
        seen[key] += 1
    chosen = np.zeros(len(rows), dtype=np.bool_)
    chosen[[number for *_, number in sorted(turns)[:count]]] = True
    return chosen
