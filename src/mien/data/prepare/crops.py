"""A picture becomes a crop: bytes -> pixels -> framed or resized -> a JPEG file and a thumbnail.

`Cutter` handles each picture by itself, so several processes can share the work. Writes nothing,
knows no dataset.
"""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data import manifest
from mien.data.datasets import Archive, Item
from mien.data.dedup import duplicates
from mien.errors import BadDataError, BadImageError
from mien.faces.align import reframe
from mien.faces.detect import Detector
from mien.faces.yunet import use_one_thread
from mien.media import images
from mien.pixels import U8

__all__ = [
    "Crop",
    "Cutter",
    "Shape",
    "as_jpeg",
    "cutter",
    "equality",
]


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
        thumbnail: shape (32, 32), uint8, of the crop as it is without framing: what an audit of a
            folder that was not framed sees.
        equal: a hash of its pixels, grey or RGB: pictures with the same are equal, see `equality`.
        checksum: CRC-32 of the picture's file; of nothing where it is no file of its own.
    """

    encoded: bytes
    digest: str
    framing: str
    thumbnail: U8
    equal: bytes
    checksum: int


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
            image, kind = (
                (Image.fromarray(item.picture()), "")
                if item.picture
                else images.load_stored(data, item.original)
            )
        except (BadImageError, BadDataError) as error:
            return error.message
        encoded, crop = self._as_is(data, image, kind)
        thumbnail, framing = duplicates.thumbnail_of(crop), "as-is"
        if self._detector is not None:
            framed = self._framed(image, self._detector)
            encoded, crop = framed or (encoded, crop)
            framing = "framed" if framed else "unframed"
        digest, equal = _hashes(np.asarray(crop))
        return Crop(encoded, digest, framing, thumbnail, equal, zlib.crc32(data))

    def _as_is(self, data: bytes, image: Image.Image, kind: str) -> tuple[bytes, Image.Image]:
        """Return the whole picture as a crop: a JPEG file, and what a reader will decode."""
        if kind == "JPEG" and _is_ready(image, self._shape):  # no second loss of detail
            return data, image
        size = (self._shape.side, self._shape.side)
        return _encoded(image.resize(size, Image.Resampling.BICUBIC), self._shape)

    def _framed(self, image: Image.Image, detector: Detector) -> tuple[bytes, Image.Image] | None:
        """Return the face in a picture as a crop, or None if there is none."""
        framed = reframe(images.to_rgb(image), detector, self._shape.side)
        if framed is None:
            return None
        return _encoded(
            Image.fromarray(framed if image.mode == "RGB" else _plane(framed)), self._shape
        )


def cutter(archive: Path, shape: Shape) -> Cutter:
    """Open an archive and make its cutter, in a worker process that ends without closing it.

    Args:
        archive: a .zip, a .tar or a folder.
        shape: of the crops.

    Returns:
        The cutter.
    """
    use_one_thread()  # as many processes as cores look for faces
    return Cutter(Archive(archive), shape)


def equality(pixels: U8) -> bytes:
    """Return a hash of pixels that a grey picture shares with the same picture in RGB.

    Args:
        pixels: shape (H, W) or (H, W, 3), uint8.

    Returns:
        32 bytes.
    """
    return _hashes(pixels)[1]


def _hashes(pixels: U8) -> tuple[str, bytes]:
    """Return the manifest's hash of pixels, and that of `equality`, which is mostly the same."""
    digest = manifest.hash_pixels(pixels)
    gray = pixels.ndim == 3 and _is_gray(pixels)
    return digest, bytes.fromhex(manifest.hash_pixels(_plane(pixels)) if gray else digest)


def _is_gray(rgb: U8) -> bool:
    """Tell whether the three channels are equal; the first row nearly always says that not."""
    return all((part[..., :1] == part[..., 1:]).all() for part in (rgb[0], rgb))


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


def _encoded(crop: Image.Image, shape: Shape) -> tuple[bytes, Image.Image]:
    """Encode a crop with the channels of `shape`; also return what a reader will decode."""
    if shape.gray is not None:
        crop = crop.convert("L" if shape.gray else "RGB")
    data = _file(crop, shape.quality)
    # Pillow made it, so its header need not be read, which takes as long as to decode it.
    return data, Image.frombytes(crop.mode, crop.size, data, "jpeg", crop.mode, "")


def _is_ready(image: Image.Image, shape: Shape) -> bool:
    """Tell whether a picture has the size and channels of `shape` already."""
    modes = {None: ("L", "RGB"), True: ("L",), False: ("RGB",)}[shape.gray]
    return image.size == (shape.side, shape.side) and image.mode in modes


def _plane(rgb: U8) -> U8:
    """Return one of three equal channels: shape (H, W)."""
    return np.ascontiguousarray(rgb[..., 0])
