"""A database as downloaded becomes a folder of crops with a manifest, free of leaks.

The way through: list the items -> hold out what was asked for -> decode, frame or resize, encode,
one at a time -> find the training pictures that have a copy in a held-out split -> drop them ->
write the tables. All is built in ``DIR.part`` and renamed when whole; the source is only read.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from mien.data import manifest
from mien.data.datasets import DATASETS, Archive, Item, Listing
from mien.data.manifest import Row
from mien.data.parallel import share
from mien.data.prepare.crops import Crop, CropStore, CropWriter, Cutter, Shape, cutter, store_in
from mien.data.prepare.leaks import Leak, find_leaks, held_out_of
from mien.data.prepare.record import Report, Settings, is_made, load_report, save_report
from mien.data.splits import hold_out
from mien.errors import BadDataError, UnknownNameError
from mien.labels import LABELS, NEUTRAL, index
from mien.media.writers import Table, atomic_folder, open_table

__all__ = ["prepare"]

Progress = Callable[[Sequence[Item]], Iterable[Item]]
_EXCLUDED = ("original", "split", "label", "reason", "detail", "similarity")
_PART = 32  # pictures handed to another process at once
_MANY = 2_000  # pictures from which it pays to start processes;
_FRAMING = 20  # to frame one takes so many times as long
_NAMED = 3  # names given for each reason why pictures were left out; all are in excluded.csv


def prepare(
    settings: Settings,
    out: Path,
    progress: Progress = iter,
    workers: int = 1,
    choose: Callable[[list[Item]], list[Item]] = list,
) -> Report:
    """Turn a database into crops and a manifest, without the copies of held-out pictures.

    Args:
        settings: what to prepare, and how.
        out: the folder to make; it must not exist, unless made with the same settings before.
        progress: wraps the items, to show how far it is.
        workers: processes that share the work, where there is enough of it; they change nothing
            in the result.
        choose: picks the pictures to take, for a trial; all of them unless said.

    Returns:
        What was done.

    Raises:
        BadDataError: if the archive is not that database, or `out` holds something else.
        OutputError: if `out` cannot be written.
        UnknownNameError: if the database is not known.
    """
    if settings.source not in DATASETS:
        raise UnknownNameError("database", settings.source, DATASETS)
    _keep_apart(Path(settings.archive), out)
    if is_made(out, settings):
        return load_report(out)
    others = [held for folder in settings.against for held in held_out_of(Path(folder))]
    with Archive(settings.archive) as archive:
        listing = DATASETS[settings.source](archive, settings.options)
        for name in archive.repeated:
            listing.leave_out(name, "repeated name", "the last file of this name was read")
        items = [i for i in listing.items if settings.neutral or i.label != NEUTRAL]
        items = hold_out(items, "test", settings.test, settings.seed)
        items = choose(hold_out(items, "valid", settings.valid, settings.seed))
        with atomic_folder(out) as part, store_in(part) as spool:
            writer = CropWriter(settings.source, part, spool)
            with closing(_cut(archive, items, settings, workers)) as crops:
                for item, crop in zip(progress(items), crops, strict=True):
                    writer.add(item, crop)
            search = partial(find_leaks, spool, settings.source, others, settings.valid > 0)
            leaks = {} if settings.keep_leaks else search(workers if len(spool) > _MANY else 1)
            return _finish(settings, writer, listing, leaks, Report(out), part)


def _cut(
    archive: Archive, items: Sequence[Item], settings: Settings, workers: int
) -> Generator[Crop | str, None, None]:
    """Cut the pictures, a few at a time; those that only this process can decode, here."""
    shape = Shape(settings.side, settings.quality, settings.gray, settings.frame)
    here = any(item.picture for item in items)
    if here or len(items) <= (_MANY // _FRAMING if shape.frame else _MANY):
        workers = 1
    make = partial(cutter, archive.path, shape) if workers > 1 else lambda: Cutter(archive, shape)
    size = _PART if workers > 1 else 1
    parts = (items[start : start + size] for start in range(0, len(items), size))
    for crops in share(make, parts, workers):
        yield from crops


def _keep_apart(archive: Path, out: Path) -> None:
    """Refuse to write into the source, or to build where it lies."""
    source, target = archive.resolve(), out.resolve()
    part = target.with_name(target.name + ".part")
    inside = source.is_dir() and target.is_relative_to(source)
    if inside or source.is_relative_to(target) or source.is_relative_to(part):
        raise BadDataError(
            f"{out} and {archive} lie in each other; the source is never written to",
            fix="choose another --out",
        )


def _finish(
    settings: Settings,
    writer: CropWriter,
    listing: Listing,
    leaks: Mapping[int, Leak],
    report: Report,
    part: Path,
) -> Report:
    """Drop the leaks, write the tables, and return the report."""
    report.unreadable = writer.unreadable
    if not len(writer.spool):
        raise BadDataError(
            f"not one picture of {settings.archive} could be read; "
            f"the first: {next(iter(writer.unreadable.values()), 'none is left')}",
            fix="download the archive again, or unpack it and give the folder",
        )
    for problem in listing.problems:
        report.skipped[problem.reason] += 1
        named = report.examples.setdefault(problem.reason, [])
        if len(named) < _NAMED:
            named.append(problem.original)
    with (
        open_table(part / "excluded.csv", _EXCLUDED) as excluded,
        open_table(part / "labels.csv", ("image", "label")) as numbers,
        open_table(part / "soft.csv", ("path", *LABELS, NEUTRAL)) as soft,
    ):
        excluded.writerows(_never_written(writer, listing))
        kept = _parted(writer.spool, leaks, excluded, report, part)
        manifest.write(_listed(kept, numbers, soft), part)
    if not writer.spool.soft:
        (part / "soft.csv").unlink()
    save_report(settings, report, part)
    return report


def _never_written(writer: CropWriter, listing: Listing) -> Iterator[tuple[str, ...]]:
    """Yield a row for everything unreadable or not understood."""
    for name, why in writer.unreadable.items():
        yield name, "", "", "unreadable", why, ""
    for problem in listing.problems:
        yield problem.original, "", "", problem.reason, problem.detail, ""


def _parted(
    spool: CropStore, leaks: Mapping[int, Leak], excluded: Table, report: Report, part: Path
) -> Iterator[tuple[Row, list[str]]]:
    """Count every crop; remove and list the leaks, hand on the others."""
    for place, (row, shares) in enumerate(spool.rows()):
        leak = leaks.get(place)
        if leak is None:
            report.kept[row.split, row.label] += 1
            report.unframed += row.framing == "unframed"
            yield row, shares
            continue
        (part / row.path).unlink()
        if leak.split == "test":
            report.leaked[leak.source] += 1
        else:
            report.near_valid += 1
        reason, twin = f"copy of {leak.split}", f"{leak.source}:{leak.original}"
        known = (row.original, row.split, row.label)
        excluded.writerow((*known, reason, twin, f"{leak.similarity:.3f}"))


def _listed(kept: Iterable[tuple[Row, list[str]]], numbers: Table, soft: Table) -> Iterator[Row]:
    """Hand on rows for the manifest; list them in the paper's table and with their soft labels."""
    for row, shares in kept:
        numbers.writerow((row.path, index(row.label)))
        if shares:
            soft.writerow((row.path, *(f"{float(share):.4f}" for share in shares)))
        yield row
