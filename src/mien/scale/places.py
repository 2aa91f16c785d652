"""A folder on a disk or in an object store, by one set of calls.

``s3://bucket/folder``, ``gs://...``, ``abfs://...`` and ``hdfs://...`` are opened by the file
systems of Apache Arrow; all else is a path. Files appear whole: on a disk a part file takes their
name, an object appears when all of it is there. Knows nothing of faces.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import fs, parquet

from mien.errors import BadImageError, BadSettingError, OutputError
from mien.media.atomic import atomic
from mien.media.costs import MAX_BYTES
from mien.media.files import is_store_address
from mien.media.folders import HIDDEN, OTHER, SUFFIXES, PictureFiles
from mien.media.inputs import FetchedFile
from mien.media.writers import write_text

__all__ = ["Place"]

_REFUSALS = (OSError, UnicodeError, pyarrow.ArrowException)  # UnicodeError: of names
_FIX = "name a folder that you may write to, with free space; of an object store, that exists"


class Place:
    """A folder, or what stands for one in an object store; nothing is opened before it is used.

    Attributes:
        address: as it was given; a path is absolute.
        name: the same without settings of the store.
    """

    def __init__(self, address: str | Path) -> None:
        """Find out who can open it.

        Args:
            address: of an object store, or a path.

        Raises:
            BadSettingError: if no file system knows the address, or a password is in it.
        """
        self._scheme = str(address).partition("://")[0] + "://" if is_store_address(address) else ""
        self.address = str(address if self._scheme else Path(address).absolute()).rstrip("/")
        if self._scheme and "@" in self.address.partition("://")[2].partition("/")[0]:
            raise BadSettingError(
                f"a key or password is in the address {self._scheme}...@...",
                fix="leave it out, and set it where the store's own tools look for it, such as "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        try:
            found = fs.FileSystem.from_uri(self.address) if self._scheme else None
        except (ValueError, *_REFUSALS) as error:
            raise BadSettingError(
                f"cannot open {self.address}: {error}",
                fix="give a path, or an address of s3://, gs://, abfs:// or hdfs://",
            ) from error
        self._files: Any
        self._root: str
        self._files, self._root = found or (fs.LocalFileSystem(), self.address)
        self.name = f"{self._scheme}{self._root}" if self._scheme else self.address
        self._is_on_disk = isinstance(self._files, fs.LocalFileSystem)

    def names(self, folder: str) -> set[str]:
        """List the files in a folder.

        Args:
            folder: in this place; it need not exist.

        Returns:
            Their names.
        """
        selector = fs.FileSelector(self._at(folder), allow_not_found=True)
        with self._refusals("read", folder):
            return {info.base_name for info in self._files.get_file_info(selector) if info.is_file}

    def has(self, name: str) -> bool:
        """Tell whether there is a file.

        Args:
            name: in this place.

        Returns:
            Whether this machine sees it.
        """
        with self._refusals("read", name):
            [info] = self._files.get_file_info([self._at(name)])
        return bool(info.is_file)

    def read_text(self, name: str) -> str | None:
        """Return a text.

        Args:
            name: of the file.

        Returns:
            All of it; None if there is no such file.

        Raises:
            OutputError: if it cannot be read.
        """
        if not self.has(name):
            return None
        with self._refusals("read", name), self._files.open_input_stream(self._at(name)) as file:
            return bytes(file.read()).decode("utf-8")

    def put_text(self, text: str, name: str) -> None:
        """Write a text.

        Args:
            text: all of it.
            name: of the file.

        Raises:
            OutputError: if it cannot be written.
        """
        if self._is_on_disk:
            write_text(text, Path(self._at(name)))
            return
        with self._refusals("write", name), self._files.open_output_stream(self._at(name)) as file:
            file.write(text.encode("utf-8"))

    def read_table(self, name: str) -> Any:
        """Return a table.

        Args:
            name: of the Parquet file.

        Returns:
            ``pyarrow.Table``.

        Raises:
            OutputError: if it is missing or damaged.
        """
        with self._refusals("read", name), self._files.open_input_file(self._at(name)) as file:
            return parquet.ParquetFile(file).read()

    def write_tables(self, tables: Iterable[Any], schema: Any, name: str) -> None:
        """Write tables into one Parquet file, one after the other.

        Args:
            tables: each a ``pyarrow.Table``; at least one.
            schema: of all of them.
            name: of the file.

        Raises:
            OutputError: if it cannot be written.
        """
        with (
            self._written(name) as sink,
            self._refusals("write", name),
            parquet.ParquetWriter(sink, schema, compression="zstd") as writer,
        ):
            for table in tables:
                writer.write_table(table)

    @contextmanager
    def _written(self, name: str) -> Iterator[Any]:
        """Lend what takes the bytes of a file."""
        if self._is_on_disk:
            with atomic(Path(self._at(name))) as part:
                yield part
            return
        with self._refusals("write", name):
            file = self._files.open_output_stream(self._at(name))
        try:
            yield file
        except BaseException:
            file.close()  # which makes an object of what was written so far
            with self._refusals("remove", name):
                self._files.delete_file(self._at(name))
            raise
        with self._refusals("write", name):
            file.close()

    def pictures(self, found: PictureFiles) -> Iterator[str]:
        """Give the addresses of the pictures below, in the order of their whole names.

        One folder's names are in memory at a time.

        Args:
            found: is told what is left out.

        Yields:
            Each address.

        Raises:
            BadImageError: if there is nothing at this address.
        """
        with self._refusals("read", ""):
            [info] = self._files.get_file_info([self._root])
        if info.is_file:
            yield self._scheme + self._root
            return
        if info.type == fs.FileType.NotFound:
            raise BadImageError(f"nothing is at {self.name}", fix="check the address")
        waiting = [(self._root, self._inside(self._root, found))]  # of each folder what is to come
        while waiting:
            folder, names = waiting[-1]
            if not names:
                waiting.pop()
                continue
            path = f"{folder}/{names.pop()}"
            if path.endswith("/"):
                waiting.append((path[:-1], self._inside(path[:-1], found)))
            else:
                yield self._scheme + path

    def _inside(self, folder: str, found: PictureFiles) -> list[str]:
        """Pictures, and folders with a slash behind, the last one first."""
        with self._refusals("read", folder):
            infos = self._files.get_file_info(fs.FileSelector(folder))
        names = []
        for info in infos:
            is_folder = info.type == fs.FileType.Directory
            if info.base_name.startswith("."):
                found.leave_out(Path(info.path), HIDDEN)
            elif is_folder or Path(info.base_name).suffix.lower() in SUFFIXES:
                names.append(info.base_name + "/" * is_folder)
            else:
                found.leave_out(Path(info.path), OTHER)
        return sorted(names, reverse=True)

    def holds(self, name: str) -> bool:
        """Tell whether a picture of this name is below this place.

        Args:
            name: from `pictures`.

        Returns:
            True also for the place itself.
        """
        path = name.removeprefix(self._scheme)
        return bool(self._scheme) and (path == self._root or path.startswith(f"{self._root}/"))

    def fetch(self, name: str) -> FetchedFile:
        """Fetch a picture.

        Args:
            name: from `pictures`.

        Returns:
            Its content, or why it could not be read.
        """
        try:
            with self._files.open_input_file(name.removeprefix(self._scheme)) as file:
                if file.size() > MAX_BYTES:
                    return FetchedFile(name, OSError(f"more than {MAX_BYTES:,} bytes"))
                return FetchedFile(name, bytes(file.read()))
        except OSError as error:
            return FetchedFile(name, error)
        except _REFUSALS as error:
            return FetchedFile(name, OSError(str(error)))

    def _at(self, name: str) -> str:
        return os.path.join(self._root, name) if name else self._root  # noqa: PTH118

    @contextmanager
    def _refusals(self, verb: str, name: str) -> Iterator[None]:
        """What a disk or store says becomes one error with the next step."""
        try:
            yield
        except _REFUSALS as error:
            reason = " ".join(str(error).split())[:300]
            raise OutputError(f"cannot {verb} {self.name}/{name}: {reason}", fix=_FIX) from error
