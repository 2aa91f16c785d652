"""Files and folders that are whole or absent, and one error for all that a disk may refuse.

Pipeline: a hidden part beside the target (`mien.media.parts`) -> all is written -> it takes the
target's name. A link stays, and what it leads to is the target. After an error, Ctrl-C, SIGTERM or
SIGHUP the part is removed, and an older target is as it was; after SIGKILL the next run into the
same place removes it. Knows no formats.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.errors import OutputError
from mien.media.files import real_path
from mien.media.parts import Part, is_claimed
from mien.media.standard_output import STANDARD_OUTPUT

__all__ = [
    "as_output_error",
    "atomic",
    "atomic_folder",
    "refuse_all_but_files",
    "refuse_filled",
    "refuses_every_file",
]

# What a disk says of every file alike, so that it makes no sense to go on with the next one.
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENODEV}
_FIX = "name a file in a folder that you may write to, on a disk with free space"
_FIXES = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EROFS: "choose a place that may be written to; this disk is read-only",
    errno.EEXIST: "choose another place; something else has that name there",
    errno.ENOTDIR: "choose another place; a file is there where a folder is needed",
    errno.ELOOP: "choose another place; links there lead to each other",
    errno.ENOTEMPTY: "name a new folder, or remove that one",
}
# Where the system keeps a process's open files, by number; /dev/stdout is a link into there.
_OPEN_FILES = re.compile(r"/dev/fd|/proc/([0-9]+|self|thread-self)(/task/[0-9]+)?/fd")
_MOST_LINKS = 40  # that lead to one another, as in Linux


@contextmanager
def atomic(path: Path, prints: bool = False) -> Iterator[Path]:
    """Lend a part file that becomes the target when the block ends well.

    Args:
        path: the target, or a link to it; its folder is made if need be. A part of ours is lent as
            it is.
        prints: whether the caller writes to standard output where it is given ``-``; for the advice
            alone.

    Yields:
        The part file to write: empty, in the target's folder, without the target's suffix.

    Raises:
        OutputError: if the target is a folder or device, or cannot be written.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "note.txt"
        >>> with atomic(target) as part:
        ...     _ = part.write_text("done")
        >>> target.read_text()
        'done'
    """
    if is_claimed(path):
        yield path
        return
    refuse_all_but_files(path, prints)
    target = real_path(path)
    part = Part(target)
    try:
        with as_output_error(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.claim()
        yield part.path
        with as_output_error(path):
            part.path.replace(target)
    finally:
        with as_output_error(path):
            part.drop()


def refuse_all_but_files(path: Path, prints: bool = False) -> None:
    """Refuse the name of what is there and is no ordinary file, so that it is not replaced by one.

    Args:
        path: of an output; it need not exist.
        prints: as for `atomic`.

    Raises:
        OutputError: for a folder, a device, a pipe, standard output by a name of the system's, and
            for links that lead in a circle.
    """
    if path == STANDARD_OUTPUT:
        raise OutputError("- is standard output, which takes tables alone", fix="name a file")
    with as_output_error(path):
        if path.is_dir():
            raise OutputError(f"{path} is a folder", fix="name a file in it")
        if _is_open_file(path) or (path.exists() and not path.is_file()):
            fix = "name an ordinary file" + (", or - for standard output" if prints else "")
            raise OutputError(f"{path} is not an ordinary file", fix=fix)
        if real_path(path).is_symlink():
            raise OutputError(
                f"cannot write {path}: {os.strerror(errno.ELOOP)}", fix=_FIXES[errno.ELOOP]
            )


def _is_open_file(path: Path) -> bool:
    """Whether a name leads to what a process has open, whatever that is: /dev/stdout does."""
    for _ in range(_MOST_LINKS):
        folder = real_path(path.parent)
        if _OPEN_FILES.fullmatch(folder.as_posix()):
            return True
        if not path.is_symlink():
            return False
        path = folder / path.readlink()
    return False


@contextmanager
def as_output_error(path: Path, *others: type[Exception], fix: str = _FIX) -> Iterator[None]:
    """Turn the system's refusal into an error with the next step.

    Args:
        path: the target.
        others: errors that mean the same as the system's own.
        fix: the next step, where the refusal itself does not name a better one.

    Yields:
        Nothing.

    Raises:
        BrokenPipeError: if the reader of standard output is gone.
        OutputError: if the block cannot write it.
    """
    refusals: tuple[type[Exception], ...] = (OSError, *others)
    if "\0" in str(path):
        raise OutputError(f"no file can be called {str(path)!r}", fix="choose another name")
    try:
        yield
    except BrokenPipeError:  # no disk: the reader of standard output is gone
        raise
    except refusals as error:
        reason = getattr(error, "strerror", None) or str(error)
        number = getattr(error, "errno", None)
        raise OutputError(
            f"cannot write {path}: {reason}", fix=_FIXES.get(number or 0, fix)
        ) from error


def refuses_every_file(error: OutputError) -> bool:
    """Tell whether the disk would refuse any other file too: full, read-only, broken.

    Args:
        error: of `as_output_error`.

    Returns:
        False for what is wrong with one name alone.
    """
    return getattr(error.__cause__, "errno", None) in _OF_THE_DISK


def refuse_filled(out: Path) -> None:
    """Refuse a folder to make that is there and holds something.

    Args:
        out: the folder to make.

    Raises:
        OutputError: if it holds something, is no folder, cannot be looked at, or is a mounted disk,
            which no folder can take the place of.
    """
    with as_output_error(out):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise OutputError(f"{out} exists", fix="name a new folder, or remove that one")
        if out.is_mount():
            raise OutputError(f"{out} is a mounted disk", fix="name a new folder in it")


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Lend a hidden part folder, which becomes the target when the block ends well.

    Args:
        out: the folder to make; it must not exist, or be empty.

    Yields:
        The empty folder to fill.

    Raises:
        OutputError: if there is something already, or it cannot be written.
    """
    refuse_filled(out)
    out = real_path(out)
    part = Part(out, is_folder=True)
    with as_output_error(out, fix="name another folder, or free some space"):
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            yield part.claim()
            part.path.rename(out)
        finally:  # also after Ctrl-C; when all went well it has been renamed
            part.drop()
