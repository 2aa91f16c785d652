"""Open an ordinary file of bounded size: nothing else that a path may name is read.

A device gives bytes without end, a pipe makes its reader wait. Knows nothing of pictures.
"""

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mien.errors import BadImageError

__all__ = [
    "is_dir",
    "is_store_address",
    "is_there",
    "open_regular",
    "outwait",
    "read_errors",
    "real_path",
]

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# What a disk in a network says once and not again.
_PASSING = {
    getattr(errno, name, None)  # not every system has them all
    for name in ("EIO", "ESTALE", "ETIMEDOUT", "EAGAIN", "ECONNRESET", "ENETUNREACH", "EREMOTEIO")
} - {None}
# What the open files of Python's own modules raise about damage, beside the usual errors.
_OWN_ERRORS = {
    "http.client": "HTTPException",
    "lzma": "LZMAError",
    "tarfile": "TarError",
    "zipfile": "BadZipFile",
    "zlib": "error",
}
_WAIT_S = 1.0  # before a disk that failed is asked again
# Without waiting, should a pipe have taken the place of the file; bytes as they are, on Windows.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def open_regular(path: str | Path, max_bytes: int) -> Iterator[BinaryIO]:
    """Open an ordinary file for reading, if it is not too large.

    Args:
        path: of the file, or a link to it.
        max_bytes: refuse larger files, before a byte is read.

    Yields:
        The file, closed when the block ends.

    Raises:
        BadImageError: if there is none, it cannot be opened, is no ordinary file or too large.
    """
    if not str(path):
        raise BadImageError("an empty path was given", fix="give the path of a file")
    try:
        _refuse_special(path, Path(path).stat(), max_bytes)
        file = os.fdopen(os.open(path, _FLAGS), "rb")
    except FileNotFoundError:
        fix = (
            "download it first: addresses are not opened"
            if "://" in str(path)
            else "check the path"
        )
        raise BadImageError(f"no such file: {path}", fix) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BadImageError(f"cannot read {path}: {_reason(error)}", "check the path") from error
    with file:
        _refuse_special(path, os.fstat(file.fileno()), max_bytes)
        yield file


def _refuse_special(path: str | Path, status: os.stat_result, max_bytes: int) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        what = _KINDS.get(kind, "no file")
        raise BadImageError(
            f"cannot read {path}: it is {what}", fix="give an ordinary file; save it first"
        )
    if status.st_size > max_bytes:
        raise BadImageError(
            f"file too large: {path} has {status.st_size:,} bytes, the cap is {max_bytes:,}",
            fix="shrink it, or save it in a format that compresses",
        )


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def read_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what reading an open file may raise: one on a disk, in an archive, compressed.

    For an ``except``, which asks once something was raised: of what is not imported, nothing was.

    Args:
        others: that are to be caught with them.

    Returns:
        The types.
    """
    loaded = [(sys.modules.get(module), name) for module, name in _OWN_ERRORS.items()]
    own = (getattr(module, name) for module, name in loaded if module)
    # RuntimeError: an archive wants a password
    return OSError, EOFError, RuntimeError, ValueError, *own, *others


def outwait(error: BaseException | None) -> bool:
    """Tell whether a disk may not say the same when it is asked again; if so, wait a second.

    Args:
        error: what it said.

    Returns:
        True for an I/O error, a stale handle and the like.

    Example:
        >>> outwait(OSError(errno.EIO, "Input/output error")), outwait(FileNotFoundError())
        (True, False)
    """
    if getattr(error, "errno", None) not in _PASSING:
        return False
    time.sleep(_WAIT_S)
    return True


def is_there(path: Path) -> bool:
    """Tell whether something has a name.

    Args:
        path: any text.

    Returns:
        True if there is; False also if it cannot be asked, as where a name is too long.
    """
    try:
        return path.exists()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False


def is_dir(path: Path) -> bool:
    """Tell whether a path is a folder; one that cannot be looked at is none.

    Args:
        path: any, also one that is too long or leads in a circle.

    Returns:
        True for a folder or a link to one.
    """
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def real_path(path: Path) -> Path:
    """Follow every link in a path; one that leads in a circle or is too long stays as it is.

    Args:
        path: any; it need not exist.

    Returns:
        An absolute path, equal for all names of one place.
    """
    return Path(os.path.realpath(path))


def is_store_address(name: str | Path) -> bool:
    """Tell whether a name is the address of an object store, and no path.

    Args:
        name: as it was given.

    Returns:
        True for what has a scheme in front.

    Example:
        >>> is_store_address("s3://bucket/photos"), is_store_address("photos")
        (True, False)
    """
    return "://" in str(name)
