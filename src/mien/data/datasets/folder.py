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
without our number (``3_anger``). In a csv also by number, if ``--numbering`` says whose numbers
they are, as 0 is happiness here and anger in FER2013; or if all of them are ours and the folders of
the pictures say the same in words, as in what `mien prepare` wrote. Pictures without a split are
for training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from mien.data.datasets.archive import Archive, is_picture
from mien.data.datasets.csv_tables import columns, is_table, rows_in, rows_of
from mien.data.datasets.layouts import PictureIndex, checked, split_by_folder, split_of
from mien.data.datasets.listing import Item, Listing, labels_option, option
from mien.data.datasets.numbering import NUMBERINGS, numberings_with
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
_OURS = NUMBERINGS["mien"]
# Folders that name something a face may show and that is none of ours: no label lies above them.
_OTHERS = frozenset({"contempt", "none", "other", "others", "uncertain", "unknown"})
_LAYOUTS = ["<expression>/*.jpg", "a csv with the columns path,label"]


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """Options of `mien prepare folder`."""

    labels: str = labels_option()
    numbering: str = option(
        "",
        "folder: whose numbers a CSV writes in place of names.",
        choices=tuple(NUMBERINGS),
    )


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
    if tables:
        listing = _from_tables(archive, tables, options.numbering)
    else:
        listing = _class_folders(archive)
    return checked(listing, archive, "labelled pictures", _LAYOUTS)


def _lines(rows: Iterator[list[str]], stem: str) -> list[_Line] | None:
    """Read a table of labels; None if it is a table of something else."""
    header = next(rows, [])
    places = columns(header, _COLUMNS)
    if not {"path", "label"} <= places.keys():
        if len(header) < 2 or not is_picture(header[0]) or not _is_label(header[1]):
            return None
        places, rows = {"path": 0, "label": 1}, chain([header], rows)
    by_name = next(filter(None, map(split_of, stem.split("_"))), "")
    lines = []
    for row in rows:
        cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
        split = cells.get("split", "") or by_name
        lines.append(_Line(cells["path"], cells["label"], split, cells.get("subject", "")))
    return lines


def _is_label(written: str) -> bool:
    return written.isdecimal() or parse(written) is not None


def _from_tables(
    archive: Archive, tables: list[tuple[str, list[_Line]]], numbering: str
) -> Listing:
    """Join the pictures with the tables, each of which comes with the folder it is in."""
    listing = Listing()
    pictures = PictureIndex(archive)
    items: dict[str, Item] = {}
    named = set()
    # a table of ours has an apostrophe before a name that looks like a formula
    found = [
        (line, pictures.find(line.path, beside) or pictures.find(unguarded(line.path), beside))
        for beside, lines in tables
        for line in lines
    ]
    labels = _labels_of_numbers(found, numbering)
    for line, names in found:
        named.update(names)
        label = labels.get(line.label) or parse(line.label)
        item = _item(line, label, names, listing)
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


def _item(line: _Line, label: str | None, names: list[str], listing: Listing) -> Item | None:
    """The item that a line describes, or None after noting the problem."""
    if not names:
        listing.leave_out(line.path, "missing file", "named in the csv")
    elif len(names) > 1:
        listing.leave_out(line.path, "ambiguous name", " or ".join(names[:3]))
    elif label is None:
        listing.leave_out(names[0], "unknown label", line.label)
    elif label not in LABELS and label != NEUTRAL:
        listing.leave_out(names[0], label)
    elif line.split and not split_of(line.split):
        listing.leave_out(names[0], "unknown split", line.split)
    else:
        split = split_of(line.split) or split_by_folder(names[0])
        return Item(names[0], label, split, line.subject)
    return None


def _labels_of_numbers(found: Sequence[tuple[_Line, list[str]]], numbering: str) -> dict[str, str]:
    """What the numbers of the tables mean; numbers of which nobody says so are refused."""
    numbered = [(line, names) for line, names in found if line.label.isdecimal()]
    numbers = {line.label for line, _ in numbered}
    fitting = numberings_with(numbers)
    if not numbers or (not numbering and all(map(_says_the_same, numbered))):
        return _OURS
    if numbering in fitting:
        return NUMBERINGS[numbering]
    order = f"not the order of {numbering}" if numbering else "an order of its own?"
    whose = f"--numbering {' or '.join(fitting)}" if fitting else "no --numbering has them all"
    raise BadDataError(
        f"the csv numbers expressions {', '.join(sorted(numbers, key=int))}: {order}",
        fix=f"write names, or say whose numbers they are: {whose}",
    )


def _says_the_same(numbered: tuple[_Line, list[str]]) -> bool:
    """Tell whether the folder of a picture names the expression that our number means."""
    line, names = numbered
    folders = [PurePosixPath(name).parent.name for name in (line.path, *names)]
    words = set(filter(None, map(parse, folders)))
    return words == {_OURS.get(line.label)}


def _class_folders(archive: Archive) -> Listing:
    listing = Listing()
    for name in filter(is_picture, archive.names):
        folders = [part.lower() for part in reversed(PurePosixPath(name).parent.parts)]
        word = next((w for w in folders if w in _OTHERS or parse(w) is not None), "")
        label = parse(word)
        if label is None:
            listing.leave_out(name, "unknown label", word or (folders or [""])[0])
        else:
            listing.items.append(Item(name, label, split_by_folder(name)))
    return listing
