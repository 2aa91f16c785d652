"""AffectNet: faces from the web; the pictures as downloaded, or subsets of crops.

Obtained from: http://mohammadmahoor.com/databases/affectnet/, on request. Licence: research only;
the pictures may not be passed on. Source: Mollahosseini et al. 2017,
doi:10.1109/TAFFC.2017.2740923.
Layouts understood:
- the official one: ``training.csv`` and ``validation.csv`` with the columns
  ``subDirectory_filePath``, ``face_x,face_y,face_width,face_height`` and ``expression`` (0 neutral,
  1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt, 8 none, 9 uncertain, 10 no
  face), and the pictures under their folders; a face is cut out by its box. A box that is no box,
  is smaller than 8 pixels or misses the picture is not used: the whole picture is, and counted. Its
  validation set is what papers report on, the test set was never given out: it is ``test`` here;
- the one sent since 2021: ``train_set/images/0.jpg`` with ``train_set/annotations/0_exp.npy``, and
  ``val_set`` likewise, faces already cut out; ``val_set`` is ``test``, as above. What lies in
  ``*_val.npy``, ``*_aro.npy`` and ``*_lnd.npy`` (valence, arousal, landmarks) is not read;
- ``{anger,disgust,fear,happy,sad,surprise[,neutral,contempt]}/*`` at any depth, or numbered as
  above: for training, unless a folder about them is called ``valid`` or ``test``.
Contempt is none of the six: left out and counted, unless ``--classes`` asks for it.
Counts expected for the six: hand-labelled, train 209,027 and test 3,000; a common subset, 21,045.
Mind: in common subsets the file's name tells the label (99 % of happiness is named ``ffhq_*``),
so a model that recognises the origin of a picture scores well there.
"""

import re
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from mien.data.datasets.archive import Archive, is_hidden, is_picture
from mien.data.datasets.csv_tables import columns, is_table, lacks, rows_in
from mien.data.datasets.layouts import (
    PictureIndex,
    checked,
    each_once,
    leave_unnamed,
    split_by_folder,
    split_in_name,
)
from mien.data.datasets.listing import Item, Listing
from mien.data.datasets.numbering import NUMBERINGS, number_of
from mien.errors import BadImageError
from mien.labels import AFFECTNET
from mien.media import images
from mien.pixels import U8
from mien.words import meaning

__all__ = ["affectnet"]

_EMOTIONS = NUMBERINGS["affectnet"]
_FARTHEST = 1_000_000  # pixels; no picture is so large
_LEAST = 8  # pixels of a face; less is no face
_UNUSED = "unusable face box"  # the whole picture is taken
_BOX = ("face_x", "face_y", "face_width", "face_height")
_NEEDED = {"path": ["subdirectory_filepath"], "expression": ["expression"]}
_COLUMNS = {**_NEEDED, **{name: [name] for name in _BOX}}
_EXPRESSIONS = frozenset(AFFECTNET.names)
_MARK = "_exp.npy"
_LARGEST = 4096  # bytes of a file with one number
# A .npy file of one value: mark, length, its kind, its shape, its bytes (NEP 1 of NumPy). NumPy's
# own reader raises whatever Python's parser does, and makes room for what a header claims to hold.
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|=][USiuf]\d{1,2})', 'fortran_order': (?:True|False), "
    rb"'shape': \((?:1,)?\), \} *\n(.*)",
    re.DOTALL,
)
_LAYOUTS = [
    "{anger,disgust,fear,happy,sad,surprise}/*",
    "{0..7}/*",
    "a csv with subDirectory_filePath",
    "images/*.jpg with annotations/*_exp.npy",
]


def affectnet(archive: Archive) -> Listing:
    """List the pictures of AffectNet.

    Args:
        archive: the dataset as downloaded.

    Returns:
        One item a picture, in the order of their names.
    """
    annotations = [n for n in archive.names if n.endswith(_MARK) and not is_hidden(n)]
    listing = _annotated(archive, annotations) if annotations else _from_tables(archive)
    return checked(listing, archive, "AffectNet", _LAYOUTS)


def _from_tables(archive: Archive) -> Listing:
    """Read the official tables; where there are none, the folders name the expressions."""
    listing = Listing()
    pictures = PictureIndex(archive)
    official, named = False, set[str]()
    for table in filter(is_table, archive.names):
        rows = rows_in(archive, table)
        header = next(rows, [])
        places = columns(header, _COLUMNS)
        if not _NEEDED.keys() <= places.keys():
            listing.unused.append(lacks(table, header, _NEEDED))
            continue
        official = True
        stem = PurePosixPath(table).stem
        held_out = split_in_name(stem) in {"valid", "test"} or "valid" in stem.lower()
        for row in rows:
            cells = {name: row[place] for name, place in places.items() if place < len(row)}
            names = pictures.find(cells.get("path", ""))
            named.update(names)
            _add_row(listing, archive, names, cells, "test" if held_out else "train")
    if not official:
        return _class_folders(archive, listing.unused)
    leave_unnamed(listing, archive, named, "the tables")
    return each_once(listing)


