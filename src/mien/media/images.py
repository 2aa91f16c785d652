"""Open a picture safely: the one place where a picture file is opened.

Pipeline: an ordinary file of bounded size -> its header, by one of `FORMATS` and nothing else ->
what decoding will cost in pixels and memory -> decode -> upright RGB, a band of rows at a time.

Whatever the file holds (grey, palette, alpha, 16 bits, CMYK, many frames, a camera's rotation), the
rest of mien sees one thing: an (H, W, 3) uint8 RGB array, upright. What a picture costs is in
`costs`. Knows nothing of faces.
"""

import io
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from mien.errors import BadImageError
from mien.media import heif
from mien.media.costs import (
    MAX_BYTES,
    MAX_MEMORY,
    MAX_PIXELS,
    MeteredFile,
    check_caps,
    refuse_costly,
)
from mien.media.files import open_regular, read_errors
from mien.media.folders import FILM_SUFFIXES
from mien.media.quiet import quiet
from mien.pixels import U8

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_MEMORY",
    "MAX_PIXELS",
    "PORTRAIT",
    "decode_rgb",
    "load_stored",
    "open_frames",
    "read_rgb",
    "to_rgb",
]

# The picture in the package: Eileen Collins, NASA, public domain; 512x512 pixels, one face.
PORTRAIT = Path(__file__).parents[1] / "pictures" / "eileen_collins.jpg"
T = TypeVar("T")
# Pillow's names. EPS would run its PostScript, and others read files or memory without measure.
FORMATS = (
    "JPEG",  # MPO too
    "PNG",
    "GIF",
    "BMP",
    "DIB",
    "PPM",
    "WEBP",
    "TIFF",
    "AVIF",
    "JPEG2000",
    "DDS",
    "QOI",
    "SGI",
    "PCX",
    "TGA",  # last: it has no magic number
)
# What Pillow's readers raise on damaged files, beside `read_errors`.
_DAMAGES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    SyntaxError,
    TypeError,
    struct.error,
)
_BAND = 2**19  # pixels converted at once
_Read = Callable[[Image.Image], T]


def read_rgb(path: str | Path, max_pixels: int = MAX_PIXELS, max_memory: int = MAX_MEMORY) -> U8:
    """Read a picture file as upright RGB.

    Args:
        path: an ordinary file of at most `MAX_BYTES`, in one of `FORMATS` whatever its suffix; HEIC
            with the extra ``heic``. Of an animation the first frame is taken.
        max_pixels: refuse pictures with more pixels than this, before decoding them.
        max_memory: MiB; refuse pictures whose decoding takes more, before decoding them.

    Returns:
        shape (H, W, 3), uint8, RGB, turned as the camera's EXIF orientation says.

    Raises:
        BadImageError: if the file is missing, no ordinary file, no picture, damaged or too large,
            or HEIC without the extra.

    Example:
        >>> read_rgb("nowhere.jpg")
        Traceback (most recent call last):
        mien.errors.BadImageError: no such file: nowhere.jpg
          try: check the path
    """
    with open_regular(path, MAX_BYTES) as file:
        return _decoded(file, str(path), _upright_rgb, max_pixels, max_memory)


def decode_rgb(
    data: bytes,
    name: str = "picture",
    max_pixels: int = MAX_PIXELS,
    max_memory: int = MAX_MEMORY,
) -> U8:
    """Decode the bytes of a picture file as upright RGB.

    Args:
        data: the whole file.
        name: what to call it in an error.
        max_pixels: refuse pictures with more pixels than this, before decoding them.
        max_memory: MiB; refuse pictures whose decoding takes more, before decoding them.

    Returns:
        shape (H, W, 3), uint8, RGB.

    Raises:
        BadImageError: if the bytes are no picture, damaged or too large.
    """
    return _decoded(io.BytesIO(data), name, _upright_rgb, max_pixels, max_memory)


