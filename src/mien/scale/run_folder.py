"""The folder of a run on a cluster: what is to be read, the parts that were read, the whole table.

run.json               settings, and how many pictures and parts there are; written after the list
list/000000.parquet    names of the pictures of each part, in order
parts/000000.parquet   their rows; whole or absent, so that a run goes on with the parts it lacks
NAME.parquet           the rows of all parts in order; appears in the end

A part is a few pictures of a small run and up to 10,000 of a large one: little is done twice after
a kill, and a billion pictures are no billion files. Knows nothing of faces and Ray.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow

from mien.errors import BadImageError, OutputError
from mien.media.data_frames import Column
from mien.media.folders import PictureFiles
from mien.media.parquet import schema_of, table_of
from mien.scale.places import Place

__all__ = ["RunFolder", "Size", "open_run"]

_FORMAT = 1
_RUN, _LIST, _PARTS = "run.json", "list", "parts"
_COUNTS = ("pictures", "parts", "faults")
_GROUP = 20_000  # rows of the whole table in memory, then written
_NAMES = pyarrow.schema([("name", pyarrow.binary())])  # a file name need not be valid text


@dataclass(frozen=True, slots=True)
class Size:
    """How many pictures are in a part.

    Attributes:
        least: in the first thousand parts; twice as many in the second, and so on.
        most: in any.
    """

    least: int = 64
    most: int = 10_000

    def of(self, part: int) -> int:
        """Return the size of a part.

        Args:
            part: its number, from 0.

        Returns:
            At least 1.

        Example:
            >>> [Size(64, 10_000).of(part) for part in (0, 999, 1_000, 900_000)]
            [64, 64, 128, 10000]
        """
        return min(self.most, self.least * (1 + part // 1000))


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run whose list is complete.

    Attributes:
        place: of the folder.
        pictures: how many are to be read.
        parts: how many parts they make.
        faults: folders and links that could not be entered when the list was made.
    """

    place: Place
    pictures: int
    parts: int
    faults: int

    def missing(self) -> list[int]:
        """List the parts that were not read yet.

        Returns:
            Their numbers.
        """
        known = self.place.names(_PARTS)
        return [part for part in range(self.parts) if _file(part) not in known]

    def names(self, part: int) -> list[str]:
        """Return the pictures of a part.

        Args:
            part: its number.

        Returns:
            Their names, in order, as they were given.
        """
        table = self.place.read_table(f"{_LIST}/{_file(part)}")
        return [os.fsdecode(name) for name in table["name"].to_pylist()]

    def write(self, part: int, columns: Mapping[str, Column], rows: list[list[Any]]) -> None:
        """Write what was read in a part.

        Args:
            part: its number.
            columns: of the rows.
            rows: in the order of its pictures.

        Raises:
            OutputError: if it cannot be written.
        """
        table = table_of(columns, rows)
        self.place.write_tables([table], table.schema, f"{_PARTS}/{_file(part)}")

    def refuse_unseen(self, part: int) -> None:
        """Check that this machine sees a part that another one has written.

        Args:
            part: its number.

        Raises:
            OutputError: if it does not.
        """
        if not self.place.has(f"{_PARTS}/{_file(part)}"):
            raise OutputError(
                f"part {part} was written, but is not in {self.place.name} on this machine",
                fix="name an --out that all machines share, or an address such as s3://bucket/run",
            )

    def merge(self, columns: Mapping[str, Column], table: str) -> int:
        """Write the rows of all parts, in order, into one table.

        Args:
            columns: of the rows; ``error`` is the last.
            table: name of its file.

        Returns:
            How many rows have an error.

        Raises:
            OutputError: if a part is missing or damaged, or the table cannot be written.
        """
        schema, failures = schema_of(columns), 0

        def tables() -> Iterator[Any]:
            nonlocal failures
            for part in range(self.parts):
                rows = self.place.read_table(f"{_PARTS}/{_file(part)}")
                failures += rows.num_rows - rows["error"].null_count
                yield rows

        self.place.write_tables(_grouped(tables(), schema), schema, table)
        return failures


def _grouped(tables: Iterable[Any], schema: Any) -> Iterator[Any]:
    """Join small tables, as a file of many small groups is slow to read."""
    waiting, rows = [], 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        if rows >= _GROUP:
            yield pyarrow.concat_tables(waiting).combine_chunks()
            waiting, rows = [], 0
    yield pyarrow.concat_tables(waiting or [schema.empty_table()]).combine_chunks()


def _file(part: int) -> str:
    return f"{part:06}.parquet"


def open_run(
    place: Place,
    settings: Mapping[str, Any],
    resume: bool,
    names: tuple[Iterable[str], PictureFiles],
    size: Size,
) -> RunFolder:
    """Begin a run, or go on with one.

    Args:
        place: of its folder.
        settings: all that results depend on, JSON-ready.
        resume: whether there may be a run.
        names: of the pictures, asked for only where there is no run; and what is told of those that
            are left out meanwhile.
        size: of the parts.

    Returns:
        The run; its list is the one it began with, whatever has come since.

    Raises:
        BadImageError: if there is not one picture.
        OutputError: if there is a run and none was expected, or one of other settings; or the
            folder cannot be written.
    """
    wanted = {"format": _FORMAT, **json.loads(json.dumps(settings))}
    found = place.read_text(_RUN)
    if found is not None:
        return _known(place, found, wanted, resume)
    if place.names(_PARTS):  # of a run whose list is gone: whose rows are they?
        raise OutputError(
            f"{place.name} holds parts, but no {_RUN} that says of what",
            fix="name another --out, or remove what is in it",
        )
    walk, left_out = iter(names[0]), names[1]
    pictures = parts = 0
    while part := list(islice(walk, size.of(parts))):
        cells = pyarrow.table([[os.fsencode(name) for name in part]], schema=_NAMES)
        place.write_tables([cells], _NAMES, f"{_LIST}/{_file(parts)}")
        pictures, parts = pictures + len(part), parts + 1
    if not pictures:
        raise BadImageError("no pictures were found", fix="name a folder that holds some")
    run = RunFolder(place, pictures, parts, left_out.faults)
    record = {"settings": wanted} | {name: getattr(run, name) for name in _COUNTS}
    place.put_text(json.dumps(record, indent=1) + "\n", _RUN)
    return run


def _known(place: Place, text: str, wanted: dict[str, Any], resume: bool) -> RunFolder:
    """Take up a run, if it is the same."""
    if not resume:
        raise OutputError(
            f"{place.name} holds a run already",
            fix="add --resume to go on with it, or name another --out",
        )
    try:
        record = json.loads(text)
        then, counts = record["settings"], [int(record[name]) for name in _COUNTS]
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{place.name}/{_RUN} is damaged: {error!r}", fix="name another --out"
        ) from error
    if then != wanted:
        names = sorted(n for n in {*then, *wanted} if then.get(n) != wanted.get(n))
        changes = ", ".join(
            f"{n} {json.dumps(then.get(n))}, now {json.dumps(wanted.get(n))}" for n in names
        )
        raise OutputError(
            f"{place.name} is of a run with other settings: {changes}",
            fix="give the same options as then, or name another --out",
        )
    return RunFolder(place, *counts)
