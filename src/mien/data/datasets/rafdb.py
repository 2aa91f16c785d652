"""RAF-DB basic: 12,135 aligned faces of the six expressions (15,339 with neutral).

Obtained from: http://www.whdeng.cn/raf/model1.html, on request. Licence: non-commercial research;
the pictures may not be passed on. Source: Li, Deng and Du 2017, doi:10.1109/CVPR.2017.277.
Layouts understood, with labels 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger,
7 neutral:
- ``[DATASET/]{train,test}/{1..7}/*.jpg``, the common download, or the same with ``valid`` or
  another usual name of a split; where ``{train,test}_labels.csv`` (``image,label``) lies beside, a
  picture counts only if both agree;
- ``Image/aligned/*_aligned.jpg`` with ``EmoLabel/list_patition_label.txt``, the official one
  (unpack the ``aligned.zip`` inside it first).
Counts expected for the six: train 9,747 (of 12,271 with neutral), test 2,388 (of 3,068).
"""

import re
from pathlib import PurePosixPath

from mien.data.datasets.archive import Archive, is_picture
from mien.data.datasets.csv_tables import decoded, rows_in
from mien.data.datasets.layouts import PictureIndex, checked, split_of
from mien.data.datasets.listing import Item, Listing
from mien.data.datasets.numbering import NUMBERINGS

__all__ = ["rafdb"]

_LABELS = NUMBERINGS["rafdb"]
_OFFICIAL = "list_patition_label.txt"  # the authors' spelling
_LAYOUTS = ["DATASET/{train,test}/{1..7}/*.jpg", f"Image/aligned/*.jpg with EmoLabel/{_OFFICIAL}"]


def rafdb(archive: Archive) -> Listing:
    """List the pictures of RAF-DB.

    Args:
        archive: the dataset as downloaded.

    Returns:
        One item a picture, in the order of their names.
    """
    official = [name for name in archive.names if PurePosixPath(name).name == _OFFICIAL]
    listing = _official(archive, official[0]) if official else _class_folders(archive)
    return checked(listing, archive, "RAF-DB", _LAYOUTS)


def _official(archive: Archive, labels: str) -> Listing:
    """Join ``train_00001.jpg 5`` with ``Image/aligned/train_00001_aligned.jpg``."""
    listing = Listing()
    aligned = {}
    for name in filter(is_picture, archive.names):
        path = PurePosixPath(name)
        if path.parent.name == "aligned":
            aligned[path.stem.removesuffix("_aligned")] = name
    for line in decoded(archive.read(labels)).split("\n"):
        written, number = (*re.split(r"[\s,;]+", line.strip()), "", "")[:2]
        stem = PurePosixPath(written).stem
        split = split_of(stem.partition("_")[0])
        if not written:
            continue
        if not split or number not in _LABELS:
            listing.leave_out(written, "unknown label", line.strip())
        elif stem not in aligned:
            listing.leave_out(written, "missing file", f"named in {labels}")
        else:
            listing.items.append(Item(aligned.pop(stem), _LABELS[number], split))
    for name in aligned.values():
        listing.leave_out(name, "no label", f"not named in {labels}")
    listing.items.sort(key=lambda item: item.original)
    return listing


def _class_folders(archive: Archive) -> Listing:
    listing = Listing()
    for name in filter(is_picture, archive.names):
        *_, folder, number, _file = ("", "", *name.split("/"))
        split = split_of(folder)
        if not split:
            listing.leave_out(name, "unknown split", folder)
        elif number not in _LABELS:
            listing.leave_out(name, "unknown label", number)
        else:
            listing.items.append(Item(name, _LABELS[number], split))
    for name in archive.names:
        folder, _, rest = PurePosixPath(name).name.partition("_")
        if split_of(folder) and rest == "labels.csv":
            _compare(archive, name, folder, listing)
    return listing


def _compare(archive: Archive, table: str, beside: str, listing: Listing) -> None:
    """Leave out the pictures for which the folders and a table of ``image,label`` disagree."""
    written = {row[0]: row[1] for row in rows_in(archive, table) if len(row) > 1}
    folder = PurePosixPath(table).parent / beside
    items = {
        item.original: item
        for item in listing.items
        if PurePosixPath(item.original).is_relative_to(folder)
    }
    files = {PurePosixPath(name).name for name in items}
    if files.isdisjoint(written):  # empty, or a table of something else
        return
    pictures = PictureIndex(archive)
    for name, number in written.items():
        if name not in files and number in _LABELS and not pictures.find(name):
            listing.leave_out(name, "missing file", f"named in {table}")
    for name, item in items.items():
        number = written.get(PurePosixPath(name).name, "")
        if not number:
            listing.leave_out(name, "no label", f"not named in {table}")
        elif _LABELS.get(number) != item.label:
            listing.leave_out(name, "contradictory labels", f"{number} in {table}")
    left_out = {problem.original for problem in listing.problems}
    listing.items = [item for item in listing.items if item.original not in left_out]
