"""A prepared folder of classes of one's own: patterns that a tiny network tells apart in seconds.

The names are in no order that sorting would give, so a class that is looked up by another order
than that of ``labels.json`` gets another name.
"""

from pathlib import Path

import numpy as np

from mien.data import manifest
from mien.data.label_file import write_labels
from mien.data.manifest import Row
from mien.labels import LabelSet
from tests.support.pictures import texture
from tests.support.prepared_folder import write_crop

OWN = LabelSet(("open", "asleep", "left"))


def pattern(kind, seed):
    """A crop, shape (64, 64, 3): stripes that lie, that stand, or none; 3 to 5 are coarser."""
    y, x = np.indices((64, 64, 1))[:2]
    size = 4 if kind < 3 else 10
    signs = (y // size % 2, x // size % 2, np.full_like(x, 0.5, dtype=float))[kind % 3]
    return (50 + texture(seed) * 0.6 + 90 * (signs - 0.5)).clip(0, 255).astype(np.uint8)


def write_own(out, labels=OWN, train=24, test=0, seed=0, patterns=None):
    """Write a folder with so many crops of each class; `patterns` by name, else by number."""
    rows = []
    for split, count in (("train", train), ("test", test)):
        for number in range(count * len(labels.targets)):
            seed += 1
            name = labels.targets[number % len(labels.targets)]
            kind = labels.index(name) if patterns is None else patterns[name]
            path = f"{split}/{labels.folder(name)}/{seed}.png"
            row = Row(path, name, "own", split, "", "", f"{seed}.png", "as-is")
            rows.append(write_crop(out, pattern(kind, seed), row))
    manifest.write(rows, out)
    write_labels(out, labels)
    return Path(out)