def load_stored(data: bytes, name: str = "picture") -> tuple[Image.Image, str]:
    """Decode the bytes of a picture file, upright, grey where it is stored in grey.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Returns:
        Pillow's image, decoded, of mode ``RGB`` or ``L``; and the file's format, such as ``JPEG``,
        if it holds just these pixels, or "" if they were turned or converted.

    Raises:
        BadImageError: if the bytes are no picture, damaged or too large.
    """
    return _decoded(io.BytesIO(data), name, _stored, MAX_PIXELS, MAX_MEMORY)


def open_frames(file: IO[bytes], name: str) -> Image.Image:
    """Open an animation, whose frames are then to be read in order with ``seek``.

    Args:
        file: open for reading; the animation needs it no longer, as WebP is held as a whole.
        name: what to call it in an error.

    Returns:
        Pillow's image.

    Raises:
        BadImageError: if it is no picture, damaged or too large.
    """
    return _decoded(file, name, _itself, MAX_PIXELS, MAX_MEMORY)


def _itself(image: Image.Image) -> Image.Image:
    return image


def _decoded(file: IO[bytes], name: str, read: _Read[T], max_pixels: int, max_memory: int) -> T:
    """Open a picture and read it; whatever is wrong with it becomes one error with its name."""
    check_caps(max_pixels, max_memory)
    try:
        with quiet():  # our own cap is stricter than Pillow's warning
            formats = heif.formats(file, name) or FORMATS
            meter = MeteredFile(file, name)
            with Image.open(meter.file(), formats=tuple(formats)) as image:
                refuse_costly(image, name, meter.held(), max_pixels, max_memory)
                return read(image)
    except UnidentifiedImageError:
        fix = "give a JPEG, PNG, WebP, TIFF, BMP or GIF file"
        is_film = Path(name).suffix.lower() in FILM_SUFFIXES
        fix = f"mien video {name}, which reads videos" if is_film else fix
        raise BadImageError(f"not a picture: {name}", fix) from None
    except Image.DecompressionBombError:
        raise BadImageError(
            f"picture too large: {name} has far too many pixels, the cap is {max_pixels:,}",
            fix="shrink it",
        ) from None
    except read_errors(*_DAMAGES) as error:
        raise BadImageError(
            f"damaged picture: {name} ({error})", fix="open and save it again, or leave it out"
        ) from error


def to_rgb(image: Image.Image, max_pixels: int = MAX_PIXELS, max_memory: int = MAX_MEMORY) -> U8:
    """Convert an opened Pillow image to upright RGB.

    Args:
        image: any mode and format; left as it was.
        max_pixels: refuse pictures with more pixels than this.
        max_memory: MiB; refuse pictures that are not decoded yet and take more.

    Returns:
        shape (H, W, 3), uint8, RGB.

    Raises:
        BadImageError: if it is damaged or too large.
    """
    check_caps(max_pixels, max_memory)
    if not getattr(image, "tile", []):  # decoded already
        max_memory = sys.maxsize
    try:
        refuse_costly(image, "picture", 0, max_pixels, max_memory)
        return _upright_rgb(image)
    except read_errors(*_DAMAGES) as error:
        raise BadImageError(f"damaged picture ({error})", fix="open and save it again") from error


def _stored(image: Image.Image) -> tuple[Image.Image, str]:
    plain = image.mode in {"L", "RGB"} and "transparency" not in image.info
    if plain and _orientation(image) == 1:
        image.load()
        return image, image.format or ""
    gray = image.mode in {"L", "1"}
    rgb = _upright_rgb(image)
    return Image.fromarray(np.ascontiguousarray(rgb[..., 0]) if gray else rgb), ""


def _upright_rgb(image: Image.Image) -> U8:
    image.load()  # a TIFF is turned while it loads, and its tag goes
    if image.mode.startswith("I") or image.mode == "F":  # 16 or 32 bits a pixel
        return _filled(image, _from_deep(image))
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        return _filled(image, _over_white)
    return _filled(image, _as_rgb)


