"""The manifest of a prepared folder: a row for each crop, with its label, split and origin.
Knows no dataset.
"""

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

import numpy as np

from mien.data.label_file import labels_of
from mien.errors import BadDataError
from mien.labels import LabelSet
from mien.media.writers import open_table
from mien.pixels import U8

__all__ = [
    "ALTERED",
    "NAME",
    "SPLITS",
    "WIDTH",
    "Row",
    "cells",
    "hash_pixels",
    "read",
    "rows_of_split",
    "write",
]

NAME = "manifest.csv"
SPLITS = ("train", "valid", "test")
# Folders and a name that lead nowhere else on any system.
_PLAIN = re.compile(r"(?:[^./\\:\0][^/\\:\0]*/)*[^./\\:\0][^/\\:\0]*")
ALTERED = "altered"  # a framing: the copy of a training picture, changed at random


@dataclass(frozen=True, slots=True)
class Row:
    """One crop.

    Attributes:
        path: of the crop, relative to the manifest's folder, with forward slashes.
        label: one of the folder's classes: of the six or ``neutral`` unless it says otherwise.
        source: the dataset.
        split: ``train``, ``valid`` or ``test``.
        subject: who is shown, or "".
        sha256: of the crop's decoded pixels, see `hash_pixels`.
        original: the picture's name inside the dataset as downloaded.
        framing: ``as-is``, ``framed``, or ``unframed`` where no face was found to frame; `ALTERED`
            for a copy that ``mien augment`` changed.
    """

    path: str
    label: str
    source: str
    split: str
    subject: str
    sha256: str
    original: str
    framing: str


_COLUMNS = [field.name for field in fields(Row)]
WIDTH = len(_COLUMNS)
_cells = attrgetter(*_COLUMNS)


def cells(row: Row) -> tuple[str, ...]:
    """Return a row's values in the order of the columns.

    Args:
        row: of a manifest.

    Returns:
        `WIDTH` values.
    """
    values: tuple[str, ...] = _cells(row)
    return values


def hash_pixels(pixels: U8) -> str:
    """Return the SHA-256 of decoded pixels, so that re-packed files with equal pixels agree.

    Args:
        pixels: shape (H, W) or (H, W, 3), uint8.

    Returns:
        64 hexadecimal digits, over the shape and the bytes.

    Example:
        >>> hash_pixels(np.zeros((2, 2), dtype=np.uint8))[:8]
        '660c5b93'
    """
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).reshape(-1).data)
    return digest.hexdigest()


def read(folder: str | Path) -> list[Row]:
    """Read the manifest of a prepared folder.

    Args:
        folder: what ``mien prepare`` wrote.

    Returns:
        Its rows, in file order.

    Raises:
        BadDataError: if there is no manifest, it is not one of ours, names a picture outside the
            folder, or a label that is none of the folder's, see `label_file.labels_of`.
    """
    path = Path(folder) / NAME
    labels = labels_of(folder)
    try:
        # -sig: Excel puts a mark in front of what it saves
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            table = csv.reader(file)
            header = next(table, None)
            if header != _COLUMNS:
                raise BadDataError(
                    f"{path}: expected the columns {','.join(_COLUMNS)}, got {header!a}",
                    fix="make it with mien prepare",
                )
            return [_row(line, path, table.line_num, labels) for line in table if line]
    except (FileNotFoundError, NotADirectoryError):
        raise BadDataError(f"no {NAME} in {folder}", fix="make it with mien prepare") from None
    except (OSError, ValueError) as error:  # may not be read, is a folder, a NUL in its name
        raise BadDataError(f"cannot read {str(path)!r} ({error})", fix="check the path") from error
    except csv.Error as error:
        raise BadDataError(f"{path} is no table ({error})", "make it with mien prepare") from error


def _row(line: list[str], path: Path, number: int, labels: LabelSet) -> Row:
    """A line of a manifest, checked."""
    if len(line) != WIDTH:
        raise BadDataError(
            f"{path}: line {number} has not {WIDTH} cells", fix="make it again with mien prepare"
        )
    row = Row(*line)
    if _leads_out(row.path):
        raise BadDataError(
            f"{path}: {row.path!r} is no path of a picture under the manifest's folder",
            fix="make it again with mien prepare; do not use a manifest that you do not trust",
        )
    if row.label not in labels.targets or row.split not in SPLITS:
        raise BadDataError(
            f"{path}: {row.path} has label {row.label!r} and split {row.split!r}; "
            f"the folder's classes are {labels}",
            fix="make it again with mien prepare",
        )
    return row


def _leads_out(path: str) -> bool:
    """Tell whether a path is absolute, leads upwards, or is none at all."""
    if _PLAIN.fullmatch(path):  # nearly all; a tenth of the time
        return False
    named = Path(path)
    return bool(named.anchor) or ".." in named.parts or not named.parts or "\0" in path


def rows_of_split(folder: str | Path, split: str) -> list[Row]:
    """Read the pictures of a split whose class is scored; those of a calm one beside are left out.

    Args:
        folder: what ``mien prepare`` wrote.
        split: one of `SPLITS`.

    Returns:
        Its rows, in file order; at least one.

    Raises:
        BadDataError: if there is none, or no manifest.
    """
    names = set(labels_of(folder).names)
    rows = [row for row in read(folder) if row.split == split and row.label in names]
    if not rows:
        raise BadDataError(f"{folder} has no {split} pictures", fix="choose another --split")
    return rows


def write(rows: Iterable[Row], folder: str | Path) -> Path:
    """Write a manifest, whole or not at all.

    Args:
        rows: of the manifest.
        folder: receives the file.

    Returns:
        The manifest's path.

    Raises:
        OutputError: if it cannot be written.
    """
    path = Path(folder) / NAME
    with open_table(path, _COLUMNS) as table:
        table.writerows(map(cells, rows))
    return path
