"""What a run has read so far, beside its table: a run that was killed goes on from here.

One SQLite file, so that a kill at any moment leaves it whole: for each file its size, its time and
what was read in it, once. A file that has another size or time by now is not known, nor one of
which something was written that is gone. The settings of the run are in it, and a run of other
settings is refused. Knows nothing of faces.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mien.errors import OutputError
from mien.media.atomic import as_output_error
from mien.media.standard_output import STANDARD_OUTPUT

__all__ = ["Journal", "Stamp", "journal_of", "stamp_of"]

Stamp = tuple[int, int]  # bytes; nanoseconds since 1970 of the last change
_FORMAT = 1
_COMMIT_S = 1.0  # at most so much work is done twice after a kill
_TABLES = (
    "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS files"
    " (path BLOB PRIMARY KEY, size INTEGER, time INTEGER, result TEXT) WITHOUT ROWID",
)


def journal_of(table: Path) -> Path:
    """Return the name of the journal of a table.

    Args:
        table: a file.

    Returns:
        Beside it, its name with ``.journal`` behind.

    Raises:
        OutputError: for standard output, which has no place beside it.
    """
    if table == STANDARD_OUTPUT:
        raise OutputError("standard output has no journal", fix="name a file, or omit --resume")
    return table.with_name(f"{table.name}.journal")


def stamp_of(path: Path) -> Stamp | None:
    """Return what tells whether a file was changed.

    Args:
        path: of the file.

    Returns:
        Its size and time; None if it cannot be looked at.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return status.st_size, status.st_mtime_ns


class Journal:
    """The results of a run by file; to be used by one thread.

    A ``with`` block opens it and makes it if there is none; however the block ends, what was added
    is kept.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        holds: Callable[[Any], bool] = lambda _result: True,
    ) -> None:
        """Keep the file and the settings; nothing is opened yet.

        Args:
            path: from `journal_of`.
            settings: all that results depend on, JSON-ready.
            holds: tells whether what was written of a result is still there; where it is not, the
                file is not known.
        """
        self.path = path
        self._holds = holds
        self._settings = {"format": _FORMAT, **settings}
        self._committed_s = 0.0
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Open it, and check that it is of the same settings.

        Returns:
            Itself.

        Raises:
            OutputError: if it is of others, is used by another run, is no journal, or cannot be
                written.
        """
        with as_output_error(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._refusals():
            self._database = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        try:
            with self._refusals():
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._database.execute("BEGIN IMMEDIATE")
                for table in _TABLES:
                    self._database.execute(table)
                self._check()
                self._commit()
        except BaseException:
            self._database.close()
            raise
        return self

    def _check(self) -> None:
        """Compare the settings, or put them down if it is new."""
        wanted = {name: json.dumps(value) for name, value in self._settings.items()}
        found = dict(self._open.execute("SELECT name, value FROM settings").fetchall())
        if not found:
            self._open.executemany("INSERT INTO settings VALUES (?, ?)", wanted.items())
        elif found != wanted:
            names = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))
            changes = ", ".join(f"{n} {found.get(n)}, now {wanted.get(n)}" for n in names)
            raise OutputError(
                f"{self.path} is of a run with other settings: {changes}",
                fix="give the same options as then, name another table, or remove that file",
            )

    def known(self, path: Path) -> Any:
        """Return what was read in a file, if it is as it was then.

        Args:
            path: named as then.

        Returns:
            The result that was added; None if there is none, the file was changed, or what was
            written of it is gone.
        """
        stamp = stamp_of(path)
        if stamp is None:
            return None
        query = "SELECT result FROM files WHERE path = ? AND size = ? AND time = ?"
        with self._refusals():
            row = self._open.execute(query, (os.fsencode(path), *stamp)).fetchone()
        result = None if row is None else json.loads(row[0])
        return result if result is not None and self._holds(result) else None

    def add(self, path: Path, stamp: Stamp, result: Any) -> None:
        """Remember what was read in a file, in place of what was read in it before.

        Args:
            path: of the file.
            stamp: from before it was read.
            result: JSON-ready.

        Raises:
            OutputError: if the disk refuses it.
        """
        with self._refusals():
            self._open.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                (os.fsencode(path), *stamp, json.dumps(result)),
            )
            if time.monotonic() - self._committed_s > _COMMIT_S:
                self._commit()

    def _commit(self) -> None:
        self._open.execute("COMMIT")
        self._open.execute("BEGIN IMMEDIATE")
        self._committed_s = time.monotonic()

    @property
    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            raise ValueError("a journal is open inside its with block alone")
        return self._database

    def _refusals(self) -> Any:
        """What SQLite says becomes one error with the next step."""
        fix = "use a disk with free space; end the other run; or remove what is no journal of mien"
        return as_output_error(self.path, sqlite3.Error, fix=fix)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep what was added, and close the file.

        Raises:
            OutputError: if the disk refuses it and nothing else went wrong.
        """
        try:
            with self._refusals():
                self._open.execute("COMMIT")
        except OutputError:
            if error is None:
                raise
        finally:
            self._open.close()
            self._database = None
