"""Crops and tables written to a folder that is whole or absent.
Knows no database and no pixels.
"""

from collections import Counter
from hashlib import sha256
from pathlib import Path

from mien import labels
from mien.data.cutting import Crop
from mien.data.manifest import Row
from mien.data.sources import Item
from mien.data.spool import Spool

__all__ = [
    "CropWriter",
]

_LONGEST = 200  # bytes of a file name, of the 255 that file systems take


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
