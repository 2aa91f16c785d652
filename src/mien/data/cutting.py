"""A picture as it came becomes a crop, ready to be written.

The way through: bytes -> pixels -> framed or resized -> a JPEG file, its hash, a thumbnail. Each
picture is by itself, so several processes can share the work. Writes nothing, knows no database.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data import copies, manifest
from mien.data.sources import Archive, Item
from mien.errors import BadDataError, BadImageError
from mien.faces.align import reframe
from mien.faces.detect import Detector
from mien.media import images
from mien.pixels import U8

__all__ = ["Crop", "Cutter", "Shape", "as_jpeg", "cutter"]


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


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A crop and what is known of it.

    Attributes:
        encoded: a JPEG file.
        digest: of its pixels, see `manifest.hash_pixels`.
        framing: ``as-is``, ``framed`` or ``unframed``.
        thumbnail: shape (32, 32), uint8, of the picture as it came.
    """

    encoded: bytes
    digest: str
    framing: str
    thumbnail: U8


class Cutter:
    """Cuts pictures of one archive; to be called with some of them."""

    def __init__(self, archive: Archive, shape: Shape) -> None:
        """Load the detector, if it is needed.

        Args:
            archive: holds the pictures.
            shape: of the crops.
        """
        self._archive, self._shape = archive, shape
        self._detector = Detector() if shape.frame else None

    def __call__(self, items: Sequence[Item]) -> list[Crop | str]:
        """Cut some pictures; of one that cannot be read, say why."""
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
        return Crop(encoded, manifest.hash_pixels(pixels), framing, copies.thumbnail(picture))

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


def cutter(archive: Path, shape: Shape) -> Cutter:
    """Open an archive to cut its pictures, in a process that lives for nothing else.

    Args:
        archive: a .zip or a folder.
        shape: of the crops.

    Returns:
        What cuts them.
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
