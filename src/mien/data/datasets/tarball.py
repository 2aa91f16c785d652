"""The files of a .tar, packed by gzip, bzip2 or xz or not at all: where each begins and ends.

A packed one is unpacked once to a temporary file without a name, which is gone when it is closed,
so that its files can be read in any order. Nothing in it is obeyed: no link is followed, no file is
made. Knows no dataset.
"""

import tarfile
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from mien.data.datasets.listing import Problem
from mien.errors import BadDataError

__all__ = ["Tarball", "is_tarball"]

_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}
_MARK = slice(257, 262)  # where a .tar says so
_STEP = 2**20  # bytes unpacked at once
_PLAIN = 2**26  # bytes of a packed .tar that may grow as much as it likes; more, only
_BOMB = 200  # so many times
_HEADER = 2**20  # bytes of a header; a name has at most 4096


@dataclass(slots=True)
class Tarball:
    """The files of a .tar.

    Attributes:
        file: the .tar itself, unpacked; to be closed.
        entries: name as written, and the first byte and size of its content in `file`.
        left_out: links, what is no file, and files with holes.
    """

    file: IO[bytes]
    entries: list[tuple[str, int, int]] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)

    @staticmethod
    def open(path: Path) -> "Tarball":
        """Unpack a .tar where it is packed, and list its files.

        Args:
            path: of the .tar.

        Returns:
            Its files, in their order.

        Raises:
            BadDataError: if it grows beyond measure, or there is no room for it.
            OSError: if it cannot be read.
            ValueError: if it is damaged, or no .tar.
        """
        module = _packing(path)
        file = _unpacked(path, module) if module else path.open("rb")
        try:
            ball = Tarball(file)
            with tarfile.open(fileobj=cast("IO[bytes]", _Bounded(file)), mode="r:") as members:
                for member in members:
                    ball._add(member)
        except (tarfile.TarError, EOFError) as error:
            file.close()
            raise ValueError(str(error)) from error
        except BaseException:
            file.close()
            raise
        return ball

    def _add(self, member: tarfile.TarInfo) -> None:
        if member.isdir():
            return
        if member.issym() or member.islnk():
            reason = Problem(member.name, "link", "unpack it and give the folder")
        elif not member.isreg():
            reason = Problem(member.name, "no ordinary file")
        elif member.sparse is not None:
            reason = Problem(member.name, "file with holes", "unpack it and give the folder")
        else:
            self.entries.append((member.name, member.offset_data, member.size))
            return
        self.left_out.append(reason)


def is_tarball(path: Path) -> bool:
    """Tell whether a file begins like a .tar, packed or not.

    Args:
        path: of the file.

    Returns:
        True by its content, whatever its name.

    Raises:
        OSError: if it cannot be read.
    """
    start = _start(path)
    return bool(_packing(path)) or (start[_MARK] == b"ustar" and not start.startswith(b"PK"))


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MARK.stop)


def _packing(path: Path) -> str:
    """The module that unpacks a file; "" if it is not packed."""
    start = _start(path)
    return next((module for mark, module in _PACKED.items() if start.startswith(mark)), "")


def _unpacked(path: Path, module: str) -> IO[bytes]:
    most = max(_PLAIN, _BOMB * path.stat().st_size)
    file = _room()
    try:
        with import_module(module).open(path, "rb") as packed:
            while data := packed.read(_STEP):
                if file.tell() + len(data) > most:
                    raise BadDataError(
                        f"{path} grows to more than {most:,} bytes when it is unpacked",
                        fix="unpack it and give the folder",
                    )
                _keep(file, data, path)
        file.seek(0)
    except EOFError as error:
        file.close()
        raise ValueError(str(error)) from error
    except BaseException:
        file.close()
        raise
    return file


def _room() -> IO[bytes]:
    file: IO[bytes] = TemporaryFile(prefix="mien-")  # noqa: SIM115 (closed with the tarball)
    return file


def _keep(file: IO[bytes], data: bytes, path: Path) -> None:
    try:
        file.write(data)
    except OSError as error:
        raise BadDataError(
            f"no room to unpack {path}: {error.strerror or error}",
            fix="name a folder with more room in TMPDIR, or unpack it and give the folder",
        ) from error


class _Bounded:
    """A file of which at most a header is read at once, whatever size that claims to have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._file.read(size)
