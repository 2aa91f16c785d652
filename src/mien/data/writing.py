"""Crops and tables written to a folder that is whole or absent.

Imports: the standard library, labels, manifest, spool, cutting. Knows no database and no pixels.
"""

import csv
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from mien import labels
from mien.data.cutting import Crop
from mien.data.manifest import Row
from mien.data.sources import Item
from mien.data.spool import Spool
from mien.errors import OutputError

__all__ = ["CropWriter", "Table", "open_table", "whole_folder"]

_LONGEST = 200  # bytes of a file name, of the 255 that file systems take


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Lend ``DIR.part``, which becomes ``DIR`` when the block ends well.

    What a killed run left there is removed first, and what this one leaves after an error.

    Args:
        out: the folder to make; it must not exist.

    Yields:
        The empty folder to fill.

    Raises:
        OutputError: if it cannot be written.
    """
    out = out.resolve()
    part = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        part.rename(out)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"cannot write {part}: {reason}", fix="choose another --out, or free some space"
        ) from error
    finally:  # also after Ctrl-C; when all went well it has been renamed
        shutil.rmtree(part, ignore_errors=True)


class Table(Protocol):
    """What takes the rows of a CSV file: Python's own writer, whose class has no public name."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""

    def writerows(self, rows: Iterable[Iterable[Any]], /) -> None:
        """Write many."""


@contextmanager
def open_table(path: Path, header: Sequence[str]) -> Iterator[Table]:
    """Open a CSV file in a folder that is not whole yet.

    Args:
        path: the file.
        header: names of the columns.

    Yields:
        What takes its rows.
    """
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        yield table


class CropWriter:
    """Writes crops one by one and keeps in memory nothing of those that went well.

    Attributes:
        spool: row, thumbnail of the picture as it came, and soft label of each crop written.
        unreadable: pictures skipped, each with the reason.
    """

    def __init__(self, source: str, folder: Path, spool: Spool) -> None:
        """Keep where to write.

        Args:
            source: name of the database, for the manifest.
            folder: is filled.
            spool: is filled too.
        """
        self.spool = spool
        self.unreadable: dict[str, str] = {}
        self._source, self._folder = source, folder
        self._repeated: Counter[tuple[str, str]] = Counter()
        self._made: dict[str, Path] = {}

    def add(self, item: Item, crop: Crop | str) -> None:
        """Write one picture's crop; an unreadable picture is remembered and skipped.

        Args:
            item: the picture.
            crop: its crop, or why there is none.
        """
        if isinstance(crop, str):
            self.unreadable[item.original] = crop
            return
        path = self._written(item, crop.encoded)
        known = (item.label, self._source, item.split, item.subject, crop.digest, item.original)
        self.spool.add(Row(path, *known, crop.framing), crop.thumbnail, item.soft)

    def _written(self, item: Item, encoded: bytes) -> str:
        """Write a crop and return its path; two originals of one name get different ones."""
        stem = Path(item.original).stem
        if len(stem.encode(errors="surrogateescape")) > _LONGEST:
            stem = sha256(stem.encode(errors="surrogateescape")).hexdigest()
        folder = f"{item.split}/{labels.folder(item.label)}"
        if folder not in self._made:
            self._made[folder] = self._folder / folder
            self._made[folder].mkdir(parents=True, exist_ok=True)
        name = stem
        while True:
            try:
                with (self._made[folder] / f"{name}.jpg").open("xb") as file:
                    file.write(encoded)
            except FileExistsError:
                self._repeated[folder, stem] += 1
                name = f"{stem}-{self._repeated[folder, stem] + 1}"
            else:
                return f"{folder}/{name}.jpg"
