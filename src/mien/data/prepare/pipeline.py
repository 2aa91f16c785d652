"""A dataset as downloaded becomes a folder of crops with a manifest, free of leaks.

Pipeline: list the items -> hold out a share -> cut each picture and write its crop -> find the
training pictures that are copies of held-out ones -> drop them -> write the tables. Everything is
built in a hidden part folder, which is renamed when it is complete; the source is only read.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from mien.data import manifest
from mien.data.datasets import DATASETS, Archive, Item, Listing, read_listing
from mien.data.label_file import write_labels
from mien.data.manifest import Row
from mien.data.prepare.contents import (
    Checksum,
    changes,
    checked_files,
    contents_of,
    held_out_in,
)
from mien.data.prepare.crop_store import CropStore, CropWriter, store_in
from mien.data.prepare.crops import Crop, Cutter, Shape, cutter
from mien.data.prepare.leaks import Leak, find_leaks, held_out_of
from mien.data.prepare.record import (
    Report,
    Settings,
    database_of,
    is_made,
    last_name,
    load_report,
    origin,
    save_report,
)
from mien.data.splits import hold_out
from mien.errors import BadDataError, BadSettingError, UnknownNameError
from mien.labels import LABELS, NEUTRAL, PAPER, LabelSet
from mien.media.csv_lines import Table
from mien.media.parallel import share
from mien.media.parts import is_part_name
from mien.media.progress import Progress
from mien.media.writers import atomic_folder, open_table

__all__ = ["prepare"]

_EXCLUDED = ("original", "split", "label", "reason", "detail", "similarity")
_PART = 32  # pictures handed to another process at once
_MANY = 8_000  # pictures from which processes pay off, whose start takes a second or two
_MANY_SEARCHED = 30_000  # the same for the search for copies, which takes a third of the time
_FRAMING = 20  # framing a picture takes so many times as long as resizing it
_NAMED = 3  # names given for each reason to leave pictures out; excluded.csv has all


def prepare(
    settings: Settings,
    out: Path,
    progress: Progress = iter,
    workers: int = 1,
    choose: Callable[[list[Item]], list[Item]] = list,
    tell: Callable[[Listing], None] = lambda _: None,
) -> Report:
    """Turn a dataset into crops and a manifest, without copies of held-out pictures in train.

    Args:
        settings: what to prepare, and how.
        out: the folder to make; if it exists, it must have been made with the same settings, and
            from the same source if that is still there.
        progress: wraps the items, to show how many are done.
        workers: processes that share the work where there is enough of it; the result is the same
            for any number.
        choose: picks the pictures to take, for a trial; by default all of them.
        tell: is given what the reader lists before the first picture is taken.

    Returns:
        What was done.

    Raises:
        BadDataError: if the archive is not that dataset, or `out` holds something else.
        BadImageError: if a held-out picture of another prepared folder cannot be read.
        BadSettingError: if an option of the reader cannot be read, or a share cannot be held out.
        MissingExtraError: if the pictures are frames of films, without the extra ``video``.
        OutputError: if `out` cannot be written.
        UnknownNameError: if the dataset is not known.
    """
    if settings.source not in DATASETS:
        raise UnknownNameError("database", settings.source, DATASETS)
    _keep_apart(Path(settings.archive), out)
    if is_made(out, settings):
        report = load_report(out)
        if not (out / manifest.NAME).exists():
            raise BadDataError(
                f"{out} was prepared, and its {manifest.NAME} is gone",
                fix="remove that folder and prepare it again, or choose another --out",
            )
        _refuse_other_held_out(report, settings)
        _refuse_changed(report, settings, progress, choose)
        return report
    others = [held for folder in settings.against for held in held_out_of(Path(folder))]
    with Archive(settings.archive) as archive:
        listing = read_listing(settings.source, archive, settings.options)
        contents = contents_of(archive, listing)
        listing.problems += archive.left_out
        labels = listing.labels
        _keep_calm(labels, settings)
        tell(listing)
        items = _taken(listing, settings, choose)
        checksum = Checksum()
        with atomic_folder(out) as part, store_in(part) as store:
            writer = CropWriter(settings.source, part, store, labels)
            with closing(_cut(archive, items, settings, workers)) as crops:
                for item, crop in zip(progress(items), crops, strict=True):
                    writer.add(item, crop)
                    if not (isinstance(crop, str) or item.picture):
                        checksum.add(item.original, crop.checksum)
            checksum.add_of(archive, checked_files(archive, items, writer.unreadable)[1])
            del items
            listing = replace(listing, items=[])
            archive.close()  # the search takes the memory that the lists of pictures took
            contents = replace(
                contents, checksum=checksum.text(), held_out=held_out_in(settings.against)
            )
            report = Report(out, contents=contents)
            database = database_of(
                settings.source, origin(last_name(settings.archive), contents.source)
            )
            leaks: dict[int, Leak] = {}
            if not settings.keep_leaks:
                carved, few = settings.valid > 0, len(store) <= _MANY_SEARCHED
                searchers = 1 if few else workers
                leaks = find_leaks(store, settings.source, database, others, carved, searchers)
            return _finish(settings, writer, listing, leaks, report, part)


def _taken(
    listing: Listing, settings: Settings, choose: Callable[[list[Item]], list[Item]]
) -> list[Item]:
    """The pictures of a listing that are prepared, with their splits."""
    calm = listing.labels.calm
    items = [item for item in listing.items if settings.neutral or item.label != calm]
    items = hold_out(items, "test", settings.test, settings.seed)
    return choose(hold_out(items, "valid", settings.valid, settings.seed))


def _refuse_other_held_out(report: Report, settings: Settings) -> None:
    """Refuse to take what was compared with other pictures for what is asked for."""
    then = report.contents.held_out if report.contents else ""
    if not then or not all(Path(folder).exists() for folder in settings.against):
        return
    if held_out_in(settings.against) != then:
        raise BadDataError(
            f"{report.folder} was compared with other held-out pictures than there are now in "
            f"{', '.join(settings.against)}",
            fix="choose another --out, or remove that folder",
        )


def _refuse_changed(
    report: Report,
    settings: Settings,
    progress: Progress,
    choose: Callable[[list[Item]], list[Item]],
) -> None:
    """Refuse to take what was made of another source, or of other labels, for what is asked for."""
    then = report.contents
    if then is None or not Path(settings.archive).exists():
        return
    with Archive(settings.archive) as archive:
        listing = read_listing(settings.source, archive, settings.options)
        now = contents_of(archive, listing)
        told = changes(then, now)
        if not told and then.checksum and (archive.has_checksums or now.times != then.times):
            items = _taken(listing, settings, choose)
            files = chain(*checked_files(archive, items, report.unreadable))
            checksum = Checksum()
            checksum.add_of(archive, progress(list(files)))
            if checksum.text() != then.checksum:
                told = ["files of the same sizes that hold something else"]
    if told:
        raise BadDataError(
            f"{report.folder} was made of another {settings.archive}: {' and '.join(told)}",
            fix="choose another --out, or remove that folder",
        )


def _keep_calm(labels: LabelSet, settings: Settings) -> None:
    """Refuse to leave a class of the set without pictures."""
    if labels.calm in labels.names and not settings.neutral:
        raise BadSettingError(
            f"--no-neutral leaves the class {labels.calm} of {labels} without pictures",
            fix="leave --no-neutral out, or name the classes without it",
        )


def _cut(
    archive: Archive, items: Sequence[Item], settings: Settings, workers: int
) -> Generator[Crop | str, None, None]:
    """Cut the pictures in order; those that only this process can decode are cut here."""
    shape = Shape(settings.side, settings.quality, settings.gray, settings.frame)
    few = len(items) <= (_MANY // _FRAMING if shape.frame else _MANY)
    if few or any(item.picture for item in items):
        workers = 1
    make = partial(cutter, archive.path, shape) if workers > 1 else lambda: Cutter(archive, shape)
    size = _PART if workers > 1 else 1
    parts = (items[start : start + size] for start in range(0, len(items), size))
    for crops in share(make, parts, workers):
        yield from crops


def _keep_apart(archive: Path, out: Path) -> None:
    """Refuse to write into the source, or to replace a folder that holds it."""
    source, target = _resolved(archive), _resolved(out)
    inside = source.is_dir() and target.is_relative_to(source)
    in_part = any(is_part_name(part) for part in source.parts)
    if inside or in_part or source.is_relative_to(target):
        raise BadDataError(
            f"{out} and {archive} lie in each other; the source is never written to",
            fix="choose another --out",
        )


def _resolved(path: Path) -> Path:
    try:
        path.exists()  # too long a name is found here
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL, too long
        raise BadDataError(f"{str(path)!r} is no path ({error})", fix="check it") from error


def _finish(
    settings: Settings,
    writer: CropWriter,
    listing: Listing,
    leaks: Mapping[int, Leak],
    report: Report,
    part: Path,
) -> Report:
    """Drop the leaks, write the tables, and return the report."""
    report.unreadable = {name: reason for name, (*_, reason) in writer.unreadable.items()}
    if not len(writer.store):
        raise BadDataError(
            f"not one picture of {settings.archive} could be read; "
            f"the first: {next(iter(report.unreadable.values()), 'none is left')}",
            fix="download the archive again, or unpack it and give the folder",
        )
    for problem in listing.problems:
        report.skipped[problem.reason] += 1
        examples = report.examples.setdefault(problem.reason, [])
        if len(examples) < _NAMED:
            examples.append(problem.original)
    with (
        open_table(part / "excluded.csv", _EXCLUDED) as excluded,
        open_table(part / "labels.csv", ("image", "label")) as numbers,
        open_table(part / "soft.csv", ("path", *LABELS, NEUTRAL)) as soft,
    ):
        excluded.writerows(_left_out(writer, listing))
        kept = _without_leaks(writer.store, leaks, excluded, report, part)
        manifest.write(_into_tables(kept, numbers, soft, listing.labels), part)
    if listing.labels != PAPER:
        write_labels(part, listing.labels)
    if not writer.store.soft:
        (part / "soft.csv").unlink()
    save_report(settings, report, part)
    return report


def _left_out(writer: CropWriter, listing: Listing) -> Iterator[tuple[str, ...]]:
    """Yield a row of excluded.csv for every unreadable picture and every problem of the reader."""
    for name, (split, label, reason) in writer.unreadable.items():
        yield name, split, label, "unreadable", reason, ""
    for problem in listing.problems:
        yield problem.original, "", "", problem.reason, problem.detail, ""


def _without_leaks(
    store: CropStore, leaks: Mapping[int, Leak], excluded: Table, report: Report, part: Path
) -> Iterator[tuple[Row, list[str]]]:
    """Count every crop; delete and list the leaks, yield the others."""
    for number, (row, shares) in enumerate(store.rows()):
        leak = leaks.get(number)
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
        reason, detail = f"copy of {leak.split}", f"{leak.source}:{leak.original}"
        picture = (row.original, row.split, row.label)
        excluded.writerow((*picture, reason, detail, f"{leak.similarity:.3f}"))


def _into_tables(
    kept: Iterable[tuple[Row, list[str]]], numbers: Table, soft: Table, labels: LabelSet
) -> Iterator[Row]:
    """Write rows to the paper's labels.csv and to soft.csv; yield them for the manifest."""
    for row, shares in kept:
        numbers.writerow((row.path, labels.index(row.label)))
        if shares:
            soft.writerow((row.path, *(f"{float(share):.4f}" for share in shares)))
        yield row
