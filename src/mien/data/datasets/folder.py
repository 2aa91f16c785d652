"""Anybody's own pictures: a folder for each expression, or a csv that names them.

Obtained from: yourself. Licence: yours. Counts expected: none.
Layouts understood:
- a csv (``--labels``, or any inside SOURCE) with the columns ``path,label`` and, if you like,
  ``split`` and ``subject``. Other usual names do as well: ``image`` or ``file`` for path,
  ``emotion`` or ``class`` for label, ``usage`` for split, ``person`` for subject; without a header
  the first two columns are path and label. Paths count from the csv's folder or from SOURCE.
  Without a column ``split`` a csv called ``test_labels.csv`` tells its split by its name, or else
  a folder ``test`` about the picture does;
- ``[{train,valid,test}/]<expression>/**/*.jpg`` at any depth: the nearest folder that names an
  expression is the label.
Expressions by any usual word (happy, happiness, joy; angry, anger; ...), in any case, with or
without our number (``3_anger``); in a csv also by number in our order, 0 happiness, 1 surprise,
2 sadness, 3 anger, 4 disgust, 5 fear, 6 neutral. Pictures without a split are for training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from mien.data.datasets.archive import (
    SPLITS,
    Archive,
    PictureIndex,
    checked,
    columns,
    is_picture,
    is_table,
    rows_in,
    rows_of,
)
from mien.data.datasets.listing import Item, Listing, labels_option
from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL, parse
from mien.media.escapes import unguarded

__all__ = ["FolderOptions", "folder"]

_COLUMNS = {
    "path": ["path", "image", "file", "filename", "filepath", "image_path", "name", "picture"],
    "label": ["label", "expression", "emotion", "class"],
    "split": ["split", "usage", "set"],
    "subject": ["subject", "person", "identity", "subject_id"],
}
_NUMBERS = {str(number): label for number, label in enumerate((*LABELS, NEUTRAL))}
# Folders that name something a face may show and that is none of ours: no label lies above them.
_OTHERS = frozenset({"contempt", "none", "other", "others", "uncertain", "unknown"})
_LAYOUTS = ["<expression>/*.jpg", "a csv with the columns path,label"]


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """Options of `mien prepare folder`."""

    labels: str = labels_option()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a csv, as written."""

    path: str
    label: str
    split: str
    subject: str


def folder(archive: Archive, options: FolderOptions) -> Listing:
    """List the pictures of a folder of one's own.

    Args:
        archive: a folder or .zip.
        options: where the labels are.

    Returns:
        One item a picture, in the order of their names.

    Raises:
        BadDataError: if the csv given has no paths and labels.
    """
    if options.labels:
        path = Path(options.labels)
        lines = _lines(rows_of(path), path.stem)
        if lines is None:
            raise BadDataError(f"{path} has no columns path,label", "name its columns so")
        tables = [("", lines)]
    else:
        paths = [PurePosixPath(name) for name in archive.names if is_table(name)]
        read = ((path, _lines(rows_in(archive, str(path)), path.stem)) for path in paths)
        tables = [(str(path.parent), lines) for path, lines in read if lines is not None]
    listing = _from_tables(archive, tables) if tables else _class_folders(archive)
    return checked(listing, archive, "labelled pictures", _LAYOUTS)


def _lines(rows: Iterator[list[str]], stem: str) -> list[_Line] | None:
    """Read a table of labels; None if it is a table of something else."""
    header = next(rows, [])
    places = columns(header, _COLUMNS)
    if not {"path", "label"} <= places.keys():
        if len(header) < 2 or not is_picture(header[0]) or _label(header[1]) is None:
            return None
        places, rows = {"path": 0, "label": 1}, chain([header], rows)
    by_name = next((SPLITS[word] for word in stem.lower().split("_") if word in SPLITS), "")
    lines = []
    for row in rows:
        cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
        split = cells.get("split", "").lower() or by_name
        lines.append(_Line(cells["path"], cells["label"], split, cells.get("subject", "")))
    return lines


def _from_tables(archive: Archive, tables: list[tuple[str, list[_Line]]]) -> Listing:
    """Join the pictures with the tables, each of which comes with the folder it is in."""
    listing = Listing()
    pictures = PictureIndex(archive)
    items: dict[str, Item] = {}
    named = set()
    _refuse_other_numbers([line for _, lines in tables for line in lines])
    for beside, lines in tables:
        for line in lines:
            # a table of ours has an apostrophe before a name that looks like a formula
            names = pictures.find(line.path, beside) or pictures.find(unguarded(line.path), beside)
            named.update(names)
            item = _item(line, names, listing)
            if item is None:
                continue
            known = items.setdefault(item.original, item)
            if (known.label, known.split) == (item.label, item.split):
                items[item.original] = known if known.subject else item
            else:
                detail = f"{known.label} {known.split} and {item.label} {item.split}"
                listing.leave_out(item.original, "contradictory labels", detail)
    wrong = {problem.original for problem in listing.problems}
    listing.items = [items[name] for name in sorted(items) if name not in wrong]
    for name in filter(is_picture, archive.names):
        if name not in named:
            listing.leave_out(name, "no label", "not named in the csv")
    return listing


def _item(line: _Line, names: list[str], listing: Listing) -> Item | None:
    """The item that a line describes, or None after noting the problem."""
    label = _label(line.label)
    if not names:
        listing.leave_out(line.path, "missing file", "named in the csv")
    elif len(names) > 1:
        listing.leave_out(line.path, "ambiguous name", " or ".join(names[:3]))
    elif label is None:
        listing.leave_out(names[0], "unknown label", line.label)
    elif line.split and line.split not in SPLITS:
        listing.leave_out(names[0], "unknown split", line.split)
    else:
        split = SPLITS.get(line.split) or _split_by(names[0])
        return Item(names[0], label, split, line.subject)
    return None


def _split_by(name: str) -> str:
    """Return the split that the nearest folder names, or ``train``."""
    folders = reversed(PurePosixPath(name).parent.parts)
    return next((SPLITS[word.lower()] for word in folders if word.lower() in SPLITS), "train")


def _label(written: str) -> str | None:
    return _NUMBERS.get(written) or parse(written)


def _refuse_other_numbers(lines: Sequence[_Line]) -> None:
    """Numbers outside ours, or from 1 on, are in another order: refuse them all."""
    numbers = {line.label for line in lines if line.label.isdigit()}
    if numbers and ("0" not in numbers or not numbers <= _NUMBERS.keys()):
        raise BadDataError(
            f"the csv numbers expressions {', '.join(sorted(numbers))}: an order of its own?",
            fix="write names, or our numbers: 0 happiness, 1 surprise, 2 sadness, 3 anger, "
            "4 disgust, 5 fear, 6 neutral",
        )


def _class_folders(archive: Archive) -> Listing:
    listing = Listing()
    for name in filter(is_picture, archive.names):
        folders = [part.lower() for part in reversed(PurePosixPath(name).parent.parts)]
        word = next((w for w in folders if w in _OTHERS or parse(w) is not None), "")
        label = parse(word)
        if label is None:
            listing.leave_out(name, "unknown label", word or (folders or [""])[0])
        else:
            listing.items.append(Item(name, label, _split_by(name)))
    return listing
