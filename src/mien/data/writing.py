"""Crops and tables written to a folder that is whole or absent.

The way through: an item -> its pixels -> framed or resized -> a JPEG file and its manifest row.
Imports: numpy, Pillow, media, copies, manifest, spool, faces. Knows no database.
"""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from mien import labels, media
from mien.data import copies, manifest
from mien.data.manifest import Row
from mien.data.sources import Archive, Item
from mien.data.spool import Spool
from mien.errors import BadDataError, BadImageError, OutputError
from mien.faces.detect import Detector
from mien.faces.frame import reframe

__all__ = ["CropWriter", "Shape", "Table", "as_jpeg", "open_table", "whole_folder"]

U8 = npt.NDArray[np.uint8]

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


def as_jpeg(picture: U8, quality: int) -> bytes:
    """Encode a picture.

    Args:
        picture: shape (H, W, 3) RGB or (H, W), uint8.
        quality: 1 to 100.

    Returns:
        The bytes of a JPEG file.
    """
    return _file(Image.fromarray(picture), quality)


def _file(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Shape:
    """What a crop is to be like.

    Attributes:
        side: in pixels.
        quality: of the JPEG file, 1 to 100.
        gray: True for one channel, False for three, None for as many as the picture has.
        frame: cut the face out as recognition does, where one is found.
    """

    side: int = 64
    quality: int = 95
    gray: bool | None = None
    frame: bool = False


class CropWriter:
    """Writes crops one by one and keeps in memory nothing of those that went well.

    Attributes:
        spool: row, thumbnail of the picture as it came, and soft label of each crop written.
        unreadable: pictures skipped, each with the reason.
    """

    def __init__(
        self, archive: Archive, source: str, folder: Path, shape: Shape, spool: Spool
    ) -> None:
        """Keep where to read and write.

        Args:
            archive: holds the pictures.
            source: name of the database, for the manifest.
            folder: is filled.
            shape: of the crops.
            spool: is filled too.
        """
        self.spool = spool
        self.unreadable: dict[str, str] = {}
        self._archive, self._source, self._folder, self._shape = archive, source, folder, shape
        self._detector = Detector() if shape.frame else None
        self._repeated: Counter[tuple[str, str]] = Counter()
        self._made: dict[str, Path] = {}

    def add(self, item: Item) -> None:
        """Write one picture's crop; an unreadable picture is remembered and skipped.

        Args:
            item: the picture.
        """
        try:
            data = b"" if item.picture else self._archive.read(item.original)
            picture, kind = (
                (item.picture(), "") if item.picture else media.decode_stored(data, item.original)
            )
        except (BadImageError, BadDataError) as error:
            self.unreadable[item.original] = error.message
            return
        encoded, pixels, framing = self._crop(data, picture, kind)
        path = self._written(item, encoded)
        digest = manifest.hash_pixels(pixels)
        known = (item.label, self._source, item.split, item.subject, digest, item.original)
        self.spool.add(Row(path, *known, framing), copies.thumbnail(picture), item.soft)

    def _crop(self, data: bytes, picture: U8, kind: str) -> tuple[bytes, U8, str]:
        """Return the crop as a JPEG file, its decoded pixels, and how it was framed."""
        shape, framing = self._shape, "as-is"
        if self._detector is not None:
            rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
            framed = reframe(rgb, self._detector, shape.side)
            if framed is not None:
                crop = Image.fromarray(framed if picture.ndim == 3 else _plane(framed))
                return *_encoded(crop, shape), "framed"
            framing = "unframed"
        if kind == "JPEG" and _is_ready(picture, shape):  # what we would write: no second loss
            return data, picture, framing
        size = (shape.side, shape.side)
        resized = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
        return *_encoded(resized, shape), framing

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


def _encoded(crop: Image.Image, shape: Shape) -> tuple[bytes, U8]:
    """Encode a crop in the channels wanted; also return what a reader will decode."""
    if shape.gray is not None:
        crop = crop.convert("L" if shape.gray else "RGB")
    data = _file(crop, shape.quality)
    with Image.open(io.BytesIO(data)) as written:
        return data, np.asarray(written)


def _is_ready(picture: U8, shape: Shape) -> bool:
    """Tell whether pixels have the size and channels wanted."""
    channels = {None: (2, 3), True: (2,), False: (3,)}[shape.gray]
    return picture.shape[:2] == (shape.side, shape.side) and picture.ndim in channels


def _plane(rgb: U8) -> U8:
    """Return one of three equal channels: shape (H, W)."""
    return np.ascontiguousarray(rgb[..., 0])
