"""Anybody's own pictures: a folder for each expression, or a csv that names them.

Obtained from: yourself. Licence: yours. Counts expected: none.
Layouts understood:
- a csv (``--labels``, or any inside SOURCE) with the columns ``path,label`` and, if you like,
  ``split`` and ``subject``. Other usual names do as well: ``image`` or ``file`` for path,
  ``emotion`` or ``class`` for label, ``usage`` for split, ``person`` for subject; any others if
  ``--columns path=NAME,label=NAME`` tells them. Without a header the first two columns are path and
  label, and the third is the split if it reads like one. Paths count from the csv's folder or from
  SOURCE. Without a column ``split`` a csv called ``test_labels.csv`` tells its split by its name,
  or else a folder ``test`` about the picture does;
- ``[{train,valid,test}/]<expression>/**/*.jpg`` at any depth: the nearest folder that names an
  expression is the label;
- pictures named by the code of KDEF (``AF01ANS.JPG``) or RaFD
  (``Rafd090_01_Caucasian_female_angry_frontal.jpg``).
Expressions by any word in ``expressions.toml`` (happy, joy; wütend, colère; ...), in any case, with
or without numbers and brackets about it (``3_anger``). By number if ``--labels`` or
``--numbering`` says whose numbers they are, as 0 is happiness here and anger in FER2013; or if all
numbers of a csv are ours and the folders of the pictures say the same in words, as in what
`mien prepare` wrote; there the manifest alone is read, which is without what an audit took out.
Classes of one's own by ``--classes``. Pictures without a split are for training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from mien.data import manifest
from mien.data.datasets.archive import Archive, is_hidden, is_picture
from mien.data.datasets.class_folders import from_folders
from mien.data.datasets.classes import class_of, order_in, wanted_classes
from mien.data.datasets.csv_tables import columns, is_table, lacks, rows_in, rows_of
from mien.data.datasets.layouts import (
    PictureIndex,
    checked,
    leave_unnamed,
    split_by_folder,
    split_in_name,
    split_of,
)
from mien.data.datasets.listing import Item, Listing, labels_option, option
from mien.data.datasets.numbering import NUMBERINGS, is_order, number_of
from mien.data.label_file import LABELS_NAME
from mien.errors import BadDataError, BadSettingError, UnknownNameError
from mien.labels import PAPER, LabelSet, parse
from mien.media.escapes import unguarded
from mien.media.files import is_there
from mien.media.folders import OTHER
from mien.words import meaning

__all__ = ["FolderOptions", "folder"]

_COLUMNS = {
    "path": ["path", "image", "file", "filename", "filepath", "image_path", "name", "picture"],
    "label": ["label", "expression", "emotion", "class"],
    "split": ["split", "usage", "set"],
    "subject": ["subject", "person", "identity", "subject_id"],
}
_NEEDED = ("path", "label")
_OURS = NUMBERINGS["mien"]
_MADE = ("prepare.json", "augment.json")  # one of them is in a folder that mien made
_RECORDS = {_MADE[0], LABELS_NAME}
_LAYOUTS = ["<expression>/*.jpg", "a csv with the columns path,label"]
_TELL = "name its columns so, or tell their names with --columns path=NAME,label=NAME"


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """Options of `mien prepare folder`."""

    labels: str = labels_option()
    numbering: str = option(
        "",
        "folder: whose numbers there are in place of names.",
        choices=tuple(NUMBERINGS),
    )
    columns: str = option(
        "", "folder: how a CSV calls its columns: path=NAME,label=NAME[,split=...][,subject=...]."
    )
    classes: str = option(
        "",
        "The classes to keep: two or more names with commas; affectnet, fer2013, mien or rafdb; "
        "own, for all that are there by their own names; a .toml with names. Default: the six "
        "and neutral.",
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
        archive: the pictures.
        options: where the labels are, and which classes are wanted.

    Returns:
        One item a picture, in the order of their names.

    Raises:
        BadDataError: if the csv given has no paths and labels, or nobody says whose numbers there
            are.
        BadSettingError: if two options contradict each other, or one cannot be read.
    """
    labels, whose = wanted_classes(options.classes), _whose(options)
    names = _told_columns(options.columns)
    unused: list[str] = []
    if options.labels and not is_order(options.labels):
        path = Path(options.labels)
        tables = [("", _lines(rows_of(path), str(path), names, unused))]
        if unused:
            raise BadDataError(unused[0], _TELL)
    else:
        paths = [PurePosixPath(name) for name in filter(is_table, archive.names)]
        if not options.columns:
            made = _made(archive, paths)
            paths = [p for p in paths if p.parent not in made or p.name == manifest.NAME]
        read = [
            (str(path.parent), _lines(rows_in(archive, str(path)), str(path), names, unused))
            for path in paths
        ]
        tables = [(beside, lines) for beside, lines in read if lines is not None]
        if options.columns and not tables:
            found = "; ".join(unused[:3]) or f"no csv in {archive.path}"
            raise BadDataError(f"--columns {options.columns}: {found}", _TELL)
    if tables:
        listing = _from_tables(archive, tables, labels, whose)
    else:
        listing = from_folders(archive, labels, whose)
    listing.unused = unused
    for name in archive.names:
        if not (is_picture(name) or is_table(name) or is_hidden(name) or name in _RECORDS):
            listing.leave_out(name, OTHER)
    return checked(listing, archive, "labelled pictures", _LAYOUTS)


