"""Open a picture safely and find pictures under a folder.

Whatever the file holds (grey, palette, alpha, 16 bits, CMYK, many frames, a camera's rotation),
the rest of mien sees one thing: an (H, W, 3) uint8 RGB array, upright. Knows nothing of faces.
"""

import io
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from mien.errors import BadImageError
from mien.pixels import U8

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "decode_rgb",
    "decode_stored",
    "find_pictures",
    "read_rgb",
    "to_rgb",
]

T = TypeVar("T")
MAX_PIXELS = 100_000_000  # 300 MB as RGB: more is refused before it is decoded
SUFFIXES = frozenset({
    ".jpg",
    ".jpeg",
    ".png",
    ".bmp",
    ".webp",
    ".tif",
    ".tiff",
    ".gif",
    ".ppm",
    ".pgm",
    ".avif",
})
# What Pillow's readers raise on damaged files.
_DAMAGES = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF orientation


def read_rgb(path: str | Path, max_pixels: int = MAX_PIXELS) -> U8:
    """Read a picture file as upright RGB.

    Args:
        path: the file; of an animation the first frame is taken.
        max_pixels: refuse pictures with more pixels than this, before decoding them.

    Returns:
        shape (H, W, 3), uint8, RGB, turned as the camera's EXIF orientation says.

    Raises:
        BadImageError: if the file is missing, no picture, damaged or too large.

    Example:
        >>> read_rgb("nowhere.jpg")
        Traceback (most recent call last):
        mien.errors.BadImageError: no such file: nowhere.jpg
          try: check the path
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise BadImageError(f"no such file: {path}", fix="check the path") from None
    except OSError as error:
        reason = error.strerror or error
        raise BadImageError(f"cannot read {path}: {reason}", fix="check the path") from error
    return decode_rgb(data, str(path), max_pixels)


def decode_rgb(data: bytes, name: str = "picture", max_pixels: int = MAX_PIXELS) -> U8:
    """Decode the bytes of a picture file as upright RGB.

    Args:
        data: the whole file.
        name: what to call it in an error.
        max_pixels: refuse pictures with more pixels than this, before decoding them.

    Returns:
        shape (H, W, 3), uint8, RGB.

    Raises:
        BadImageError: if the bytes are no picture, damaged or too large.
    """
    return _decoded(data, name, max_pixels, _upright_rgb)


def decode_stored(data: bytes, name: str = "picture") -> tuple[U8, str]:
    """Decode the bytes of a picture file, upright, grey where it is stored in grey.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Returns:
        shape (H, W, 3) RGB or (H, W), uint8; and the file's format, such as ``JPEG``, if it holds
        just these pixels, or "" if they were turned or converted.

    Raises:
        BadImageError: if the bytes are no picture, damaged or too large.
    """
    return _decoded(data, name, MAX_PIXELS, _stored)


def _decoded(
    data: bytes, name: str, max_pixels: int, read: Callable[[Image.Image, str, int], T]
) -> T:
    """Open a picture and read it; whatever is wrong with it becomes one error with its name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own cap below is stricter than Pillow's warning
            with Image.open(io.BytesIO(data)) as image:
                return read(image, name, max_pixels)
    except UnidentifiedImageError:
        raise BadImageError(
            f"not a picture: {name}", fix="give a JPEG, PNG, WebP, TIFF, BMP or GIF file"
        ) from None
    except Image.DecompressionBombError:
        raise BadImageError(*_too_large(name, "far too many", max_pixels)) from None
    except _DAMAGES as error:
        raise BadImageError(
            f"damaged picture: {name} ({error})", fix="open and save it again, or leave it out"
        ) from error


def to_rgb(image: Image.Image, max_pixels: int = MAX_PIXELS) -> U8:
    """Convert an opened Pillow image to upright RGB.

    Args:
        image: any mode; left as it was.
        max_pixels: refuse pictures with more pixels than this.

    Returns:
        shape (H, W, 3), uint8, RGB.

    Raises:
        BadImageError: if it is damaged or too large.
    """
    try:
        return _upright_rgb(image, "picture", max_pixels)
    except _DAMAGES as error:
        raise BadImageError(f"damaged picture ({error})", fix="open and save it again") from error


def _stored(image: Image.Image, name: str, max_pixels: int) -> tuple[U8, str]:
    plain = image.mode in {"L", "RGB"} and "transparency" not in image.info
    if plain and 0 < image.width * image.height <= max_pixels and _orientation(image) == 1:
        return np.asarray(image), image.format or ""
    gray = image.mode in {"L", "1"}
    rgb = _upright_rgb(image, name, max_pixels)
    return np.ascontiguousarray(rgb[..., 0]) if gray else rgb, ""


def _upright_rgb(image: Image.Image, name: str, max_pixels: int) -> U8:
    width, height = image.size
    if width * height > max_pixels:
        raise BadImageError(*_too_large(name, f"{width}x{height}", max_pixels))
    if width * height == 0:
        raise BadImageError(f"empty picture: {name} has {width}x{height} pixels", "leave it out")
    upright = _turned(image)
    if upright.mode.startswith("I") or upright.mode == "F":  # 16 or 32 bits a pixel
        return _deep_to_rgb(np.asarray(upright), upright.mode)
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        layers = upright.convert("RGBA")
        ground = Image.new("RGBA", layers.size, "white")
        upright = Image.alpha_composite(ground, layers)
    return np.array(upright.convert("RGB"))


def _turned(image: Image.Image) -> Image.Image:
    """Turn as EXIF says; ImageOps.exif_transpose also rewrites the EXIF, and fails on odd ones."""
    image.load()  # a TIFF is turned while it loads, and its tag goes
    turn = _TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    orientation: int = image.getexif().get(ExifTags.Base.Orientation, 1)
    return orientation


def _deep_to_rgb(values: npt.NDArray[np.generic], mode: str) -> U8:
    """Scale 16 bits to 8; 32-bit values by their own maximum, as they have no set range."""
    deep = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    if mode.startswith("I;16") or (deep.max() <= 65535 and deep.max() > 255):
        top = 65535.0
    else:
        top = max(float(deep.max()), 1.0 if mode == "F" else 255.0)
    gray = (deep.clip(0, top) * (255 / top)).round().astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def _too_large(name: str, size: str, max_pixels: int) -> tuple[str, str]:
    """Return the message and its next step."""
    return (
        f"picture too large: {name} has {size} pixels, the cap is {max_pixels:,}",
        "shrink it, or raise the cap with --max-pixels",
    )


def find_pictures(paths: Iterable[str | Path]) -> Iterator[Path]:
    """List the picture files that paths name, walking folders in the order of their names as text.

    Args:
        paths: files, given as they are whatever their suffix, and folders, walked.

    Yields:
        Each file, folders' files by suffix only; hidden files are left out.

    Raises:
        BadImageError: if a path does not exist.
    """
    for path in map(Path, paths):
        if path.is_dir():
            for file in sorted(path.rglob("*"), key=Path.as_posix):
                hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
                if file.suffix.lower() in SUFFIXES and not hidden and file.is_file():
                    yield file
        elif path.exists():
            yield path
        else:
            raise BadImageError(f"no such file or folder: {path}", fix="check the path")
