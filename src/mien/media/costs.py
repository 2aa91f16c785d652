"""What a picture costs: bytes of its file, pixels, memory while it is decoded.

All are known from the file's size and its header, so what costs too much is refused before it is
decoded. With its libraries and model mien takes about 150 MiB; with the most that decoding may take
it stays below 600 MiB. Opens nothing.
"""

import io
from numbers import Real
from typing import IO, Any, cast

from PIL import Image, TiffImagePlugin

from mien.errors import BadImageError, BadSettingError

__all__ = ["MAX_BYTES", "MAX_MEMORY", "MAX_PIXELS", "MeteredFile", "check_caps", "refuse_costly"]

MAX_BYTES = 256 * 2**20  # of a file: more is refused before a byte is read
MAX_PIXELS = 100_000_000  # more is refused before it is decoded
MAX_MEMORY = 432  # MiB that decoding may take: a colour photograph of 64 million pixels
_MAX_HEADER = 64 * 2**20  # bytes of a file that Pillow may hold: metadata, or all of a WebP
_SMALL = 2**20  # bytes of a file that need not be counted as they are read
_MIB = 2**20
_RESULT = 3  # bytes a pixel, of the (H, W, 3) array
_KEPT = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # else 4, by mode
_LIFTED = 12  # bytes a pixel that a cap in pixels above the usual one allows
# Bytes a pixel that a decoder holds beside Pillow's pixels, the worst case measured.
_DECODERS = {"WEBP": 10, "AVIF": 10, "HEIF": 10, "JPEG2000": 20, "GIF": 2}
_MOST = 32  # bytes a pixel that no format exceeds but TIFF, whose tiles may exceed the picture
_PYTHON = 12  # the same for decoders that are written in Python


class MeteredFile:
    """A file that Pillow opens, and how much of it Pillow read before decoding."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Begin to count.

        Args:
            file: open for reading.
            name: what to call it in an error.
        """
        self._file, self._name = file, name
        self._size = file.seek(0, io.SEEK_END)
        self._count = 0
        self._decoding = False
        file.seek(0)

    def file(self) -> IO[bytes]:
        """Return what Pillow shall open: itself, or the file if it is too small to be counted."""
        return self._file if self._size <= _SMALL else cast("IO[bytes]", self)

    def read(self, size: int | None = -1) -> bytes:
        """Read as the file does.

        Args:
            size: bytes; all that are left if it is negative or None.

        Returns:
            The bytes.

        Raises:
            BadImageError: if Pillow would hold too much.
        """
        room = _MAX_HEADER - (0 if self._decoding else self._count)
        data = self._file.read(room + 1 if size is None or not 0 <= size <= room else size)
        if len(data) > room:
            raise BadImageError(
                f"picture too large: {self._name} has more than {_MAX_HEADER // _MIB} MiB of "
                "metadata or compressed pixels",
                fix="save it again without layers and metadata",
            )
        self._count += len(data)
        return data

    def held(self) -> int:
        """Return the bytes read so far; what follows is decoded as it is read."""
        self._decoding = True
        return self._count if self._size > _SMALL else self._size

    def __getattr__(self, name: str) -> Any:
        """Everything else is the file's own: seek, tell, fileno."""
        return getattr(self._file, name)


def check_caps(max_pixels: object, max_memory: object) -> None:
    """Refuse caps that are no numbers, before anything is said of a picture.

    Args:
        max_pixels: as for `refuse_costly`.
        max_memory: the same.

    Raises:
        BadSettingError: if one is no number above 0.
    """
    for name, cap, usual in (
        ("max_pixels", max_pixels, MAX_PIXELS),
        ("max_memory", max_memory, MAX_MEMORY),
    ):
        if not (isinstance(cap, Real) and float(cap) > 0):
            raise BadSettingError(
                f"{name} must be a number above 0, got {cap!r}",
                fix=f"leave it out for {usual:,}, or give a larger one",
            )


