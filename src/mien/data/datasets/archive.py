"""A dataset as downloaded, a .zip, a .tar.gz or a folder: the one gate to its files.

Nothing passes beside it: what is damaged, locked, packed in an unknown way or too large is one
error with the file's name, before it fills the memory; a name that leads out of the archive, a
link and what is no file are left out and named. Nothing is ever written to the archive. Decodes no
picture, knows no dataset; how names become labels is in layouts.py and csv_tables.py.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar, cast

from mien.data.datasets.listing import Problem
from mien.data.datasets.members import (
    AGAIN,
    LOCKED,
    Kind,
    as_error,
    damages,
    part_of,
    stream_of,
)
from mien.data.datasets.tarball import Tarball, is_tarball
from mien.data.datasets.walk import list_folder
from mien.data.datasets.zip_list import clean_name, name_of, open_zip, read_plain
from mien.errors import BadDataError, BadImageError
from mien.media.costs import MAX_BYTES
from mien.media.folders import SUFFIXES

__all__ = ["Archive", "is_hidden", "is_picture"]

T = TypeVar("T")
_BOMB = 200  # a file may be so many times as large as it is packed,
_PLAIN = 2**26  # if it has more than so many bytes
# Packed bytes from which zipfile unpacks all at once; 46 MB may be in one block of bzip2.
_STEPS = {zipfile.ZIP_BZIP2: 64, zipfile.ZIP_LZMA: 4096}
_BLOCK = 2**20  # bytes read at once for a checksum


class Archive:
    """Names and bytes of the files in a .zip, a .tar, packed or not, or a folder.

    Attributes:
        path: the .zip, .tar or folder.
        names: of its files, sorted, each once, with forward slashes.
        left_out: what is there and cannot be read: names that lead out of the archive, links to
            folders, folders that may not be read, what is no file; and each name that is there
            more than once, of which the last file is read.
    """

    def __init__(self, path: str | Path) -> None:
        """Open it.

        Args:
            path: a .zip, a .tar, a .tar.gz, .tar.bz2 or .tar.xz, or a folder.

        Raises:
            BadDataError: if it is none of them, may not be read, or is damaged.
        """
        self.path = Path(path)
        self.names: list[str] = []
        self.left_out: list[Problem] = []
        self._zip: zipfile.ZipFile | None = None
        self._tar: IO[bytes] | None = None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._spans: dict[str, tuple[int, int]] = {}
        self._changed_ns = 0
        what = "is no whole .zip" if self.path.suffix else "cannot be read"
        try:
            is_folder, is_file = self.path.is_dir(), self.path.is_file()
            if is_folder:
                self.names, self.left_out = list_folder(self.path)
            elif is_file and is_tarball(self.path):
                what = "is no whole .tar"
                self._open_tar(Tarball.open(self.path))
            elif is_file:
                self._zip = open_zip(self.path)
            elif self.path.exists():
                raise BadDataError(f"{path} is no file and no folder", fix="give a .zip or folder")
            else:
                raise BadDataError(f"no such file or folder: {path}", fix="check the path")
        except (*LOCKED, *damages()) as error:
            raise BadDataError(
                f"{path} {what} ({error})", fix="download it again, or unpack it"
            ) from error
        if self._zip is not None:
            self._entries = self._listed(
                (name_of(entry), stat.S_ISLNK(entry.external_attr >> 16), entry)
                for entry in self._zip.infolist()
            )
            self._zip.filelist.clear()  # its own lists of the files are not needed any more
            self._zip.NameToInfo.clear()
        self.names.sort()

    def _open_tar(self, ball: Tarball) -> None:
        self._tar, self._changed_ns = ball.file, self.path.stat().st_mtime_ns
        self.left_out += ball.left_out
        self._spans = self._listed(
            (clean_name(name), False, (start, size)) for name, start, size in ball.entries
        )

    def _listed(self, entries: Iterable[tuple[str, bool, T]]) -> dict[str, T]:
        """The files by name, from what each entry is called and whether it is a link."""
        files: dict[str, T] = {}
        repeated = set()
        for name, is_link, entry in entries:
            if name.endswith("/"):
                continue
            if is_link:
                self.left_out.append(Problem(name, "link", "unpack it and give the folder"))
            elif ".." in name.split("/"):
                self.left_out.append(Problem(name, "unsafe name", "leads out of the archive"))
            else:
                repeated.update({name} & files.keys())
                files[name] = entry
        self.names = list(files)
        detail = "the last file of this name was read"
        self.left_out += [Problem(name, "repeated name", detail) for name in sorted(repeated)]
        return files

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
        with as_error(BadImageError, name):
            size = self.size(name, BadImageError)
            if size > MAX_BYTES:
                raise BadImageError(
                    f"too large: {name} has {size:,} bytes, the cap is {MAX_BYTES:,}",
                    fix="leave it out, or shrink it",
                )
            if self._tar is not None:
                data = part_of(self._tar, *self._spans[name]).read()
            elif self._zip is None:
                return (self.path / name).read_bytes()
            else:
                data = self._unpacked(self._zip, name, size)
            if len(data) != size:
                raise BadImageError(
                    f"damaged in the archive: {name} ({len(data):,} of {size:,} bytes)",
                    fix="download the archive again",
                )
            return data

    def _unpacked(self, file: zipfile.ZipFile, name: str, size: int) -> bytes:
        plain = read_plain(file.fp, self._entries[name]) if file.fp else None
        if plain is not None:
            return plain
        with self._unpack(file, name) as stream:
            step = _STEPS.get(self._entries[name].compress_type, max(size, 1))
            return b"".join(iter(lambda: stream.read(step), b""))

    def open(self, name: str) -> IO[bytes]:
        """Open one file as a stream, which raises the same errors as this function.

        Args:
            name: one of `names`.

        Returns:
            A binary stream, to be closed by the caller.

        Raises:
            BadDataError: if the file is damaged in the archive, locked or unreadable.
        """
        with as_error(BadDataError, name):
            self.size(name)
            if self._tar is not None:
                part = part_of(self._tar, *self._spans[name])
                return stream_of(io.BufferedReader(part), name)
            if self._zip is None:
                return stream_of((self.path / name).open("rb"), name)
            step = _STEPS.get(self._entries[name].compress_type, 0)
            return stream_of(self._unpack(self._zip, name), name, step)

    def _unpack(self, file: zipfile.ZipFile, name: str) -> zipfile.ZipExtFile:
        """Open an entry so that little is unpacked at a time, whatever size it claims to have."""
        entry = self._entries[name]
        stream = cast("zipfile.ZipExtFile", file.open(entry))
        stream.MIN_READ_SIZE = _STEPS.get(entry.compress_type, stream.MIN_READ_SIZE)
        return stream

    def size(self, name: str, kind: Kind = BadDataError) -> int:
        """Count a file's bytes, as it would be unpacked, without reading it.

        Args:
            name: one of `names`.
            kind: of the error if the file is gone, or would grow beyond measure.

        Returns:
            The bytes.
        """
        return self.stamp(name, kind)[0]

    def stamp(self, name: str, kind: Kind = BadDataError) -> tuple[int, int]:
        """Return what tells without reading it whether a file was changed.

        Args:
            name: one of `names`.
            kind: of the error if the file is gone, or would grow beyond measure.

        Returns:
            Its bytes; and when it, or the .tar that it is in, was changed last, in nanoseconds
            since 1970: 0 in a .zip, whose list has the checksum of each file.
        """
        with as_error(kind, name):
            if self._tar is not None:
                return self._spans[name][1], self._changed_ns
            if self._zip is None:
                status = (self.path / name).stat()
                return status.st_size, status.st_mtime_ns
            packed, size = self._entries[name].compress_size, self._entries[name].file_size
            if size > max(_PLAIN, _BOMB * packed):
                said = f"{packed:,} bytes would become {size:,}"
                raise kind(f"damaged in the archive: {name} ({said})", fix=AGAIN)
            return size, 0

    @property
    def has_checksums(self) -> bool:
        """Whether its list has the checksum of each file, so that none is read for it."""
        return self._zip is not None

    def checksum(self, name: str) -> int:
        """Return a file's CRC-32; in a .zip nothing is read for it.

        Args:
            name: one of `names`.

        Returns:
            What `zlib.crc32` gives for the whole file.

        Raises:
            BadDataError: if the file cannot be read.
        """
        if self._zip is not None:
            return self._entries[name].CRC
        checksum = 0
        with self.open(name) as stream:
            while block := stream.read(_BLOCK):
                checksum = zlib.crc32(block, checksum)
        return checksum

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
        self.close()

    def close(self) -> None:
        """Close the file and forget its list, which takes memory; nothing can be read any more."""
        self.names, self._entries, self._spans = [], {}, {}
        if self._tar is not None:
            self._tar.close()
        if self._zip is not None:
            file = self._zip.fp
            self._zip.close()
            if file is not None:  # one that was opened for it stays open
                file.close()


def is_hidden(name: str) -> bool:
    """Tell whether a name is that of a system file, or lies in a folder of such.

    Args:
        name: path inside an archive.

    Returns:
        True for ``__MACOSX`` leftovers and names that begin with a dot.
    """
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def is_picture(name: str) -> bool:
    """Tell whether a name ends like a picture's and is no system file.

    Args:
        name: path inside an archive.

    Returns:
        True for pictures; False for ``__MACOSX`` leftovers, hidden files and everything else.
    """
    stem, _, suffix = name.rpartition("/")[2].rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in SUFFIXES and not is_hidden(name)
