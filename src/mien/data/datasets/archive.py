"""A dataset as downloaded, a .zip or the folder it was unpacked to: the one gate to its files.

Nothing passes beside it: what is damaged, locked, packed in an unknown way or too large is one
error with the file's name, before it fills the memory; a name that leads out of the archive, a
link and what is no file are left out and named. Nothing is ever written to the archive. Decodes no
picture, knows no dataset; how names become labels is in layouts.py and csv_tables.py.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from mien.data.datasets.listing import Problem
from mien.data.datasets.walk import list_folder
from mien.errors import BadDataError, BadImageError
from mien.media.costs import MAX_BYTES
from mien.media.folders import SUFFIXES

__all__ = ["Archive", "is_picture"]

_BOMB = 200  # a file may be so many times as large as it is packed,
_PLAIN = 2**26  # if it has more than so many bytes
_LIST = 2**28  # bytes of a .zip's list of files, which Python reads at once
# Packed bytes from which zipfile unpacks all at once; 46 MB may be in one block of bzip2.
_STEPS = {zipfile.ZIP_BZIP2: 64, zipfile.ZIP_LZMA: 4096}
_UTF8 = 0x800  # flag of an entry whose name is said to be UTF-8
_DOS = frozenset({0, 10})  # systems that separate folders by backslashes
_TAIL = 65_535 + 22 + 76  # bytes that the end of a .zip may take
# Python may have been built without lzma; then zipfile says so, with a RuntimeError.
_LZMA: tuple[type[Exception], ...] = (
    (import_module("lzma").LZMAError,) if find_spec("_lzma") else ()
)
# What zipfile and its decompressors raise on damaged, locked and unknown files.
# First: a password, or a compression that Python does not know.
_LOCKED: tuple[type[Exception], ...] = (RuntimeError, ImportError)
_DAMAGES: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    OverflowError,
    ValueError,
    struct.error,
    *_LZMA,
)


class Archive:
    """Names and bytes of the files in a .zip or a folder.

    Attributes:
        path: the .zip or folder.
        names: of its files, sorted, each once, with forward slashes.
        repeated: names that a .zip holds more than once; the last file of a name is read.
        left_out: what is there and cannot be read: names that lead out of the archive, links to
            folders, folders that may not be read, what is no file; the repeated names, too.
    """

    def __init__(self, path: str | Path) -> None:
        """Open it.

        Args:
            path: a .zip or a folder.

        Raises:
            BadDataError: if it is neither, may not be read, or the .zip is damaged.
        """
        self.path = Path(path)
        self.names: list[str] = []
        self.repeated: list[str] = []
        self.left_out: list[Problem] = []
        self._zip: zipfile.ZipFile | None = None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        try:
            is_folder, is_file = self.path.is_dir(), self.path.is_file()
            if is_folder:
                self.names, self.left_out = list_folder(self.path)
            elif is_file:
                self._zip = _open_zip(self.path)
            elif self.path.exists():
                raise BadDataError(f"{path} is no file and no folder", fix="give a .zip or folder")
            else:
                raise BadDataError(f"no such file or folder: {path}", fix="check the path")
        except (*_LOCKED, *_DAMAGES) as error:
            what = "is no whole .zip" if self.path.suffix else "cannot be read"
            raise BadDataError(
                f"{path} {what} ({error})", fix="download it again, or unpack it"
            ) from error
        if self._zip is not None:
            self._list_entries(self._zip.infolist())
        self.names.sort()

    def _list_entries(self, entries: list[zipfile.ZipInfo]) -> None:
        repeated = set()
        for entry in entries:
            name = _name_of(entry)
            if name.endswith("/"):
                continue
            if stat.S_ISLNK(entry.external_attr >> 16):
                self.left_out.append(Problem(name, "link", "unpack it and give the folder"))
            elif ".." in name.split("/"):
                self.left_out.append(Problem(name, "unsafe name", "leads out of the archive"))
            else:
                repeated.update({name} & self._entries.keys())
                self._entries[name] = entry
        self.names = list(self._entries)
        self.repeated = sorted(repeated)
        detail = "the last file of this name was read"
        self.left_out += [Problem(name, "repeated name", detail) for name in self.repeated]

    def read(self, name: str) -> bytes:
        """Return the bytes of one file.

        Args:
            name: one of `names`.

        Returns:
            The whole file.

        Raises:
            BadImageError: if the file is damaged in the archive, locked, unreadable, or larger
                than `MAX_BYTES`.
        """
        with _as_error(BadImageError, name):
            size = self._size(name)
            if size > MAX_BYTES:
                raise BadImageError(
                    f"too large: {name} has {size:,} bytes, the cap is {MAX_BYTES:,}",
                    fix="leave it out, or shrink it",
                )
            if self._zip is None:
                return (self.path / name).read_bytes()
            with self._unpack(self._zip, name) as file:
                step = _STEPS.get(self._entries[name].compress_type, max(size, 1))
                data = b"".join(iter(lambda: file.read(step), b""))
            if len(data) != size:
                raise BadImageError(
                    f"damaged in the archive: {name} ({len(data):,} of {size:,} bytes)",
                    fix="download the archive again",
                )
            return data

    def open(self, name: str) -> IO[bytes]:
        """Open one file as a stream, which raises the same errors as this function.

        Args:
            name: one of `names`.

        Returns:
            A binary stream, to be closed by the caller.

        Raises:
            BadDataError: if the file is damaged in the archive, locked or unreadable.
        """
        with _as_error(BadDataError, name):
            self._size(name)
            if self._zip is None:
                return io.BufferedReader(_Stream((self.path / name).open("rb"), name, 0))
            step = _STEPS.get(self._entries[name].compress_type, 0)
            return io.BufferedReader(_Stream(self._unpack(self._zip, name), name, step))

    def _unpack(self, file: zipfile.ZipFile, name: str) -> zipfile.ZipExtFile:
        """Open an entry so that little is unpacked at a time, whatever size it claims to have."""
        entry = self._entries[name]
        stream = cast("zipfile.ZipExtFile", file.open(entry))
        stream.MIN_READ_SIZE = _STEPS.get(entry.compress_type, stream.MIN_READ_SIZE)
        return stream

    def _size(self, name: str) -> int:
        """Count a file's bytes; what grows beyond measure when it is unpacked is damaged."""
        if self._zip is None:
            return (self.path / name).stat().st_size
        packed, size = self._entries[name].compress_size, self._entries[name].file_size
        if size > max(_PLAIN, _BOMB * packed):
            raise zipfile.BadZipFile(f"{packed:,} bytes would become {size:,}")
        return size

    def __enter__(self) -> "Archive":
        """Return itself; leaving the block closes the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._zip is not None:
            file = self._zip.fp
            self._zip.close()
            if file is not None:  # one that was opened for it stays open
                file.close()


class _Stream(io.RawIOBase):
    """A file of an archive whose every error is ours."""

    def __init__(self, stream: io.BufferedIOBase, name: str, step: int) -> None:
        self._stream, self._name, self._step = stream, name, step

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self._step or len(buffer))
        with _as_error(BadDataError, self._name):
            data = self._stream.read(count)
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        with _as_error(BadDataError, self._name):
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def _as_error(kind: type[BadDataError] | type[BadImageError], name: str) -> Iterator[None]:
    """Turn what goes wrong with one file into one error with its name."""
    try:
        yield
    except _LOCKED as error:
        raise kind(
            f"locked in the archive: {name} ({error})", fix="unpack it and give the folder"
        ) from error
    except _DAMAGES as error:
        raise kind(
            f"damaged in the archive: {name} ({error})", fix="download the archive again"
        ) from error


def _name_of(entry: zipfile.ZipInfo) -> str:
    """An entry's name with forward slashes, from the archive's root; a folder's ends in one."""
    name = entry.filename
    if not entry.flag_bits & _UTF8:  # zipfile takes it for CP437; many programs write UTF-8
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    if entry.create_system in _DOS or "/" not in name:
        name = name.replace("\\", "/")
    parts = re.sub(r"^[A-Za-z]:/", "", name).split("/")
    kept = "/".join(part for part in parts if part not in {"", "."})
    return f"{kept}/" if not kept or name.endswith("/") else kept