def refuse_costly(
    image: Image.Image, name: str, held: int, max_pixels: int, max_memory: int
) -> None:
    """Refuse a picture by its header.

    Args:
        image: opened; its memory counts only if it is not decoded yet.
        name: what to call it in an error.
        held: bytes of the file that are in memory.
        max_pixels: refuse more.
        max_memory: MiB; refuse pictures whose decoding takes more. A cap in pixels above
            `MAX_PIXELS` lifts it too.

    Raises:
        BadImageError: if it has no pixels, or is too large.
    """
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise BadImageError(
            f"picture too large: {name} has {image.width}x{image.height} pixels, "
            f"the cap is {max_pixels:,}",
            fix="shrink it, or raise the cap with --max-pixels",
        )
    if pixels == 0:
        raise BadImageError(
            f"empty picture: {name} has {image.width}x{image.height} pixels", "leave it out"
        )
    if max_pixels > MAX_PIXELS:
        max_memory = max(max_memory, max_pixels * _LIFTED // _MIB)
    cap = max_memory * _MIB
    if image.format != "TIFF" and held + pixels * _MOST <= cap:
        return
    needed = -(-(held + _decoding_bytes(image)) // _MIB)
    if needed > max_memory:
        raise BadImageError(
            f"picture too large: {name} has {image.width}x{image.height} pixels of kind "
            f"{image.mode} and takes {needed} MiB to decode, the cap is {max_memory}",
            fix=f"shrink it, or raise the cap with --max-memory {needed}",
        )


def _decoding_bytes(image: Image.Image) -> int:
    pixels = image.width * image.height
    tiles: list[Any] = getattr(image, "tile", [])
    if not tiles and image.format not in _DECODERS:
        return 0
    kept = _KEPT.get(image.mode, 4)
    codec = str(tiles[0][0]) if tiles else ""
    if image.format in _DECODERS:  # held until the picture is closed
        return pixels * (kept + _RESULT + _DECODERS[image.format])
    if codec in Image.DECODERS:
        return pixels * (kept + _RESULT + _PYTHON)
    if codec == "jpeg":
        return pixels * kept + max(pixels * _RESULT, _coefficients(image))
    if codec == "libtiff":
        return pixels * kept + max(pixels * _RESULT, _strip(image))
    return pixels * (kept + _RESULT)


def _coefficients(image: Any) -> int:
    """Bytes of the coefficients of a JPEG in several scans, which are kept until the last."""
    shares = [across * down for _, across, down, _ in image.layer]
    if not shares or not ("progressive" in image.info or not _in_one_scan(image)):
        return 0
    return int(2 * image.width * image.height * sum(shares) // max(shares))


def _in_one_scan(image: Any) -> bool:
    """Tell whether the scan that Pillow stopped behind has all components of the picture."""
    count = len(image.layer)
    length = 6 + 2 * count
    here = image.fp.tell()
    image.fp.seek(max(0, here - length - 2))
    start = image.fp.read(5)
    image.fp.seek(here)
    return bool(start == b"\xff\xda" + length.to_bytes(2, "big") + bytes([count]))


def _strip(image: Any) -> int:
    """Bytes of a strip or tile of a TIFF, compressed and not; a tile may exceed the picture."""
    tags = image.tag_v2
    bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    samples = max(len(bits), tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
    if TiffImagePlugin.TILEWIDTH in tags:
        pixels = tags[TiffImagePlugin.TILEWIDTH] * tags.get(TiffImagePlugin.TILELENGTH, 1)
    else:
        rows = tags.get(TiffImagePlugin.ROWSPERSTRIP, image.height)
        pixels = image.width * min(rows, image.height)
    each = max(4, samples * max(bits) // 8)
    jpeg = "jpeg" in image.info.get("compression", "")
    return int(pixels * (2 * each + (2 * samples if jpeg else 0)))