def _made(archive: Archive, tables: Sequence[PurePosixPath]) -> set[PurePosixPath]:
    """The folders that mien made; only the manifest is without what an audit took out of them."""
    records = {name for name in archive.names if name.endswith(_MADE)}
    return {
        table.parent
        for table in tables
        if table.name == manifest.NAME and records & {str(table.parent / name) for name in _MADE}
    }


def _whose(options: FolderOptions) -> str:
    """Whose numbers there are, by either of two options."""
    by_labels = options.labels if is_order(options.labels) else ""
    if by_labels and options.numbering and by_labels != options.numbering:
        raise BadSettingError(
            f"--labels {by_labels} and --numbering {options.numbering}: whose numbers?",
            fix="give one of the two",
        )
    if options.labels and not by_labels and not is_there(Path(options.labels)):
        if not Path(options.labels).suffix:
            raise UnknownNameError("order of numbers", options.labels, NUMBERINGS)
        raise BadDataError(f"no such file: {options.labels}", fix="check the path")
    return by_labels or options.numbering


def _told_columns(written: str) -> dict[str, list[str]]:
    """The names to look for in a header; those that were told replace the usual ones."""
    names = dict(_COLUMNS)
    for part in filter(None, written.split(",")):
        ours, _, theirs = (side.strip() for side in part.partition("="))
        if ours not in _COLUMNS:
            raise UnknownNameError("column", ours, _COLUMNS)
        if not theirs:
            raise BadSettingError(f"--columns {written}: no name after {ours}", _TELL)
        names[ours] = [theirs.lower()]
    return names


def _lines(
    rows: Iterator[list[str]], table: str, names: dict[str, list[str]], unused: list[str]
) -> list[_Line] | None:
    """Read a table of labels; None, with the reason in `unused`, if it is one of something else."""
    header = next(rows, [])
    told = {ours: usual for ours, usual in names.items() if usual is not _COLUMNS[ours]}
    needed = {ours: names[ours] for ours in (*_NEEDED, *told)}
    places = columns(header, names)
    if not needed.keys() <= places.keys():
        if told or len(header) < 2 or not is_picture(header[0]) or not _is_label(header[1]):
            unused.append(lacks(table, header, needed))
            return None
        places, rows = {"path": 0, "label": 1}, chain([header], rows)
        if len(header) > 2 and split_of(header[2]):
            places["split"] = 2
    by_name = split_in_name(PurePosixPath(table).stem)
    lines = []
    for row in rows:
        cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
        split = cells.get("split", "") or by_name
        lines.append(_Line(cells["path"], cells["label"], split, cells.get("subject", "")))
    return lines


def _is_label(written: str) -> bool:
    return number_of(written) is not None or meaning(written) is not None


def _from_tables(
    archive: Archive,
    tables: Sequence[tuple[str, list[_Line] | None]],
    labels: LabelSet | None,
    whose: str,
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
        for line in lines or []
    ]
    order = _order_in(found, labels, whose)
    for line, names in found:
        named.update(names)
        word = order.get(number_of(line.label) or "", line.label)
        item = _item(line, word, class_of(word, labels) if labels else word, names, listing)
        listing.taken[line.label, item.label if item else ""] += 1
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
    leave_unnamed(listing, archive, named, "the csv")
    return listing


def _item(
    line: _Line, word: str, label: str | None, names: list[str], listing: Listing
) -> Item | None:
    """The item that a line describes, or None after noting the problem."""
    if not names:
        listing.leave_out(line.path, "missing file", "named in the csv")
    elif len(names) > 1:
        listing.leave_out(line.path, "ambiguous name", " or ".join(names[:3]))
    elif not label:
        reason = word if word != line.label else "unknown label"
        listing.leave_out(names[0], reason, line.label)
    elif line.split and not split_of(line.split):
        listing.leave_out(names[0], "unknown split", line.split)
    else:
        split = split_of(line.split) or split_by_folder(names[0])
        return Item(names[0], label, split, line.subject)
    return None


def _order_in(
    found: Sequence[tuple[_Line, list[str]]], labels: LabelSet | None, whose: str
) -> dict[str, str]:
    """What the numbers of the tables mean; numbers of which nobody says so are refused."""
    numbered = [(line, names) for line, names in found if number_of(line.label)]
    numbers = {number for line, _ in numbered if (number := number_of(line.label))}
    if not whose:
        said = {
            (number_of(line.label) or "", _said(line, names, labels)) for line, names in numbered
        }
        if len(said) == len(numbers) and all(word for _, word in said):
            return dict(said)
        if labels is None:  # among one's own names a number may be one
            return {}
    return order_in(labels, whose, numbers, "the csv numbers")


def _said(line: _Line, names: list[str], labels: LabelSet | None) -> str:
    """The word for a number that the folder of its picture has, as in what `mien prepare` wrote."""
    number = number_of(line.label) or ""
    folders = [PurePosixPath(name).parent.name for name in (line.path, *names)]
    if labels == PAPER:
        words = set(filter(None, map(parse, folders)))
        return _OURS[number] if words == {_OURS.get(number)} else ""
    words = {
        word for before, _, word in (name.partition("_") for name in folders) if before == number
    }
    return words.pop() if len(words) == 1 else ""
