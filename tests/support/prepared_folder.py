"""Generated databases: smooth textures, each with the stripes or checks of its class.

No two pictures are near-copies, so the search for leaks leaves them alone.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from mien.data import manifest
from mien.data.manifest import Row
from mien.labels import LABELS, NEUTRAL, folder, index
from tests.support.pictures import texture

SEVEN = (*LABELS, NEUTRAL)


def striped(label, seed):
    """A crop, shape (64, 64, 3): lying, standing or crossed stripes, fine or coarse; or none."""
    y, x = np.indices((64, 64, 1))[:2]
    kind, coarse = divmod(index(label), 2)
    size = 4 if coarse else 2
    signs = [y // size, x // size, y // size + x // size, None][kind]
    wave = 0 if signs is None else 70 * (signs % 2) - 35
    return (38 + texture(seed) * 0.7 + wave).clip(0, 255).astype(np.uint8)


def write_crops(out, train=0, test=0, labels=SEVEN, source="made", seed=0):
    """Write a prepared folder of so many crops of each label a split, and return its path."""
    rows = []
    for split, count in (("train", train), ("test", test)):
        for number in range(count * len(labels)):
            seed += 1
            row = row_of(labels[number % len(labels)], split, f"{seed}.png", source)
            rows.append(write_crop(out, striped(row.label, seed), row))
    manifest.write(rows, out)
    return Path(out)


def row_of(label, split, original, source="made", framing="as-is"):
    """The manifest row of a crop."""
    path = f"{split}/{folder(label)}/{source}-{framing}-{original}"
    return Row(path, label, source, split, "", "", original, framing)


def write_crop(out, crop, row):
    """Write a crop where its row says, and return the row, which is not yet in the manifest."""
    (out / row.path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop).save(out / row.path, "PNG", compress_level=1)
    return row
