"""The settings and the report of `prepare`, and the file ``prepare.json`` that holds both.
Knows neither pictures nor copies.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mien.data.datasets import OptionValue, options_of_all
from mien.data.label_file import labels_of
from mien.data.manifest import SPLITS
from mien.data.prepare.contents import Contents
from mien.documents import parse_json, read_text
from mien.errors import BadDataError, UnknownNameError
from mien.labels import LabelSet
from mien.media.writers import as_output_error, write_text

__all__ = [
    "OWN",
    "Report",
    "Settings",
    "archive_of",
    "database_of",
    "is_made",
    "last_name",
    "load_report",
    "origin",
    "origin_of",
    "save_report",
]

OWN = "folder"  # the dataset of all pictures of one's own
_NAME = "prepare.json"


@dataclass(frozen=True, slots=True)
class Settings:
    """What `prepare` is to do.

    Attributes:
        source: the name of the dataset, a key of `DATASETS`.
        archive: the .zip, .tar or folder.
        frame: re-frame each face with the alignment that recognition uses.
        side: of the crops, in pixels.
        quality: of the JPEG files, 1 to 100.
        against: prepared folders whose held-out pictures training must not contain either.
        gray: True for one channel, False for three, None for as many as the picture has.
        neutral: whether neutral faces are kept.
        valid: share of the training pictures to hold out for validation, in [0, 1).
        test: share of all pictures to hold out as a test set, where the dataset has none.
        seed: of the draws for `valid` and `test`.
        options: of the readers, by name, see `mien.data.datasets.OPTIONS`; those left out keep
            their defaults.
        keep_leaks: leave copies of held-out pictures in training, for an audit to find.

    Raises:
        UnknownNameError: if no reader has one of the options.
    """

    source: str
    archive: str
    frame: bool = False
    side: int = 64
    quality: int = 95
    against: tuple[str, ...] = ()
    gray: bool | None = None
    neutral: bool = True
    valid: float = 0
    test: float = 0
    seed: int = 0
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    keep_leaks: bool = False

    def __post_init__(self) -> None:
        """Refuse options that no reader has."""
        known = options_of_all()
        for name in self.options.keys() - known.keys():
            raise UnknownNameError("option", name, known)


@dataclass(slots=True)
class Report:
    """What `prepare` did.

    Attributes:
        folder: where the crops are.
        kept: pictures written, by (split, label).
        leaked: pictures left out of training as copies of test pictures, by the test's dataset.
        near_valid: training pictures left out as copies of validation pictures.
        unreadable: pictures skipped, each with the reason.
        skipped: pictures and lines of tables that the reader left out, by reason.
        examples: the first few names of each reason.
        unframed: pictures in which no face was found to frame; kept as they came.
        contents: what it was made from; None where an earlier version did not record it.
        fresh: False when the folder was prepared before and nothing was done.
    """

    folder: Path
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    near_valid: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    unframed: int = 0
    contents: Contents | None = None
    fresh: bool = True


def is_made(out: Path, settings: Settings) -> bool:
    """Tell whether a folder was made with these settings.

    Args:
        out: the folder.
        settings: of this run.

    Returns:
        False where there is none yet, or an empty one, which is removed.

    Raises:
        BadDataError: if it holds anything else.
        OutputError: if an empty one cannot be removed, as a disk that is mounted there.
    """
    if not out.exists():
        return False
    record = _read(out)
    record.pop("report", None)
    if record.get("archive") == "":  # an earlier version called the folder "." so
        record["archive"] = last_name(settings.archive)
    defaults = _as_record(Settings("", ""))  # for what was recorded before a setting existed
    options = record.get("options")
    if isinstance(options, dict):
        record["options"] = {**_options_recorded({}), **options}
    if {**defaults, **record} == _as_record(settings):
        return True
    if out.is_dir() and not any(out.iterdir()):
        with as_output_error(out, fix="name a new folder, such as one in it"):
            out.rmdir()
        return False
    raise BadDataError(
        f"{out} exists and was not made with these settings",
        fix="choose another --out, or remove that folder",
    )


def archive_of(folder: Path) -> str:
    """Return the name of the archive or folder that a folder was made from.

    Args:
        folder: what ``mien prepare`` wrote.

    Returns:
        Its last name; "" if the folder has no record of it.
    """
    return str(_read(folder).get("archive", ""))


def origin_of(folder: Path) -> str:
    """Tell what a folder was made from; its framings and sizes have the same.

    Args:
        folder: what ``mien prepare`` wrote.

    Returns:
        See `origin`; "" if the folder has no record of it.
    """
    match _read(folder):
        case {"archive": str(archive), "report": {"contents": {"source": str(source)}}}:
            return origin(archive, source)
    return archive_of(folder)  # an earlier version did not record the source


def origin(archive: str, source: str) -> str:
    """Name what a folder is made from.

    Args:
        archive: its last name.
        source: `Contents.source`, which tells apart what has one last name; or "".

    Returns:
        A name.
    """
    return f"{archive} {source[:12]}" if source else archive


def database_of(source: str, origin: str) -> str:
    """Tell the database of a picture, as far as it can be told: all own pictures are of ``folder``.

    Args:
        source: of its row in the manifest.
        origin: of its folder, see `origin_of`.

    Returns:
        A name that two framings of one database share, and two folders of one's own do not.

    Example:
        >>> [database_of("rafdb", "rafdb.zip"), database_of("folder", "lab")]
        ['rafdb', 'folder:lab']
    """
    return f"{source}:{origin}" if source == OWN and origin else source


def last_name(path: str) -> str:
    """Return the last name of an archive or folder, however it was called.

    Args:
        path: to it; may be ``.``.

    Returns:
        Its name, by which it is recorded.

    Example:
        >>> last_name("me/lab.zip"), last_name(".") == Path.cwd().name
        ('lab.zip', True)
    """
    name = Path(path).name
    return Path(path).resolve().name if name in {"", ".."} else name


def load_report(out: Path) -> Report:
    """Read what `prepare` did when it made a folder.

    Args:
        out: the folder.

    Returns:
        The report, not fresh.

    Raises:
        BadDataError: if the record of it is damaged.
    """
    found = _read(out).get("report")
    record = found if isinstance(found, dict) else {}
    labels = labels_of(out)
    try:
        return Report(
            out,
            Counter({_pair(split, label, labels): _count(n) for split, label, n in record["kept"]}),
            Counter(_counts(record["leaked"])),
            _count(record.get("near_valid", 0)),
            _texts(record["unreadable"]),
            Counter(_counts(record.get("skipped", {}))),
            {reason: _names(names) for reason, names in record.get("examples", {}).items()},
            _count(record["unframed"]),
            _contents(record["contents"]) if "contents" in record else None,
            fresh=False,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadDataError(
            f"{out / _NAME} is damaged: what mien prepare did cannot be read from it ({error})",
            fix="choose another --out, or remove that folder and prepare it again",
        ) from error


def _read(out: Path) -> dict[str, Any]:
    """Read the file; one that is no record of ours counts as empty."""
    try:
        record = parse_json(read_text(out / _NAME))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _pair(split: object, label: object, labels: LabelSet) -> tuple[str, str]:
    if split not in SPLITS or label not in labels.targets:
        raise ValueError(f"{split!r} {label!r}")
    return str(split), str(label)


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value


def _counts(values: Mapping[str, object]) -> dict[str, int]:
    return {name: _count(value) for name, value in values.items()}


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return dict(zip(values, _names(list(values.values())), strict=True))


def _names(values: object) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{values!r} are no texts")
    return values


def _contents(values: Mapping[str, Any]) -> Contents:
    count, *digests = (values.get(own.name, own.default) for own in fields(Contents))
    return Contents(_count(count), *_names(digests))


def save_report(settings: Settings, report: Report, folder: Path) -> None:
    """Write ``prepare.json``.

    Args:
        settings: what `prepare` was to do.
        report: what it did.
        folder: receives the file.
    """
    record = {**_as_record(settings), "report": _as_json(report)}
    write_text(json.dumps(record, indent=2) + "\n", folder / _NAME)


def _as_record(settings: Settings) -> dict[str, object]:
    """The settings as they are recorded: names instead of paths, so that data may be moved."""
    return {
        **asdict(settings),
        "archive": last_name(settings.archive),
        "against": [last_name(folder) for folder in settings.against],
        "options": _options_recorded(settings.options),
    }


def _options_recorded(options: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """All options of readers, those left out with their defaults."""
    defaults: dict[str, Any] = {name: option.default for name, option in options_of_all().items()}
    return {name: _recorded(value) for name, value in (defaults | dict(options)).items()}


def _recorded(value: OptionValue) -> OptionValue:
    """A path by its last name; what has commas is a list of names and no path."""
    return Path(value).name if isinstance(value, str) and "," not in value else value


def _as_json(report: Report) -> dict[str, object]:
    return {
        "kept": [[split, label, count] for (split, label), count in sorted(report.kept.items())],
        "leaked": dict(report.leaked),
        "near_valid": report.near_valid,
        "unreadable": report.unreadable,
        "skipped": dict(report.skipped),
        "examples": report.examples,
        "unframed": report.unframed,
        **({"contents": asdict(report.contents)} if report.contents else {}),
    }
