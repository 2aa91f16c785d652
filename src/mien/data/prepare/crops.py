"""A picture becomes a crop, and the crop becomes a file and a row of the store.

Pipeline: bytes -> pixels -> framed or resized -> a JPEG file, its hash, a thumbnail -> `CropWriter`
-> `CropStore`. `Cutter` handles each picture by itself, so several processes can share the work.
The store keeps its rows and thumbnails on disk, in unnamed files of the folder that is filled:
memory does not grow with the number of crops, and nothing is left to remove. Knows no dataset.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image

from mien import labels
from mien.data import manifest
from mien.data.datasets import Archive, Item
from mien.data.dedup import duplicates, similarity
from mien.data.manifest import SPLITS, Row
from mien.errors import BadDataError, BadImageError
from mien.faces.align import reframe
from mien.faces.detect import Detector
from mien.media import images
from mien.media.writers import add_file
from mien.pixels import U8

__all__ = ["Crop", "CropStore", "CropWriter", "Cutter", "Shape", "as_jpeg", "cutter", "store_in"]

_BLOCK = 1024  # thumbnails read at once: with their candidates about 5 MB
_LONGEST = 200  # bytes of a file name; file systems take at most 255


@dataclass(frozen=True, slots=True)
class Shape:
    """The size, channels and framing of the crops, and their JPEG quality.

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


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A crop and what is known about it.

    Attributes:
        encoded: a JPEG file.
        digest: of its pixels, see `manifest.hash_pixels`.
        framing: ``as-is``, ``framed`` or ``unframed``.
        thumbnail: shape (32, 32), uint8, of the picture before it was cut.
    """

    encoded: bytes
    digest: str
    framing: str
    thumbnail: U8


class Cutter:
    """Cuts the pictures of one archive; called with a part of them at a time."""

    def __init__(self, archive: Archive, shape: Shape) -> None:
        """Load the detector if faces are to be framed.

        Args:
            archive: holds the pictures.
            shape: of the crops.
        """
        self._archive, self._shape = archive, shape
        self._detector = Detector() if shape.frame else None

    def __call__(self, items: Sequence[Item]) -> list[Crop | str]:
        """Cut pictures; one that cannot be read becomes the reason."""
        return [self._cut(item) for item in items]

    def _cut(self, item: Item) -> Crop | str:
        try:
            data = b"" if item.picture else self._archive.read(item.original)
            picture, kind = (
                (item.picture(), "") if item.picture else images.decode_stored(data, item.original)
            )
        except (BadImageError, BadDataError) as error:
            return error.message
        encoded, pixels, framing = self._crop(data, picture, kind)
        return Crop(encoded, manifest.hash_pixels(pixels), framing, duplicates.thumbnail(picture))

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
        if kind == "JPEG" and _is_ready(picture, shape):  # no second loss of detail
            return data, picture, framing
        size = (shape.side, shape.side)
        resized = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
        return *_encoded(resized, shape), framing


def cutter(archive: Path, shape: Shape) -> Cutter:
    """Open an archive and make its cutter, in a worker process that ends without closing it.

    Args:
        archive: a .zip or a folder.
        shape: of the crops.

    Returns:
        The cutter.
    """
    return Cutter(Archive(archive), shape)


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


def _encoded(crop: Image.Image, shape: Shape) -> tuple[bytes, U8]:
    """Encode a crop with the channels of `shape`; also return the pixels a reader will decode."""
    if shape.gray is not None:
        crop = crop.convert("L" if shape.gray else "RGB")
    data = _file(crop, shape.quality)
    return data, images.decode_stored(data)[0]


def _is_ready(picture: U8, shape: Shape) -> bool:
    """Tell whether a picture has the size and channels of `shape` already."""
    channels = {None: (2, 3), True: (2,), False: (3,)}[shape.gray]
    return picture.shape[:2] == (shape.side, shape.side) and picture.ndim in channels


def _plane(rgb: U8) -> U8:
    """Return one of three equal channels: shape (H, W)."""
    return np.ascontiguousarray(rgb[..., 0])


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
        self._table = csv.writer(text, lineterminator="\n")
        self._splits = bytearray()

    def __len__(self) -> int:
        """Count the crops."""
        return len(self._splits)

    def add(self, row: Row, thumbnail: U8, soft: Sequence[float] | None) -> None:
        """Append one crop.

        Args:
            row: of the manifest.
            thumbnail: shape (32, 32), uint8, of the picture before it was cut.
            soft: the share of each class, if known.
        """
        self._table.writerow((*manifest.cells(row), *(soft or ())))
        self.soft = self.soft or soft is not None
        self._pixels.write(thumbnail.tobytes())
        self._splits.append(SPLITS.index(row.split))

    def splits(self) -> npt.NDArray[np.str_]:
        """The split of each crop, shape (N,)."""
        return np.array(SPLITS)[np.frombuffer(bytes(self._splits), dtype=np.uint8)]

    def rows(self) -> Iterator[tuple[Row, list[str]]]:
        """Yield the row of each crop, and the shares of its soft label, [] where it has none."""
        self._text.seek(0)
        for line in csv.reader(self._text):
            yield Row(*line[: manifest.WIDTH]), line[manifest.WIDTH :]

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
        unreadable: pictures skipped, each with the reason.
    """

    def __init__(self, source: str, folder: Path, store: CropStore) -> None:
        """Start with an empty folder and an empty store.

        Args:
            source: name of the dataset, for the manifest.
            folder: receives the crops.
            store: receives their rows.
        """
        self.store = store
        self.unreadable: dict[str, str] = {}
        self._source, self._folder = source, folder
        self._repeated: Counter[tuple[str, str]] = Counter()
        self._folders: dict[str, Path] = {}

    def add(self, item: Item, crop: Crop | str) -> None:
        """Write the crop of one picture; an unreadable picture is noted and skipped.

        Args:
            item: the picture.
            crop: its crop, or the reason why there is none.
        """
        if isinstance(crop, str):
            self.unreadable[item.original] = crop
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
        self.store.add(row, crop.thumbnail, item.soft)

    def _written(self, item: Item, encoded: bytes) -> str:
        """Write a crop and return its path; originals of the same name get different paths."""
        stem = Path(item.original).stem
        if len(stem.encode(errors="surrogateescape")) > _LONGEST:
            stem = sha256(stem.encode(errors="surrogateescape")).hexdigest()
        folder = f"{item.split}/{labels.folder(item.label)}"
        if folder not in self._folders:
            self._folders[folder] = self._folder / folder
            self._folders[folder].mkdir(parents=True, exist_ok=True)
        name = stem
        while not add_file(encoded, self._folders[folder] / f"{name}.jpg"):
            self._repeated[folder, stem] += 1
            name = f"{stem}-{self._repeated[folder, stem] + 1}"
        return f"{folder}/{name}.jpg"
