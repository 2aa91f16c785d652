"""Where crops go: each becomes a file and a row of the store, and nothing is kept in memory.

The store keeps its rows and thumbnails on disk, in unnamed files of the folder that is filled:
memory does not grow with the number of crops, and nothing is left to remove. Knows no dataset.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from hashlib import sha256
from itertools import compress
from pathlib import Path
from sys import intern
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt

from mien.data import manifest
from mien.data.datasets import Item
from mien.data.dedup import similarity
from mien.data.manifest import SPLITS, Row
from mien.data.prepare.crops import Crop
from mien.labels import PAPER, LabelSet
from mien.media.csv_lines import csv_table
from mien.media.writers import add_file
from mien.pixels import BOOL, U8

__all__ = ["CropStore", "CropWriter", "store_in"]

_ORIGINAL, _SUBJECT = (  # their columns
    [field.name for field in fields(Row)].index(name) for name in ("original", "subject")
)
_BLOCK = 1024  # thumbnails read at once: with their candidates about 5 MB
_HASH = 32  # bytes
_FORBIDDEN = re.compile(r'[:*?"<>|]|\.$')  # in names of Windows; a class's number stays
_LONGEST = 200  # bytes of a file name; file systems take at most 255


@contextmanager
def store_in(folder: Path) -> Iterator["CropStore"]:
    """Open a store whose files are gone when the block ends.

    Args:
        folder: the folder that is filled; the files of the store lie there.

    Yields:
        An empty store.
    """
    with (
        TemporaryFile(
            "w+", dir=folder, newline="", encoding="utf-8", errors="surrogateescape"
        ) as text,
        TemporaryFile("w+b", dir=folder) as pixels,
    ):
        yield CropStore(text, pixels)


class CropStore:
    """The rows of a manifest, a thumbnail for each, and soft labels where they are known.

    Attributes:
        soft: whether any crop has a soft label.
    """

    def __init__(self, text: IO[str], pixels: IO[bytes]) -> None:
        """Start with two empty files.

        Args:
            text: for the rows; opened for writing and reading.
            pixels: for the thumbnails; opened for writing and reading.
        """
        self.soft = False
        self._text, self._pixels = text, pixels
        self._table = csv_table(text)
        self._splits, self._equal = bytearray(), bytearray()

    def __len__(self) -> int:
        """Count the crops."""
        return len(self._splits)

    def add(self, row: Row, crop: Crop, soft: Sequence[float] | None) -> None:
        """Append one crop.

        Args:
            row: of the manifest.
            crop: whose thumbnail and hash are kept.
            soft: the share of each class, if known.
        """
        self._table.writerow((*manifest.cells(row), *(soft or ())))
        self.soft = self.soft or soft is not None
        self._pixels.write(crop.thumbnail.tobytes())
        self._splits.append(SPLITS.index(row.split))
        self._equal += crop.equal

    def splits(self) -> npt.NDArray[np.str_]:
        """The split of each crop, shape (N,)."""
        return np.array(SPLITS)[np.frombuffer(bytes(self._splits), dtype=np.uint8)]

    def equal(self, number: int) -> bytes:
        """Return the hash of one crop, see `equality`."""
        return bytes(self._equal[_HASH * number : _HASH * (number + 1)])

    def rows(self) -> Iterator[tuple[Row, list[str]]]:
        """Yield the row of each crop, and the shares of its soft label, [] where it has none."""
        self._text.seek(0)
        for line in csv.reader(self._text):
            yield Row(*line[: manifest.WIDTH]), line[manifest.WIDTH :]

    def originals(self, mask: BOOL) -> list[str]:
        """Return the names in the dataset of the crops that a mask of shape (N,) chooses."""
        if not mask.any():
            return []
        self._text.seek(0)
        return [line[_ORIGINAL] for line in compress(csv.reader(self._text), mask)]

    def subjects(self) -> list[str]:
        """Return who is shown in each crop; "" where the dataset does not say."""
        self._text.seek(0)
        return [intern(line[_SUBJECT]) for line in csv.reader(self._text)]

    def thumbnails(self) -> Iterator[tuple[int, U8]]:
        """Yield blocks of thumbnails, shape (up to 1024, 32, 32), with the index of the first."""
        self._pixels.flush()
        size = similarity.SIDE**2
        for start in range(0, len(self), _BLOCK):
            self._pixels.seek(start * size)
            block = np.frombuffer(self._pixels.read(_BLOCK * size), dtype=np.uint8)
            yield start, block.reshape(-1, similarity.SIDE, similarity.SIDE)


class CropWriter:
    """Writes crops to a folder one by one; in memory it keeps only the unreadable pictures.

    Attributes:
        store: row, thumbnail and soft label of each crop written.
        unreadable: pictures skipped, each with its split, its label and the reason.
    """

    def __init__(
        self, source: str, folder: Path, store: CropStore, labels: LabelSet = PAPER
    ) -> None:
        """Start with an empty folder and an empty store.

        Args:
            source: name of the dataset, for the manifest.
            folder: receives the crops.
            store: receives their rows.
            labels: the classes, which number their folders.
        """
        self.store = store
        self.unreadable: dict[str, tuple[str, str, str]] = {}
        self._source, self._folder, self._labels = source, folder, labels
        self._repeated: Counter[tuple[str, str]] = Counter()
        self._folders: dict[tuple[str, str], tuple[str, Path]] = {}

    def add(self, item: Item, crop: Crop | str) -> None:
        """Write the crop of one picture; an unreadable picture is noted and skipped.

        Args:
            item: the picture.
            crop: its crop, or the reason why there is none.
        """
        if isinstance(crop, str):
            self.unreadable[item.original] = item.split, item.label, crop
            return
        row = Row(
            path=self._written(item, crop.encoded),
            label=item.label,
            source=self._source,
            split=item.split,
            subject=item.subject,
            sha256=crop.digest,
            original=item.original,
            framing=crop.framing,
        )
        self.store.add(row, crop, item.soft)

    def _written(self, item: Item, encoded: bytes) -> str:
        """Write a crop and return its path; originals of the same name get different paths."""
        stem = _stem(item.original)
        if len(stem.encode(errors="surrogateescape")) > _LONGEST:
            stem = sha256(stem.encode(errors="surrogateescape")).hexdigest()
        folder, path = self._folder_of(item.split, item.label)
        name = stem
        while not add_file(encoded, path / f"{name}.jpg"):
            self._repeated[folder, stem] += 1
            name = f"{stem}-{self._repeated[folder, stem] + 1}"
        return f"{folder}/{name}.jpg"

    def _folder_of(self, split: str, label: str) -> tuple[str, Path]:
        """Return the name and the path of the folder of a class, which is made for its first."""
        if (split, label) not in self._folders:
            name = f"{split}/{_FORBIDDEN.sub('_', self._labels.folder(label))}"
            (self._folder / name).mkdir(parents=True, exist_ok=True)
            self._folders[split, label] = name, self._folder / name
        return self._folders[split, label]


def _stem(original: str) -> str:
    """What pathlib calls the stem, in a tenth of its time."""
    name = original.rpartition("/")[2] or Path(original).name
    dot = name.rfind(".")
    return name[:dot] if 0 < dot < len(name) - 1 else name
