"""What `prepare` knows of the crops it has written, kept on disk: memory does not grow with them.

Both files are nameless ones of the folder that is filled, so nothing is left to remove. Knows
nothing of databases.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt

from mien.data import copies, manifest
from mien.data.manifest import SPLITS, Row
from mien.pixels import U8

__all__ = ["Spool", "spool_in"]

_BLOCK = 1024  # thumbnails read at once: with their candidates some 5 MB


@contextmanager
def spool_in(folder: Path) -> Iterator["Spool"]:
    """Lend a spool whose files are gone when the block ends.

    Args:
        folder: is filled.

    Yields:
        An empty spool.
    """
    with (
        TemporaryFile(
            "w+", dir=folder, newline="", encoding="utf-8", errors="surrogateescape"
        ) as text,
        TemporaryFile("w+b", dir=folder) as pixels,
    ):
        yield Spool(text, pixels)


class Spool:
    """Rows of a manifest, a thumbnail of each, and soft labels where they are known.

    Attributes:
        soft: whether any soft label is known.
    """

    def __init__(self, text: IO[str], pixels: IO[bytes]) -> None:
        """Keep where to write.

        Args:
            text: an empty file to write and read, for the rows.
            pixels: another, for the thumbnails.
        """
        self.soft = False
        self._text, self._pixels = text, pixels
        self._table = csv.writer(text, lineterminator="\n")
        self._splits = bytearray()

    def __len__(self) -> int:
        """Count the crops."""
        return len(self._splits)

    def add(self, row: Row, thumbnail: U8, soft: Sequence[float] | None) -> None:
        """Put one crop at the end.

        Args:
            row: of the manifest.
            thumbnail: shape (32, 32), uint8, of the picture as it came.
            soft: the shares of the classes, if they are known.
        """
        self._table.writerow((*manifest.cells(row), *(soft or ())))
        self.soft = self.soft or soft is not None
        self._pixels.write(thumbnail.tobytes())
        self._splits.append(SPLITS.index(row.split))

    def splits(self) -> npt.NDArray[np.str_]:
        """The split of each crop, shape (N,)."""
        return np.array(SPLITS)[np.frombuffer(bytes(self._splits), dtype=np.uint8)]

    def rows(self) -> Iterator[tuple[Row, list[str]]]:
        """Yield the row of each crop, and its soft label's shares or nothing."""
        self._text.seek(0)
        for line in csv.reader(self._text):
            yield Row(*line[: manifest.WIDTH]), line[manifest.WIDTH :]

    def thumbnails(self) -> Iterator[tuple[int, U8]]:
        """Yield blocks of thumbnails, shape (up to 1024, 32, 32), with the place of the first."""
        self._pixels.flush()
        each = copies.SIDE**2
        for start in range(0, len(self), _BLOCK):
            self._pixels.seek(start * each)
            block = np.frombuffer(self._pixels.read(_BLOCK * each), dtype=np.uint8)
            yield start, block.reshape(-1, copies.SIDE, copies.SIDE)