def _filled(image: Image.Image, convert: Callable[[Image.Image], U8]) -> U8:
    """Convert band by band, which takes no memory beside the result, and turn as EXIF says."""
    image.load()
    orientation = _orientation(image)
    turn, seen_stored, seen_upright = _TURNS[orientation]
    width, height = image.size if orientation < 5 else image.size[::-1]
    upright = np.empty((height, width, 3), dtype=np.uint8)
    stored = seen_stored(upright)
    for top, band in _bands(image):
        turned = band if turn is None else band.transpose(turn)
        seen_upright(stored[top : top + band.height])[:] = convert(turned)
    return upright


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield bands of whole rows, each with its first row."""
    rows = max(1, _BAND // image.width)
    if rows >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _as_rgb(band: Image.Image) -> U8:
    return np.asarray(band.convert("RGB"))


def _over_white(band: Image.Image) -> U8:
    layers = band.convert("RGBA")
    ground = Image.new("RGBA", layers.size, "white")
    return np.asarray(Image.alpha_composite(ground, layers).convert("RGB"))


def _from_deep(image: Image.Image) -> Callable[[Image.Image], U8]:
    """Scale 16 bits to 8; 32-bit values by their own maximum, as they have no set range."""
    top = 65535.0
    if not image.mode.startswith("I;16"):
        highest = max(float(_deep_values(band).max()) for _, band in _bands(image))
        if not 255 < highest <= 65535:
            top = max(highest, 1.0 if image.mode == "F" else 255.0)

    def convert(band: Image.Image) -> U8:
        gray = (_deep_values(band).clip(0, top) * (255 / top)).round().astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2)

    return convert


def _deep_values(band: Image.Image) -> npt.NDArray[np.generic]:
    return np.nan_to_num(np.asarray(band).astype(np.float64), posinf=0, neginf=0)


def _orientation(image: Image.Image) -> int:
    try:
        orientation: int = image.getexif().get(ExifTags.Base.Orientation, 1)
    except read_errors(*_DAMAGES):  # of the block alone: the pixels may be whole
        return 1
    return orientation if orientation in _TURNS else 1


_View = Callable[[U8], U8]


def _same(pixels: U8) -> U8:
    return pixels


def _mirrored(pixels: U8) -> U8:
    return pixels[:, ::-1]


def _half_turned(pixels: U8) -> U8:
    return pixels[::-1, ::-1]


def _flipped(pixels: U8) -> U8:
    return pixels[::-1]


def _transposed(pixels: U8) -> U8:
    return pixels.swapaxes(0, 1)


def _turned_left(pixels: U8) -> U8:
    return pixels.swapaxes(0, 1)[::-1]


def _turned_right(pixels: U8) -> U8:
    return pixels.swapaxes(0, 1)[:, ::-1]


def _transversed(pixels: U8) -> U8:
    return pixels[::-1, ::-1].swapaxes(0, 1)


_Turn = Image.Transpose
# ImageOps.exif_transpose also rewrites the EXIF, and fails on odd ones.
# EXIF orientation: what turns the stored picture upright; views from upright to stored and back.
_TURNS: dict[int, tuple[Image.Transpose | None, _View, _View]] = {
    1: (None, _same, _same),
    2: (_Turn.FLIP_LEFT_RIGHT, _mirrored, _mirrored),
    3: (_Turn.ROTATE_180, _half_turned, _half_turned),
    4: (_Turn.FLIP_TOP_BOTTOM, _flipped, _flipped),
    5: (_Turn.TRANSPOSE, _transposed, _transposed),
    6: (_Turn.ROTATE_270, _turned_left, _turned_right),
    7: (_Turn.TRANSVERSE, _transversed, _transversed),
    8: (_Turn.ROTATE_90, _turned_right, _turned_left),
}
