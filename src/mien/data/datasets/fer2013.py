"""FER2013: 35,887 grey faces of 48x48 pixels, found by a search engine, labels noisy.

Obtained from: the Kaggle contest "Challenges in Representation Learning" of 2013. Licence: open
for research; the pictures belong to their owners. Source: Goodfellow et al. 2013, arXiv:1307.0414.
Layouts understood:
- ``{train,test}/{angry,disgust,fear,happy,neutral,sad,surprise}/*``, the common download, or the
  same with ``valid`` or another usual name of a split;
- ``fer2013.csv`` or ``icml_face_data.csv``, the original, with columns ``emotion,pixels,Usage``
  and 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral; PublicTest and
  PrivateTest are both test, as in the common download. A row is called ``fer0000012`` by its
  place, as FER+ does. Kaggle's ``fer2013.tar.gz`` holds it; where it lies beside a table with the
  same rows, one of the two is read. A table without ``Usage``, as Kaggle's ``train.csv``, is read
  where there is none with it; its split is in its name, or train.
Counts expected for the six: train 23,744 (23,742 in some copies of the common download), test
(public and private) 5,945.
"""

from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from math import isqrt
from pathlib import PurePosixPath

import numpy as np

from mien.data.datasets.archive import Archive, is_picture
from mien.data.datasets.csv_tables import columns, is_table, lacks, rows_in
from mien.data.datasets.layouts import checked, split_in_name, split_of
from mien.data.datasets.listing import InOrder, Item, Listing
from mien.data.datasets.numbering import NUMBERINGS
from mien.errors import BadImageError
from mien.labels import parse
from mien.pixels import U8

__all__ = ["faces_of", "fer2013"]

_EMOTIONS = NUMBERINGS["fer2013"]
_COLUMNS = {name: [name] for name in ("emotion", "pixels", "usage")}
_NEEDED = {"emotion", "pixels"}
_LAYOUTS = ["{train,test}/{angry,disgust,...}/*.jpg", "a csv with emotion,pixels,Usage"]


def fer2013(archive: Archive) -> Listing:
    """List the pictures of FER2013.

    Args:
        archive: the dataset as downloaded.

    Returns:
        One item a picture, in the order of their names.
    """
    return checked(faces_of(archive), archive, "FER2013", _LAYOUTS)


def faces_of(archive: Archive) -> Listing:
    """List the pictures of FER2013; without an error if there are none.

    Args:
        archive: FER2013 as downloaded, or another dataset.

    Returns:
        One item a picture, in the order of their names.
    """
    listing = _class_folders(archive)
    if listing.items:
        return listing
    table = _pixel_table(archive)
    table.problems += listing.problems
    return table


def _class_folders(archive: Archive) -> Listing:
    listing = Listing()
    for name in filter(is_picture, archive.names):
        *_, folder, word, _file = ("", "", *name.split("/"))
        label, split = parse(word), split_of(folder)
        if not split:
            listing.leave_out(name, "unknown split", folder)
        elif label is None:
            listing.leave_out(name, "unknown label", word)
        else:
            listing.items.append(Item(name, label, split))
    return listing


def _pixel_table(archive: Archive) -> Listing:
    """List the rows; their pixels are parsed when a picture is decoded."""
    listing = Listing()
    pixels = InOrder(partial(_pixels_in, archive))
    tables: dict[str, dict[str, int]] = {}
    for table in filter(is_table, archive.names):
        header = next(rows_in(archive, table), [])
        tables[table] = columns(header, _COLUMNS)
        if reason := lacks(table, header, _COLUMNS):
            listing.unused.append(reason)
    whole = [table for table, places in tables.items() if len(places) == len(_COLUMNS)]
    readable = whole or [table for table, places in tables.items() if places.keys() >= _NEEDED]
    read: dict[bytes, str] = {}
    for table in readable:
        rows = Listing()
        same = read.setdefault(_list_rows(archive, table, tables[table], rows, pixels), table)
        if same == table:
            listing.items += rows.items
            listing.problems += rows.problems
        else:
            listing.leave_out(table, "repeated table", f"its rows are those of {same}")
    return listing


def _list_rows(
    archive: Archive, table: str, places: dict[str, int], listing: Listing, pixels: InOrder[str]
) -> bytes:
    """List the rows of a table, and return a hash of what is in them."""
    digest = sha256()
    by_name = split_in_name(PurePosixPath(table).stem) or "train"
    rows = rows_in(archive, table)
    next(rows)
    for number, row in enumerate(rows):
        name = f"{table}/fer{number:07}"
        if len(row) <= max(places.values()):
            listing.leave_out(name, "broken row", f"{len(row)} cells")
            continue
        emotion = row[places["emotion"]]
        usage = row[places["usage"]] if "usage" in places else by_name
        digest.update(f"{emotion} {usage} {row[places['pixels']]}\n".encode())
        if emotion not in _EMOTIONS or not split_of(usage):
            listing.leave_out(name, "unknown label", f"{emotion} {usage}")
            continue
        picture = partial(_picture, pixels, table, number)
        listing.items.append(Item(name, _EMOTIONS[emotion], split_of(usage), picture=picture))
    return digest.digest()


def _pixels_in(archive: Archive, table: str) -> Iterator[tuple[int, str]]:
    rows = rows_in(archive, table)
    place = columns(next(rows), _COLUMNS)["pixels"]
    for number, row in enumerate(rows):
        yield number, row[place] if len(row) > place else ""


def _picture(pixels: InOrder[str], table: str, number: int) -> U8:
    """Parse ``70 80 82 ...``, the rows of a square one after the other; shape (H, W)."""
    text = pixels.at(table, number)
    try:
        values = np.frombuffer(bytes(map(int, text.split())), dtype=np.uint8)
    except ValueError as error:
        raise BadImageError(f"row {number} of {table} is no picture ({error})", "skip it") from None
    side = isqrt(len(values))
    if side == 0 or side * side != len(values):
        raise BadImageError(f"row {number} of {table} has {len(values)} pixels", "skip it")
    return values.reshape(side, side)
