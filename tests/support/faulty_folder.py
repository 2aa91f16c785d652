"""Prepared folders with faults for the audit to find."""

import cv2
import numpy as np

from mien.data import manifest
from mien.data.manifest import Row
from tests.support.pictures import encode, texture
from tests.support.prepared_folder import row_of, write_crop


def add(folder, *pictures):
    """Add to a prepared folder (picture, label, split, name[, source, subject, framing])."""
    rows = manifest.read(folder) if (folder / manifest.NAME).exists() else []
    for picture, label, split, name, *more in pictures:
        source, subject, framing = (*more, *("made", "", "as-is")[len(more) :])
        row = row_of(label, split, name, source, framing)
        row = Row(row.path, label, source, split, subject, "", name, framing)
        rows.append(write_crop(folder, picture, row))
    folder.mkdir(exist_ok=True)
    manifest.write(rows, folder)
    return folder


def changed(picture):
    """A near-copy: cropped a little, with less contrast, compressed as JPEG."""
    cut = cv2.resize(picture[2:-2, 1:-3], (64, 64))
    data = np.frombuffer(encode((cut * 0.8 + 30).astype(np.uint8), quality=60), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()


def pairs_of(audit):
    """Kind and names of each finding; the names are sorted."""
    return {
        (f.kind, *sorted(entry.row.original for entry in audit.both(f))) for f in audit.findings
    }


def plant_every_fault(folder):
    """Add one of every fault to a prepared folder, and return it."""
    one, two, three, four = (texture(seed) for seed in (900, 901, 902, 903))
    return add(
        folder,
        (one, "fear", "test", "t1.png"),
        (one, "fear", "train", "leak.png"),
        (changed(one[:, ::-1]), "anger", "train", "near-leak.png"),
        (two, "sadness", "train", "sad.png"),
        (two, "anger", "train", "angry.png"),
        (three, "sadness", "train", "a.png"),
        (changed(three), "anger", "train", "b.png"),
        (four, "disgust", "train", "c.png"),
        (four, "disgust", "train", "d.png"),
        (np.full((64, 64, 3), 7, np.uint8), "fear", "train", "blank.png"),
        (np.full((64, 64, 3), 7, np.uint8), "anger", "test", "blank-too.png"),
    )
