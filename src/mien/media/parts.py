"""Part files and folders: what is being written, hidden beside its target, locked by its run.

The system takes a lock away when its process ends, in whatever way. So a part without a lock was
left by a run that was killed: the next run into the same place takes it over or removes it. A part
with a lock is never touched. Name of a part of ``TARGET``: ``.TARGET.mien-N.part``, N from 0.
Where the system has no such locks (Windows, some network disks) N is random, and what a killed run
leaves there stays. Knows nothing of what is written.
"""

import errno
import os
import re
import shutil
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

__all__ = ["Part", "drop_claimed", "is_claimed", "is_part_name", "remove_leftovers"]

_NAME = re.compile(r"\..{1,40}\.mien-[0-9a-f]+\.part", re.DOTALL)
_LONGEST = 40  # characters of the target in a part's name: names have at most 255 bytes
_MOST = 100  # runs that may write to one target at once
_HAS_LOCKS = find_spec("fcntl") is not None  # not on Windows
_BUSY = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}  # of a lock that another process has


class Part:
    """The part of one target: claimed, written by the caller, renamed by the caller, or dropped.

    Attributes:
        path: the file or folder to fill.
    """

    def __init__(self, target: Path, is_folder: bool = False) -> None:
        """Choose nothing yet.

        Args:
            target: the part is made beside it.
            is_folder: whether it is a folder.
        """
        self.path = target
        self._target, self._is_folder = target, is_folder
        self._lock: int | None = None
        self._is_random = False  # the name alone makes it ours
        self._process = os.getpid()

    def claim(self) -> Path:
        """Make an empty part that no other run has, or take over a dead run's.

        Returns:
            Its path.

        Raises:
            OSError: if it cannot be made.
        """
        _CLAIMED.add(self)  # before there is anything to remove
        for number in range(_MOST if _HAS_LOCKS else 0):
            self.path = self._named(f"{number:x}")
            if self._take():
                self._empty()
                self._remove_next_leftovers(number + 1)
                return self.path
            if self._is_random:
                break
        else:
            if _HAS_LOCKS:
                raise OSError(errno.EBUSY, f"{_MOST} other runs are writing it")
        self._is_random = True
        self.path = self._named(os.urandom(4).hex())
        if self._is_folder:
            self.path.mkdir()
        return self.path

    def drop(self) -> None:
        """Remove the part unless it was renamed, and let go of the lock.

        Raises:
            OSError: if it cannot be removed.
        """
        if self.path != self._target:
            self._remove_what_was_made()
        _CLAIMED.discard(self)

    def _remove_what_was_made(self) -> None:
        if self._is_random:
            _remove(self.path)
        elif self._lock is None:  # stopped just when it was made
            _remove_if_dead(self.path)
        else:
            try:
                if _is_at(self._lock, self.path):
                    _remove(self.path)
                else:  # renamed, or a library put a file of its own there
                    _remove_if_dead(self.path)
            finally:
                self._let_go()

    @property
    def is_of_this_process(self) -> bool:
        """Whether this process made it, and not the one that this was copied from."""
        return self._process == os.getpid()

    def _named(self, number: str) -> Path:
        return self._target.with_name(f".{self._target.name[:_LONGEST]}.mien-{number}.part")

    def _take(self) -> bool:
        """Make or open the part, and lock it; False if it is another's."""
        while True:
            if self._is_folder:
                with suppress(FileExistsError):
                    self.path.mkdir()
            try:
                self._lock = _open(self.path, self._is_folder, os.O_CREAT)
            except OSError as error:
                if self._is_folder and isinstance(error, FileNotFoundError):
                    continue  # its run ended just now
                if os.path.lexists(self.path):
                    return False  # a link, or another user's
                raise
            state = _lock(self._lock)
            if state == "locked" and _is_at(self._lock, self.path):
                return True
            self._let_go()
            if state == "unknown":
                _remove(self.path)  # made for a try: here no part has such a name
                self._is_random = True
            if state != "locked":
                return False

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def _empty(self) -> None:
        """Remove what a dead run had written."""
        if self._is_folder:
            for entry in list(self.path.iterdir()):
                _remove(entry)
        elif self._lock is not None:
            os.ftruncate(self._lock, 0)

    def _remove_next_leftovers(self, number: int) -> None:
        while os.path.lexists(path := self._named(f"{number:x}")) and _remove_if_dead(path):
            number += 1


_CLAIMED: set[Part] = set()


def is_claimed(path: Path) -> bool:
    """Tell whether a path is a part that this process has claimed: it needs no part of its own."""
    return any(part.path == path and part.is_of_this_process for part in _CLAIMED)


def drop_claimed() -> None:
    """Remove the parts that this process claimed and has not dropped.

    For the end of a process: a signal may stop it between a claim and the block that would drop the
    part. What cannot be removed stays for the next run.
    """
    for part in [part for part in _CLAIMED if part.is_of_this_process]:
        with suppress(OSError):
            part.drop()


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove the parts that killed runs left in a folder; those of running ones stay.

    Args:
        folder: where to look, not below; it need not exist.

    Returns:
        What was removed.
    """
    try:
        names = [name for name in os.listdir(folder) if is_part_name(name)]  # noqa: PTH208
    except OSError:
        return []  # missing: nothing is left there
    return [path for path in map(folder.joinpath, names) if _remove_if_dead(path)]


def is_part_name(name: str) -> bool:
    """Tell whether a file or folder of this name is a part of ours."""
    return _NAME.fullmatch(name) is not None


def _open(path: Path, is_folder: bool, create: int = 0) -> int:
    if is_folder:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | create, 0o666)


def _lock(handle: int) -> str:
    """Try to lock: ``locked``, ``busy``, or ``unknown`` where the disk has no locks."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return "busy" if error.errno in _BUSY else "unknown"
    return "locked"


def _is_at(handle: int, path: Path) -> bool:
    """Whether what was opened still has that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _remove_if_dead(path: Path) -> bool:
    """Remove a part that no process has locked."""
    if not _HAS_LOCKS:
        return False
    try:
        handle = _open(path, path.is_dir())
    except OSError:
        return False  # gone, a link, or another user's
    try:
        if _lock(handle) == "locked" and _is_at(handle, path):
            _remove(path)
            return True
    except OSError:
        return False  # another user's
    finally:
        os.close(handle)
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
