"""AffectNet: faces from the web; the pictures as downloaded, or subsets of crops.

Obtained from: http://mohammadmahoor.com/databases/affectnet/, on request. Licence: research only;
the pictures may not be passed on. Source: Mollahosseini et al. 2017,
doi:10.1109/TAFFC.2017.2740923.
Layouts understood:
- the official one: ``training.csv`` and ``validation.csv`` with the columns
  ``subDirectory_filePath``, ``face_x,face_y,face_width,face_height`` and ``expression`` (0 neutral,
  1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt, 8 none, 9 uncertain, 10 no
  face), and the pictures under their folders; a face is cut out by its box. Its validation set is
  what papers report on, the test set was never given out: it is ``test`` here;
- ``{anger,disgust,fear,happy,sad,surprise[,neutral]}/*`` at any depth: all for training.
Counts expected for the six: hand-labelled, train 209,027 and test 3,000; a common subset, 21,045.
Mind: in common subsets the file's name tells the label (99 % of happiness is named ``ffhq_*``),
so a model that recognises the origin of a picture scores well there.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath

from mien.data.datasets.archive import (
    Archive,
    PictureIndex,
    checked,
    columns,
    is_picture,
    is_table,
    rows_in,
)
from mien.data.datasets.listing import Item, Listing
from mien.labels import parse
from mien.media import images
from mien.pixels import U8

__all__ = ["affectnet"]

_EMOTIONS = {
    "0": "neutral",
    "1": "happiness",
    "2": "sadness",
    "3": "surprise",
    "4": "fear",
    "5": "disgust",
    "6": "anger",
}
_OTHERS = {"7": "contempt", "8": "none of these", "9": "uncertain", "10": "no face"}
_BOX = ("face_x", "face_y", "face_width", "face_height")
_NEEDED = {"path": ["subdirectory_filepath"], "expression": ["expression"]}
_COLUMNS = {**_NEEDED, **{name: [name] for name in _BOX}}
_LAYOUTS = ["{anger,disgust,fear,happy,sad,surprise}/*", "a csv with subDirectory_filePath"]


def affectnet(archive: Archive) -> Listing:
    """List the pictures of AffectNet.

    Args:
        archive: the dataset as downloaded.

    Returns:
        One item a picture, in the order of their names.
    """
    listing = Listing()
    pictures = PictureIndex(archive)
    official = False
    for table in filter(is_table, archive.names):
        rows = rows_in(archive, table)
        places = columns(next(rows, []), _COLUMNS)
        if not _NEEDED.keys() <= places.keys():
            continue
        official = True
        split = "test" if "valid" in PurePosixPath(table).name.lower() else "train"
        for row in rows:
            cells = {name: row[place] for name, place in places.items() if place < len(row)}
            _add_row(listing, archive, pictures, cells, split)
    listing = _each_once(listing) if official else _class_folders(archive)
    return checked(listing, archive, "AffectNet", _LAYOUTS)


def _add_row(
    listing: Listing, archive: Archive, pictures: PictureIndex, cells: dict[str, str], split: str
) -> None:
    written, number = cells.get("path", ""), cells.get("expression", "")
    names = pictures.find(written)
    if number in _OTHERS:
        listing.leave_out(written, _OTHERS[number])
    elif number not in _EMOTIONS:
        listing.leave_out(written, "unknown label", number)
    elif len(names) != 1:
        listing.leave_out(written, "ambiguous name" if names else "missing file")
    else:
        box = [cells.get(name, "") for name in _BOX]
        corners = [int(float(value)) for value in box] if all(box) else None
        picture = partial(_face, archive, names[0], corners) if corners else None
        listing.items.append(Item(names[0], _EMOTIONS[number], split, picture=picture))


def _face(archive: Archive, name: str, box: Sequence[int]) -> U8:
    """Cut the face out of its photograph; a box that misses the photograph is not used."""
    photo = images.decode_rgb(archive.read(name), name)
    left, top, width, height = box
    face = photo[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    return face if face.size else photo


def _each_once(listing: Listing) -> Listing:
    """Keep the first of the items that name the same picture, and sort them by name."""
    seen: Counter[str] = Counter()
    first = []
    for item in listing.items:
        seen[item.original] += 1
        if seen[item.original] == 1:
            first.append(item)
        else:
            listing.leave_out(item.original, "repeated name", f"also labelled {item.label}")
    first.sort(key=lambda item: item.original)
    return Listing(first, listing.problems)


def _class_folders(archive: Archive) -> Listing:
    listing = Listing()
    for name in filter(is_picture, archive.names):
        word = PurePosixPath(name).parent.name
        label = parse(word)
        if label is None:
            listing.leave_out(name, "unknown label", word)
        else:
            listing.items.append(Item(name, label, "train"))
    return listing
