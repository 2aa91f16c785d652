"""HEIC pictures, as phones store them: read where the extra ``heic`` is installed, else named.

Pillow has no decoder of its own for them.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import IO

from mien.errors import BadImageError

__all__ = ["formats"]

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def formats(file: IO[bytes], name: str) -> tuple[str, ...]:
    """Return the format to open a file with, if it is an HEIC picture.

    Args:
        file: at its start, and left there.
        name: what to call it in an error.

    Returns:
        ("HEIF",), or () for every other file, AVIF among them.

    Raises:
        BadImageError: if it is one and the extra is not installed.
    """
    start = file.read(64)
    file.seek(0)
    if start[4:8] != b"ftyp" or not _is_heic(start):
        return ()
    if find_spec("pillow_heif") is None:
        raise BadImageError(
            f"HEIC picture: {name} needs the heic extra", fix='pip install "mien[heic]"'
        )
    import_module("pillow_heif").register_heif_opener()
    return ("HEIF",)


def _is_heic(start: bytes) -> bool:
    """Tell by the brands; ``mif1`` may also be an AVIF, which says so among its brands."""
    size = min(int.from_bytes(start[:4], "big"), len(start))
    brands = {start[8:12], *(start[i : i + 4] for i in range(16, size - 3, 4))}
    return bool(brands & _BRANDS) and not brands & {b"avif", b"avis"}
