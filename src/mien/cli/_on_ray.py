"""What --ray does in commands for folders: a cluster reads, a folder of Parquet is written."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from mien.cli._shared import NamedPath, bar, echo, echo_note, needs, say_left_out
from mien.cli._usage import WrongUsageError
from mien.media.escapes import escaped
from mien.media.files import is_store_address
from mien.media.folders import PictureFiles, walk_pictures

__all__ = ["PLACE", "RAY", "OnRay", "read_on_ray", "refuse_addresses", "refuse_beside_ray"]


class _Place(NamedPath):
    """A path, or the address of an object store, which stays a str."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Keep an address as it is."""
        return value if is_store_address(value) else super().convert(value, param, ctx)


PLACE = _Place(path_type=Path)
RAY = click.option(
    "--ray",
    "address",
    type=NamedPath(path_type=str),
    metavar="ADDRESS",
    help="Read on a Ray cluster: HOST:PORT, or local; --out is a folder for Parquet then.",
)


@dataclass(frozen=True, slots=True)
class OnRay:
    """Where a run on a cluster reads and writes.

    Attributes:
        address: of the cluster.
        sources: paths and addresses.
        out: the folder of the run.
        resume: whether an earlier run there goes on.
        table: name of the file with all rows.
        batch: pictures that a reader is handed at once.
        least: pictures in a part of a small run.
    """

    address: str
    sources: Sequence[Path | str]
    out: Path | str
    resume: bool
    table: str
    batch: int
    least: int


def refuse_addresses(*places: Path | str | None) -> None:
    """Refuse the addresses of object stores, without --ray.

    Args:
        places: from options of the type `PLACE`.

    Raises:
        WrongUsageError: if one of them is an address.
    """
    for place in places:
        if place is not None and is_store_address(place):
            raise WrongUsageError(
                f"{place} is an address, and only --ray reads and writes object stores",
                fix="add --ray local, or name a folder",
            )


def refuse_beside_ray(options: Mapping[str, object]) -> None:
    """Refuse options that need this machine's own disk or cores.

    Args:
        options: by name, with what was given; what is None, False or 0 was not given.
    """
    for name, given in options.items():
        if given:
            raise click.UsageError(
                f"--ray and {name} do not go together: with --ray, --out is a folder of Parquet"
            )


def read_on_ray(
    on: OnRay,
    make: Callable[[], Callable[[Any], list[Any]]],
    rows: Callable[[Any], list[list[Any]]],
    header: Sequence[str],
    settings: dict[str, Any],
) -> None:
    """Let a cluster read pictures, and exit with 1 if one could not be read.

    Args:
        on: where.
        make: returns what reads a batch of files; can be pickled.
        rows: of a reading; can be pickled.
        header: of these rows.
        settings: all that results depend on.
    """
    needs("--ray", "ray", "ray", "pyarrow")
    from mien.recognize.columns import columns_of
    from mien.scale.cluster import connected, refuse_unanswered
    from mien.scale.distribute import Job, read_parts
    from mien.scale.places import Place
    from mien.scale.run_folder import Size, open_run

    refuse_unanswered(on.address)  # before the pictures are listed
    columns = columns_of((*header, "error"))
    addresses = tuple(str(source) for source in on.sources if is_store_address(source))
    relative = any(not is_store_address(s) and not Path(s).is_absolute() for s in on.sources)
    base = str(Path.cwd()) if relative else ""
    found = PictureFiles()
    settings |= {"sources": [os.fspath(s) for s in on.sources], "base": base, "header": [*header]}
    run = open_run(Place(on.out), settings, on.resume, (_names(on, found), found), Size(on.least))
    say_left_out(found)
    missing = run.missing()
    known = run.parts - len(missing)
    if known:
        echo(f"mien: {known:,} of {run.parts:,} parts had been read before", err=True)
    if missing:
        job = Job(run, make, on.batch, rows, columns, addresses, base)
        with connected(on.address):
            for _ in bar(read_parts(job, missing), len(missing), "parts"):
                pass
    failures = run.merge(columns, on.table)
    table = f"{run.place.name}/{on.table}"
    echo_note(f"wrote {escaped(table)}: {run.pictures:,} pictures in {run.parts:,} parts")
    if failures:
        why = "the column error says why"
        echo(f"mien: {failures} of {run.pictures} pictures could not be read: {why}", err=True)
    if failures or run.faults:
        sys.exit(1)


def _names(on: OnRay, found: PictureFiles) -> Iterator[str]:
    """Walk the sources, in their order."""
    from mien.scale.places import Place

    out = None if is_store_address(on.out) else Path(on.out)
    for remote, sources in groupby(on.sources, is_store_address):
        if remote:
            for source in sources:
                yield from Place(source).pictures(found)
        else:
            yield from map(os.fspath, walk_pictures(sources, found, out))