def _open_zip(path: Path) -> zipfile.ZipFile:
    _refuse_long_list(path)
    try:
        return zipfile.ZipFile(path)
    except UnicodeDecodeError:  # a name is not the UTF-8 that it is said to be
        return zipfile.ZipFile(_Renamed(path))


def _refuse_long_list(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(max(file.seek(0, io.SEEK_END) - _TAIL, 0))
        tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 22:
        return  # zipfile will say so
    [size] = struct.unpack_from("<L", tail, end + 12)
    if tail[max(end - 76, 0) :].startswith(b"PK\6\6"):  # a .zip of more than 4 GB or 65,535 files
        [size] = struct.unpack_from("<Q", tail, end - 76 + 40)
    if size > _LIST:
        raise BadDataError(
            f"{path} lists its files in {size:,} bytes, the cap is {_LIST:,}",
            fix="unpack it and give the folder",
        )


class _Renamed(io.FileIO):
    """A .zip of which no name that is not UTF-8 is said to be so."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = bytearray(super().read(-1 if size is None else size) or b"")
        place = 0
        while data.startswith(b"PK\1\2", place) and len(data) >= place + 46:  # the list of files
            lengths = struct.unpack_from("<HHH", data, place + 28)
            self._mend(data, place + 8, data[place + 46 : place + 46 + lengths[0]])
            place += 46 + sum(lengths)
        if data.startswith(b"PK\3\4") and len(data) == 30:  # what lies before a file
            after = self.tell()
            self._mend(data, 6, super().read(int.from_bytes(data[26:28], "little")) or b"")
            self.seek(after)
        return bytes(data)

    @staticmethod
    def _mend(data: bytearray, flags: int, name: bytes | bytearray) -> None:
        try:
            name.decode("utf-8")
        except UnicodeDecodeError:
            data[flags + 1] &= ~(_UTF8 >> 8) & 0xFF


def is_picture(name: str) -> bool:
    """Tell whether a name ends like a picture's and is no system file.

    Args:
        name: path inside an archive.

    Returns:
        True for pictures; False for ``__MACOSX`` leftovers, hidden files and everything else.
    """
    parts = name.split("/")
    stem, _, suffix = parts[-1].rpartition(".")
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return bool(stem) and f".{suffix.lower()}" in SUFFIXES and not hidden
