"""Crops and tables written to a folder that is whole or absent.

The way through: an item -> its pixels -> framed or resized -> a JPEG file and its manifest row.
Imports: numpy, Pillow, media, copies, manifest, faces. Knows no database.
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

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from mien import labels, media
from mien.data import copies, manifest
from mien.data.manifest import Row
from mien.data.sources import Archive, Item
from mien.errors import BadDataError, BadImageError, OutputError
from mien.faces.detect import Detector
from mien.faces.frame import reframe

__all__ = ["CropWriter", "Shape", "as_jpeg", "whole_folder", "write_table"]

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


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file into a folder that is not whole yet.

    Args:
        path: the file.
        header: names of the columns.
        rows: one value a column each.
    """
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def as_jpeg(picture: U8, quality: int) -> bytes:
    """Encode a picture.

    Args:
        picture: shape (H, W, 3) RGB or (H, W), uint8.
        quality: 1 to 100.

    Returns:
        The bytes of a JPEG file.
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
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
    """Writes crops one by one and remembers a thumbnail of each picture, nothing more.

    Attributes:
        rows: of the manifest, one a crop written.
        thumbnails: shape (32, 32) each, of the pictures as they came.
        soft: the shares of the classes, by the crop's path, where they are known.
        unreadable: pictures skipped, each with the reason.
    """

    def __init__(self, archive: Archive, source: str, folder: Path, shape: Shape) -> None:
        """Keep where to read and write.

        Args:
            archive: holds the pictures.
            source: name of the database, for the manifest.
            folder: is filled.
            shape: of the crops.
        """
        self.rows: list[Row] = []
        self.thumbnails: list[U8] = []
        self.soft: dict[str, tuple[float, ...]] = {}
        self.unreadable: dict[str, str] = {}
        self._archive, self._source, self._folder, self._shape = archive, source, folder, shape
        self._detector = Detector() if shape.frame else None
        self._names: Counter[str] = Counter()
        self._made: set[Path] = set()

    def add(self, item: Item) -> None:
        """Write one picture's crop; an unreadable picture is remembered and skipped.

        Args:
            item: the picture.
        """
        try:
            data = b"" if item.picture else self._archive.read(item.original)
            picture = item.picture() if item.picture else media.decode_rgb(data, item.original)
        except (BadImageError, BadDataError) as error:
            self.unreadable[item.original] = error.message
            return
        encoded, pixels, framing = self._crop(data, picture)
        path = self._path(item)
        target = self._folder / path
        if target.parent not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(target.parent)
        target.write_bytes(encoded)
        if item.soft is not None:
            self.soft[path] = item.soft
        self.thumbnails.append(copies.thumbnail(picture))
        self.rows.append(
            Row(
                path,
                item.label,
                self._source,
                item.split,
                item.subject,
                manifest.hash_pixels(pixels),
                item.original,
                framing,
            )
        )

    def _crop(self, data: bytes, picture: U8) -> tuple[bytes, U8, str]:
        """Return the crop as a JPEG file, its decoded pixels, and how it was framed."""
        shape, framing = self._shape, "as-is"
        if self._detector is not None:
            rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
            framed = reframe(rgb, self._detector, shape.side)
            if framed is not None:
                return *_encoded(framed if picture.ndim == 3 else framed[..., 0], shape), "framed"
            framing = "unframed"
        crop = picture
        if data:
            with Image.open(io.BytesIO(data)) as image:
                if _is_ready(image, shape):  # it is what we would write: no second loss
                    return data, picture if image.mode == "RGB" else _plane(picture), framing
                crop = _plane(picture) if image.mode in {"L", "1"} else picture
        size = (shape.side, shape.side)
        resized = Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC)
        return *_encoded(np.asarray(resized), shape), framing

    def _path(self, item: Item) -> str:
        """Choose the crop's path; two originals of one name get different ones."""
        stem = Path(item.original).stem
        if len(stem.encode(errors="surrogateescape")) > _LONGEST:
            stem = sha256(stem.encode(errors="surrogateescape")).hexdigest()
        path = wanted = f"{item.split}/{labels.folder(item.label)}/{stem}"
        while path in self._names:
            self._names[wanted] += 1
            path = f"{wanted}-{self._names[wanted]}"
        self._names[path] = 1
        return f"{path}.jpg"


def _encoded(crop: U8, shape: Shape) -> tuple[bytes, U8]:
    """Encode a crop in the channels wanted; also return what a reader will decode."""
    if shape.gray and crop.ndim == 3:
        crop = np.asarray(Image.fromarray(crop).convert("L"))
    elif shape.gray is False and crop.ndim == 2:
        crop = np.repeat(crop[..., None], 3, axis=2)
    data = as_jpeg(crop, shape.quality)
    with Image.open(io.BytesIO(data)) as written:
        return data, np.asarray(written)


def _is_ready(image: Image.Image, shape: Shape) -> bool:
    """Tell whether a file is a JPEG of the size and channels wanted, its pixels upright."""
    modes = {None: {"L", "RGB"}, True: {"L"}, False: {"RGB"}}[shape.gray]
    upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    size = (shape.side, shape.side)
    return image.format == "JPEG" and image.size == size and image.mode in modes and upright


def _plane(rgb: U8) -> U8:
    """Return one of three equal channels: shape (H, W)."""
    return np.ascontiguousarray(rgb[..., 0])