def _add_row(
    listing: Listing, archive: Archive, names: list[str], cells: dict[str, str], split: str
) -> None:
    written, number = cells.get("path", ""), cells.get("expression", "")
    label = _EMOTIONS.get(number_of(number) or "")
    if label is None:
        listing.leave_out(written, "unknown label", number)
    elif label not in _EXPRESSIONS:
        listing.leave_out(written, label)
    elif len(names) != 1:
        listing.leave_out(written, "ambiguous name" if names else "missing file")
    else:
        boxed = [cells[name] for name in _BOX if name in cells]
        box = _box(boxed)
        if any(boxed) and box is None:
            listing.leave_out(names[0], _UNUSED, f"{' '.join(boxed)}: the whole picture is taken")
        picture = partial(_face, archive, names[0], box, listing) if box else None
        listing.items.append(Item(names[0], label, split, picture=picture))


def _box(cells: list[str]) -> tuple[int, ...] | None:
    """Read left, top, width and height; None if they are no box."""
    try:
        box = tuple(float(cell) for cell in cells)
    except ValueError:
        return None
    if len(box) < len(_BOX) or not all(-_FARTHEST <= value <= _FARTHEST for value in box):
        return None  # also where one is not a number
    left, top, width, height = map(int, box)
    return (left, top, width, height) if min(width, height) >= _LEAST else None


def _face(archive: Archive, name: str, box: tuple[int, ...], listing: Listing) -> U8:
    """Cut the face out of its photograph; a box that misses the photograph is not used."""
    photo = images.decode_rgb(archive.read(name), name)
    left, top, width, height = box
    face = photo[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    if min(face.shape[:2]) >= _LEAST:
        return face
    listing.leave_out(name, _UNUSED, f"{' '.join(map(str, box))} misses the picture: it is taken")
    return photo


def _class_folders(archive: Archive, unused: list[str]) -> Listing:
    listing = Listing(unused=unused)
    for name in filter(is_picture, archive.names):
        word = PurePosixPath(name).parent.name
        label = meaning(word) or _EMOTIONS.get(number_of(word) or "")
        listing.taken[word, label or ""] += 1
        if label is None:
            listing.leave_out(name, "unknown label", word)
        elif label not in _EXPRESSIONS:
            listing.leave_out(name, label)
        else:
            listing.items.append(Item(name, label, split_by_folder(name)))
    return listing


def _annotated(archive: Archive, annotations: list[str]) -> Listing:
    """Join ``images/0.jpg`` with ``annotations/0_exp.npy``."""
    listing = Listing()
    pictures = {}
    for name in filter(is_picture, archive.names):
        path = PurePosixPath(name)
        if path.parent.name == "images":
            pictures[str(path.parent.parent / path.stem)] = name
    for annotation in annotations:
        path = PurePosixPath(annotation)
        key = str(path.parent.parent / path.name.removesuffix(_MARK))
        try:
            number = _number_in(archive.read(annotation))
        except BadImageError as error:
            listing.leave_out(annotation, "unreadable label", error.message)
            pictures.pop(key, None)
            continue
        label = _EMOTIONS.get(number)
        picture = pictures.pop(key, None)
        if picture is None:
            listing.leave_out(annotation, "missing file", f"images/{PurePosixPath(key).name}.*")
        elif label not in _EXPRESSIONS:
            listing.leave_out(picture, label or "unknown label", number)
        else:
            split = "train" if split_by_folder(annotation) == "train" else "test"
            listing.items.append(Item(picture, label, split))
    for name in pictures.values():
        listing.leave_out(name, "no label", f"no annotation *{_MARK}")
    listing.items.sort(key=lambda item: item.original)
    return listing


def _number_in(data: bytes) -> str:
    """Read the one number or text of a .npy file; "" if it holds anything else."""
    match = _NPY.fullmatch(data) if len(data) <= _LARGEST else None
    if match is None:
        return ""
    kind, body = match[1].decode(), match[2]
    try:
        if kind[1] in "US":
            code = "ascii" if kind[1] == "S" else f"utf-32-{'be' if kind[0] == '>' else 'le'}"
            text = body.decode(code).rstrip("\0")
        else:
            [value] = np.frombuffer(body, dtype=kind)
            text = str(value)
    except (ValueError, TypeError):  # no text; more or less than one number; no kind of number
        return ""
    return number_of(text) or ""
