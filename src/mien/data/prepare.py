"""A database as downloaded becomes a folder of crops with a manifest, free of leaks.

The way through: list the items -> decode, frame or resize, encode, one at a time -> find the
training pictures that have a copy in a test split -> drop them -> write the manifest.
All is built in ``DIR.part`` and renamed when whole; the source is only read.
"""

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from mien import labels, media
from mien.data import audit, manifest
from mien.data.manifest import Row
from mien.data.sources import SOURCES, Archive, Item
from mien.errors import BadDataError, BadImageError, OutputError, UnknownNameError
from mien.faces.detect import Detector
from mien.faces.frame import reframe

__all__ = ["Report", "Settings", "prepare"]

U8 = npt.NDArray[np.uint8]
Progress = Callable[[Sequence[Item]], Iterable[Item]]

_SETTINGS = "prepare.json"
_EXCLUDED = "excluded.csv"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked of `prepare`.

    Attributes:
        source: the name of the database, a key of `SOURCES`.
        archive: the .zip or folder.
        frame: re-frame each face with the alignment that recognition uses.
        side: of the crops, in pixels.
        quality: of the JPEG files, 1 to 100.
        against: prepared folders whose test splits training must not contain either.
    """

    source: str
    archive: str
    frame: bool = False
    side: int = 64
    quality: int = 95
    against: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """What `prepare` did.

    Attributes:
        folder: where the crops are.
        kept: pictures written, by (split, label).
        leaked: training pictures left out as copies of test pictures, by the test's database.
        unreadable: pictures skipped, each with the reason.
        unframed: pictures in which no face was found to frame; kept as they came.
        fresh: False when the folder had been prepared before and nothing was done.
    """

    folder: Path
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)
    unframed: int = 0
    fresh: bool = True


def prepare(settings: Settings, out: Path, progress: Progress = iter) -> Report:
    """Turn a database into crops and a manifest, without the copies of test pictures.

    Args:
        settings: what to prepare, and how.
        out: the folder to make; it must not exist, unless made with the same settings before.
        progress: wraps the items, to show how far it is.

    Returns:
        What was done.

    Raises:
        BadDataError: if the archive is not that database, or `out` holds something else.
        OutputError: if `out` cannot be written.
        UnknownNameError: if the database is not known.
    """
    if settings.source not in SOURCES:
        raise UnknownNameError("database", settings.source, SOURCES)
    if _already(settings, out):
        return _report_of(out)
    tests = [_test_thumbnails(Path(folder)) for folder in settings.against]
    part = out.with_name(out.name + ".part")
    with Archive(settings.archive) as archive:
        items = SOURCES[settings.source](archive)
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            writer = _Writer(settings, archive, part)
            for item in progress(items):
                writer.add(item)
            report = _finish(writer, tests, out)
            part.rename(out)
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(
                f"cannot write {part}: {reason}", fix="choose another --out, or free some space"
            ) from error
        finally:  # also after Ctrl-C; when all went well it has been renamed
            shutil.rmtree(part, ignore_errors=True)
    return report


class _Writer:
    """Writes crops one by one and remembers a thumbnail of each picture, nothing more."""

    def __init__(self, settings: Settings, archive: Archive, part: Path) -> None:
        self.settings = settings
        self.part = part
        self.rows: list[Row] = []
        self.thumbnails: list[U8] = []
        self.unreadable: dict[str, str] = {}
        self._archive = archive
        self._detector = Detector() if settings.frame else None
        self._names: Counter[str] = Counter()

    def add(self, item: Item) -> None:
        """Write one picture's crop; an unreadable picture is remembered and skipped."""
        try:
            data = self._archive.read(item.original)
            rgb = media.decode_rgb(data, item.original)
        except BadImageError as error:
            self.unreadable[item.original] = error.message
            return
        encoded, framing = self._crop(data, rgb)
        path = self._path(item)
        target = self.part / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(encoded)
        with Image.open(io.BytesIO(encoded)) as written:
            sha256 = manifest.hash_pixels(np.asarray(written))
        self.thumbnails.append(audit.thumbnail(rgb))
        self.rows.append(
            Row(
                path,
                item.label,
                self.settings.source,
                item.split,
                item.subject,
                sha256,
                item.original,
                framing,
            )
        )

    def _crop(self, data: bytes, rgb: U8) -> tuple[bytes, str]:
        """Return the crop as a JPEG file, and how it was framed."""
        side = self.settings.side
        if self._detector is not None:
            framed = reframe(rgb, self._detector, side)
            if framed is not None:
                return _jpeg(Image.fromarray(framed), self.settings.quality), "framed"
        framing = "as-is" if self._detector is None else "unframed"
        with Image.open(io.BytesIO(data)) as image:
            if image.format == "JPEG" and image.size == (side, side) and _is_plain(image):
                return data, framing  # it is what we would write: no second loss
            gray = image.mode in {"L", "1"}
        crop = Image.fromarray(rgb)
        if gray:
            crop = crop.convert("L")
        resized = crop.resize((side, side), Image.Resampling.BICUBIC)
        return _jpeg(resized, self.settings.quality), framing

    def _path(self, item: Item) -> str:
        """Choose the crop's path; two originals of one name get different ones."""
        stem = Path(item.original).stem
        path = wanted = f"{item.split}/{labels.folder(item.label)}/{stem}"
        while path in self._names:
            self._names[wanted] += 1
            path = f"{wanted}-{self._names[wanted]}"
        self._names[path] = 1
        return f"{path}.jpg"


