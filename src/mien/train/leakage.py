"""Leave out of training what is a copy of a held-out crop.

`mien.data.prepare` has done so within a database; this closes the gaps between databases, and those
of what is held out later. What a copy is, is the same there, here and in an audit.
"""

import numpy as np

from mien.data.dedup import duplicates
from mien.data.dedup.persons import Person, least_of_copies
from mien.train.dataset import Crops

__all__ = ["drop_leaks"]


def drop_leaks(train: Crops, test: Crops) -> tuple[Crops, int]:
    """Leave out of training what is a copy of a test crop, in any framing.

    Args:
        train: crops to train on.
        test: every test crop of the same folders.

    Returns:
        The crops without the copies, and how many were dropped.
    """
    if not len(train) or not len(test):
        return train, 0
    thumbnails = [
        np.stack([duplicates.thumbnail(c) for c in crops.gray.numpy()]) for crops in (train, test)
    ]
    these, those = _persons(train), _persons(test)

    def counts(copy: duplicates.Copy) -> bool:
        return copy.similarity >= least_of_copies(these[copy.this], those[copy.that])

    copies = duplicates.find_copies(*thumbnails, counts=counts)
    pictures = [
        (database, row.original) for database, row in zip(train.databases, train.rows, strict=True)
    ]
    leaked = {pictures[copy.this] for copy in copies}
    keep = np.array([picture not in leaked for picture in pictures])
    return train.where(keep), int((~keep).sum())


def _persons(crops: Crops) -> list[Person]:
    return [
        Person(database, row.subject)
        for database, row in zip(crops.databases, crops.rows, strict=True)
    ]