def _is_plain(image: Image.Image) -> bool:
    """Tell whether a picture's pixels are upright grey or RGB as they are stored."""
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    return image.mode in {"L", "RGB"} and not turned


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _finish(writer: _Writer, tests: Sequence[tuple[str, U8, list[str]]], out: Path) -> Report:
    """Drop the leaks, write manifest, exclusions and settings; return the report."""
    report = Report(out, unreadable=writer.unreadable)
    if not writer.rows:
        raise BadDataError(
            f"not one picture of {writer.settings.archive} could be read; "
            f"the first: {next(iter(writer.unreadable.values()))}",
            fix="download the archive again, or unpack it and give the folder",
        )
    thumbnails = np.stack(writer.thumbnails)
    is_train = np.array([row.split == "train" for row in writer.rows])
    own = [row.original for row in writer.rows if row.split == "test"]
    excluded = [(name, "", "unreadable", why, "") for name, why in writer.unreadable.items()]
    dropped: set[int] = set()
    train = np.flatnonzero(is_train)
    for source, those, names in [(writer.settings.source, thumbnails[~is_train], own), *tests]:
        for copy in audit.find_copies(thumbnails[train], those):
            row = int(train[copy.this])
            if row in dropped:
                continue
            dropped.add(row)
            report.leaked[source] += 1
            twin = f"{source}:{names[copy.that]}"
            original = writer.rows[row].original
            excluded.append((original, "train", "copy of test", twin, f"{copy.similarity:.3f}"))
    for index in dropped:
        (writer.part / writer.rows[index].path).unlink()
    kept = [row for index, row in enumerate(writer.rows) if index not in dropped]
    report.kept.update((row.split, row.label) for row in kept)
    report.unframed = sum(row.framing == "unframed" for row in kept)
    _write_excluded(excluded, writer.part / _EXCLUDED)
    manifest.write(kept, writer.part)
    record = {**_as_record(writer.settings), "report": _as_json(report)}
    (writer.part / _SETTINGS).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return report


def _write_excluded(rows: Iterable[tuple[str, ...]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["original", "split", "reason", "detail", "similarity"])
        table.writerows(rows)


def _as_record(settings: Settings) -> dict[str, object]:
    """Return the settings as they are kept: with the archive's name, wherever it lies now."""
    folders = [Path(folder).name for folder in settings.against]
    return {**asdict(settings), "archive": Path(settings.archive).name, "against": folders}


def _as_json(report: Report) -> dict[str, object]:
    return {
        "kept": [[split, label, count] for (split, label), count in sorted(report.kept.items())],
        "leaked": dict(report.leaked),
        "unreadable": report.unreadable,
        "unframed": report.unframed,
    }


def _already(settings: Settings, out: Path) -> bool:
    """Tell whether `out` was made with these settings; refuse it if it holds anything else."""
    if not out.exists():
        return False
    try:
        record = json.loads((out / _SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = {}
    if not isinstance(record, dict):
        record = {}
    record.pop("report", None)
    if record == _as_record(settings):
        return True
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
        return False
    raise BadDataError(
        f"{out} exists and was not made with these settings",
        fix="choose another --out, or remove that folder",
    )


def _report_of(out: Path) -> Report:
    record = json.loads((out / _SETTINGS).read_text(encoding="utf-8"))["report"]
    return Report(
        out,
        Counter({(split, label): count for split, label, count in record["kept"]}),
        Counter(record["leaked"]),
        record["unreadable"],
        record["unframed"],
        fresh=False,
    )


def _test_thumbnails(folder: Path) -> tuple[str, U8, list[str]]:
    """Return the database, the thumbnails and the originals of a prepared folder's test split."""
    rows = [row for row in manifest.read(folder) if row.split == "test"]
    if not rows:
        raise BadDataError(f"{folder} has no test split", fix="leave it out of --against")
    if any(row.framing == "framed" for row in rows):  # whole pictures are compared, not framed ones
        raise BadDataError(f"{folder} was framed", fix="name the folder prepared --as-is")
    pictures = [audit.thumbnail(media.read_rgb(folder / row.path)) for row in rows]
    return rows[0].source, np.stack(pictures), [row.original for row in rows]
